//! Scripted sources: lines in, chunks for their splits out.

use std::sync::Arc;

use arrow_array::{Array, RecordBatch};
use tidemill_connectors::format::{ColumnSpec, FormatKind, FormatSpec};
use tidemill_connectors::{Chunk, ConnectorError, Opened, decode_text};
use tidemill_rows::{LogicalType, SchemaRef};

use super::Script;
use super::split::{Feed, Scripted};
use crate::plan::SourcePlan;

/// What a scripted row does to others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Does {
    /// It is a row like others.
    Insert,
    /// It stands for a record without a value, which deletes.
    Delete,
}

/// A line that a source reads, in its format.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// The line above all lines, where the source reads CSV.
    pub header: Option<&'a str>,
    /// The line itself.
    pub text: &'a str,
}

/// Why a line is no row, not even a bad one.
#[derive(Debug)]
pub enum Unread {
    /// Its header is none.
    Header(ConnectorError),
    /// It is to delete, and has a value: this column's.
    Value(String),
}

impl From<Unread> for ConnectorError {
    fn from(unread: Unread) -> Self {
        match unread {
            Unread::Header(error) => error,
            Unread::Value(column) => Self::Configuration(format!(
                "column {column} is of the value, and a record that deletes has none"
            )),
        }
    }
}

/// A scripted source.
pub struct Source {
    pub name: String,
    pub format: FormatSpec,
    /// The columns that are of the value, where records without one delete.
    pub of_value: Option<Vec<String>>,
    pub feeds: Vec<(Arc<str>, Feed)>,
}

impl Source {
    /// The source of a plan, with the splits that a script names.
    pub fn new(name: String, plan: &SourcePlan, script: &Script) -> Self {
        let splits = script.splits.iter().find(|(source, _)| *source == name);
        let mut names: Vec<Arc<str>> = match splits {
            Some((_, splits)) => splits.iter().map(|split| split.as_str().into()).collect(),
            None => vec![name.as_str().into()],
        };
        names.sort();
        Self {
            name,
            format: match plan.spec.format() {
                Some(format) if !format.kind.is_binary() => format.clone(),
                _ => as_json(&plan.spec.schema()),
            },
            of_value: plan.spec.deleted_columns(),
            feeds: names
                .into_iter()
                .map(|name| (name, Feed::default()))
                .collect(),
        }
    }

    /// What a line gives, from one of its splits.
    pub fn read(&self, split: usize, line: Line<'_>, does: Does) -> Result<Chunk, Unread> {
        let Line { header, text } = line;
        let header = header.map_or(String::new(), |header| format!("{header}\n"));
        let text = format!("{header}{text}\n").into_bytes();
        // Two, so that a line that should turn out to be several rows is no row lost.
        let chunk = decode_text(&self.format, &self.feeds[split].0, text, 2);
        let mut chunk = chunk.map_err(Unread::Header)?;
        if let Some(of_value) = &self.of_value {
            let mut with_value = of_value.iter().filter(|name| has_value(&chunk.rows, name));
            if let Some(column) = with_value.next().filter(|_| does == Does::Delete) {
                return Err(Unread::Value(column.clone()));
            }
            chunk.changes = Some(vec![does.change(); chunk.rows.num_rows()]);
        }
        Ok(chunk)
    }

    /// The splits of a worker, of so many.
    pub fn share(&self, (worker, workers): (usize, usize), schema: &SchemaRef) -> Opened {
        let splits = self.feeds.iter().enumerate();
        let own = splits.filter(|(i, _)| i % workers == worker);
        Opened {
            names: self.feeds.iter().map(|(name, _)| name.clone()).collect(),
            splits: own
                .map(|(i, (name, feed))| {
                    let split = Scripted::new(name.clone(), schema.clone(), feed.clone());
                    (i, Box::new(split) as Box<dyn tidemill_connectors::Split>)
                })
                .collect(),
            schema: schema.clone(),
            // The script says which split is read, not the watermarks.
            bounded: false,
            later: None,
            forgotten: Arc::default(),
            gauge: None,
        }
    }
}

impl Does {
    /// As batches say it.
    fn change(self) -> u8 {
        match self {
            Self::Insert => 0,
            Self::Delete => 3,
        }
    }
}

fn has_value(rows: &RecordBatch, column: &str) -> bool {
    let column = rows.column_by_name(column);
    column.is_some_and(|column| column.null_count() < column.len())
}

/// The format in which rows are written that no source reads as text.
pub(crate) fn as_json(schema: &SchemaRef) -> FormatSpec {
    let columns = schema.fields().iter().map(|field| {
        let ty = LogicalType::of(field.data_type());
        ColumnSpec::new(field.name(), ty, field.is_nullable())
    });
    FormatSpec::new(FormatKind::Json, columns.collect())
}
