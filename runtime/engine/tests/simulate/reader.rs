//! Who reads what is published: at every moment there are only whole rows of an undisturbed run, and none of them twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Rows of a sink, and how many of each there are.
pub type Counted = BTreeMap<String, u64>;

/// What has been seen so far, and what is still to come.
#[derive(Clone, Default)]
pub struct Reader {
    /// The folder with the sinks' places: `out/<sink>/part-…`, or `out/<sink>.jsonl`.
    out: PathBuf,
    /// By sink, the rows that have not been seen yet.
    missing: BTreeMap<String, Counted>,
    files: BTreeMap<PathBuf, String>,
}

/// The rows of a text, which must be whole.
pub fn counted(text: &str) -> Counted {
    let mut rows = Counted::new();
    for line in text.lines() {
        *rows.entry(line.to_owned()).or_default() += 1;
    }
    rows
}

/// Files that readers see.
fn is_visible(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default();
    !name.to_string_lossy().starts_with('.')
}

/// All visible files in a folder and those in it.
pub fn visible(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files.extend(visible(&path));
        } else if is_visible(&path) {
            let text = fs::read_to_string(&path).expect("a file of text");
            files.insert(path, text);
        }
    }
    files
}

/// By sink, what is published in a folder.
pub fn published(out: &Path) -> BTreeMap<String, Counted> {
    let mut sinks: BTreeMap<String, Counted> = BTreeMap::new();
    for (path, text) in visible(out) {
        let rows = sinks.entry(sink(out, &path)).or_default();
        for (row, count) in counted(&text) {
            *rows.entry(row).or_default() += count;
        }
    }
    sinks
}

/// The sink whose file this is.
fn sink(out: &Path, path: &Path) -> String {
    let below = path.strip_prefix(out).unwrap_or(path);
    let first = below.iter().next().unwrap_or_default();
    let first = first.to_string_lossy();
    first.strip_suffix(".jsonl").unwrap_or(&first).to_owned()
}

impl Reader {
    /// One that expects these rows, and sees what is there already.
    pub fn new(out: &Path, expected: BTreeMap<String, Counted>) -> Self {
        Self {
            out: out.to_owned(),
            missing: expected,
            files: BTreeMap::new(),
        }
    }

    /// A file has come to stand there.
    pub fn placed(&mut self, path: &Path) -> Result<(), String> {
        if !is_visible(path) {
            return Ok(());
        }
        let text = fs::read_to_string(path).map_err(|e| format!("{}: {e}", path.display()))?;
        if let Some(before) = self.files.insert(path.to_owned(), text.clone()) {
            return match before == text {
                true => Ok(()),
                false => Err(format!("{} has become another", path.display())),
            };
        }
        if !text.is_empty() && !text.ends_with('\n') {
            return Err(format!("{} ends within a row", path.display()));
        }
        let sink = sink(&self.out, path);
        let missing = self.missing.entry(sink).or_default();
        for (row, count) in counted(&text) {
            let left = missing.get_mut(&row).filter(|left| **left >= count);
            let Some(left) = left else {
                return Err(format!("{}: a row too many: {row}", path.display()));
            };
            *left -= count;
        }
        Ok(())
    }

    /// A file has gone from there.
    pub fn removed(&mut self, path: &Path) -> Result<(), String> {
        match is_visible(path) && self.files.contains_key(path) {
            true => Err(format!("{} was removed", path.display())),
            false => Ok(()),
        }
    }

    /// Everything must have come, and be there.
    pub fn all(&mut self) -> Result<(), String> {
        if visible(&self.out) != self.files {
            return Err("the files are not those that were seen to come".to_owned());
        }
        for (sink, missing) in &self.missing {
            if let Some((row, count)) = missing.iter().find(|(_, count)| **count > 0) {
                return Err(format!("{sink}: a row is missing ({count} times): {row}"));
            }
        }
        Ok(())
    }
}
