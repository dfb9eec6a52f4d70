//! Rows made up from columns: always the same ones, with few keys, odd values and nulls among them.

use std::sync::Arc;

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray,
    TimestampMicrosecondArray,
};
use arrow_schema::Field;
use tidemill_connectors::{Chunk, Then};
use tidemill_rows::{LogicalType, SchemaRef};

/// One in so many values of a column that may be null is.
const ONE_NULL_IN: u64 = 10;

/// Texts and bytes are few, so that rows share keys.
const TEXTS: [&str; 8] = [
    "a",
    "b",
    "c",
    "d",
    "",
    "Größe",
    "a longer text than the others",
    "0",
];

/// 2024-01-01T00:00:00Z, about which times lie.
const MIDDLE_US: i64 = 1_704_067_200_000_000;

/// Rows of these columns.
pub fn chunk(schema: &SchemaRef, rows: usize) -> Chunk {
    let columns = schema.fields().iter().zip(1..);
    let columns = columns
        .map(|(field, seed)| column(field, seed, rows))
        .collect();
    Chunk {
        rows: RecordBatch::try_new(schema.clone(), columns)
            .expect("columns are made as the schema says"),
        positions: (0..rows as u64).collect(),
        lines: None,
        changes: None,
        bad: Vec::new(),
        then: Then::Pending,
    }
}

/// Mixes bits well enough that columns do not follow each other (SplitMix64).
fn mixed(seed: u64, row: u64) -> u64 {
    let mut z = seed
        .wrapping_mul(0xD1B5_4A32_D192_ED03)
        .wrapping_add(row.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn column(field: &Field, seed: u64, rows: usize) -> ArrayRef {
    let values = (0..rows as u64).map(|row| {
        let bits = mixed(seed, row);
        let null = field.is_nullable() && bits.is_multiple_of(ONE_NULL_IN);
        (!null).then_some((row, bits >> 8))
    });
    match LogicalType::of(field.data_type()) {
        LogicalType::Bool => Arc::new(
            values
                .map(|v| v.map(|(_, bits)| bits % 2 == 0))
                .collect::<BooleanArray>(),
        ),
        LogicalType::Integer => Arc::new(
            values
                .map(|v| v.map(|(_, bits)| integer(bits)))
                .collect::<Int64Array>(),
        ),
        LogicalType::Float => Arc::new(
            values
                .map(|v| v.map(|(_, bits)| float(bits)))
                .collect::<Float64Array>(),
        ),
        LogicalType::Text => Arc::new(
            values
                .map(|v| v.map(|(_, bits)| text(bits)))
                .collect::<StringArray>(),
        ),
        LogicalType::Bytes => Arc::new(
            values
                .map(|v| v.map(|(_, bits)| text(bits).as_bytes()))
                .collect::<BinaryArray>(),
        ),
        LogicalType::Time => {
            let times = values.map(|v| v.map(|(row, bits)| time(row, bits)));
            let times: TimestampMicrosecondArray = times.collect();
            Arc::new(times.with_data_type(LogicalType::Time.arrow()))
        }
    }
}

/// Mostly small, sometimes not.
fn integer(bits: u64) -> i64 {
    match bits % 16 {
        0 => (bits >> 4) as i64 % 1_000_000_007,
        1 => -((bits >> 4) as i64 % 1_000),
        _ => (bits >> 4) as i64 % 20,
    }
}

/// Of very different sizes: sums of them depend on their order in the last bits.
fn float(bits: u64) -> f64 {
    let whole = ((bits >> 4) % 1_000_000) as f64;
    match bits % 16 {
        0 => whole * 1e9 + 0.1,
        1 => -whole / 7.0,
        _ => whole / 100.0,
    }
}

fn text(bits: u64) -> &'static str {
    TEXTS[(bits % TEXTS.len() as u64) as usize]
}

/// About a second further with every row, and a little out of order.
fn time(row: u64, bits: u64) -> i64 {
    MIDDLE_US + row as i64 * 1_000_000 + (bits % 5_000_000) as i64
}
