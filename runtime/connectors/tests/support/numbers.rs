//! Numbered rows: as batches, and read back from what sinks published.
#![allow(dead_code)]

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use tidemill_connectors::{Encoding, LogicalType};
use tidemill_rows::arrow_array::cast::AsArray;
use tidemill_rows::arrow_array::types::Int64Type;
use tidemill_rows::arrow_array::{Int64Array, StringArray};
use tidemill_rows::{Batch, RecordBatch, RowTimes, Schema, SchemaRef};

/// A number and a text that may be null.
pub fn schema() -> SchemaRef {
    Arc::new(Schema::new(vec![
        LogicalType::Integer.field("id", false),
        LogicalType::Text.field("text", true),
    ]))
}

/// The rows with these numbers.
pub fn batch(from: i64, to: i64) -> Batch {
    let ids = from..to;
    let text = |id: i64| (id % 5 != 0).then(|| format!("row, {id}"));
    let columns = RecordBatch::try_new(
        schema(),
        vec![
            Arc::new(ids.clone().collect::<Int64Array>()),
            Arc::new(ids.clone().map(text).collect::<StringArray>()),
        ],
    )
    .expect("a batch");
    let zeros = || ids.clone().map(|_| 0).collect();
    let times = RowTimes {
        times: zeros(),
        stamps: zeros(),
        w: None,
    };
    Batch {
        columns,
        times,
        changes: None,
        origin: None,
    }
}

/// The rows of all published files in a folder; what is hidden is nobody's.
pub fn published(folder: &Path, format: Encoding) -> Vec<i64> {
    let mut ids = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        if !name.starts_with('.') {
            ids.extend(rows(&path, format));
        }
    }
    ids.sort_unstable();
    ids
}

fn rows(path: &Path, format: Encoding) -> Vec<i64> {
    if format == Encoding::Parquet {
        let file = File::open(path).expect("opens");
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
        let batches = reader.build().expect("it is Parquet");
        let ids = |batch: RecordBatch| {
            batch
                .column(0)
                .as_primitive::<Int64Type>()
                .values()
                .to_vec()
        };
        return batches
            .flat_map(|batch| ids(batch.expect("rows")))
            .collect();
    }
    let text = std::fs::read_to_string(path).expect("it is text");
    assert!(text.ends_with('\n') || text.is_empty(), "{text}");
    let mut lines = text.lines();
    let id = |line: &str| match format {
        Encoding::Json => {
            let row: serde_json::Value = serde_json::from_str(line).expect("a whole row");
            row["id"].as_i64().expect("an id")
        }
        _ => line
            .split(',')
            .next()
            .and_then(|id| id.parse().ok())
            .expect(line),
    };
    if format != Encoding::Json {
        assert_eq!(lines.next(), Some("id,text"), "each file has its header");
    }
    lines.map(id).collect()
}

/// How many hidden files there are in a folder.
pub fn hidden(folder: &Path) -> usize {
    let names = std::fs::read_dir(folder).expect("a folder");
    let names = names.map(|entry| entry.expect("an entry").file_name());
    names
        .filter(|name| name.to_string_lossy().starts_with('.'))
        .count()
}
