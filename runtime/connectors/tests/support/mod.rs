//! What the tests share: sources read to their end, rows as JSON text.
#![allow(dead_code)]

use std::path::Path;
use std::sync::Arc;

use tidemill_connectors::{BadRow, Chunk, FilesSpec, FormatSpec, SourceSpec, Split, Then, open};
use tidemill_rows::json;

/// All that a split gave.
#[derive(Debug, Default, PartialEq)]
pub struct Read {
    /// `position:line json`, in order.
    pub rows: Vec<String>,
    /// The bad rows; `before` counts from the split's start.
    pub bad: Vec<BadRow>,
}

impl Read {
    pub fn take(&mut self, chunk: &Chunk) {
        let before = self.rows.len();
        for row in 0..chunk.rows.num_rows() {
            let line = chunk.lines.as_ref().map_or(0, |lines| lines[row]);
            let text = json::row(&chunk.rows, row);
            self.rows
                .push(format!("{}:{line} {text}", chunk.positions[row]));
        }
        assert_eq!(chunk.positions.len(), chunk.rows.num_rows());
        for bad in &chunk.bad {
            assert!(bad.before <= chunk.rows.num_rows());
            self.bad.push(BadRow {
                before: before + bad.before,
                ..bad.clone()
            });
        }
    }
}

/// Reads a split to its end, so many rows at a time.
pub fn to_end(split: &mut dyn Split, max_rows: usize) -> Read {
    let mut read = Read::default();
    loop {
        let chunk = split.read(max_rows).expect("the split can be read");
        assert!(chunk.rows.num_rows() + chunk.bad.len() <= max_rows);
        read.take(&chunk);
        match chunk.then {
            Then::More => {}
            Then::End => return read,
            Then::Pending => panic!("a bounded split is pending"),
        }
    }
}

pub fn files(folder: &Path, paths: &[&str], format: &FormatSpec) -> SourceSpec {
    SourceSpec::Files(FilesSpec {
        paths: paths.iter().map(|&path| path.to_owned()).collect(),
        base: folder.to_owned(),
        follow: false,
        format: format.clone(),
    })
}

/// Reads bytes as a file.
pub fn read_bytes(bytes: &[u8], format: &FormatSpec, max_rows: usize) -> Read {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("input"), bytes).expect("the file is written");
    let source = files(folder.path(), &["input"], format);
    let mut opened = open(&source, 0, 1, Arc::new(|| {})).expect("the source opens");
    assert_eq!(&*opened.names[0], "input");
    to_end(&mut *opened.splits[0].1, max_rows)
}
