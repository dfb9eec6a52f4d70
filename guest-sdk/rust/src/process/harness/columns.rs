//! Rows of columns, picked and put together.

use crate::bindings::tidemill::operator::columns::{Arena, Column, Table, Values};

/// The bytes of a table's only row, so that they compare as the host compares keys.
pub fn order(columns: &[Column]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for column in columns {
        let valid = column.valid.as_ref().map_or(1, |valid| valid[0]);
        bytes.push(valid);
        match &column.values {
            Values::Octets(octets) => bytes.push(octets[0]),
            Values::Words(words) => {
                bytes.extend_from_slice(&(words[0] as u64 ^ 1 << 63).to_be_bytes());
            }
            Values::Floats(floats) => bytes.extend_from_slice(&floats[0].to_bits().to_be_bytes()),
            Values::Arena(arena) => {
                bytes.extend_from_slice(&arena.bytes);
                bytes.push(0);
            }
        }
    }
    bytes
}

/// One row of a table.
pub fn row(table: &Table, row: usize) -> Table {
    let column = |column: &Column| Column {
        values: match &column.values {
            Values::Octets(list) => Values::Octets(vec![list[row]]),
            Values::Words(list) => Values::Words(vec![list[row]]),
            Values::Floats(list) => Values::Floats(vec![list[row]]),
            Values::Arena(arena) => {
                let range = arena.offsets[row] as usize..arena.offsets[row + 1] as usize;
                let bytes = arena.bytes[range].to_vec();
                Values::Arena(Arena {
                    offsets: vec![0, bytes.len() as u32],
                    bytes,
                })
            }
        },
        valid: column.valid.as_ref().map(|valid| vec![valid[row]]),
    };
    super::one(table.columns.iter().map(column).collect())
}

/// Tables of one row end to end. Of none, no columns either.
pub fn together<'t>(rows: impl Iterator<Item = &'t Table>) -> Table {
    let rows: Vec<&Table> = rows.collect();
    let Some(first) = rows.first() else {
        return Table {
            rows: 0,
            columns: Vec::new(),
        };
    };
    let columns = (0..first.columns.len()).map(|at| {
        let columns: Vec<&Column> = rows.iter().map(|row| &row.columns[at]).collect();
        column(&columns)
    });
    Table {
        rows: rows.len() as u32,
        columns: columns.collect(),
    }
}

fn column(rows: &[&Column]) -> Column {
    let mut values = rows[0].values.clone();
    for row in &rows[1..] {
        match (&mut values, &row.values) {
            (Values::Octets(all), Values::Octets(one)) => all.extend_from_slice(one),
            (Values::Words(all), Values::Words(one)) => all.extend_from_slice(one),
            (Values::Floats(all), Values::Floats(one)) => all.extend_from_slice(one),
            (Values::Arena(all), Values::Arena(one)) => {
                all.bytes.extend_from_slice(&one.bytes);
                all.offsets.push(all.bytes.len() as u32);
            }
            _ => unreachable!("a column has one layout"),
        }
    }
    let valid = |row: &&Column| row.valid.as_ref().map_or(1, |valid| valid[0]);
    let nulls = rows.iter().any(|row| row.valid.is_some());
    Column {
        values,
        valid: nulls.then(|| rows.iter().map(valid).collect()),
    }
}
