//! What holds of Avro and Protobuf whatever is read: given is a schema, a zero byte, and values of it, each behind how long it is.

use std::cell::OnceCell;
use std::fs;

use tempfile::TempDir;
use tidemill_connectors::decode::values::Values;
use tidemill_connectors::format::{FileSchema, SchemaSpec};
use tidemill_connectors::{ColumnSpec, EpochUnit, FormatKind, FormatSpec, LogicalType, TimeFormat};

thread_local! {
    static FOLDER: OnceCell<TempDir> = const { OnceCell::new() };
}

/// A format by this schema, whose message, of Protobuf, is `R`.
fn format(kind: FormatKind, schema: &[u8]) -> FormatSpec {
    let path = FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a folder"));
        folder.path().join("schema")
    });
    fs::write(&path, schema).expect("a file");
    let column = |name: &str, ty| ColumnSpec::new(name, ty, true);
    let millis = TimeFormat::Epoch(EpochUnit::Millis);
    let mut format = FormatSpec::new(
        kind,
        vec![
            column("a", LogicalType::Bool),
            column("b", LogicalType::Integer),
            column("c", LogicalType::Float),
            column("d", LogicalType::Text),
            column("e", LogicalType::Bytes),
            column("f", LogicalType::Time).written(millis),
            column("g", LogicalType::Text).at("r.d"),
            column("h", LogicalType::Time).at("r.f"),
        ],
    );
    let message = (kind == FormatKind::Protobuf).then(|| "R".to_owned());
    format.schema = SchemaSpec::File(FileSchema { path, message });
    format
}

/// The values, end to end: each behind a byte that says how long it is, the last one may be cut short.
fn values(mut bytes: &[u8]) -> Vec<&[u8]> {
    let mut values = Vec::new();
    while let [length, rest @ ..] = bytes {
        let (value, left) = rest.split_at(rest.len().min((*length).into()));
        values.push(value);
        bytes = left;
    }
    values
}

/// Fails where decoding does not hold what it promises. How many values were read.
pub fn check(kind: FormatKind, bytes: &[u8]) -> usize {
    let end = bytes.iter().position(|&byte| byte == 0);
    let (schema, rest) = bytes.split_at(end.unwrap_or(bytes.len()));
    let format = format(kind, schema);
    let Ok(mut all) = Values::new(&format) else {
        return 0;
    };
    let mut good = Vec::new();
    for value in values(rest.get(1..).unwrap_or_default()) {
        if all.push(value).is_ok() {
            good.push(value);
        }
    }
    let all = all.take().expect("a batch");
    assert_eq!(all.num_rows(), good.len());
    for column in all.columns() {
        column.to_data().validate_full().expect("sound columns");
    }
    for (row, value) in good.iter().enumerate() {
        let mut alone = Values::new(&format).expect("the same schema");
        alone.push(value).expect("it was good before");
        let alone = alone.take().expect("a batch");
        assert_eq!(
            tidemill_rows::json::row(&alone, 0),
            tidemill_rows::json::row(&all, row)
        );
    }
    good.len()
}
