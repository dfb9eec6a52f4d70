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

use std::sync::Arc;

use arrow_array::builder::{
    BinaryBuilder, BooleanBuilder, Float64Builder, Int64Builder, StringBuilder,
    TimestampMicrosecondBuilder,
};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{Field, FieldRef};
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

/// Finds the key group of each row of a batch, as [`hash`] and [`group`] do for its encoded key; `groups` is replaced.
pub fn groups(
    columns: &[ArrayRef],
    rows: usize,
    max_parallelism: u32,
    (encoded, groups): (&mut EncodedKeys, &mut Vec<u32>),
) {
    let group = |hash: u64| {
        // A division takes longer than the hash.
        if max_parallelism.is_power_of_two() {
            hash as u32 & (max_parallelism - 1)
        } else {
            group(hash, max_parallelism)
        }
    };
    groups.clear();
    if let Some(integers) = integers(columns) {
        groups.extend(integers.iter().map(|&key| group(hash_integer(key))));
    } else {
        encoded.encode(columns, rows);
        groups.extend((0..rows).map(|row| group(hash(encoded.get(row)))));
    }
}

/// The values of a key of one integer column without nulls: the usual key, for which nothing is asked per row.
pub fn integers(columns: &[ArrayRef]) -> Option<&[i64]> {
    match columns {
        [column]
            if column.null_count() == 0
                && LogicalType::of(column.data_type()) == LogicalType::Integer =>
        {
            Some(column.as_primitive::<Int64Type>().values())
        }
        _ => None,
    }
}

/// [`hash`] of an encoded integer: XXH3 of nine bytes, spelt out so that they need not be written to memory and read again
/// from between two stores, which takes longer than the hash.
#[inline]
fn hash_integer(key: i64) -> u64 {
    // Of the standard secret, words 3 xor 4 and 5 xor 6.
    const FLIP_LOW: u64 = 0x1f67_b3b7_a4a4_4072 ^ 0x78e5_c0cc_4ee6_79cb;
    const FLIP_HIGH: u64 = 0x2172_ffcc_7dd0_5a82 ^ 0x8e24_43f7_7446_08b8;
    let last_eight = u64::from_le_bytes(integer_bits(key));
    let low = ((last_eight << 8) | 1) ^ FLIP_LOW;
    let high = last_eight ^ FLIP_HIGH;
    let product = u128::from(low) * u128::from(high);
    let mut hash = 9_u64
        .wrapping_add(low.swap_bytes())
        .wrapping_add(high)
        .wrapping_add(product as u64 ^ (product >> 64) as u64);
    hash = (hash ^ (hash >> 37)).wrapping_mul(0x1656_6791_9e37_79f9);
    hash ^ (hash >> 32)
}

/// The bytes of a key of one integer column.
pub fn encode_integer(key: i64) -> [u8; 9] {
    let mut encoded = [1; 9];
    encoded[1..].copy_from_slice(&integer_bits(key));
    encoded
}

/// The inverse of [`encode_integer`]; nothing if these are no such bytes.
pub fn decode_integer(encoded: &[u8]) -> Option<i64> {
    let (&1, bits) = encoded.split_first()? else {
        return None;
    };
    let bits = u64::from_be_bytes(bits.try_into().ok()?);
    Some((bits ^ (1 << 63)) as i64)
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
        if let Some(integers) = integers(columns) {
            return self.encode_integers(integers);
        }
        for row in 0..rows {
            for column in columns {
                encode_value(column, row, &mut self.bytes);
            }
            self.ends.push(self.bytes.len());
        }
    }

    fn encode_integers(&mut self, values: &[i64]) {
        self.bytes.reserve(values.len() * 9);
        for &value in values {
            self.bytes.extend_from_slice(&encode_integer(value));
        }
        self.ends.extend((1..=values.len()).map(|row| row * 9));
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
    let value = if value.is_nan() {
        f64::NAN
    } else {
        value + 0.0
    };
    let bits = value.to_bits();
    let ordered = if bits >> 63 == 0 {
        bits | (1 << 63)
    } else {
        !bits
    };
    ordered.to_be_bytes()
}

/// Makes columns of encoded keys again, one row per key: the inverse of [`EncodedKeys::encode`], but that -0.0 and the
/// many NaN come back as the one that stands for them.
///
/// # Panics
/// If a key was not encoded with columns of these types.
pub fn decode<'a>(fields: &[FieldRef], keys: impl Iterator<Item = &'a [u8]>) -> Vec<ArrayRef> {
    let mut columns: Vec<Decoder> = fields.iter().map(|f| Decoder::new(f)).collect();
    for mut key in keys {
        for column in &mut columns {
            column.value(&mut key);
        }
    }
    columns.into_iter().map(Decoder::finish).collect()
}

/// One key column being made again.
enum Decoder {
    Bool(BooleanBuilder),
    Integer(Int64Builder),
    Time(TimestampMicrosecondBuilder),
    Float(Float64Builder),
    Text(StringBuilder),
    Bytes(BinaryBuilder),
}

impl Decoder {
    fn new(field: &Field) -> Self {
        match LogicalType::of(field.data_type()) {
            LogicalType::Bool => Self::Bool(BooleanBuilder::new()),
            LogicalType::Integer => Self::Integer(Int64Builder::new()),
            LogicalType::Time => Self::Time(
                TimestampMicrosecondBuilder::new().with_data_type(LogicalType::Time.arrow()),
            ),
            LogicalType::Float => Self::Float(Float64Builder::new()),
            LogicalType::Text => Self::Text(StringBuilder::new()),
            LogicalType::Bytes => Self::Bytes(BinaryBuilder::new()),
        }
    }

    fn value(&mut self, key: &mut &[u8]) {
        let present = take_array::<1>(key)[0] == 1;
        match self {
            Self::Bool(b) => b.append_option(present.then(|| take_array::<1>(key)[0] == 1)),
            Self::Integer(b) => b.append_option(present.then(|| take_integer(key))),
            Self::Time(b) => b.append_option(present.then(|| take_integer(key))),
            Self::Float(b) => b.append_option(present.then(|| take_float(key))),
            Self::Text(b) => b.append_option(present.then(|| {
                String::from_utf8(take_bytes(key)).expect("the key was encoded from a text")
            })),
            Self::Bytes(b) => b.append_option(present.then(|| take_bytes(key))),
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Self::Bool(mut b) => Arc::new(b.finish()),
            Self::Integer(mut b) => Arc::new(b.finish()),
            Self::Time(mut b) => Arc::new(b.finish()),
            Self::Float(mut b) => Arc::new(b.finish()),
            Self::Text(mut b) => Arc::new(b.finish()),
            Self::Bytes(mut b) => Arc::new(b.finish()),
        }
    }
}

fn take_array<const N: usize>(key: &mut &[u8]) -> [u8; N] {
    let (value, rest) = key
        .split_first_chunk()
        .expect("a key ends where its columns do");
    *key = rest;
    *value
}

fn take_integer(key: &mut &[u8]) -> i64 {
    (u64::from_be_bytes(take_array(key)) ^ (1 << 63)) as i64
}

fn take_float(key: &mut &[u8]) -> f64 {
    let ordered = u64::from_be_bytes(take_array(key));
    f64::from_bits(if ordered >> 63 == 1 {
        ordered ^ (1 << 63)
    } else {
        !ordered
    })
}

fn take_bytes(key: &mut &[u8]) -> Vec<u8> {
    let mut value = Vec::new();
    loop {
        match take_array::<1>(key)[0] {
            0 if take_array::<1>(key)[0] == 0 => return value,
            byte => value.push(byte),
        }
    }
}

/// Writes the encoded key of one row behind what is there.
pub fn encode_row(columns: &[ArrayRef], row: usize, out: &mut Vec<u8>) {
    columns
        .iter()
        .for_each(|column| encode_value(column, row, out));
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
            out.extend(integer_bits(
                column.as_primitive::<TimestampMicrosecondType>().value(row),
            ));
        }
        LogicalType::Float => {
            out.extend(float_bits(column.as_primitive::<Float64Type>().value(row)))
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use arrow_array::{BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray};
    use proptest::prelude::*;

    fn check(column: ArrayRef, compare: impl Fn(usize, usize) -> std::cmp::Ordering) {
        let fields: Vec<FieldRef> =
            vec![Arc::new(Field::new("k", column.data_type().clone(), true))];
        let mut keys = EncodedKeys::default();
        keys.encode(std::slice::from_ref(&column), column.len());
        let decoded = decode(&fields, (0..column.len()).map(|i| keys.get(i)));
        let mut again = EncodedKeys::default();
        again.encode(&decoded, column.len());
        for i in 0..column.len() {
            assert_eq!(keys.get(i), again.get(i), "row {i} of {column:?}");
            for j in 0..column.len() {
                if column.is_valid(i) && column.is_valid(j) {
                    assert_eq!(
                        keys.get(i).cmp(keys.get(j)),
                        compare(i, j),
                        "rows {i} and {j}"
                    );
                }
            }
        }
    }

    proptest! {
        #[test]
        fn an_integer_is_hashed_as_its_bytes_are(key in any::<i64>()) {
            prop_assert_eq!(hash_integer(key), hash(&encode_integer(key)));
        }

        #[test]
        fn integers(values in prop::collection::vec(any::<Option<i64>>(), 0..20)) {
            check(Arc::new(Int64Array::from(values.clone())), |i, j| values[i].cmp(&values[j]));
        }

        #[test]
        fn bytes(values in prop::collection::vec(prop::collection::vec(0u8..4, 0..5), 0..20)) {
            let column = BinaryArray::from_iter_values(&values);
            check(Arc::new(column), |i, j| values[i].cmp(&values[j]));
        }

        #[test]
        fn texts(values in prop::collection::vec("[\\x00-b]{0,4}", 0..20)) {
            check(Arc::new(StringArray::from(values.clone())), |i, j| values[i].cmp(&values[j]));
        }

        #[test]
        fn floats(values in prop::collection::vec(any::<f64>(), 0..20)) {
            let column = Float64Array::from(values.clone());
            check(Arc::new(column), |i, j| values[i].partial_cmp(&values[j]).unwrap());
        }

        #[test]
        fn bools(values in prop::collection::vec(any::<Option<bool>>(), 0..9)) {
            check(Arc::new(BooleanArray::from(values.clone())), |i, j| values[i].cmp(&values[j]));
        }
    }

    #[test]
    fn zeros_and_nans_are_one() {
        let column: ArrayRef = Arc::new(Float64Array::from(vec![0.0, -0.0, f64::NAN, -f64::NAN]));
        let mut keys = EncodedKeys::default();
        keys.encode(&[column], 4);
        assert_eq!(keys.get(0), keys.get(1));
        assert_eq!(keys.get(2), keys.get(3));
    }

    /// The bytes and the hash are on disk: whoever changes them breaks every checkpoint.
    #[test]
    fn bytes_and_hash_are_frozen() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec!["a\0b"])),
            Arc::new(Int64Array::from(vec![-2])),
        ];
        let mut keys = EncodedKeys::default();
        keys.encode(&columns, 1);
        assert_eq!(
            keys.get(0),
            [
                1, b'a', 0, 0xFF, b'b', 0, 0, 1, 0x7F, 255, 255, 255, 255, 255, 255, 254
            ]
        );
        assert_eq!(hash(&[1, 2, 3]), 0xebce_9b76_32ae_733b);
        assert_eq!(group(0xebce_9b76_32ae_733b, 128), 59);
    }
}
