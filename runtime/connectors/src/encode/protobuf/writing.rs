//! Writes one row.

use tidemill_rows::time_text;
use tidemill_rows::values::Values;

use super::{Field, Kind, ProtobufRows, wire};
use crate::ConnectorError;
use crate::encode::written::misfit;
use crate::proto::Scalar;

impl ProtobufRows<'_> {
    /// Writes a row.
    ///
    /// # Errors
    /// If a value does not fit its field.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
        out.extend(&self.writer.head);
        for (field, values) in self.writer.fields.iter().zip(&self.values) {
            if values.is_null(row) {
                continue;
            }
            let start = out.len();
            varint(u64::from(field.number) << 3 | wire(&field.kind) as u64, out);
            let behind_tag = out.len();
            value(field, values, row, out)?;
            // Every default is zeros, of which a number of fixed length has several.
            if field.is_implicit
                && !matches!(field.kind, Kind::Moment | Kind::Wrapper(_))
                && out[behind_tag..].iter().all(|&byte| byte == 0)
            {
                out.truncate(start);
            }
        }
        Ok(())
    }
}

fn value(
    field: &Field,
    values: &Values<'_>,
    row: usize,
    out: &mut Vec<u8>,
) -> Result<(), ConnectorError> {
    match (&field.kind, values) {
        (Kind::Scalar(of), values) => return scalar((field, *of), values, row, out),
        (Kind::Enum(names), Values::Text(values)) => {
            let text = values.value(row);
            let named = names.iter().find(|(name, _)| name == text);
            let (_, number) = named.ok_or_else(|| {
                misfit(&field.name, &format!("{text:?}"), "one of the enum's names")
            })?;
            varint(i64::from(*number) as u64, out);
        }
        (Kind::Moment, Values::Time(values)) => moment(values.value(row), out),
        (Kind::Wrapper(of), values) => {
            let start = out.len();
            varint(1 << 3 | of.wire() as u64, out);
            let behind_tag = out.len();
            scalar((field, *of), values, row, out)?;
            if out[behind_tag..].iter().all(|&byte| byte == 0) {
                out.truncate(start);
            }
            counted_from(start, out);
        }
        (Kind::Enum(_) | Kind::Moment, _) => unreachable!("columns were held against the fields"),
    }
    Ok(())
}

fn scalar(
    (field, scalar): (&Field, Scalar),
    values: &Values<'_>,
    row: usize,
    out: &mut Vec<u8>,
) -> Result<(), ConnectorError> {
    match values {
        Values::Bool(values) => out.push(values.value(row).into()),
        Values::Integer(values) => return integer((field, scalar), values.value(row), out),
        Values::Float(values) => out.extend(values.value(row).to_le_bytes()),
        Values::Text(values) => counted(values.value(row).as_bytes(), out),
        Values::Bytes(values) => counted(values.value(row), out),
        Values::Time(values) => {
            let start = out.len();
            time_text::write_rfc3339(values.value(row), out);
            counted_from(start, out);
        }
    }
    Ok(())
}

fn integer(
    (field, scalar): (&Field, Scalar),
    value: i64,
    out: &mut Vec<u8>,
) -> Result<(), ConnectorError> {
    let beyond = |expected: &str| misfit(&field.name, &value.to_string(), expected);
    let small = || i32::try_from(value).map_err(|_| beyond("an integer of 32 bits"));
    let positive = || u64::try_from(value).map_err(|_| beyond("no negative integer"));
    let both = || u32::try_from(value).map_err(|_| beyond("an integer of 32 bits from 0"));
    match scalar {
        Scalar::Int32 => varint(i64::from(small()?) as u64, out),
        Scalar::Sint32 => varint(zigzag(small()?.into()), out),
        Scalar::Uint32 => varint(both()?.into(), out),
        Scalar::Uint64 => varint(positive()?, out),
        Scalar::Sint64 => varint(zigzag(value), out),
        Scalar::Fixed32 => out.extend(both()?.to_le_bytes()),
        Scalar::Fixed64 => out.extend(positive()?.to_le_bytes()),
        Scalar::Sfixed32 => out.extend(small()?.to_le_bytes()),
        Scalar::Sfixed64 => out.extend(value.to_le_bytes()),
        _ => varint(value as u64, out),
    }
    Ok(())
}

/// A message of seconds and nanoseconds since 1970, both left out where they are 0. Nanoseconds count forward.
fn moment(micros: i64, out: &mut Vec<u8>) {
    let start = out.len();
    let (seconds, nanos) = (
        micros.div_euclid(1_000_000),
        micros.rem_euclid(1_000_000) * 1000,
    );
    for (number, part) in [(1, seconds), (2, nanos)] {
        if part != 0 {
            varint(number << 3, out);
            varint(part as u64, out);
        }
    }
    counted_from(start, out);
}

/// Which message of its file a value is, as registries have it.
pub(super) fn place(place: &[usize], out: &mut Vec<u8>) {
    if place == [0] {
        out.push(0);
        return;
    }
    varint(zigzag(place.len() as i64), out);
    for &index in place {
        varint(zigzag(index as i64), out);
    }
}

/// Bytes behind how many they are.
fn counted(bytes: &[u8], out: &mut Vec<u8>) {
    varint(bytes.len() as u64, out);
    out.extend(bytes);
}

/// Puts how many bytes there are since `start` in front of them.
fn counted_from(start: usize, out: &mut Vec<u8>) {
    let length = out.len() - start;
    varint(length as u64, out);
    let digits = out.len() - start - length;
    out[start..].rotate_right(digits);
}

fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// A number of variable length.
fn varint(mut word: u64, out: &mut Vec<u8>) {
    while word >= 0x80 {
        out.push(word as u8 | 0x80);
        word >>= 7;
    }
    out.push(word as u8);
}
