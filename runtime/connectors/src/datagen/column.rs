//! The values of one generated column for a range of rows.

use std::sync::Arc;

use arrow_array::{
    Array, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use tidemill_rows::ArrayRef;
use tidemill_rows::arrow_array::make_array;

use super::{Constant, Generate, GeneratedColumn};
use crate::random::{Random, mix, scale, unit};

/// Rows `first`, `first + step`, ...: `len` of them.
#[derive(Clone, Copy)]
pub(super) struct Range {
    pub first: u64,
    pub step: u64,
    pub len: usize,
}

impl Range {
    /// Their numbers.
    #[inline]
    pub fn iter(self) -> impl ExactSizeIterator<Item = u64> {
        (0..self.len).map(move |i| self.first + i as u64 * self.step)
    }
}

/// What makes the nulls' randomness another than the values'.
const NULLS: u64 = 0x6E75_6C6C;
/// What makes the randomness of who is hot another than the values'.
const HOT: u64 = 0x0068_6F74;

/// A column's values. `seed` is the column's own.
pub(super) fn make(column: &GeneratedColumn, seed: u64, rows: Range) -> ArrayRef {
    let values = values(&column.values, seed, rows);
    if column.nulls == 0.0 {
        return values;
    }
    let valid = |i: u64| unit(mix(seed ^ NULLS ^ mix(i))) >= column.nulls;
    let nulls = NullBuffer::new(rows.iter().map(valid).collect::<BooleanBuffer>());
    let data = values.to_data().into_builder().nulls(Some(nulls));
    make_array(
        data.build()
            .unwrap_or_else(|e| panic!("nulls of another length: {e}")),
    )
}

fn values(generate: &Generate, seed: u64, rows: Range) -> ArrayRef {
    // One multiplication chain per value: SplitMix64 of the row's number, offset by the column's
    // seed.
    let bits = |i: u64| mix(seed.wrapping_add(i.wrapping_mul(0x9E37_79B9_7F4A_7C15)));
    match generate {
        Generate::Sequence { start, step } => integers(
            rows.iter()
                .map(|i| start.wrapping_add((i as i64).wrapping_mul(*step))),
        ),
        Generate::Integers { low, high } => {
            let (low, width) = (*low, high.wrapping_sub(*low) as u64);
            match width.checked_add(1) {
                Some(n) => integers(
                    rows.iter()
                        .map(|i| low.wrapping_add(scale(bits(i), n) as i64)),
                ),
                None => integers(rows.iter().map(|i| bits(i) as i64)),
            }
        }
        Generate::HotInteger { low, high, hot } => {
            let (low, width) = (*low, high.wrapping_sub(*low) as u64);
            let cold = |i: u64| match width.checked_add(1) {
                Some(n) => low.wrapping_add(scale(bits(i), n) as i64),
                None => bits(i) as i64,
            };
            let is_hot = |i: u64| unit(mix(seed ^ HOT ^ mix(i))) < *hot;
            integers(rows.iter().map(|i| if is_hot(i) { low } else { cold(i) }))
        }
        Generate::Floats { low, high } => {
            let width = high - low;
            let float = |i| low + unit(bits(i)) * width;
            Arc::new(Float64Array::new(
                rows.iter().map(float).collect::<Vec<_>>().into(),
                None,
            ))
        }
        Generate::Bools => {
            let values = rows
                .iter()
                .map(|i| bits(i) >> 63 == 1)
                .collect::<BooleanBuffer>();
            Arc::new(BooleanArray::new(values, None))
        }
        Generate::Choice(choice) => {
            let pick = |i| scale(bits(i), choice.len() as u64) as usize;
            texts(rows, |i, out| {
                out.extend_from_slice(choice[pick(i)].as_bytes())
            })
        }
        Generate::RandomText { shortest, longest } => texts(rows, |i, out| {
            let mut random = Random::of(seed, i);
            let len = *shortest as u64 + random.below((longest - shortest) as u64 + 1);
            out.extend((0..len).map(|_| b'a' + random.below(26) as u8));
        }),
        Generate::Constant(constant) => self::constant(constant, rows),
        Generate::Time {
            start,
            step,
            jitter,
        } => {
            let (start, step, spread) = (*start, *step, *jitter as u64 + 1);
            let rising = move |i: u64| start.wrapping_add((i as i64).wrapping_mul(step));
            match jitter {
                0 => times(rows.iter().map(rising)),
                _ => times(
                    rows.iter()
                        .map(|i| rising(i) - scale(bits(i), spread) as i64),
                ),
            }
        }
        Generate::Bursts {
            keys,
            rows: burst,
            groups,
        } => {
            let size = keys / groups;
            integers(rows.iter().map(|i| bursts(i, size, size * burst, *groups)))
        }
    }
}

/// The key of row i: whose turn it is, and which of the group is next in this round.
#[inline]
fn bursts(i: u64, size: u64, turn: u64, groups: u64) -> i64 {
    let group = i / turn % groups;
    let (round, place) = (i / size, i % size);
    // Each round begins elsewhere in the group, so that keys follow each other differently every
    // time.
    let shift = scale(mix(round), size);
    (group * size + (place + shift) % size) as i64
}

fn integers(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::new(values.collect::<Vec<_>>().into(), None))
}

fn times(values: impl Iterator<Item = i64>) -> ArrayRef {
    let values: ScalarBuffer<i64> = values.collect::<Vec<_>>().into();
    Arc::new(TimestampMicrosecondArray::new(values, None).with_timezone("UTC"))
}

fn texts(rows: Range, mut write: impl FnMut(u64, &mut Vec<u8>)) -> ArrayRef {
    let mut bytes = Vec::new();
    let mut ends = Vec::with_capacity(rows.len + 1);
    ends.push(0_i32);
    for i in rows.iter() {
        write(i, &mut bytes);
        ends.push(
            i32::try_from(bytes.len()).unwrap_or_else(|_| panic!("2 GiB of text in a batch")),
        );
    }
    let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
    let texts = StringArray::try_new(offsets, Buffer::from_vec(bytes), None);
    Arc::new(texts.unwrap_or_else(|e| panic!("generated text is no text: {e}")))
}

fn constant(constant: &Constant, rows: Range) -> ArrayRef {
    let len = rows.len;
    match constant {
        Constant::Bool(value) => Arc::new(BooleanArray::from(vec![*value; len])),
        Constant::Integer(value) => Arc::new(Int64Array::from(vec![*value; len])),
        Constant::Float(value) => Arc::new(Float64Array::from(vec![*value; len])),
        Constant::Text(value) => texts(rows, |_, out| out.extend_from_slice(value.as_bytes())),
        Constant::Time(value) => times(std::iter::repeat_n(*value, len)),
    }
}
