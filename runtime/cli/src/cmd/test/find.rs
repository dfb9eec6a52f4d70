//! Finding scenario files.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::error::Failure;

/// The scenarios that are named, and all those below the folders that are; in the order of their paths.
pub fn scenarios(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    if named.is_empty() {
        below(Path::new("."), &mut found)?;
    }
    for path in named {
        if path.is_dir() {
            below(path, &mut found)?;
        } else if path.exists() {
            found.push(path.clone());
        } else {
            let error = anyhow!("no such file: {}", path.display());
            return Err(Failure::wrong(error).hint("name scenario files, or folders of them"));
        }
    }
    found.sort();
    found.dedup();
    Ok(found)
}

/// Hidden folders and those that hold what was built have no scenarios of the user's.
fn is_passed_over(name: &str) -> bool {
    name.starts_with('.') || name == "target" || name == "node_modules"
}

fn below(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Failure> {
    let reading = || format!("cannot read the folder {}", folder.display());
    for entry in fs::read_dir(folder).with_context(reading)? {
        let entry = entry.with_context(reading)?;
        let (path, kind) = (entry.path(), entry.file_type().with_context(reading)?);
        if kind.is_dir() && !is_passed_over(&entry.file_name().to_string_lossy()) {
            below(&path, found)?;
        } else if kind.is_file()
            && path
                .extension()
                .is_some_and(|extension| extension == "scenario")
            && !is_of_the_core(&path)
        {
            found.push(path.strip_prefix(".").unwrap_or(&path).to_owned());
        }
    }
    Ok(())
}

/// Tidemill's own scenarios of single operators look the same from outside.
fn is_of_the_core(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap_or_default();
    let head = tidemill_scenario::parse(&text)
        .ok()
        .and_then(|scenario| scenario.head().next().map(|line| line.text.to_owned()));
    head.is_some_and(|head| head.starts_with("operator "))
}
