//! Tables of accumulators outside the store: parts of them, and one of them for people.

use arrow_array::ArrayRef;
use arrow_schema::FieldRef;
use tidemill_core::window::Firing;
use tidemill_rows::{RecordBatch, Schema, json, time_text};
use tidemill_wasm::{Arena, Column, Table, Values};

/// The rows named, in the order named.
pub fn take(table: &Table, rows: &[u32]) -> Table {
    let columns = table
        .columns
        .iter()
        .map(|column| take_column(column, rows))
        .collect();
    Table {
        rows: rows.len() as u32,
        columns,
    }
}

/// Rows `from .. from + len`.
pub fn slice(table: &Table, from: usize, len: usize) -> Table {
    let rows: Vec<u32> = (from as u32..(from + len) as u32).collect();
    take(table, &rows)
}

fn take_column(column: &Column, rows: &[u32]) -> Column {
    let values = match &column.values {
        Values::Octets(v) => Values::Octets(pick(v, rows)),
        Values::Words(v) => Values::Words(pick(v, rows)),
        Values::Floats(v) => Values::Floats(pick(v, rows)),
        Values::Arena(Arena { offsets, bytes }) => {
            let (mut taken_offsets, mut taken) = (vec![0], Vec::new());
            for &row in rows {
                let (from, to) = (offsets[row as usize], offsets[row as usize + 1]);
                taken.extend_from_slice(&bytes[from as usize..to as usize]);
                taken_offsets.push(taken.len() as u32);
            }
            Values::Arena(Arena {
                offsets: taken_offsets,
                bytes: taken,
            })
        }
    };
    Column {
        values,
        valid: column.valid.as_ref().map(|valid| pick(valid, rows)),
    }
}

fn pick<T: Copy>(from: &[T], rows: &[u32]) -> Vec<T> {
    rows.iter().map(|&row| from[row as usize]).collect()
}

/// A firing as JSON text: its key, its window and its accumulator (one row, as in [`describe_row`]).
pub fn firing_as_json(key: (&[FieldRef], &[ArrayRef]), firing: &Firing, acc: &Table) -> String {
    let (fields, columns) = key;
    let key = if columns.is_empty() {
        "{}".to_owned()
    } else {
        let schema = Schema::new(fields.to_vec());
        let columns = RecordBatch::try_new(schema.into(), columns.to_vec())
            .expect("key columns are as the key's fields say");
        json::row(&columns, 0)
    };
    let (start, end) = (
        time_text::rfc3339(firing.start),
        time_text::rfc3339(firing.end),
    );
    let acc = describe_row(acc);
    format!(r#"{{"key":{key},"window_start":"{start}","window_end":"{end}","accumulator":{acc}}}"#)
}

/// One row of a table as a JSON list of its physical values.
fn describe_row(table: &Table) -> String {
    let value = |column: &Column| match (&column.valid, &column.values) {
        (Some(valid), _) if valid[0] == 0 => serde_json::Value::Null,
        (_, Values::Octets(v)) => (v[0] != 0).into(),
        (_, Values::Words(v)) => v[0].into(),
        (_, Values::Floats(v)) => v[0].into(),
        (_, Values::Arena(arena)) => String::from_utf8_lossy(&arena.bytes).into(),
    };
    serde_json::Value::from_iter(table.columns.iter().map(value)).to_string()
}
