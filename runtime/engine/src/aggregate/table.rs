//! Tables of accumulators outside the store: parts of them, and one of them for people.

use arrow_array::ArrayRef;
use arrow_schema::FieldRef;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use tidemill_core::window::Firing;
use tidemill_rows::{RecordBatch, Schema, json, time_text};
use tidemill_wasm::{Column, Table, Values};

/// Rows `from .. from + len`.
pub fn slice(table: &Table, from: usize, len: usize) -> Table {
    let rows: Vec<u32> = (from as u32..(from + len) as u32).collect();
    table.gather(&rows)
}

/// A firing as JSON text: its key, its window and its accumulator (one row, as in [`describe_row`]).
pub fn firing_as_json(key: Key<'_>, firing: &Firing, acc: &Table) -> String {
    let acc = describe_row(acc);
    format!(r#"{{{},"accumulator":{acc}}}"#, key_and_window(key, firing))
}

/// A firing as JSON text: its key, its window and its rows, given as JSON with how many more there are.
pub fn firing_with_rows(key: Key<'_>, firing: &Firing, rows: &(String, usize)) -> String {
    let (rows, left_out) = rows;
    let firing = key_and_window(key, firing);
    match left_out {
        0 => format!(r#"{{{firing},"rows":{rows}}}"#),
        _ => format!(r#"{{{firing},"rows":{rows},"rows_left_out":{left_out}}}"#),
    }
}

/// The fields of a key, and its columns: one row.
type Key<'a> = (&'a [FieldRef], &'a [ArrayRef]);

fn key_and_window((fields, columns): Key<'_>, firing: &Firing) -> String {
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
    format!(r#""key":{key},"window_start":"{start}","window_end":"{end}""#)
}

/// One row of a table as a JSON list of its physical values; bytes that are no text as `{"base64":…}`.
fn describe_row(table: &Table) -> String {
    let value = |column: &Column| match (&column.valid, &column.values) {
        (Some(valid), _) if valid[0] == 0 => serde_json::Value::Null,
        (_, Values::Octets(v)) => (v[0] != 0).into(),
        (_, Values::Words(v)) => v[0].into(),
        (_, Values::Floats(v)) => v[0].into(),
        (_, Values::Arena(arena)) => match std::str::from_utf8(&arena.bytes) {
            Ok(text) => text.into(),
            Err(_) => serde_json::json!({ "base64": BASE64.encode(&arena.bytes) }),
        },
    };
    serde_json::Value::from_iter(table.columns.iter().map(value)).to_string()
}
