//! Files as they were when they were looked at last: when they were written, and how long they are.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// A file.
    File(PathBuf),
    /// The folder of a module's source: the files in it that a build could read.
    Source(PathBuf),
}

/// So many files are looked at in one folder of sources, at most.
const MOST_FILES: usize = 10_000;

/// Endings of files that modules are built from. Others may lie beside them: data, and what the pipeline writes there.
const ENDINGS: [&str; 20] = [
    "rs", "toml", "wit", "c", "cc", "cpp", "h", "hpp", "zig", "s", "py", "js", "mjs", "ts", "go",
    "mod", "cs", "mk", "sh", "json",
];

/// Names of files without an ending that modules are built from.
const NAMES: [&str; 2] = ["Makefile", "makefile"];

/// Folders of what builds leave.
const BUILT: [&str; 3] = ["target", "node_modules", "__pycache__"];

/// When a file was written, and how long it is.
type State = (Option<SystemTime>, u64);

/// Files as they were at one time.
#[derive(Clone, Debug, Default)]
pub struct LookedAt {
    places: Vec<Place>,
    files: BTreeMap<PathBuf, State>,
}

impl LookedAt {
    /// The places as they are now.
    pub fn at(places: Vec<Place>) -> Self {
        let mut files = BTreeMap::new();
        for place in &places {
            match place {
                Place::File(path) => take(path, &mut files),
                Place::Source(folder) => walk(folder, &mut files),
            }
        }
        Self { places, files }
    }

    /// The same places as they are now.
    pub fn again(&self) -> Self {
        Self::at(self.places.clone())
    }

    /// A file that is otherwise now, if there is one: written, there anew, or gone.
    pub fn changed(&self) -> Option<String> {
        let now = self.again();
        let differs = |(path, state): &(&PathBuf, &State)| now.files.get(*path) != Some(*state);
        let written = self.files.iter().find(differs).map(|(path, _)| path);
        let new = || {
            now.files
                .keys()
                .find(|path| !self.files.contains_key(*path))
        };
        let path = written.or_else(new)?;
        Some(path.strip_prefix(".").unwrap_or(path).display().to_string())
    }
}

fn take(path: &Path, files: &mut BTreeMap<PathBuf, State>) {
    if let Ok(metadata) = fs::metadata(path) {
        files.insert(path.to_owned(), state(&metadata));
    }
}

fn state(metadata: &Metadata) -> State {
    (metadata.modified().ok(), metadata.len())
}

fn walk(folder: &Path, files: &mut BTreeMap<PathBuf, State>) {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            // Links are not followed: they could lead round.
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                let built =
                    BUILT.iter().any(|built| name == *built) || path.join("CACHEDIR.TAG").exists();
                if !built && !is_hidden(&name) {
                    folders.push(path);
                }
            } else if is_source(&path, &name) && files.len() < MOST_FILES {
                take(&path, files);
            }
        }
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().starts_with(b".")
}

fn is_source(path: &Path, name: &OsStr) -> bool {
    let ending = path
        .extension()
        .is_some_and(|found| ENDINGS.iter().any(|ending| found == *ending));
    (ending || NAMES.iter().any(|known| name == *known)) && !is_hidden(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sources_are_looked_at_and_what_builds_and_runs_write_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().expect("a folder")).expect("it is made");
            fs::write(path, text).expect("it is written");
        };
        write("src/lib.rs", "one");
        let seen = LookedAt::at(vec![Place::Source(folder.path().to_owned())]);
        for quiet in [
            "target/x.rs",
            ".git/config.toml",
            "bad.jsonl",
            "m.wasm",
            "Cargo.lock",
            ".lib.rs.swp.rs",
        ] {
            write(quiet, "something");
            assert_eq!(seen.changed(), None, "{quiet}");
        }
        write("src/lib.rs", "another");
        assert!(
            seen.changed()
                .is_some_and(|path| path.ends_with("src/lib.rs"))
        );
        let seen = seen.again();
        write("src/more.rs", "");
        assert!(
            seen.changed()
                .is_some_and(|path| path.ends_with("src/more.rs"))
        );
        let seen = seen.again();
        fs::remove_file(folder.path().join("src/lib.rs")).expect("it was there");
        assert!(
            seen.changed()
                .is_some_and(|path| path.ends_with("src/lib.rs"))
        );
    }
}
