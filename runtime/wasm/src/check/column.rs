//! One column: layout, lengths, offsets, UTF-8, booleans, validity, times.

use arrow_schema::Field;
use tidemill_core::time;
use tidemill_rows::LogicalType;

use crate::wire::{Arena, Column, Values};

/// Checks a column of `rows` values of the declared field.
pub(crate) fn column(column: &Column, field: &Field, rows: usize) -> Result<(), String> {
    let ty = LogicalType::of(field.data_type());
    match (ty, &column.values) {
        (LogicalType::Bool, Values::Octets(octets)) => {
            length("values", octets.len(), rows)?;
            flags("values", octets)?;
        }
        (LogicalType::Integer, Values::Words(words)) => length("values", words.len(), rows)?,
        (LogicalType::Time, Values::Words(words)) => {
            length("values", words.len(), rows)?;
            times(words)?;
        }
        (LogicalType::Float, Values::Floats(floats)) => length("values", floats.len(), rows)?,
        (LogicalType::Text, Values::Arena(held)) => {
            arena(held, rows)?;
            text(held)?;
        }
        (LogicalType::Bytes, Values::Arena(held)) => arena(held, rows)?,
        (ty, values) => {
            let (is, wanted) = (layout(values), layout_of(ty));
            return Err(format!(
                "its layout is {is}, but type {ty} is laid out as {wanted}"
            ));
        }
    }
    validity(column.valid.as_deref(), field, rows)
}

fn validity(valid: Option<&[u8]>, field: &Field, rows: usize) -> Result<(), String> {
    let Some(valid) = valid else { return Ok(()) };
    length("valid", valid.len(), rows)?;
    flags("valid", valid)?;
    if !field.is_nullable()
        && let Some(row) = valid.iter().position(|&v| v == 0)
    {
        let ty = LogicalType::word(field);
        return Err(format!(
            "row {row} is null, but the declared type is {ty} (declare {ty}?)"
        ));
    }
    Ok(())
}

/// Checks that a list has one entry per row.
pub(super) fn length(what: &str, is: usize, rows: usize) -> Result<(), String> {
    if is == rows {
        Ok(())
    } else {
        Err(format!("{what} has {is} entries, expected {rows}"))
    }
}

fn flags(what: &str, octets: &[u8]) -> Result<(), String> {
    if octets.iter().fold(0, |all, &octet| all | octet) <= 1 {
        return Ok(());
    }
    let row = octets
        .iter()
        .position(|&octet| octet > 1)
        .unwrap_or_default();
    Err(format!(
        "{what} of row {row} is {}, expected 0 or 1",
        octets[row]
    ))
}

/// Checks that times are in the years 1 to 9999.
pub(super) fn times(words: &[i64]) -> Result<(), String> {
    let outside = |word: &i64| !(time::FIRST..=time::LAST).contains(word);
    if !words.iter().fold(false, |any, word| any | outside(word)) {
        return Ok(());
    }
    let row = words.iter().position(outside).unwrap_or_default();
    Err(format!(
        "the time of row {row} is {} us, outside the years 1 to 9999",
        words[row]
    ))
}

fn arena(arena: &Arena, rows: usize) -> Result<(), String> {
    let Arena { offsets, bytes } = arena;
    length("offsets", offsets.len(), rows + 1)?;
    if bytes.len() > i32::MAX as usize {
        return Err(format!(
            "{} bytes of values, at most {}",
            bytes.len(),
            i32::MAX
        ));
    }
    if offsets[0] != 0 {
        return Err(format!("the first offset is {}, expected 0", offsets[0]));
    }
    if descends(offsets) {
        let at = offsets
            .windows(2)
            .position(|pair| pair[0] > pair[1])
            .unwrap_or_default();
        let (before, after) = (offsets[at], offsets[at + 1]);
        return Err(format!(
            "offsets descend after row {at}: {before}, then {after}"
        ));
    }
    let last = offsets[rows] as usize;
    if last != bytes.len() {
        return Err(format!(
            "the last offset is {last}, expected the {} bytes there are",
            bytes.len()
        ));
    }
    Ok(())
}

/// Whether any entry is smaller than the one before it.
pub(super) fn descends(list: &[u32]) -> bool {
    let after = list.get(1..).unwrap_or_default();
    list.iter()
        .zip(after)
        .fold(false, |any, (before, after)| any | (before > after))
}

/// Checks that every value is UTF-8 by itself: the whole is, and no offset cuts a character.
///
/// The offsets must have been checked.
fn text(arena: &Arena) -> Result<(), String> {
    let Arena { offsets, bytes } = arena;
    if simdutf8::basic::from_utf8(bytes).is_ok() {
        if bytes.is_ascii() {
            return Ok(());
        }
        let continues = |&end: &u32| bytes.get(end as usize).is_some_and(|&b| b & 0xC0 == 0x80);
        if !offsets.iter().fold(false, |any, end| any | continues(end)) {
            return Ok(());
        }
    }
    let bad = |pair: &[u32]| {
        simdutf8::basic::from_utf8(&bytes[pair[0] as usize..pair[1] as usize]).is_err()
    };
    let row = offsets.windows(2).position(bad).unwrap_or_default();
    Err(format!("the text of row {row} is not UTF-8"))
}

fn layout(values: &Values) -> &'static str {
    match values {
        Values::Octets(_) => "octets",
        Values::Words(_) => "words",
        Values::Floats(_) => "floats",
        Values::Arena(_) => "arena",
    }
}

fn layout_of(ty: LogicalType) -> &'static str {
    match ty {
        LogicalType::Bool => "octets",
        LogicalType::Integer | LogicalType::Time => "words",
        LogicalType::Float => "floats",
        LogicalType::Text | LogicalType::Bytes => "arena",
    }
}
