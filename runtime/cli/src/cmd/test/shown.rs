//! What came out, as a scenario shows it: a line each.

use serde_json::Value;
use tidemill_engine::FailedRow;
use tidemill_engine::rehearsal::Came;
use tidemill_pipeline::FAILED;
use tidemill_rows::arrow_array::cast::AsArray;
use tidemill_rows::arrow_array::{Array, RecordBatch};
use tidemill_rows::json;

/// What a step shows once the pipeline has stopped.
pub const STOPPED: &str = "stopped";

/// The name of an output: `velocity`, `velocity.late`.
pub fn output(station: &str, port: &str) -> String {
    match port {
        "" => station.to_owned(),
        port => format!("{station}.{port}"),
    }
}

/// A row at an output.
pub fn row(output: &str, came: &Came) -> String {
    let row = match came.port.as_str() {
        FAILED => failed_row(&came.row),
        _ => with_change(came.change, json::row(&came.row, 0)),
    };
    format!("{output} {row}")
}

fn with_change(change: Option<u8>, row: String) -> String {
    let Some(change) = change else { return row };
    let change = match change {
        0 => "insert",
        1 => "update-before",
        2 => "update-after",
        _ => "delete",
    };
    format!("{{\"change\":\"{change}\",{}", &row[1..])
}

/// Why a row failed, and which. What else is known of it depends on the machine or the module's build.
fn failed_row(row: &RecordBatch) -> String {
    let text = |name: &str| {
        let column = row.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(0).then(|| column.value(0).to_owned())
    };
    let bytes = row.column_by_name("bytes").and_then(|column| {
        let column = column.as_binary_opt::<i32>()?;
        column.is_valid(0).then(|| column.value(0).to_vec())
    });
    failure(
        &text("reason").unwrap_or_default(),
        &text("message").unwrap_or_default(),
        (text("row").as_deref(), bytes.as_deref()),
    )
}

/// `row` is the row as JSON text; `bytes` what could not be decoded.
fn failure(reason: &str, message: &str, (row, bytes): (Option<&str>, Option<&[u8]>)) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let what = match (row, bytes) {
        (Some(row), _) => format!(",\"row\":{row}"),
        (None, Some(bytes)) => format!(",\"line\":{}", text(&String::from_utf8_lossy(bytes))),
        (None, None) => String::new(),
    };
    format!(
        "{{\"reason\":{},\"message\":{}{what}}}",
        text(reason),
        text(message)
    )
}

/// The row that stopped the pipeline.
pub fn stopped_by(row: &FailedRow) -> String {
    let what = (row.row.as_deref(), row.bytes.as_deref());
    let failure = failure(&row.reason, &row.message, what);
    format!("failed {} {failure}", row.operator)
}

/// What else stopped the pipeline.
pub fn stopped(message: &str) -> String {
    format!("failed {{\"message\":{}}}", Value::from(message))
}
