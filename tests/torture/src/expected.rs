//! What is to be published: the rows of an undisturbed run, by sink.

use std::collections::HashMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use parquet::file::reader::{FileReader, SerializedFileReader};

/// A sink of the pipeline.
#[derive(Debug)]
pub struct SinkOf {
    /// Its folder, or its file, in `out`.
    pub place: &'static str,
    /// Which of a row's columns is the key, where the rows of a key have an order: those of one operator.
    pub key: Option<usize>,
}

/// The sinks of `pipeline.toml`.
pub const SINKS: [SinkOf; 8] = [
    SinkOf::new("hops", Some(0)),
    // Behind what has changed.
    SinkOf::new("corrections", Some(1)),
    SinkOf::new("visits", Some(0)),
    SinkOf::new("rung", Some(0)),
    SinkOf::new("kept", Some(0)),
    SinkOf::new("late", None),
    SinkOf::new("bad", None),
    SinkOf::new("bad.jsonl", None),
];

impl SinkOf {
    const fn new(place: &'static str, key: Option<usize>) -> Self {
        Self { place, key }
    }

    /// Whether it is one file.
    pub fn is_file(&self) -> bool {
        self.place.contains('.')
    }

    /// The key of a row. None of the columns before it, and no key, has a comma in it.
    pub fn key_of<'a>(&self, row: &'a str) -> &'a str {
        let column = self.key.and_then(|key| row.split(',').nth(key));
        let column = column.unwrap_or_default();
        column.trim_start_matches(['{', ' '])
    }
}

/// The rows of a sink. Equal rows have one number.
#[derive(Debug, Default)]
pub struct Rows {
    numbers: HashMap<String, usize>,
    /// How often each is there.
    pub counts: Vec<u32>,
    /// The rows of each key in their order, where they have one.
    pub orders: HashMap<String, Vec<usize>>,
}

impl Rows {
    /// Those of files, in their order.
    pub fn of(sink: &SinkOf, files: &[impl AsRef<Path>]) -> Result<Self> {
        let mut all = Self::default();
        for file in files {
            for row in rows(file.as_ref())? {
                let (key, next) = (sink.key_of(&row).to_owned(), all.counts.len());
                let number = *all.numbers.entry(row).or_insert(next);
                if number == next {
                    all.counts.push(0);
                }
                all.counts[number] += 1;
                if sink.key.is_some() {
                    all.orders.entry(key).or_default().push(number);
                }
            }
        }
        Ok(all)
    }

    /// The number of a row, if it is one of these.
    pub fn number(&self, row: &str) -> Option<usize> {
        self.numbers.get(row).copied()
    }

    /// The row of a number.
    pub fn text(&self, number: usize) -> &str {
        let found = self.numbers.iter().find(|(_, is)| **is == number);
        found.map_or("", |(row, _)| row)
    }

    /// How many rows there are.
    pub fn len(&self) -> u64 {
        self.counts.iter().map(|count| u64::from(*count)).sum()
    }

    /// Fails unless there are the same rows.
    pub fn same(&self, other: &Self) -> Result<()> {
        ensure!(
            self.len() == other.len(),
            "{} rows, where there were {}",
            other.len(),
            self.len()
        );
        for (row, number) in &self.numbers {
            let (is, was) = (other.number(row), self.counts[*number]);
            let is = is.map_or(0, |number| other.counts[number]);
            ensure!(is == was, "{is} times, where it was {was} times: {row}");
        }
        Ok(())
    }
}

/// The rows of a file, as texts. It is whole, or that is an error.
pub fn rows(file: &Path) -> Result<Vec<String>> {
    let reading = || format!("reading {}", file.display());
    match file.extension().and_then(|ending| ending.to_str()) {
        Some("jsonl") => lines(file, 0).with_context(reading),
        Some("csv") => lines(file, 1).with_context(reading),
        Some("parquet") => parquet_rows(file).with_context(reading),
        _ => bail!("{} is none of a sink's files", file.display()),
    }
}

fn lines(file: &Path, header: usize) -> Result<Vec<String>> {
    let text = fs::read_to_string(file)?;
    ensure!(
        text.is_empty() || text.ends_with('\n'),
        "its last line has no end"
    );
    let lines: Vec<String> = text.lines().skip(header).map(str::to_owned).collect();
    for line in &lines {
        let whole = match header {
            0 => line.starts_with('{') && line.ends_with('}'),
            _ => !line.is_empty(),
        };
        ensure!(whole, "a line is no row: {line}");
    }
    Ok(lines)
}

fn parquet_rows(file: &Path) -> Result<Vec<String>> {
    let reader = SerializedFileReader::new(fs::File::open(file)?)?;
    let rows = reader.get_row_iter(None)?;
    rows.map(|row| Ok(row?.to_string())).collect()
}
