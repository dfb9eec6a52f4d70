//! The machine itself: cores, and the cache folder.

use std::fs;
use std::path::Path;

use super::{Finding, Need, Trouble};
use crate::figures::{bytes, counted};
use crate::{folders, load};

/// What is found of it.
pub fn look() -> Vec<Finding> {
    let cores = Ok(format!("{}: so many workers by default", load::cores()));
    vec![
        Finding {
            what: "cores",
            needed: Need::Required,
            found: cores,
        },
        Finding {
            what: "cache of modules",
            needed: Need::Required,
            found: cache(),
        },
    ]
}

fn cache() -> Result<String, Trouble> {
    let mend = "export TIDEMILL_CACHE=/a/folder/of/yours";
    let folder = folders::cache().map_err(|e| Trouble::new(e.cause().to_string(), mend))?;
    let folder = folders::modules(&folder);
    let tried = folder.join(format!(".doctor-{}", std::process::id()));
    let write = || {
        // As a run would: with its rights, and its check on who owns the folder.
        folders::host().map_err(|e| e.cause().to_string())?;
        fs::write(&tried, b"tidemill").map_err(|e| e.to_string())?;
        fs::remove_file(&tried).map_err(|e| e.to_string())
    };
    match write() {
        Ok(()) => {
            let (files, size) = contents(&folder);
            Ok(format!(
                "{}: {}, {}",
                folder.display(),
                counted(files, "file"),
                bytes(size)
            ))
        }
        Err(why) => Err(Trouble::new(
            format!("{} cannot be written: {why}", folder.display()),
            mend,
        )),
    }
}

/// How many files a folder has, and their size.
fn contents(folder: &Path) -> (u64, u64) {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries
        .filter_map(|entry| entry.metadata().ok())
        .filter(|m| m.is_file());
    sizes.fold((0, 0), |(files, size), meta| (files + 1, size + meta.len()))
}
