//! Files of every kind, folders and globs, files that grow; rows do not depend on how they are
//! read.

mod support;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use flate2::Compression;
use flate2::write::GzEncoder;
use support::{Read, files, read_bytes, to_end};
use tidemill_connectors::{
    ColumnSpec, ConnectorError, FilesSpec, FormatKind, FormatSpec, LogicalType, SourceSpec, Split,
    Then, open,
};

fn format() -> FormatSpec {
    FormatSpec::new(
        FormatKind::Json,
        vec![ColumnSpec::new("id", LogicalType::Integer, false)],
    )
}

fn lines(from: u64, to: u64) -> String {
    (from..to)
        .map(|id| {
            format!(
                "{{\"id\":{id},\"z\":\"{}\"}}\n",
                "é".repeat(id as usize % 50)
            )
        })
        .collect()
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("compressed");
    encoder.finish().expect("compressed")
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::stream::encode_all(text.as_bytes(), 3).expect("compressed")
}

#[test]
fn rows_do_not_depend_on_compression_or_chunks() {
    let text = lines(0, 20_000);
    let plain = read_bytes(text.as_bytes(), &format(), 4096);
    assert_eq!(plain.rows.len(), 20_000);
    assert!(plain.bad.is_empty());
    for max_rows in [1, 7, 64] {
        assert_eq!(read_bytes(text.as_bytes(), &format(), max_rows), plain);
    }
    let middle = text.len() / 2 - (text.len() / 2) % 7;
    let middle = (middle..)
        .find(|&at| text.is_char_boundary(at))
        .expect("a boundary");
    let members = [gzip(&text[..middle]), gzip(&text[middle..])].concat();
    assert_eq!(
        read_bytes(&members, &format(), 100),
        plain,
        "two gzip members"
    );
    let frames = [zstd(&text[..middle]), zstd(&text[middle..])].concat();
    assert_eq!(
        read_bytes(&frames, &format(), 100),
        plain,
        "two zstd frames"
    );
}

#[test]
fn a_compressed_file_cut_short_gives_its_rows_then_a_bad_one() {
    let text = lines(0, 5_000);
    for (compressed, word) in [(gzip(&text), "gzip"), (zstd(&text), "zstd")] {
        let read = read_bytes(&compressed[..compressed.len() - 20], &format(), 100);
        let whole = read_bytes(text.as_bytes(), &format(), 100);
        assert_eq!(read.rows[..], whole.rows[..read.rows.len()], "{word}");
        assert_eq!(read.bad.len(), 1);
        let bad = &read.bad[0];
        assert_eq!((bad.code, bad.before), ("cut-short", read.rows.len()));
        assert!(
            bad.message.contains(word) && bad.message.contains("too early"),
            "{}",
            bad.message
        );
        let at = usize::try_from(bad.position).expect("small");
        assert_eq!(text.as_bytes()[at..at + bad.bytes.len()], bad.bytes[..]);
    }
}

#[test]
fn damaged_gzip_is_a_bad_row() {
    let mut damaged = gzip(&lines(0, 5_000));
    let middle = damaged.len() / 2;
    damaged[middle..middle + 50].fill(0xFF);
    let read = read_bytes(&damaged, &format(), 100);
    assert_eq!(
        read.bad.last().map(|bad| bad.code),
        Some("cut-short"),
        "{:?}",
        read.bad
    );
}

fn names(folder: &Path, paths: &[&str]) -> Result<Vec<String>, ConnectorError> {
    let names = files(folder, paths, &format()).split_names()?;
    Ok(names.iter().map(|name| name.to_string()).collect())
}

#[test]
fn folders_globs_and_lists_are_sorted_and_without_doubles() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    std::fs::create_dir_all(root.join("in/deeper")).expect("folders");
    for name in [
        "in/b.jsonl",
        "in/a.jsonl",
        "in/.hidden",
        "in/c.txt",
        "in/deeper/d.jsonl",
    ] {
        std::fs::write(root.join(name), lines(0, 3)).expect("a file");
    }
    let cases: [(&[&str], &[&str]); 6] = [
        (&["in/*"], &["in/a.jsonl", "in/b.jsonl", "in/c.txt"]),
        (&["in/b.jsonl"], &["in/b.jsonl"]),
        (&["in"], &["in/a.jsonl", "in/b.jsonl", "in/c.txt"]),
        (&["in/*.jsonl"], &["in/a.jsonl", "in/b.jsonl"]),
        (
            &["in/**/*.jsonl"],
            &["in/a.jsonl", "in/b.jsonl", "in/deeper/d.jsonl"],
        ),
        (
            &["in/c.txt", "in/*.jsonl", "in/a.jsonl"],
            &["in/a.jsonl", "in/b.jsonl", "in/c.txt"],
        ),
    ];
    for (paths, expected) in cases {
        assert_eq!(names(root, paths).expect("names"), expected, "{paths:?}");
    }
    let refused = [
        ("in/*.csv", "no file matches"),
        ("nowhere.jsonl", "nowhere.jsonl"),
        ("in/[", "in/["),
    ];
    for (path, part) in refused {
        let error = names(root, &[path]).expect_err(path).to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn splits_are_shared_among_workers() {
    let folder = tempfile::tempdir().expect("a folder");
    for i in 0..5 {
        std::fs::write(folder.path().join(format!("{i}.jsonl")), lines(i, i + 1)).expect("a file");
    }
    let source = files(folder.path(), &["*.jsonl"], &format());
    let mut seen = Vec::new();
    for worker in 0..2 {
        let opened = open(&source, worker, 2, Arc::new(|| {})).expect("opens");
        assert_eq!(opened.names.len(), 5);
        assert!(opened.bounded);
        for (index, split) in &opened.splits {
            assert_eq!(index % 2, worker);
            assert_eq!(*split.name(), opened.names[*index]);
            seen.push(*index);
        }
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

#[test]
fn a_header_without_a_column_names_file_and_column() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.csv"), "no,such\n1,2\n").expect("a file");
    let format = FormatSpec {
        kind: FormatKind::CSV,
        ..format()
    };
    let source = files(folder.path(), &["a.csv"], &format);
    let mut opened = open(&source, 0, 1, Arc::new(|| {})).expect("opens");
    let error = opened.splits[0]
        .1
        .read(10)
        .expect_err("no such column")
        .to_string();
    assert_eq!(error, "a.csv: the header has no `id`; it has no, such");
}

/// A followed file, and how often it has woken us.
struct Followed {
    split: Box<dyn Split>,
    wakes: Arc<AtomicUsize>,
}

impl Followed {
    fn open(path: &Path) -> Self {
        let wakes = Arc::new(AtomicUsize::new(0));
        let source = SourceSpec::Files(FilesSpec {
            paths: vec![path.to_string_lossy().into_owned()],
            base: "/".into(),
            follow: true,
            format: format(),
        });
        assert!(!source.bounded());
        let count = wakes.clone();
        let wake = Arc::new(move || {
            count.fetch_add(1, Ordering::SeqCst);
        });
        let mut opened = open(&source, 0, 1, wake).expect("opens");
        Self {
            split: opened.splits.remove(0).1,
            wakes,
        }
    }

    fn read(&mut self) -> Read {
        let mut read = Read::default();
        loop {
            let chunk = self.split.read(100).expect("read");
            read.take(&chunk);
            match chunk.then {
                Then::More => {}
                Then::Pending => return read,
                Then::End => panic!("a followed file ended"),
            }
        }
    }

    fn wait(&self, wakes: usize) {
        let start = Instant::now();
        while self.wakes.load(Ordering::SeqCst) < wakes {
            assert!(start.elapsed() < Duration::from_secs(60), "nobody woke us");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

#[test]
fn a_growing_file_is_followed_line_by_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("grows.jsonl");
    std::fs::write(&path, "{\"id\":1}\n{\"id\"").expect("a file");
    let mut file = OpenOptions::new().append(true).open(&path).expect("opens");
    let mut followed = Followed::open(&path);
    assert_eq!(followed.read().rows, ["0:1 {\"id\":1}"]);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(
        followed.wakes.load(Ordering::SeqCst),
        0,
        "woken although nothing has come"
    );
    file.write_all(b":2}").expect("written");
    followed.wait(1);
    assert_eq!(
        followed.read().rows,
        Vec::<String>::new(),
        "a line without its newline"
    );
    file.write_all(b"\n{\"id\":3}\n").expect("written");
    followed.wait(2);
    assert_eq!(followed.read().rows, ["9:2 {\"id\":2}", "18:3 {\"id\":3}"]);
    file.set_len(5).expect("cut");
    followed.wait(3);
    let error = followed
        .split
        .read(10)
        .expect_err("the file has shrunk")
        .to_string();
    assert!(error.contains("shrunk to 5 bytes after 27"), "{error}");
}

#[test]
fn after_the_end_there_is_only_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("a.jsonl"), lines(0, 3)).expect("a file");
    let source = files(folder.path(), &["a.jsonl"], &format());
    let mut opened = open(&source, 0, 1, Arc::new(|| {})).expect("opens");
    let split = &mut *opened.splits[0].1;
    assert_eq!(to_end(split, 10).rows.len(), 3);
    assert_eq!(to_end(split, 10), Read::default());
}
