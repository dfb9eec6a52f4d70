//! JSON lines: every line is accepted by the decoder exactly if `serde_json` accepts it, with the same values, whatever
//! lines came before; and a split of the same text gives the same rows.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use tidemill_connectors::input::text::of_reader;
use tidemill_connectors::{FormatKind, FormatSpec, Split};

#[path = "../../runtime/connectors/tests/support/like_serde.rs"]
mod like_serde;

use like_serde::{columns, decoder, expected, found};

fuzz_target!(|text: &str| {
    let mut decoders = [decoder(), decoder().portable()];
    let mut good = 0;
    for line in text.split('\n') {
        // Nesting ends earlier here than there.
        if line.bytes().filter(|b| matches!(b, b'[' | b'{')).count() > 100 {
            return;
        }
        let expected = expected(line);
        good += usize::from(expected.is_some());
        for decoder in &mut decoders {
            assert_eq!(found(decoder, line), expected, "{line:?}");
        }
    }
    if text.starts_with('\u{feff}') || text.starts_with("\x1f") || text.starts_with('(') {
        return;
    }
    let format = FormatSpec::new(FormatKind::Json, columns());
    // Bytes behind, so that lines are decoded where they stand.
    let padded = format!("{text}\n{}\n", " ".repeat(300));
    let mut split = of_reader("text", &format, Cursor::new(padded)).expect("the format is good");
    let chunk = split.read(text.len() + 1).expect("memory can be read");
    assert_eq!(chunk.rows.num_rows(), good);
});
