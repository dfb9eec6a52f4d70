//! Decoding JSON alone: bids as lines in memory, against `serde_json` into a struct that borrows.
//!
//! Both read the same bytes through the same kind of reader, split lines and check UTF-8. The one writes columns, the
//! other only fills a struct and sums what is in it.

use std::hint::black_box;
use std::io::{BufRead, BufReader, Cursor};
use std::sync::Arc;

use anyhow::{Result, ensure};
use serde::Deserialize;
use tidemill_connectors::input::text::of_reader;
use tidemill_connectors::nexmark::{Kind, NexmarkSpec, write_json_lines};
use tidemill_connectors::{
    ColumnSpec, FormatKind, FormatSpec, LogicalType, Split, Then, TimeFormat,
};
use tidemill_engine::BATCH_ROWS;

use crate::figure::{Figure, Limit, median};
use crate::usage;
use crate::{Places, RUNS};

/// Events of which the bids are taken.
const EVENTS: u64 = 1_000_000;

/// How much is read at a time, as sources do.
const BLOCK: usize = 128 * 1024;

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    bid: Bid<'a>,
}

#[derive(Deserialize)]
struct Bid<'a> {
    auction: i64,
    bidder: i64,
    price: i64,
    channel: &'a str,
    date_time: &'a str,
}

/// The bids of so many events as lines, and how many they are.
pub fn bids(events: u64) -> Result<(Vec<u8>, u64)> {
    let spec = NexmarkSpec {
        kind: Kind::Bids,
        events: Some(events),
        seed: 1,
        ..NexmarkSpec::default()
    };
    let mut text = Vec::new();
    let rows = write_json_lines(&spec, &mut text)?;
    Ok((text, rows))
}

/// Nanoseconds per row, and how many times as fast that is as `serde_json`.
pub fn measure(_: &Places) -> Result<Vec<Figure>> {
    let (text, rows) = bids(EVENTS)?;
    let text: Arc<[u8]> = text.into();
    let (mut own, mut serde) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let per_row = |spent: usage::Spent| 1e9 * spent.cpu / rows as f64;
        let (read, spent) = usage::of(|| columns(text.clone()));
        ensure!(read? == rows, "all rows are good");
        own.push(per_row(spent));
        let (read, spent) = usage::of(|| structs(&text));
        ensure!(read? == rows, "all rows are good");
        serde.push(per_row(spent));
    }
    let (own, serde) = (median(own), median(serde));
    let figure = |name, value, unit, limit, note| Figure {
        name,
        value,
        unit,
        rate: Some(1e9 / own),
        native_ratio: None,
        limit,
        note,
    };
    let length = text.len() as u64 / rows;
    Ok(vec![
        figure(
            "json-decode",
            own,
            "ns",
            Limit::Most(170.0),
            format!("lines of {length} bytes, five columns"),
        ),
        figure(
            "json-decode-ratio",
            serde / own,
            "ratio",
            Limit::Least(3.0),
            format!("serde_json {serde:.0} ns per row"),
        ),
    ])
}

fn columns(text: Arc<[u8]>) -> Result<u64> {
    let column = |name: &str, ty| ColumnSpec::new(name, ty, false).at(&format!("bid.{name}"));
    let mut time = column("date_time", LogicalType::Time).written(TimeFormat::Sql);
    time.name = "time".to_owned();
    let columns = vec![
        column("auction", LogicalType::Integer),
        column("bidder", LogicalType::Integer),
        column("price", LogicalType::Integer),
        column("channel", LogicalType::Text),
        time,
    ];
    let format = FormatSpec::new(FormatKind::Json, columns);
    let mut split = of_reader("bids", &format, Cursor::new(text))?;
    let mut rows = 0;
    loop {
        let chunk = black_box(split.read(BATCH_ROWS)?);
        rows += chunk.rows.num_rows() as u64;
        if chunk.then == Then::End {
            return Ok(rows);
        }
    }
}

fn structs(text: &[u8]) -> Result<u64> {
    let mut reader = BufReader::with_capacity(BLOCK, text);
    let mut line = Vec::new();
    let mut rows = 0;
    while reader.read_until(b'\n', &mut line)? > 0 {
        let Bid {
            auction,
            bidder,
            price,
            channel,
            date_time,
        } = serde_json::from_str::<Event>(std::str::from_utf8(&line)?)?.bid;
        black_box((auction, bidder, price, channel, date_time));
        rows += 1;
        line.clear();
    }
    Ok(rows)
}
