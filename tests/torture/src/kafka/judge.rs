//! What readers of committed records and of files see, held against what they are to see.
//!
//! 1. The rows of a key come in their order, each once: what has come so far is how the expected rows begin.
//! 2. Rows without a key come each as often as expected, and never more often.
//! 3. In the end all are there.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use tidemill_test_kafka::{Isolation, Reader, Record, Topic};

/// What one of the topics is called behind the input's name.
pub const OUTPUTS: [&str; 4] = ["sifted", "running", "sums", "bad"];

/// The rows of a sink: those of a key in their order, those without one sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rows {
    of_keys: BTreeMap<Vec<u8>, Vec<String>>,
    loose: BTreeMap<String, u32>,
}

impl Rows {
    /// How many there are.
    pub fn len(&self) -> u64 {
        let of_keys: usize = self.of_keys.values().map(Vec::len).sum();
        of_keys as u64 + self.loose.values().map(|n| u64::from(*n)).sum::<u64>()
    }

    fn add(&mut self, key: Option<Vec<u8>>, row: String) {
        match key {
            Some(key) => self.of_keys.entry(key).or_default().push(row),
            None => *self.loose.entry(row).or_default() += 1,
        }
    }

    /// Whether nothing is here that is not expected, and everything in its order.
    fn begin(&self, expected: &Self) -> Result<()> {
        for (key, rows) in &self.of_keys {
            let wanted = expected.of_keys.get(key).map_or(&[][..], Vec::as_slice);
            let same = rows.iter().zip(wanted).take_while(|(a, b)| a == b).count();
            ensure!(
                same == rows.len(),
                "key {}: row {same} is {:?}, expected {:?}; {} of {} rows are there",
                String::from_utf8_lossy(key),
                rows.get(same),
                wanted.get(same),
                rows.len(),
                wanted.len()
            );
        }
        for (row, count) in &self.loose {
            let wanted = expected.loose.get(row).copied().unwrap_or(0);
            ensure!(
                *count <= wanted,
                "{count} times, expected {wanted} times: {row}"
            );
        }
        Ok(())
    }
}

/// What is to come, by topic, and of files.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// By the names of [`OUTPUTS`].
    pub topics: BTreeMap<&'static str, Rows>,
    /// Lines of all files.
    pub files: Rows,
}

impl Expected {
    /// How many rows.
    pub fn len(&self) -> u64 {
        self.topics.values().map(Rows::len).sum::<u64>() + self.files.len()
    }

    /// Whether nothing is here that is not expected, and everything in its order.
    pub fn begins(&self, expected: &Self) -> Result<()> {
        let mut wrong = Vec::new();
        for (name, rows) in &self.topics {
            let wanted = expected.topics.get(name).context("a topic of its own")?;
            wrong.extend(
                rows.begin(wanted)
                    .err()
                    .map(|why| format!("topic {name}: {why}")),
            );
        }
        let files = self.files.begin(&expected.files).err();
        wrong.extend(files.map(|why| format!("files: {why}")));
        ensure!(wrong.is_empty(), "{}", wrong.join("; "));
        Ok(())
    }
}

/// Sees what comes.
pub struct Judge {
    input: String,
    readers: Vec<(&'static str, Reader)>,
    folder: PathBuf,
    seen: Expected,
}

impl Judge {
    /// Of a round whose topics are there.
    pub fn new(topics: &[Topic], input: &Topic, folder: &Path) -> Self {
        let reader =
            |(name, topic): (&'static str, &Topic)| (name, topic.reader(Isolation::Committed));
        let seen = Expected {
            topics: OUTPUTS
                .iter()
                .map(|name| (*name, Rows::default()))
                .collect(),
            files: Rows::default(),
        };
        Self {
            input: input.name().to_owned(),
            readers: OUTPUTS.into_iter().zip(topics).map(reader).collect(),
            folder: folder.join("out"),
            seen,
        }
    }

    /// Reads what has come.
    pub fn see(&mut self) -> Result<&Expected> {
        for (name, reader) in &mut self.readers {
            let rows = self.seen.topics.entry(name).or_default();
            for record in reader.to_end() {
                let (key, row) = row(record, &self.input)?;
                rows.add(key, row);
            }
        }
        self.seen.files = files(&self.folder)?;
        Ok(&self.seen)
    }

    /// Whether what has come is what is expected so far. How many rows that are.
    pub fn look(&mut self, expected: &Expected) -> Result<u64> {
        let seen = self.see()?;
        for (name, rows) in &seen.topics {
            let wanted = expected.topics.get(name).context("a topic of its own")?;
            rows.begin(wanted)
                .with_context(|| format!("topic {name}"))?;
        }
        seen.files.begin(&expected.files).context("files")?;
        Ok(seen.len())
    }

    /// Whether everything has come.
    pub fn is_all(&mut self, expected: &Expected) -> Result<u64> {
        let rows = self.look(expected)?;
        for (name, wanted) in &expected.topics {
            let seen = self.seen.topics.get(name).map_or(0, Rows::len);
            let wanted = wanted.len();
            ensure!(seen == wanted, "topic {name}: {seen} rows of {wanted}");
        }
        let (seen, wanted) = (self.seen.files.len(), expected.files.len());
        ensure!(seen == wanted, "files: {seen} rows of {wanted}");
        Ok(rows)
    }
}

/// A record's key, and its text with its headers, in which the name of the round's input is that of every round's.
fn row(record: Record, input: &str) -> Result<(Option<Vec<u8>>, String)> {
    let value = record.value.context("a row has a value")?;
    let mut text = String::from_utf8(value).context("a row is text")?;
    for (name, value) in record.headers {
        let value = String::from_utf8(value.unwrap_or_default()).context("a header is text")?;
        text += &format!(" {name}={value}");
    }
    Ok((record.key, text.replace(input, "INPUT")))
}

/// The lines of the files that readers see.
fn files(folder: &Path) -> Result<Rows> {
    let mut rows = Rows::default();
    let Ok(entries) = fs::read_dir(folder) else {
        return Ok(rows);
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with('.') || !entry.file_type()?.is_file() {
            continue;
        }
        let text = fs::read_to_string(entry.path())?;
        ensure!(
            text.is_empty() || text.ends_with('\n'),
            "torn: {}",
            entry.path().display()
        );
        text.lines()
            .for_each(|line| rows.add(None, line.to_owned()));
    }
    Ok(rows)
}
