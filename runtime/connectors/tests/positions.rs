//! Splits are read on from any position as if they had never been left, whatever is in them and however many rows are read
//! at once.

mod support;

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use support::files;
use tidemill_connectors::datagen::{DatagenSpec, Generate, GeneratedColumn};
use tidemill_connectors::nexmark::{Kind, NexmarkSpec};
use tidemill_connectors::{
    Chunk, ColumnSpec, FormatKind, FormatSpec, LogicalType, Position, SourceSpec, Split, Then,
    resume_all,
};
use tidemill_rows::json;

/// Rows and bad rows in their order, as text.
fn records(chunk: &Chunk, into: &mut Vec<String>) {
    let mut bad = chunk.bad.iter().peekable();
    for row in 0..=chunk.rows.num_rows() {
        while let Some(bad) = bad.next_if(|bad| bad.before == row) {
            let (at, code, line) = (bad.position, bad.code, bad.line);
            let bytes = bad.bytes.escape_ascii();
            into.push(format!("{at} {line:?} {code} {} {bytes}", bad.message));
        }
        if row < chunk.rows.num_rows() {
            let line = chunk.lines.as_ref().map(|lines| lines[row]);
            let text = json::row(&chunk.rows, row);
            into.push(format!("{} {line:?} {text}", chunk.positions[row]));
        }
    }
}

/// Opens the only split of a source at a position, as it would be kept.
fn resumed(source: &SourceSpec, split: usize, at: Option<&Position>) -> Box<dyn Split> {
    let names = source.split_names().expect("names");
    let keep = |at: &Position| {
        let kept = serde_json::to_string(at).expect("positions are JSON");
        let kept: Position = serde_json::from_str(&kept).expect("and are read again");
        assert_eq!(kept, *at);
        (names[split].clone(), kept)
    };
    let kept: Vec<_> = at.into_iter().map(keep).collect();
    let mut opened = resume_all(source, &[Arc::new(|| {})], &kept).expect("opens");
    opened.remove(0).splits.remove(split).1
}

/// Reads a split to its end: its records, and how many there were at each position where it could be left.
fn read(split: &mut dyn Split, limits: &[usize]) -> (Vec<String>, Vec<(usize, Position)>) {
    let (mut all, mut places) = (Vec::new(), vec![(0, split.position())]);
    for limit in limits.iter().cycle() {
        let chunk = split.read(*limit).expect("it can be read");
        records(&chunk, &mut all);
        places.push((all.len(), split.position()));
        if chunk.then == Then::End {
            break;
        }
    }
    (all, places)
}

/// Leaves a split at every place of a run, or some of many, and reads it on with other limits.
fn check(source: &SourceSpec, split: usize, limits: &[usize]) {
    let (whole, places) = read(&mut *resumed(source, split, None), &[4096]);
    let (again, some) = read(&mut *resumed(source, split, None), limits);
    assert_eq!(again, whole, "read {limits:?} at once");
    let step = some.len().div_ceil(8);
    for (count, at) in some.iter().step_by(step).chain(&places).chain(some.last()) {
        let other = limits.last().map_or(3, |limit| limit + 2);
        let (rest, _) = read(&mut *resumed(source, split, Some(at)), &[other]);
        let same = rest
            .iter()
            .zip(&whole[*count..])
            .take_while(|(a, b)| a == b);
        let same = same.count();
        assert_eq!(
            (rest.get(same), rest.len()),
            (whole.get(*count + same), whole.len() - count),
            "read on from {at:?}, behind {count}"
        );
    }
}

fn json_format(line_limit: usize) -> FormatSpec {
    FormatSpec {
        line_limit,
        ..FormatSpec::new(FormatKind::Json, columns())
    }
}

fn csv_format(line_limit: usize) -> FormatSpec {
    FormatSpec {
        line_limit,
        ..FormatSpec::new(FormatKind::CSV, columns())
    }
}

fn columns() -> Vec<ColumnSpec> {
    vec![
        ColumnSpec::new("id", LogicalType::Integer, false),
        ColumnSpec::new("text", LogicalType::Text, true),
    ]
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::stream::encode_all(bytes, 1).expect("compressed")
}

/// The ways in which text stands in a file.
fn stored(text: &[u8], way: usize) -> Vec<u8> {
    let (first, second) = text.split_at(text.len() / 3);
    match way {
        0 => text.to_vec(),
        1 => [gzip(first), gzip(second)].concat(),
        2 => [zstd(first), zstd(second)].concat(),
        3 => {
            let whole = gzip(text);
            whole[..whole.len() * 3 / 4].to_vec()
        }
        4 => damaged(zstd(text)),
        _ => damaged([gzip(first), gzip(second)].concat()),
    }
}

/// With some bytes changed in the middle; what is short stays whole, for the header to be read.
fn damaged(mut bytes: Vec<u8>) -> Vec<u8> {
    let middle = bytes.len() / 2;
    if middle > 100 {
        bytes[middle..].iter_mut().take(9).for_each(|b| *b ^= 0x55);
    }
    bytes
}

const WAYS: usize = 6;

/// Pieces of text, good lines and every bad thing between them.
fn piece() -> impl Strategy<Value = Vec<u8>> {
    let text = |text: &'static str| Just(text.as_bytes().to_vec());
    prop_oneof![
        6 => (0..1000_u32, "[a-z]{0,60}")
            .prop_map(|(id, s)| format!("{{\"id\":{id},\"text\":\"{s}\"}}\n").into_bytes()),
        4 => (0..1000_u32, "[a-z]{0,60}").prop_map(|(id, s)| format!("{id},{s}\n").into_bytes()),
        1 => (0..1000_u32, "[a-z]{0,9}").prop_map(|(id, s)| format!("{id},\"{s}\n\"\"x\"\r\n").into_bytes()),
        1 => (0..300_usize).prop_map(|len| [vec![b'x'; len], b"\r\n".to_vec()].concat()),
        1 => (0..300_usize).prop_map(|len| [b"\"".to_vec(), vec![b'y'; len]].concat()),
        1 => text("\n"),
        1 => text("\r\n"),
        1 => text("\"\n"),
        1 => text("{\"id\":1,\"text\":\"é\"}\r\n"),
        1 => Just(b"\xFF\xFE\n".to_vec()),
        1 => text("\u{feff}"),
        1 => text("{\"id\":1"),
    ]
}

fn write(folder: &Path, bytes: &[u8]) {
    std::fs::write(folder.join("input"), bytes).expect("a file");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn files_are_read_on_as_if_they_had_not_been_left(
        pieces in proptest::collection::vec(piece(), 1..60),
        copies in prop_oneof![3 => Just(1_usize), 1 => 60..120_usize],
        line_limit in prop_oneof![Just(90_usize), Just(150), Just(100_000)],
        limits in proptest::collection::vec(1..40_usize, 1..4),
        way in 0..WAYS,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let text = pieces.concat().repeat(copies);
        write(folder.path(), &stored(&text, way));
        let limits: Vec<usize> = limits.iter().map(|limit| limit * copies.min(20)).collect();
        check(&files(folder.path(), &["input"], &json_format(line_limit)), 0, &limits);
        let with_header = [b"id,text\n".as_slice(), &text].concat();
        write(folder.path(), &stored(&with_header, way));
        check(&files(folder.path(), &["input"], &csv_format(line_limit)), 0, &limits);
    }

    #[test]
    fn lines_that_are_too_long_are_the_same_wherever_a_block_ends(
        lines in proptest::collection::vec(0..400_000_usize, 1..6),
        quoted in any::<bool>(),
        line_limit in prop_oneof![Just(1000_usize), Just(140_000)],
        limit in 1..4_usize,
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let line = |(i, len): (usize, &usize)| {
            let quote = if quoted { format!("\"{}\nz\"", "q".repeat(len / 2)) } else { String::new() };
            format!("{i},{}{quote}\n{i},short\n", "x".repeat(*len))
        };
        let text: String = lines.iter().enumerate().map(line).collect();
        write(folder.path(), format!("id,text\n{text}").as_bytes());
        check(&files(folder.path(), &["input"], &csv_format(line_limit)), 0, &[limit]);
        let quotes = text.replace(",x", ",\"x");
        write(folder.path(), format!("id,text\n{quotes}").as_bytes());
        check(&files(folder.path(), &["input"], &csv_format(line_limit)), 0, &[limit]);
    }
}

/// So much is read of a file at once.
const BLOCK: usize = 128 * 1024;

#[test]
fn a_line_as_long_as_allowed_is_one_wherever_a_block_ends() {
    let folder = tempfile::tempdir().expect("a folder");
    let row = |len: usize| format!("{{\"id\":1,\"text\":\"{}\"}}", "x".repeat(len - 18));
    for before in 0..4 {
        // The block ends with the carriage return, or next to it.
        let first = BLOCK - 100 - before - 1;
        let text = format!("{}\n{}\r\n{}\r\n", row(first), row(100), row(101));
        write(folder.path(), text.as_bytes());
        let source = files(folder.path(), &["input"], &json_format(100));
        let (found, _) = read(&mut *resumed(&source, 0, None), &[10]);
        let bad: Vec<bool> = found
            .iter()
            .map(|record| record.contains("too-long"))
            .collect();
        assert_eq!(bad, [true, false, true], "{before}");
    }
}

#[test]
fn generators_are_read_on_at_the_exact_row() {
    let column = |name: &str, values| GeneratedColumn::new(name, values);
    let datagen = SourceSpec::Datagen(DatagenSpec {
        columns: vec![
            column("i", Generate::Sequence { start: 5, step: 3 }),
            column("r", Generate::Integers { low: 0, high: 1000 }),
        ],
        rows: Some(1000),
        rate: None,
        splits: 3,
        seed: 7,
    });
    let nexmark = SourceSpec::Nexmark(NexmarkSpec {
        kind: Kind::Auctions,
        events: Some(5000),
        splits: 3,
        out_of_order_group: 10,
        ..NexmarkSpec::default()
    });
    for source in [datagen, nexmark] {
        for split in 0..3 {
            check(&source, split, &[7, 30]);
        }
    }
}
