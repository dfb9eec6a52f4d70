//! What a reader sees: looked at after every kill, and compared with what is expected.
//!
//! At any moment: every file in a sink's place is whole, none that was there has changed or gone, no row is there that is not
//! expected, and none more often than expected. In the end: all rows are there, and, where the number of workers never
//! changed, those of a key are in their order.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use crate::expected::{Rows, SINKS, SinkOf, rows};

/// What is to be there, by the place of the sink.
pub type Expected = BTreeMap<&'static str, Rows>;

/// What has been seen of what a pipeline publishes.
#[derive(Debug)]
pub struct Published {
    out: PathBuf,
    seen: BTreeMap<PathBuf, u64>,
    counts: BTreeMap<&'static str, Vec<u32>>,
    rows: u64,
}

impl Published {
    /// Nothing has been seen.
    pub fn new(out: PathBuf) -> Self {
        Self {
            out,
            seen: BTreeMap::new(),
            counts: BTreeMap::new(),
            rows: 0,
        }
    }

    /// How many files and rows have been seen.
    pub fn seen(&self) -> (usize, u64) {
        (self.seen.len(), self.rows)
    }

    /// Looks at everything.
    ///
    /// # Errors
    /// If a reader would see what never should be.
    pub fn look(&mut self, expected: &Expected) -> Result<()> {
        let mut there = 0;
        for sink in &SINKS {
            for file in files(&self.out, sink)? {
                there += 1;
                self.look_at(sink, &file, expected)
                    .with_context(|| file.display().to_string())?;
            }
        }
        if there < self.seen.len() {
            let gone = self.seen.keys().find(|file| !file.exists());
            bail!(
                "{} was published, and is gone",
                gone.map_or("a file".into(), |f| f.display().to_string())
            );
        }
        Ok(())
    }

    fn look_at(&mut self, sink: &SinkOf, file: &Path, expected: &Expected) -> Result<()> {
        let mut hasher = DefaultHasher::new();
        fs::read(file)?.hash(&mut hasher);
        let is = hasher.finish();
        if let Some(was) = self.seen.insert(file.to_owned(), is) {
            ensure!(was == is, "what was published has changed");
            return Ok(());
        }
        let expected = &expected[sink.place];
        let counts = self.counts.entry(sink.place).or_default();
        counts.resize(expected.counts.len(), 0);
        for row in rows(file)? {
            let Some(number) = expected.number(&row) else {
                bail!("a row that no undisturbed run publishes: {row}");
            };
            counts[number] += 1;
            self.rows += 1;
            let (is, most) = (counts[number], expected.counts[number]);
            ensure!(
                is <= most,
                "{is} times, and {most} times in an undisturbed run: {row}"
            );
        }
        Ok(())
    }

    /// Whether all that is expected is there, nothing else, and in its order if it has one.
    ///
    /// # Errors
    /// If not: what differs.
    pub fn is_all(&mut self, expected: &Expected, in_order: bool) -> Result<()> {
        self.look(expected)?;
        for sink in &SINKS {
            let (expected, none) = (&expected[sink.place], Vec::new());
            let counts = self.counts.get(sink.place).unwrap_or(&none);
            let missing = (0..expected.counts.len())
                .find(|number| counts.get(*number) != Some(&expected.counts[*number]));
            if let Some(number) = missing {
                let is: u64 = counts.iter().map(|count| u64::from(*count)).sum();
                bail!(
                    "{}: {is} of {} rows; not there, or not as often as it should: {}",
                    sink.place,
                    expected.len(),
                    expected.text(number)
                );
            }
            if in_order && sink.key.is_some() {
                ordered(sink, expected, &files(&self.out, sink)?)
                    .with_context(|| sink.place.to_owned())?;
            }
        }
        Ok(())
    }
}

/// Whether the rows of each key stand in the order that they should.
fn ordered(sink: &SinkOf, expected: &Rows, files: &[PathBuf]) -> Result<()> {
    let mut orders: HashMap<String, Vec<usize>> = HashMap::new();
    for file in files {
        for row in rows(file)? {
            let number = expected.number(&row).unwrap_or_default();
            let key = sink.key_of(&row).to_owned();
            orders.entry(key).or_default().push(number);
        }
    }
    for (key, order) in &orders {
        let should = &expected.orders[key];
        if let Some(at) = (0..should.len()).find(|at| should[*at] != order[*at]) {
            bail!(
                "row {at} of key {key} should be {}, and is {}",
                expected.text(should[at]),
                expected.text(order[at])
            );
        }
    }
    Ok(())
}

/// The files in the place of a sink that readers see, in the order in which they were made.
pub fn files(out: &Path, sink: &SinkOf) -> Result<Vec<PathBuf>> {
    let place = out.join(sink.place);
    if sink.is_file() {
        return Ok(Some(place)
            .filter(|place| place.exists())
            .into_iter()
            .collect());
    }
    let mut files = Vec::new();
    if !place.exists() {
        return Ok(Vec::new());
    }
    for entry in place.read_dir()? {
        let name = entry?.file_name().into_string();
        let Ok(name) = name else {
            bail!("a name in {} that no sink gives", place.display());
        };
        if !name.starts_with('.') {
            let number = numbers(&name).with_context(|| place.join(&name).display().to_string())?;
            files.push((number, place.join(name)));
        }
    }
    files.sort();
    Ok(files.into_iter().map(|(_, file)| file).collect())
}

/// Worker, checkpoint, claim and number in the name of a part, `part-<checkpoint>-<claim>-<token>-<worker>-<number>.<ending>`.
fn numbers(name: &str) -> Result<[u64; 4]> {
    let parts: Vec<&str> = name.split(['-', '.']).collect();
    let ["part", checkpoint, claim, _, worker, number, _] = parts.as_slice() else {
        bail!("no name of a part");
    };
    let numbers = [worker, checkpoint, claim, number].map(|text| text.parse());
    let [Ok(worker), Ok(checkpoint), Ok(claim), Ok(number)] = numbers else {
        bail!("no numbers in the name of a part");
    };
    Ok([worker, checkpoint, claim, number])
}
