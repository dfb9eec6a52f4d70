//! Sinks: where rows go.

use std::path::PathBuf;

use crate::model::word::words;
use crate::model::{Input, KafkaSink, WrittenSchema};
use crate::place::Spanned;

words! {
    /// How a sink writes rows.
    SinkFormat {
        /// One JSON object a line.
        Json = "json",
        /// Comma-separated values with a header.
        Csv = "csv",
        /// A datum of Avro each, to Kafka only.
        Avro = "avro",
        /// A message of Protobuf each, to Kafka only.
        Protobuf = "protobuf",
        /// Parquet, to files only.
        Parquet = "parquet",
        /// A table for people, on standard output only.
        Table = "table",
    }
}

/// Where a sink's rows go.
#[derive(Clone, Debug)]
pub enum SinkConnector {
    /// Standard output.
    Stdout,
    /// One file, whole at the end of a bounded run.
    File(PathBuf),
    /// Finished parts in a folder, put there by rename.
    Folder(Folder),
    /// Topics of Kafka.
    Kafka(Box<KafkaSink>),
    /// Nowhere: rows are counted.
    Blackhole,
}

impl SinkConnector {
    /// The key that names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::File(_) => "file",
            Self::Folder(_) => "folder",
            Self::Kafka(_) => "kafka",
            Self::Blackhole => "blackhole",
        }
    }
}

/// A folder of parts.
#[derive(Clone, Debug)]
pub struct Folder {
    /// The folder.
    pub path: PathBuf,
    /// A part is finished with so many rows.
    pub part_rows: Spanned<u64>,
    /// A part is finished with so many bytes.
    pub part_size: Spanned<u64>,
    /// A part is finished so long after its first row, in microseconds.
    pub part_age: Option<i64>,
}

/// A sink.
#[derive(Clone, Debug)]
pub struct Sink {
    /// Its name.
    pub name: Spanned<String>,
    /// What it takes: a union of equal schemas.
    pub inputs: Vec<Input>,
    /// Where rows go; the place is the connector's key.
    pub connector: Spanned<SinkConnector>,
    /// How rows are written; means nothing for `blackhole`.
    pub format: Spanned<SinkFormat>,
    /// The schema of Avro and Protobuf values.
    pub schema: Option<WrittenSchema>,
}
