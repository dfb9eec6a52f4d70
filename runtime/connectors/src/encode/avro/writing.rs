//! Writes one row.

use tidemill_rows::time_text::{self, EpochUnit};
use tidemill_rows::values::Values;

use super::{AvroRows, Field};
use crate::ConnectorError;
use crate::decode::avro::plan::Leaf;
use crate::encode::written::misfit;

const DAY: i64 = 86_400_000_000;

impl AvroRows<'_> {
    /// Writes a row.
    ///
    /// # Errors
    /// If a value does not fit its field.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
        out.extend(self.head);
        for (field, values) in self.fields.iter().zip(&self.values) {
            match values {
                Some(values) if !values.is_null(row) => {
                    out.extend(field.value.map(|variant| variant << 1));
                    value(field, values, row, out)?;
                }
                _ => out.extend(field.null.map(|variant| variant << 1)),
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
    match (values, &field.leaf) {
        (Values::Bool(values), _) => out.push(values.value(row).into()),
        (Values::Integer(values), Leaf::Int) => {
            let value = values.value(row);
            let small = i32::try_from(value);
            let small = small.map_err(|_| misfit(&field.name, &value.to_string(), "an int"))?;
            long(small.into(), out);
        }
        (Values::Integer(values), _) => long(values.value(row), out),
        (Values::Float(values), _) => out.extend(values.value(row).to_le_bytes()),
        (Values::Text(values), Leaf::Enum(symbols)) => {
            let text = values.value(row);
            let symbol = symbols.iter().position(|symbol| symbol == text);
            let symbol = symbol.ok_or_else(|| {
                misfit(
                    &field.name,
                    &format!("{text:?}"),
                    "one of the enum's symbols",
                )
            })?;
            long(symbol as i64, out);
        }
        (Values::Text(values), _) => counted(values.value(row).as_bytes(), out),
        (Values::Bytes(values), Leaf::Fixed(size)) => {
            let bytes = values.value(row);
            if bytes.len() != *size {
                let found = format!("{} bytes", bytes.len());
                return Err(misfit(&field.name, &found, &format!("{size} bytes")));
            }
            out.extend(bytes);
        }
        (Values::Bytes(values), _) => counted(values.value(row), out),
        (Values::Time(values), leaf) => return time(field, values.value(row), leaf, out),
    }
    Ok(())
}

fn time(field: &Field, micros: i64, leaf: &Leaf, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
    match leaf {
        Leaf::Moment(EpochUnit::Micros) => long(micros, out),
        Leaf::Moment(unit) => long(micros.div_euclid(unit.micros()), out),
        Leaf::Nanos => {
            let nanos = micros.checked_mul(1000);
            let within = "a time in nanoseconds, which reach from 1677 to 2262";
            long(
                nanos.ok_or_else(|| misfit(&field.name, "a time", within))?,
                out,
            );
        }
        Leaf::Days => long(micros.div_euclid(DAY), out),
        _ => {
            // Its length comes first, and is known last; it takes one byte, for no time is longer than 63 bytes.
            let start = out.len();
            out.push(0);
            time_text::write_rfc3339(micros, out);
            out[start] = ((out.len() - start - 1) as u8) << 1;
        }
    }
    Ok(())
}

/// Bytes behind how many they are.
fn counted(bytes: &[u8], out: &mut Vec<u8>) {
    long(bytes.len() as i64, out);
    out.extend(bytes);
}

/// A number of variable length.
fn long(value: i64, out: &mut Vec<u8>) {
    let mut word = ((value << 1) ^ (value >> 63)) as u64;
    while word >= 0x80 {
        out.push(word as u8 | 0x80);
        word >>= 7;
    }
    out.push(word as u8);
}
