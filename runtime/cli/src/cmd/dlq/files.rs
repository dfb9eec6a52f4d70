//! Letters in files of JSON lines.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::select::Found;
use crate::error::Failure;
use crate::letter::Letter;

/// Hands over every letter in a file, or in the files of a folder in the order of their names; until `take` says that it has
/// enough. What is not there has none.
///
/// # Errors
/// If a file cannot be read, or has something else in it.
pub fn each(
    place: &Path,
    take: &mut impl FnMut(Found) -> Result<(), Failure>,
) -> Result<(), Failure> {
    for file in parts(place)? {
        let shown = file.display().to_string();
        let opened = fs::File::open(&file).with_context(|| format!("cannot read {shown}"))?;
        for (number, line) in (1_u64..).zip(BufReader::new(opened).lines()) {
            let line = line.with_context(|| format!("cannot read {shown}"))?;
            if line.trim().is_empty() {
                continue;
            }
            let letter = Letter::parse(&line)
                .map_err(|error| anyhow::anyhow!("{shown}:{number}: {error}"))?;
            take(Found {
                name: format!("{shown}:{number}"),
                at: letter.time,
                letter,
                stored: None,
            })?;
        }
    }
    Ok(())
}

fn parts(place: &Path) -> Result<Vec<PathBuf>, Failure> {
    if !place.is_dir() {
        return Ok(place
            .exists()
            .then(|| place.to_owned())
            .into_iter()
            .collect());
    }
    let what = || format!("cannot read {}", place.display());
    let mut parts = Vec::new();
    for entry in fs::read_dir(place).with_context(what)? {
        let path = entry.with_context(what)?.path();
        // What is not finished yet has a hidden name.
        if path.extension().is_some_and(|ending| ending == "jsonl") && !is_hidden(&path) {
            parts.push(path);
        }
    }
    parts.sort();
    Ok(parts)
}

fn is_hidden(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| name.starts_with('.'))
}
