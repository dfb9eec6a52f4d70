//! Files as a source: one, several, a folder, a glob. Each file is a split; splits stand in the
//! order of their names.

use std::collections::BTreeSet;
use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidemill_rows::SchemaRef;

use super::finder::{self, Named, Search};
use super::known::Known;
use super::opening::{Growing, Opening, Still};
use super::resume::{self, Begun};
use super::{TextSplit, follow};
use crate::ConnectorError;
use crate::format::FormatSpec;
use crate::position::Position;
use crate::source::Shares;
use crate::split::{Split, Wake};

/// Hidden files match no pattern: some are those of parts that are not published yet.
const GLOBS: glob::MatchOptions = glob::MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// Whether it is a pipe.
#[cfg(unix)]
fn is_pipe(file: &Metadata) -> bool {
    use std::os::unix::fs::FileTypeExt;
    file.file_type().is_fifo()
}

/// Whether it may be a pipe, which is not known here.
#[cfg(not(unix))]
fn is_pipe(file: &Metadata) -> bool {
    !file.is_file()
}

/// Files to read.
#[derive(Clone, Debug, PartialEq)]
pub struct FilesSpec {
    /// Files, folders (all files in them but hidden ones, not those of folders in them) and globs.
    pub paths: Vec<String>,
    /// The folder that relative paths start from. Splits are named without it.
    pub base: PathBuf,
    /// Whether files grow while they are read: the end is waited for, a last line without its
    /// newline too, and in folders and globs files that appear are found. One that is renamed away is read to its end, then
    /// what stands at its place.
    pub follow: bool,
    /// What is in them.
    pub format: FormatSpec,
}

impl FilesSpec {
    /// The files' names, in order.
    ///
    /// # Errors
    /// If one is not there, a folder or glob has no files, or cannot be read.
    pub fn names(&self) -> Result<Vec<Arc<str>>, ConnectorError> {
        Ok(self
            .files(&BTreeSet::new())?
            .into_iter()
            .map(|file| file.name.into())
            .collect())
    }

    /// The files, in the order of their names.
    ///
    /// # Errors
    /// As [`Self::names`].
    pub fn paths(&self) -> Result<Vec<PathBuf>, ConnectorError> {
        Ok(self
            .files(&BTreeSet::new())?
            .into_iter()
            .map(|file| file.path)
            .collect())
    }

    /// Checks that every file can be opened.
    ///
    /// # Errors
    /// As [`Self::names`], and if one cannot be opened.
    pub fn readable(&self) -> Result<(), ConnectorError> {
        for path in self.paths()? {
            // Opening a pipe would wait for its writer.
            if !path.metadata().is_ok_and(|file| is_pipe(&file)) {
                std::fs::File::open(&path)
                    .map_err(|error| ConnectorError::reading(&path, error))?;
            }
        }
        Ok(())
    }

    /// Whether a file would be read as one of those that are meant by a path as it is written, now or once it is there. Both
    /// the folder and the file are absolute, with no links in them.
    pub fn would_read(base: &Path, written: &str, file: &Path) -> bool {
        let path = base.join(written);
        let hidden = || {
            file.file_name()
                .is_some_and(|name| name.as_encoded_bytes().starts_with(b"."))
        };
        if path.is_dir() {
            let folder = path.canonicalize();
            return folder.is_ok_and(|folder| file.parent() == Some(&folder)) && !hidden();
        }
        if is_glob(written) && !path.exists() {
            let base = glob::Pattern::escape(&base.to_string_lossy());
            let pattern = glob::Pattern::new(&format!("{base}/{written}"));
            return pattern.is_ok_and(|pattern| pattern.matches_path_with(file, GLOBS));
        }
        path.canonicalize().is_ok_and(|path| path == file)
    }

    /// The splits of each worker, split i being worker i mod workers', read on from the positions that were kept of them.
    pub(crate) fn open(
        &self,
        schema: &SchemaRef,
        wakes: &[Wake],
        kept: &[(Arc<str>, Position)],
    ) -> Result<Shares, ConnectorError> {
        let known = Known::default();
        let (begun, forgotten) = resume::resume(self, kept, &known)?;
        let open = self.opener(schema, wakes, &known);
        let mut shares = Shares::new(wakes.len());
        shares.forgotten = forgotten;
        for (i, begun) in begun.iter().enumerate() {
            shares.splits[i % wakes.len()].push((i, open(begun, i % wakes.len())));
            shares.names.push(begun.file.name.as_str().into());
            if self.follow {
                known.meet(begun.moved_to.as_ref().unwrap_or(&begun.file.path));
            }
        }
        if self.grows() {
            let spec = self.clone();
            shares.later = finder::start(Search {
                list: Box::new(move || spec.files(&BTreeSet::new())),
                open: Box::new(open),
                met: begun.into_iter().map(|begun| begun.file).collect(),
                known,
                wakes: wakes.to_vec(),
            });
        }
        Ok(shares)
    }

    /// What makes a split of a file, for a worker.
    fn opener(
        &self,
        schema: &SchemaRef,
        wakes: &[Wake],
        known: &Known,
    ) -> impl Fn(&Begun, usize) -> Box<dyn Split> + Send + 'static {
        let (format, schema) = (Arc::new(self.format.clone()), schema.clone());
        let growth = |wake: &Wake| {
            self.follow
                .then(|| follow::Growth::watch(wake.clone(), known.clone()))
        };
        let growths: Vec<Option<Arc<follow::Growth>>> = wakes.iter().map(growth).collect();
        let among_others = self.grows();
        move |begun, worker| {
            let path = begun.file.path.clone();
            let opening: Box<dyn Opening> = match &growths[worker] {
                Some(growth) => {
                    let growing = Growing::new(path, growth.clone());
                    let growing = growing.first(begun.moved_to.clone());
                    Box::new(growing.among_others(among_others))
                }
                None => Box::new(Still(path)),
            };
            let name = begun.file.name.as_str().into();
            let split = TextSplit::new(name, format.clone(), schema.clone(), opening);
            Box::new(split.at(begun.at.clone()))
        }
    }

    /// Whether files may appear while it is read.
    pub fn grows(&self) -> bool {
        let several = |written: &String| is_glob(written) || self.base.join(written).is_dir();
        self.follow && self.paths.iter().any(several)
    }

    /// The files that are there. Those with names that are kept may have gone.
    pub(super) fn files(&self, kept: &BTreeSet<&str>) -> Result<BTreeSet<Named>, ConnectorError> {
        let mut files = BTreeSet::new();
        let new = kept.is_empty();
        for written in &self.paths {
            let path = self.base.join(written);
            if is_glob(written) && !path.exists() {
                self.matches(written, &path, new, &mut files)?;
            } else if path.is_dir() {
                self.folder(written, &path, new, &mut files)?;
            } else {
                let (there, file) = (path.metadata(), self.named(path));
                match there {
                    Err(_) if kept.contains(&*file.name) => {}
                    Err(error) => return Err(ConnectorError::reading(&file.path, error)),
                    Ok(_) => drop(files.insert(file)),
                }
            }
        }
        if files.is_empty() && new && !self.grows() {
            return Err(ConnectorError::Configuration(
                "a source of no files".to_owned(),
            ));
        }
        Ok(files)
    }

    fn matches(
        &self,
        written: &str,
        path: &Path,
        new: bool,
        files: &mut BTreeSet<Named>,
    ) -> Result<(), ConnectorError> {
        let before = files.len();
        let configuration =
            |why: String| ConnectorError::Configuration(format!("`{written}`: {why}"));
        let pattern = path
            .to_str()
            .ok_or_else(|| configuration("is not UTF-8".to_owned()))?;
        let found =
            glob::glob_with(pattern, GLOBS).map_err(|error| configuration(error.to_string()))?;
        for path in found {
            let path = path.map_err(|error| {
                let path = error.path().to_owned();
                ConnectorError::reading(&path, error.into())
            })?;
            if path.is_file() {
                files.insert(self.named(path));
            }
        }
        if files.len() == before && new && !self.follow {
            return Err(configuration(format!(
                "no file matches (looked for {pattern})"
            )));
        }
        Ok(())
    }

    fn folder(
        &self,
        written: &str,
        path: &Path,
        new: bool,
        files: &mut BTreeSet<Named>,
    ) -> Result<(), ConnectorError> {
        let before = files.len();
        let reading = |error| ConnectorError::reading(path, error);
        for entry in path.read_dir().map_err(reading)? {
            let entry = entry.map_err(reading)?;
            let hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
            if !hidden && entry.path().is_file() {
                files.insert(self.named(entry.path()));
            }
        }
        if files.len() == before && new && !self.follow {
            let message = format!("`{written}`: the folder {} has no files", path.display());
            return Err(ConnectorError::Configuration(message));
        }
        Ok(())
    }

    fn named(&self, path: PathBuf) -> Named {
        let name = path
            .strip_prefix(&self.base)
            .unwrap_or(&path)
            .to_string_lossy()
            .into_owned();
        Named { name, path }
    }
}

fn is_glob(written: &str) -> bool {
    written.contains(['*', '?', '['])
}
