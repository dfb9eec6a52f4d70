//! gzip and zstd: whatever is cut or damaged, what came whole is read and the rest is at most one bad row.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use tidemill_connectors::input::text::of_reader;
use tidemill_connectors::{ColumnSpec, FormatKind, FormatSpec, LogicalType, Split, Then};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    let magic: &[u8] = match kind % 3 {
        0 => b"\x1f\x8b\x08",
        1 => b"\x28\xb5\x2f\xfd",
        _ => b"",
    };
    let mut format = FormatSpec::new(
        FormatKind::Json,
        vec![ColumnSpec::new("a", LogicalType::Text, true)],
    );
    format.line_limit = 4096;
    let input = Cursor::new([magic, rest].concat());
    let mut split = of_reader("frames", &format, input).expect("the format is good");
    let mut cut_short = 0;
    for _ in 0..1000 {
        let Ok(chunk) = split.read(100) else { return };
        cut_short += chunk
            .bad
            .iter()
            .filter(|row| row.code == "cut-short")
            .count();
        assert!(cut_short <= 1);
        if chunk.then == Then::End {
            return;
        }
    }
});
