//! CSV: nothing panics, every record is a row or a bad one, and chunks of one row give the same as one large chunk.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use tidemill_connectors::input::text::of_reader;
use tidemill_connectors::{
    ColumnSpec, FormatKind, FormatSpec, LogicalType, Split, Then, TimeFormat,
};

/// Positions of good rows and of bad ones.
fn rows(bytes: &[u8], most: usize) -> Option<(Vec<u64>, Vec<u64>)> {
    let mut columns = vec![
        ColumnSpec::new("a", LogicalType::Text, true),
        ColumnSpec::new("b", LogicalType::Integer, true),
        ColumnSpec::new("c", LogicalType::Float, true),
        ColumnSpec::new("d", LogicalType::Bytes, true),
    ];
    columns.push(ColumnSpec::new("e", LogicalType::Time, true).written(TimeFormat::Sql));
    let mut format = FormatSpec::new(FormatKind::CSV, columns);
    format.line_limit = 4096;
    let text = [b"a,b,c,d,e\n", bytes].concat();
    let mut split = of_reader("text", &format, Cursor::new(text)).expect("the format is good");
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    loop {
        let chunk = split.read(most).ok()?;
        assert_eq!(chunk.rows.num_rows(), chunk.positions.len());
        for column in chunk.rows.columns() {
            column.to_data().validate_full().expect("sound columns");
        }
        good.extend(chunk.positions);
        bad.extend(chunk.bad.iter().map(|row| row.position));
        if chunk.then == Then::End {
            return Some((good, bad));
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    assert_eq!(rows(bytes, 1), rows(bytes, 10_000));
});
