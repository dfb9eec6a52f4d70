//! Keys as bytes. The encoding and the hash are on-disk formats: they never change.
//!
//! A key's columns are encoded one behind the other, each so that comparing bytes compares values:
//!
//! | value | bytes |
//! |---|---|
//! | null | `00` |
//! | bool | `01`, then `00` or `01` |
//! | integer, time | `01`, then 8 bytes big-endian with the sign bit flipped |
//! | float | `01`, then 8 bytes big-endian: sign bit flipped if positive, all bits flipped if negative; -0.0 is 0.0, all NaN are one |
//! | text, bytes | `01`, then the bytes with `00` written as `00 FF`, then `00 00` |
//!
//! (The scheme of FoundationDB's tuple layer, for schemas known beforehand.)

use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use xxhash_rust::xxh3::xxh3_64;

use crate::LogicalType;

/// The hash of an encoded key, from which its key group and its worker follow.
pub fn hash(key: &[u8]) -> u64 {
    xxh3_64(key)
}

/// The key group of a hash: the unit in which keyed state is partitioned and moved.
pub fn group(hash: u64, max_parallelism: u32) -> u32 {
    (hash % u64::from(max_parallelism)) as u32
}

/// The worker that a key group belongs to: contiguous ranges, so that a change of parallelism moves few groups.
pub fn worker_of_group(group: u32, max_parallelism: u32, workers: u32) -> u32 {
    (u64::from(group) * u64::from(workers) / u64::from(max_parallelism)) as u32
}

/// Encoded keys of a batch, end to end.
#[derive(Default, Debug)]
pub struct EncodedKeys {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl EncodedKeys {
    /// Encodes the key of each row, replacing what was there.
    pub fn encode(&mut self, columns: &[ArrayRef], rows: usize) {
        self.bytes.clear();
        self.ends.clear();
        for row in 0..rows {
            for column in columns {
                encode_value(column, row, &mut self.bytes);
            }
            self.ends.push(self.bytes.len());
        }
    }

    /// The encoded key of a row.
    pub fn get(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        &self.bytes[start..self.ends[row]]
    }
}

/// Writes an integer as a key's bytes.
pub fn integer_bits(value: i64) -> [u8; 8] {
    ((value as u64) ^ (1 << 63)).to_be_bytes()
}

fn float_bits(value: f64) -> [u8; 8] {
    let value = if value.is_nan() { f64::NAN } else { value + 0.0 };
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 0 { bits | (1 << 63) } else { !bits };
    ordered.to_be_bytes()
}

fn encode_value(column: &ArrayRef, row: usize, out: &mut Vec<u8>) {
    if column.is_null(row) {
        out.push(0);
        return;
    }
    out.push(1);
    match LogicalType::of(column.data_type()) {
        LogicalType::Bool => out.push(u8::from(column.as_boolean().value(row))),
        LogicalType::Integer => {
            out.extend(integer_bits(column.as_primitive::<Int64Type>().value(row)));
        }
        LogicalType::Time => {
            out.extend(integer_bits(column.as_primitive::<TimestampMicrosecondType>().value(row)));
        }
        LogicalType::Float => out.extend(float_bits(column.as_primitive::<Float64Type>().value(row))),
        LogicalType::Text => encode_bytes(column.as_string::<i32>().value(row).as_bytes(), out),
        LogicalType::Bytes => encode_bytes(column.as_binary::<i32>().value(row), out),
    }
}

fn encode_bytes(value: &[u8], out: &mut Vec<u8>) {
    for &byte in value {
        out.push(byte);
        if byte == 0 {
            out.push(0xFF);
        }
    }
    out.extend([0, 0]);
}
