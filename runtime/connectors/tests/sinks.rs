//! Sinks: what is written, where it appears and when; what is written is read back as it was.

mod support;

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use proptest::prelude::*;
use support::read_bytes;
use tidemill_connectors::{
    ColumnSpec, Encoding, FolderSpec, FormatKind, FormatSpec, LogicalType, Roll, SinkSpec,
};
use tidemill_rows::arrow_array::{
    BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use tidemill_rows::time_text::{FIRST, LAST};
use tidemill_rows::{Batch, RecordBatch, RowTimes, json};

fn columns() -> Vec<ColumnSpec> {
    let column = |name: &str, ty| ColumnSpec::new(name, ty, true);
    vec![
        column("i", LogicalType::Integer),
        column("f", LogicalType::Float),
        column("s", LogicalType::Text),
        column("b", LogicalType::Bool),
        column("t", LogicalType::Time),
        column("raw", LogicalType::Bytes),
    ]
}

type Row = (
    Option<i64>,
    Option<f64>,
    Option<String>,
    Option<bool>,
    Option<i64>,
    Option<Vec<u8>>,
);

fn batch(rows: &[Row]) -> Batch {
    let schema = FormatSpec::new(FormatKind::Json, columns()).schema();
    let times: TimestampMicrosecondArray = rows.iter().map(|row| row.4).collect();
    let columns = RecordBatch::try_new(
        schema,
        vec![
            Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
            Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>()),
            Arc::new(
                rows.iter()
                    .map(|row| row.2.clone())
                    .collect::<StringArray>(),
            ),
            Arc::new(rows.iter().map(|row| row.3).collect::<BooleanArray>()),
            Arc::new(times.with_timezone("UTC")),
            Arc::new(
                rows.iter()
                    .map(|row| row.5.clone())
                    .collect::<BinaryArray>(),
            ),
        ],
    )
    .expect("a batch");
    let times = RowTimes {
        times: std::iter::repeat_n(0, columns.num_rows()).collect(),
        stamps: std::iter::repeat_n(0, columns.num_rows()).collect(),
        w: None,
    };
    Batch {
        columns,
        times,
        changes: None,
        origin: None,
    }
}

fn some_rows(from: i64, to: i64) -> Batch {
    let row = |i: i64| {
        (
            Some(i),
            Some(i as f64),
            Some(format!("row {i}")),
            None,
            Some(i),
            None,
        )
    };
    batch(&(from..to).map(row).collect::<Vec<_>>())
}

/// Writes batches to a file, one worker.
fn written(batches: &[Batch], format: Encoding, changes: bool) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out");
    let spec = SinkSpec::File {
        path: path.clone(),
        format,
    };
    let shared = spec.open(batches[0].schema(), changes).expect("opens");
    let mut sink = shared.writer(0);
    for batch in batches {
        sink.write(batch).expect("written");
    }
    sink.finish().expect("finished");
    std::fs::read_to_string(path).expect("there")
}

#[test]
fn formats() {
    let rows = [
        (
            Some(i64::MIN),
            Some(-0.0),
            Some("a\"b\nc".to_owned()),
            Some(true),
            Some(1_500_000),
            Some(vec![0, 1, 255]),
        ),
        (None, Some(f64::NAN), None, None, None, None),
        (
            Some(7),
            Some(1e16),
            Some(String::new()),
            Some(false),
            Some(-1),
            Some(vec![]),
        ),
    ];
    let mut batch = batch(&rows);
    assert_eq!(
        written(&[batch.clone()], Encoding::Json, false),
        r#"{"i":-9223372036854775808,"f":-0.0,"s":"a\"b\nc","b":true,"t":"1970-01-01T00:00:01.5Z","raw":"AAH/"}
{"i":null,"f":null,"s":null,"b":null,"t":null,"raw":null}
{"i":7,"f":1.0e16,"s":"","b":false,"t":"1969-12-31T23:59:59.999999Z","raw":""}
"#
    );
    assert_eq!(
        written(&[batch.clone()], Encoding::CSV, false),
        "i,f,s,b,t,raw\n-9223372036854775808,-0.0,\"a\"\"b\nc\",true,1970-01-01T00:00:01.5Z,AAH/\n,,,,,\n7,1.0e16,\"\",false,1969-12-31T23:59:59.999999Z,\"\"\n"
    );
    batch.changes = Some(vec![1_u8, 2, 3].into());
    let lines = written(&[batch.clone()], Encoding::Json, true);
    let firsts: Vec<_> = lines
        .lines()
        .map(|line| line.split(',').next().unwrap_or_default())
        .collect();
    assert_eq!(
        firsts,
        [
            "{\"change\":\"update-before\"",
            "{\"change\":\"update-after\"",
            "{\"change\":\"delete\""
        ]
    );
    let lines = written(&[batch], Encoding::CSV, true);
    assert!(
        lines.starts_with("change,i,f") && lines.contains("\ndelete,7,"),
        "{lines}"
    );
    let inserts = written(&[some_rows(0, 1)], Encoding::Json, true);
    assert!(
        inserts.starts_with("{\"change\":\"insert\",\"i\":0,"),
        "{inserts}"
    );
}

/// The rows of a Parquet file as JSON, and the types of its columns.
fn parquet_rows(path: &Path) -> (Vec<String>, Vec<LogicalType>) {
    let file = File::open(path).expect("there");
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).expect("it is Parquet");
    let fields = reader.schema().fields().clone();
    let types = fields
        .iter()
        .map(|field| LogicalType::of(field.data_type()));
    let mut rows = Vec::new();
    for batch in reader.build().expect("it is Parquet") {
        let batch = batch.expect("rows");
        rows.extend((0..batch.num_rows()).map(|row| json::row(&batch, row)));
    }
    (rows, types.collect())
}

#[test]
fn parquet_holds_every_type_and_null() {
    let folder = tempfile::tempdir().expect("a folder");
    let whole = (
        Some(i64::MIN),
        Some(-0.5),
        Some("é\n".to_owned()),
        Some(true),
        Some(1_500_000),
        Some(vec![0, 255]),
    );
    let rows = batch(&[whole, (None, None, None, None, None, None)]);
    let expected: Vec<_> = (0..2).map(|row| json::row(&rows.columns, row)).collect();
    let path = folder.path().join("out.parquet");
    let spec = SinkSpec::File {
        path: path.clone(),
        format: Encoding::Parquet,
    };
    let shared = spec.open(rows.schema(), false).expect("opens");
    let (mut one, mut two) = (shared.writer(0), shared.writer(1));
    one.write(&rows).expect("written");
    two.write(&rows).expect("written");
    two.finish().expect("finished");
    one.finish().expect("finished");
    let (found, types) = parquet_rows(&path);
    assert_eq!(found, [expected.clone(), expected.clone()].concat());
    let declared: Vec<_> = columns().iter().map(|column| column.ty).collect();
    assert_eq!(types, declared);

    let spec = SinkSpec::Folder(FolderSpec {
        roll: Roll {
            rows: 2,
            ..Roll::default()
        },
        ..FolderSpec::new(folder.path().join("parts"), Encoding::Parquet)
    });
    let mut changed = rows.clone();
    changed.changes = Some(vec![0_u8, 3].into());
    let shared = spec.open(rows.schema(), true).expect("opens");
    let mut one = shared.writer(0);
    one.write(&rows).expect("written");
    one.write(&changed).expect("written");
    one.finish().expect("finished");
    let part = |n: usize| {
        folder
            .path()
            .join(format!("parts/part-00000-00000{n}.parquet"))
    };
    let with =
        |change: &str, row: &String| row.replacen('{', &format!("{{\"change\":\"{change}\","), 1);
    assert_eq!(parquet_rows(&part(0)).0[1], with("insert", &expected[1]));
    assert_eq!(parquet_rows(&part(1)).0[1], with("delete", &expected[1]));

    let stdout = SinkSpec::Stdout {
        format: Encoding::Parquet,
    };
    let refused = stdout.open(rows.schema(), false).expect_err("no file");
    assert!(refused.to_string().contains("to files alone"), "{refused}");
}

#[test]
fn tables_are_aligned_over_batches() {
    let table = written(
        &[some_rows(9, 11), some_rows(11, 12)],
        Encoding::Table,
        false,
    );
    let expected = [
        " i     f  s       b  t                            raw",
        " 9   9.0  row 9   -  1970-01-01T00:00:00.000009Z  -",
        "10  10.0  row 10  -  1970-01-01T00:00:00.00001Z   -",
        "11  11.0  row 11  -  1970-01-01T00:00:00.000011Z  -",
    ];
    assert_eq!(table.lines().collect::<Vec<_>>(), expected, "\n{table}");
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("out.jsonl");
    std::fs::write(&path, "before").expect("written");
    let spec = SinkSpec::File {
        path: path.clone(),
        format: Encoding::Json,
    };
    let rows = some_rows(0, 3);
    let shared = spec.open(rows.schema(), false).expect("opens");
    let (mut first, mut second) = (shared.writer(0), shared.writer(1));
    first.write(&rows).expect("written");
    first.finish().expect("finished");
    second.write(&rows).expect("written");
    second.flush().expect("flushed");
    assert_eq!(std::fs::read_to_string(&path).expect("there"), "before");
    second.finish().expect("finished");
    assert_eq!(
        std::fs::read_to_string(&path)
            .expect("there")
            .lines()
            .count(),
        6
    );
    assert_eq!(shared.rows(), 6);

    let shared = spec.open(rows.schema(), false).expect("opens");
    let mut broken = shared.writer(0);
    broken.write(&some_rows(0, 1)).expect("written");
    drop(broken);
    drop(shared);
    assert_eq!(
        std::fs::read_to_string(&path)
            .expect("there")
            .lines()
            .count(),
        6
    );
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("a folder").count(),
        1,
        "nothing is left over"
    );
}

#[test]
fn a_folder_gets_finished_parts_and_keeps_old_ones() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("made/here");
    let spec = FolderSpec {
        roll: Roll {
            rows: 4,
            ..Roll::default()
        },
        ..FolderSpec::new(&path, Encoding::CSV)
    };
    let names = || {
        let entries = std::fs::read_dir(&path).expect("a folder");
        let name = |e: std::io::Result<std::fs::DirEntry>| {
            e.expect("an entry")
                .file_name()
                .into_string()
                .expect("UTF-8")
        };
        let mut names: Vec<_> = entries.map(name).collect();
        names.sort();
        names
    };
    for run in 0..2 {
        let shared = SinkSpec::Folder(spec.clone())
            .open(some_rows(0, 1).schema(), false)
            .expect("opens");
        let (mut one, two) = (shared.writer(0), shared.writer(1));
        one.write(&some_rows(0, 3)).expect("written");
        if run == 0 {
            assert_eq!(names(), [".part-00000-000000.csv.pending"]);
        }
        one.write(&some_rows(3, 10)).expect("written");
        one.finish().expect("finished");
        two.finish().expect("finished");
        assert_eq!(shared.rows(), 10);
    }
    let expected: Vec<_> = (0..6).map(|n| format!("part-00000-{n:06}.csv")).collect();
    assert_eq!(names(), expected);
    let lines: Vec<_> = expected
        .iter()
        .map(|name| {
            std::fs::read_to_string(path.join(name))
                .expect("a part")
                .lines()
                .count()
        })
        .collect();
    assert_eq!(lines, [5, 5, 3, 5, 5, 3], "each part has its header");
}

#[test]
fn the_blackhole_counts() {
    let shared = SinkSpec::Blackhole
        .open(some_rows(0, 1).schema(), false)
        .expect("opens");
    shared.writer(0).write(&some_rows(0, 5)).expect("written");
    shared.writer(1).write(&some_rows(0, 7)).expect("written");
    assert_eq!(shared.rows(), 12);
}

#[test]
fn a_folder_that_is_not_there_is_made_and_a_file_in_its_place_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let open = |path: &str| {
        let path = folder.path().join(path);
        let spec = SinkSpec::File {
            path,
            format: Encoding::Json,
        };
        spec.open(some_rows(0, 1).schema(), false)
    };
    drop(open("new/one/out.jsonl").expect("its folder is made"));
    assert!(folder.path().join("new/one").is_dir());
    std::fs::write(folder.path().join("file"), "").expect("a file");
    let error = open("file/out.jsonl")
        .expect_err("a file is no folder")
        .to_string();
    assert!(
        error.contains("file/out.jsonl") && error.contains("must be a folder"),
        "{error}"
    );
}

fn any_row() -> impl Strategy<Value = Row> {
    let text = prop_oneof![any::<String>(), "[a-z,\"\r\n \t]{0,8}"];
    let float = any::<f64>().prop_filter("finite", |f| f.is_finite());
    (
        any::<Option<i64>>(),
        proptest::option::of(float),
        proptest::option::of(text),
        any::<Option<bool>>(),
        proptest::option::of(FIRST..=LAST),
        any::<Option<Vec<u8>>>(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(rows in proptest::collection::vec(any_row(), 1..20)) {
        let batch = batch(&rows);
        let before: Vec<_> = (0..batch.len()).map(|row| json::row(&batch.columns, row)).collect();
        for (kind, format) in [(FormatKind::Json, Encoding::Json), (FormatKind::CSV, Encoding::CSV)] {
            let text = written(std::slice::from_ref(&batch), format, false);
            let read = read_bytes(text.as_bytes(), &FormatSpec::new(kind, columns()), 7);
            prop_assert!(read.bad.is_empty(), "{:?} in {text}", read.bad);
            let after: Vec<_> = read.rows.iter()
                .map(|row| row.split_once(' ').expect("a row").1.to_owned()).collect();
            prop_assert_eq!(&after, &before, "{}", text);
        }
    }
}
