//! What the figures of the boundary are measured with: every field read; every second row returned.

use std::hint::black_box;

use crate::bindings::tidemill::operator::columns::{Arena, Batch, Column, Values};
use crate::bindings::tidemill::operator::outcome::{Emitted, Output, Produced};

/// Adds all numbers, the times, and the length and first byte of each text.
pub fn read(rows: &Batch) -> Output {
    black_box(sum(rows));
    Output {
        emitted: Vec::new(),
        failures: Vec::new(),
    }
}

/// The same, and every second row with all its columns, made.
pub fn read_and_return(rows: Batch) -> Output {
    black_box(sum(&rows));
    let origins: Vec<u32> = (0..rows.rows).step_by(2).collect();
    let columns = rows
        .columns
        .iter()
        .map(|column| Produced::Made(every_second(column)));
    let emitted = Emitted {
        target: 0,
        origins,
        times: None,
        changes: None,
        columns: columns.collect(),
    };
    Output {
        emitted: vec![emitted],
        failures: Vec::new(),
    }
}

fn sum(rows: &Batch) -> f64 {
    let mut sum = 0.0;
    for column in &rows.columns {
        sum += match &column.values {
            Values::Words(words) => words.iter().fold(0i64, |a, b| a.wrapping_add(*b)) as f64,
            Values::Floats(floats) => floats.iter().sum(),
            Values::Arena(Arena { offsets, bytes }) => texts(offsets, bytes) as f64,
            Values::Octets(octets) => octets.len() as f64,
        };
    }
    sum
}

fn texts(offsets: &[u32], bytes: &[u8]) -> u64 {
    let text = |pair: &[u32]| &bytes[pair[0] as usize..pair[1] as usize];
    let one = |text: &[u8]| text.len() as u64 + u64::from(text.first().copied().unwrap_or(0));
    offsets.windows(2).map(|pair| one(text(pair))).sum()
}

fn every_second(column: &Column) -> Column {
    let values = match &column.values {
        Values::Words(words) => Values::Words(words.iter().step_by(2).copied().collect()),
        Values::Floats(floats) => Values::Floats(floats.iter().step_by(2).copied().collect()),
        Values::Octets(octets) => Values::Octets(octets.iter().step_by(2).copied().collect()),
        Values::Arena(Arena { offsets, bytes }) => {
            let mut taken = Arena {
                offsets: Vec::with_capacity(offsets.len() / 2 + 1),
                bytes: Vec::with_capacity(bytes.len() / 2 + 64),
            };
            taken.offsets.push(0);
            for pair in offsets.windows(2).step_by(2) {
                taken
                    .bytes
                    .extend_from_slice(&bytes[pair[0] as usize..pair[1] as usize]);
                taken.offsets.push(taken.bytes.len() as u32);
            }
            Values::Arena(taken)
        }
    };
    Column {
        values,
        valid: None,
    }
}
