//! Rows that fail: what is said of them, and what an operator does about them.
//!
//! A row fails when it can't be decoded, the function returns a failure for it, or the call traps, runs out of time or
//! memory with it. The operator's policy then applies: stop the pipeline, skip and count, or send to `<name>.failed`.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow_array::builder::{
    BinaryBuilder, Int64Builder, StringBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Schema, SchemaRef};
use tidemill_core::time;
use tidemill_rows::visible::visible;
use tidemill_rows::{Batch, LogicalType, RowTimes};

use crate::error::{EngineError, StoppedByRow};

/// One failed row, as it is reported and as it is sent to `<name>.failed`.
#[derive(Clone, Debug, Default)]
pub struct FailedRow {
    /// The operator or source.
    pub operator: String,
    /// The function, where one was called.
    pub function: Option<String>,
    /// The module's file and hash, where one was called.
    pub module: Option<(String, String)>,
    /// One word: `decode`, `time`, `null-key`, `invalid`, `trap`, `panic`, `deadline`, `memory`, `stack`, …
    pub reason: String,
    /// The reason as a sentence.
    pub message: String,
    /// The split that the row came from.
    pub split: Option<String>,
    /// Its position there: byte offset or row number.
    pub position: Option<u64>,
    /// Its line there, from 1.
    pub line: Option<u64>,
    /// Its event time in microseconds, where it has one.
    pub time: Option<i64>,
    /// The time of the record that it was to be made of, in microseconds, where that has one.
    pub recorded: Option<i64>,
    /// The row as JSON text; for a firing, its key, window and accumulator.
    pub row: Option<String>,
    /// The bytes, where decoding failed.
    pub bytes: Option<Vec<u8>>,
    /// The guest's own backtrace.
    pub backtrace: Option<String>,
    /// What the guest logged in the call, panic message included.
    pub log: Vec<String>,
    /// Whether the function said that the pipeline must stop.
    pub fatal: bool,
}

impl fmt::Display for FailedRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = if self.function.is_some() {
            "operator"
        } else {
            "source"
        };
        write!(
            f,
            "{what} {}: a row failed: {}: {}",
            self.operator,
            self.reason,
            indented(&self.message)
        )?;
        if let Some(function) = &self.function {
            write!(f, "\n  function:  {function}")?;
        }
        if let Some((file, hash)) = &self.module {
            write!(
                f,
                "\n  module:    {file} (sha256 {})",
                &hash[..hash.len().min(12)]
            )?;
        }
        if let Some(place) = self.place() {
            write!(f, "\n  read from: {place}")?;
        }
        if let Some(at) = self.time {
            write!(
                f,
                "\n  time:      {}",
                tidemill_rows::time_text::rfc3339(at)
            )?;
        }
        if let Some(row) = &self.row {
            write!(f, "\n  row:       {}", shortened(row))?;
        }
        if let Some(bytes) = &self.bytes {
            write!(
                f,
                "\n  bytes:     {}",
                shortened(&String::from_utf8_lossy(bytes))
            )?;
        }
        for line in &self.log {
            write!(f, "\n  logged:    {}", indented(line))?;
        }
        if let Some(backtrace) = &self.backtrace {
            write!(f, "\n  backtrace of the module:")?;
            for line in backtrace.lines() {
                write!(f, "\n    {line}")?;
            }
        }
        Ok(())
    }
}

impl FailedRow {
    /// Where the row was read, as people write it.
    fn place(&self) -> Option<String> {
        let split = self.split.as_ref()?;
        Some(match (self.line, self.position) {
            (Some(line), Some(byte)) => format!("{split}:{line} (byte {byte})"),
            (None, Some(row)) => format!("{split} (row {row})"),
            _ => split.clone(),
        })
    }

    /// Fills in where a row of a batch came from, and the row itself.
    pub fn about(mut self, batch: &Batch, row: usize) -> Self {
        self.time = Some(batch.times.times[row]);
        self.row = Some(tidemill_rows::json::row(&batch.columns, row));
        if let Some(origin) = &batch.origin {
            self.split = Some(origin.names()[origin.split(row) as usize].to_string());
            self.position = Some(origin.position(row));
            self.line = origin.line(row);
        }
        self
    }
}

/// A report must fit on a screen.
fn shortened(text: &str) -> String {
    const MOST: usize = 2_000;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}… ({} bytes in all)", visible(&text[..end]), text.len()),
        None => visible(text).into_owned(),
    }
}

/// A text of several lines, so that none of them looks like one of the report's own.
fn indented(text: &str) -> String {
    text.replace('\n', "\n             ")
}

/// What an operator does about a row that fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Action {
    /// Stop the pipeline.
    #[default]
    Fail,
    /// Count it.
    Skip,
    /// Send it to `<name>.failed`.
    DeadLetter,
}

/// An operator's failure policy, shared by its copies on all workers.
#[derive(Debug)]
pub struct Policy {
    action: Action,
    /// How many failed rows are put up with, in all.
    most: Option<u64>,
    failed: AtomicU64,
}

impl Policy {
    /// A policy; `most` turns `Skip` and `DeadLetter` back into failing once more rows than that have failed.
    pub fn new(action: Action, most: Option<u64>) -> Self {
        Self {
            action,
            most,
            failed: AtomicU64::new(0),
        }
    }

    /// Before a restart so many rows had failed.
    pub fn go_on_from(&self, failed: u64) {
        self.failed.store(failed, Ordering::Relaxed);
    }

    /// Applies the policy to rows that failed. What is to be sent to `<name>.failed` comes back.
    ///
    /// # Errors
    /// If the pipeline must stop.
    pub fn apply(&self, failed: Vec<FailedRow>) -> Result<Vec<FailedRow>, EngineError> {
        for row in &failed {
            let so_far = self.failed.fetch_add(1, Ordering::Relaxed) + 1;
            let over = self.most.filter(|&most| so_far > most);
            if self.action == Action::Fail || row.fatal || over.is_some() {
                let threshold = over.filter(|_| self.action != Action::Fail).map(|most| {
                    format!(
                        "{}: {so_far} rows failed, more than its threshold of {most}",
                        row.operator
                    )
                });
                return Err(EngineError::Row(Box::new(StoppedByRow {
                    row: row.clone(),
                    threshold,
                })));
            }
        }
        Ok(if self.action == Action::DeadLetter {
            failed
        } else {
            Vec::new()
        })
    }
}

/// The columns of `<name>.failed`, the same for every source and operator.
pub fn failed_schema() -> SchemaRef {
    let field = |name: &str, ty: LogicalType, nullable| ty.field(name, nullable);
    Arc::new(Schema::new(vec![
        field("operator", LogicalType::Text, false),
        field("function", LogicalType::Text, true),
        field("module_hash", LogicalType::Text, true),
        field("reason", LogicalType::Text, false),
        field("message", LogicalType::Text, false),
        field("split", LogicalType::Text, true),
        field("position", LogicalType::Integer, true),
        field("time", LogicalType::Time, true),
        field("row", LogicalType::Text, true),
        field("bytes", LogicalType::Bytes, true),
    ]))
}

/// Failed rows as a batch of [`failed_schema`]. A row without an event time gets `stamp` as its time; its column `time` has that of
/// its record, if there is one.
pub fn failed_batch(failed: &[FailedRow], stamp: i64) -> Batch {
    let stamp = if stamp == time::MIN {
        time::FIRST
    } else {
        stamp
    };
    let text = |value: &dyn Fn(&FailedRow) -> Option<String>| -> ArrayRef {
        let mut column = StringBuilder::new();
        failed
            .iter()
            .for_each(|row| column.append_option(value(row)));
        Arc::new(column.finish())
    };
    let mut position = Int64Builder::new();
    let mut times = TimestampMicrosecondBuilder::new().with_data_type(LogicalType::Time.arrow());
    let mut bytes = BinaryBuilder::new();
    for row in failed {
        position.append_option(row.position.map(|p| p as i64));
        times.append_option(row.time.or(row.recorded));
        bytes.append_option(row.bytes.as_deref());
    }
    let columns: Vec<ArrayRef> = vec![
        text(&|row| Some(row.operator.clone())),
        text(&|row| row.function.clone()),
        text(&|row| row.module.as_ref().map(|(_, hash)| hash.clone())),
        text(&|row| Some(row.reason.clone())),
        text(&|row| Some(row.message.clone())),
        text(&|row| row.split.clone()),
        Arc::new(position.finish()),
        Arc::new(times.finish()),
        text(&|row| row.row.clone()),
        Arc::new(bytes.finish()),
    ];
    let columns = RecordBatch::try_new(failed_schema(), columns)
        .expect("the columns of failed rows are as their schema says");
    let times = failed.iter().map(|row| row.time.unwrap_or(stamp)).collect();
    let stamps = std::iter::repeat_n(stamp, failed.len()).collect();
    Batch {
        columns,
        times: RowTimes {
            times,
            stamps,
            w: None,
        },
        changes: None,
        origin: None,
    }
}
