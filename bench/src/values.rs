//! Decoding Avro and Protobuf alone: the bids of `json-decode` as the values of records, in memory.
//!
//! The same five columns are read of the same seven fields. Beside each stands how long the JSON of the same bids takes as the value
//! of a record, in the same run.

use std::fs;
use std::hint::black_box;

use anyhow::{Result, ensure};
use arrow_array::RecordBatch;
use arrow_array::cast::AsArray;
use arrow_array::types::{Int64Type, TimestampMicrosecondType};
use tidemill_connectors::decode::values::Values;
use tidemill_connectors::format::{FileSchema, SchemaSpec};
use tidemill_connectors::{ColumnSpec, FormatKind, FormatSpec, LogicalType, TimeFormat};
use tidemill_engine::BATCH_ROWS;

use crate::decode;
use crate::figure::{Figure, Limit, median};
use crate::usage;
use crate::{Places, RUNS};

/// Events of which the bids are taken.
const EVENTS: u64 = 500_000;

const AVRO: &str = r#"{"type":"record","name":"Event","fields":[{"name":"bid","type":{"type":"record","name":"Bid","fields":[
{"name":"auction","type":"long"},{"name":"bidder","type":"long"},{"name":"price","type":"long"},
{"name":"channel","type":"string"},{"name":"url","type":"string"},
{"name":"date_time","type":{"type":"long","logicalType":"timestamp-micros"}},{"name":"extra","type":"string"}]}}]}"#;

const PROTOBUF: &str = r#"syntax = "proto3";
import "google/protobuf/timestamp.proto";
message Event { Bid bid = 1; }
message Bid {
  int64 auction = 1; int64 bidder = 2; int64 price = 3; string channel = 4; string url = 5;
  google.protobuf.Timestamp date_time = 6; string extra = 7;
}"#;

/// Nanoseconds per value of either format.
pub fn measure(_: &Places) -> Result<Vec<Figure>> {
    let (text, _) = decode::bids(EVENTS)?;
    let mut lines = EndToEnd::default();
    text.split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty())
        .for_each(|line| lines.push(line));
    let whole = rows(&json(&ALL), &lines)?;
    let folder = tempfile::tempdir()?;
    let schema = |name: &str, text: &str, message: Option<&str>| -> Result<SchemaSpec> {
        let path = folder.path().join(name);
        fs::write(&path, text)?;
        let message = message.map(str::to_owned);
        Ok(SchemaSpec::File(FileSchema { path, message }))
    };
    let mut avro = columns(FormatKind::Avro, &FIVE);
    avro.schema = schema("event.avsc", AVRO, None)?;
    let mut protobuf = columns(FormatKind::Protobuf, &FIVE);
    protobuf.schema = schema("event.proto", PROTOBUF, Some("Event"))?;
    let five = json(&FIVE);
    let expected = rows(&five, &lines)?;
    let mut json_ns = Vec::new();
    for _ in 0..RUNS {
        json_ns.push(timed(&five, &lines)?);
    }
    let json_ns = median(json_ns);
    let mut figures = Vec::new();
    for (name, format, write) in [
        ("avro-decode", avro, avro_value as fn(&Bid<'_>) -> Vec<u8>),
        ("protobuf-decode", protobuf, protobuf_value),
    ] {
        let mut values = EndToEnd::default();
        bids(&whole).for_each(|bid| values.push(&write(&bid)));
        ensure!(
            rows(&format, &values)? == expected,
            "{name} reads the same rows"
        );
        let mut runs = Vec::new();
        for _ in 0..RUNS {
            runs.push(timed(&format, &values)?);
        }
        let value = median(runs);
        let length = values.bytes.len() / values.ends.len();
        figures.push(Figure {
            name,
            value,
            unit: "ns",
            rate: Some(1e9 / value),
            native_ratio: None,
            limit: Limit::Partner,
            note: format!(
                "values of {length} bytes, five columns; the same bids as JSON {json_ns:.0} ns"
            ),
        });
    }
    Ok(figures)
}

/// The fields of a bid.
const ALL: [(&str, LogicalType); 7] = [
    ("auction", LogicalType::Integer),
    ("bidder", LogicalType::Integer),
    ("price", LogicalType::Integer),
    ("channel", LogicalType::Text),
    ("url", LogicalType::Text),
    ("date_time", LogicalType::Time),
    ("extra", LogicalType::Text),
];

/// Those that are read.
const FIVE: [(&str, LogicalType); 5] = [ALL[0], ALL[1], ALL[2], ALL[3], ALL[5]];

fn columns(kind: FormatKind, of: &[(&str, LogicalType)]) -> FormatSpec {
    let column = |&(name, ty): &(&str, LogicalType)| {
        ColumnSpec::new(name, ty, false).at(&format!("bid.{name}"))
    };
    FormatSpec::new(kind, of.iter().map(column).collect())
}

fn json(of: &[(&str, LogicalType)]) -> FormatSpec {
    let mut format = columns(FormatKind::Json, of);
    for column in &mut format.columns {
        column.time_format = TimeFormat::Sql;
    }
    format
}

/// Values end to end, as a client has those of a fetch.
#[derive(Default)]
struct EndToEnd {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl EndToEnd {
    fn push(&mut self, value: &[u8]) {
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len());
    }

    fn from(&self, first: usize, most: usize) -> impl Iterator<Item = &[u8]> {
        let end = self.ends.len().min(first + most);
        (first..end).map(|i| {
            let start = i.checked_sub(1).map_or(0, |before| self.ends[before]);
            &self.bytes[start..self.ends[i]]
        })
    }
}

/// All rows, as one batch.
fn rows(format: &FormatSpec, values: &EndToEnd) -> Result<RecordBatch> {
    let mut rows = Values::new(format)?;
    for value in values.from(0, values.ends.len()) {
        rows.push(value)
            .map_err(|why| anyhow::anyhow!("a bad row: {}", why.message))?;
    }
    Ok(rows.take()?)
}

/// Nanoseconds per value, in batches.
fn timed(format: &FormatSpec, values: &EndToEnd) -> Result<f64> {
    let mut rows = Values::new(format)?;
    let (bad, spent) = usage::of(|| {
        let mut bad = 0;
        for first in (0..values.ends.len()).step_by(BATCH_ROWS) {
            for value in values.from(first, BATCH_ROWS) {
                bad += usize::from(rows.push(value).is_err());
            }
            black_box(rows.take()).expect("a batch");
        }
        bad
    });
    ensure!(bad == 0, "all rows are good");
    Ok(1e9 * spent.cpu / values.ends.len() as f64)
}

/// A bid to be written.
struct Bid<'a> {
    numbers: [i64; 3],
    channel: &'a str,
    url: &'a str,
    micros: i64,
    extra: &'a str,
}

fn bids(rows: &RecordBatch) -> impl Iterator<Item = Bid<'_>> {
    let column = |name: &str| rows.column_by_name(name).expect("a field of bids").as_ref();
    let numbers = ["auction", "bidder", "price"].map(|n| column(n).as_primitive::<Int64Type>());
    let texts = ["channel", "url", "extra"].map(|n| column(n).as_string::<i32>());
    let times = column("date_time").as_primitive::<TimestampMicrosecondType>();
    (0..times.len()).map(move |row| Bid {
        numbers: numbers.map(|column| column.value(row)),
        channel: texts[0].value(row),
        url: texts[1].value(row),
        micros: times.value(row),
        extra: texts[2].value(row),
    })
}

fn varint(mut word: u64, bytes: &mut Vec<u8>) {
    while word >= 0x80 {
        bytes.push(word as u8 | 0x80);
        word >>= 7;
    }
    bytes.push(word as u8);
}

fn avro_value(bid: &Bid<'_>) -> Vec<u8> {
    let mut value = Vec::new();
    let long = |n: i64, value: &mut Vec<u8>| varint((n << 1 ^ n >> 63) as u64, value);
    let text = |text: &str, value: &mut Vec<u8>| {
        long(text.len() as i64, value);
        value.extend_from_slice(text.as_bytes());
    };
    bid.numbers
        .iter()
        .for_each(|&number| long(number, &mut value));
    text(bid.channel, &mut value);
    text(bid.url, &mut value);
    long(bid.micros, &mut value);
    text(bid.extra, &mut value);
    value
}

fn protobuf_value(bid: &Bid<'_>) -> Vec<u8> {
    let number = |field: u64, number: i64, value: &mut Vec<u8>| {
        varint(field << 3, value);
        varint(number as u64, value);
    };
    let counted = |field: u64, bytes: &[u8], value: &mut Vec<u8>| {
        varint(field << 3 | 2, value);
        varint(bytes.len() as u64, value);
        value.extend_from_slice(bytes);
    };
    let mut moment = Vec::new();
    number(1, bid.micros.div_euclid(1_000_000), &mut moment);
    let nanos = bid.micros.rem_euclid(1_000_000) * 1000;
    if nanos != 0 {
        number(2, nanos, &mut moment);
    }
    let mut inner = Vec::new();
    for (field, &value) in (1..).zip(&bid.numbers) {
        number(field, value, &mut inner);
    }
    counted(4, bid.channel.as_bytes(), &mut inner);
    counted(5, bid.url.as_bytes(), &mut inner);
    counted(6, &moment, &mut inner);
    counted(7, bid.extra.as_bytes(), &mut inner);
    let mut value = Vec::new();
    counted(1, &inner, &mut value);
    value
}
