//! Formats as the pipeline file declares them: which columns, of which types, from where in the
//! text.

use std::path::PathBuf;
use std::sync::Arc;

use tidemill_rows::time_text::EpochUnit;
use tidemill_rows::{LogicalType, Schema, SchemaRef};

use crate::ConnectorError;
use crate::decode::avro::AvroDecoder;
use crate::decode::protobuf::ProtobufDecoder;
use crate::kafka::RecordField;
use crate::registry::Registry;

/// The longest line or CSV record (`line-limit`), unless set otherwise: 16 MiB.
pub const LINE_LIMIT: usize = 16 * 1024 * 1024;

/// The largest value that `line-limit` can have: text columns of a batch stay far below 2 GiB.
pub const LARGEST_LINE_LIMIT: usize = 256 * 1024 * 1024;

/// How deep values may be nested in a JSON line.
pub const DEPTH_LIMIT: usize = 128;

/// How a source's bytes become rows.
#[derive(Clone, Debug, PartialEq)]
pub struct FormatSpec {
    /// JSON lines or CSV.
    pub kind: FormatKind,
    /// The columns, in the order of the schema.
    pub columns: Vec<ColumnSpec>,
    /// What happens with fields that no column names.
    pub unknown: Unknown,
    /// The longest line or record in bytes.
    pub line_limit: usize,
    /// Where the schema is from, of formats that have one.
    pub schema: SchemaSpec,
}

/// Where the schema of values is from that do not hold it themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum SchemaSpec {
    /// There is none.
    #[default]
    None,
    /// A file has it.
    File(FileSchema),
    /// A registry has it, under the number in front of each value.
    Registry(Registry),
}

/// A schema in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileSchema {
    /// The file.
    pub path: PathBuf,
    /// Which message of it values are, of Protobuf.
    pub message: Option<String>,
}

impl FileSchema {
    pub(crate) fn read(&self) -> Result<String, ConnectorError> {
        std::fs::read_to_string(&self.path).map_err(|e| ConnectorError::reading(&self.path, e))
    }

    pub(crate) fn refuse(&self, why: &str) -> ConnectorError {
        ConnectorError::Configuration(format!("schema {}: {why}", self.path.display()))
    }
}

/// A format of text, or of values of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FormatKind {
    /// One JSON object per line.
    Json,
    /// Comma-separated values (RFC 4180), the first record naming the columns.
    Csv {
        /// What stands between fields; `,` by default.
        delimiter: u8,
    },
    /// Avro, a datum each.
    Avro,
    /// Protobuf, a message each.
    Protobuf,
}

impl FormatKind {
    /// Whether rows are no text: they stand in no file of lines.
    pub fn is_binary(self) -> bool {
        matches!(self, Self::Avro | Self::Protobuf)
    }

    /// CSV with commas.
    pub const CSV: Self = Self::Csv { delimiter: b',' };
}

/// What happens with fields that no column names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unknown {
    /// They are skipped.
    #[default]
    Ignore,
    /// A row that has one is a bad row.
    Refuse,
}

/// One column and where it stands in a row.
#[derive(Clone, Debug, PartialEq)]
pub struct ColumnSpec {
    /// The column's name.
    pub name: String,
    /// Its type.
    pub ty: LogicalType,
    /// Whether it may be null or missing.
    pub nullable: bool,
    /// Where it stands: names of nested JSON fields from the outside in, or one name of a CSV
    /// header.
    pub path: Vec<String>,
    /// How a time is written; means nothing for other types.
    pub time_format: TimeFormat,
    /// What of a record of Kafka it holds; elsewhere a field.
    pub from: RecordField,
}

impl ColumnSpec {
    /// A column that stands under its own name, times in RFC 3339.
    pub fn new(name: impl Into<String>, ty: LogicalType, nullable: bool) -> Self {
        let name = name.into();
        Self {
            path: vec![name.clone()],
            name,
            ty,
            nullable,
            time_format: TimeFormat::Rfc3339,
            from: RecordField::Field,
        }
    }

    /// The same column at a path: `address.city` is the field `city` of the object `address`.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        self.path = path.split('.').map(str::to_owned).collect();
        self
    }

    /// The same column with times written so.
    #[must_use]
    pub fn written(mut self, format: TimeFormat) -> Self {
        self.time_format = format;
        self
    }
}

/// How times are written in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeFormat {
    /// `2013-01-01T10:15:00Z`.
    #[default]
    Rfc3339,
    /// `2013-01-01 10:15:00[.ffffff]`, in UTC.
    Sql,
    /// A number since the Unix epoch.
    Epoch(EpochUnit),
}

impl TimeFormat {
    /// All formats, in the order in which messages list them.
    pub const ALL: [Self; 5] = [
        Self::Rfc3339,
        Self::Sql,
        Self::Epoch(EpochUnit::Seconds),
        Self::Epoch(EpochUnit::Millis),
        Self::Epoch(EpochUnit::Micros),
    ];

    /// The word in pipeline files: `rfc3339`, `sql`, `epoch-s`, `epoch-ms`, `epoch-us`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rfc3339 => "rfc3339",
            Self::Sql => "sql",
            Self::Epoch(EpochUnit::Seconds) => "epoch-s",
            Self::Epoch(EpochUnit::Millis) => "epoch-ms",
            Self::Epoch(EpochUnit::Micros) => "epoch-us",
        }
    }

    /// The format of a word, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

impl FormatSpec {
    /// A format with its defaults: unknown fields ignored, lines of at most 16 MiB.
    pub fn new(kind: FormatKind, columns: Vec<ColumnSpec>) -> Self {
        Self {
            kind,
            columns,
            unknown: Unknown::Ignore,
            line_limit: LINE_LIMIT,
            schema: SchemaSpec::None,
        }
    }

    /// The schema of its rows.
    pub fn schema(&self) -> SchemaRef {
        let field = |column: &ColumnSpec| column.ty.field(&column.name, column.nullable);
        Arc::new(Schema::new(
            self.columns.iter().map(field).collect::<Vec<_>>(),
        ))
    }

    /// Checks what its types cannot say.
    ///
    /// # Errors
    /// A configuration error that names the column: no columns, a name twice, an empty or too deep
    /// path, a path in CSV, a field that would be a value and an object at once, a limit or
    /// delimiter that cannot be.
    pub fn check(&self) -> Result<(), ConnectorError> {
        let refuse = |message: String| Err(ConnectorError::Configuration(message));
        if self.kind.is_binary() && self.unknown == Unknown::Refuse {
            return refuse(
                "`unknown-fields` is for JSON and CSV: Avro and Protobuf have a schema".into(),
            );
        }
        if self.columns.is_empty() {
            return refuse("a source needs at least one column under `columns`".to_owned());
        }
        if !(1..=LARGEST_LINE_LIMIT).contains(&self.line_limit) {
            let (limit, largest) = (self.line_limit, LARGEST_LINE_LIMIT);
            return refuse(format!(
                "`line-limit` must be 1 to {largest} bytes: {limit}"
            ));
        }
        let cannot = |b: u8| !b.is_ascii() || matches!(b, b'"' | b'\n' | b'\r');
        if matches!(self.kind, FormatKind::Csv { delimiter } if cannot(delimiter)) {
            return refuse("`delimiter` must be one ASCII character, no quote or newline".into());
        }
        // What is in a file can be known now; what a registry has, when the first value comes.
        match self.kind {
            FormatKind::Avro => drop(AvroDecoder::new(&self.columns, &self.schema)?),
            FormatKind::Protobuf => drop(ProtobufDecoder::new(&self.columns, &self.schema)?),
            FormatKind::Json | FormatKind::Csv { .. } => {}
        }
        for (i, column) in self.columns.iter().enumerate() {
            self.check_path(column)?;
            for other in &self.columns[..i] {
                check_pair(other, column)?;
            }
        }
        Ok(())
    }

    fn check_path(&self, column: &ColumnSpec) -> Result<(), ConnectorError> {
        let name = &column.name;
        let depth = column.path.len();
        let problem = match self.kind {
            _ if depth == 0 || column.path.iter().any(String::is_empty) => "has an empty path",
            FormatKind::Csv { .. } if depth > 1 => "has a nested path, which CSV has not",
            FormatKind::Json | FormatKind::Avro | FormatKind::Protobuf if depth >= DEPTH_LIMIT => {
                "is nested deeper than 127 objects"
            }
            _ => return Ok(()),
        };
        Err(ConnectorError::Configuration(format!(
            "column `{name}` {problem}"
        )))
    }
}

fn check_pair(a: &ColumnSpec, b: &ColumnSpec) -> Result<(), ConnectorError> {
    if a.name == b.name {
        let message = format!("column `{}` is declared twice", a.name);
        return Err(ConnectorError::Configuration(message));
    }
    let (short, long) = if a.path.len() <= b.path.len() {
        (a, b)
    } else {
        (b, a)
    };
    if short.path.len() < long.path.len() && long.path.starts_with(&short.path) {
        return Err(ConnectorError::Configuration(format!(
            "column `{}` takes field `{}` as a value, column `{}` as an object: \
             give one another path",
            short.name,
            short.path.join("."),
            long.name
        )));
    }
    Ok(())
}
