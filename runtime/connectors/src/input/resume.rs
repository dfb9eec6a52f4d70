//! Which files are read on, and from where: positions that were kept, held against the files that are there now.
//!
//! A file that was not read to its end must be there as it was: anything else is an error. One that was may go, and is
//! forgotten when it has. A followed file that was renamed is found again by its number in the file system.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::FilesSpec;
use super::finder::Named;
use super::known::{Known, identity, is_of};
use crate::ConnectorError;
use crate::position::{FilePosition, Fingerprint, Likeness, Position};

/// A file and where it is begun.
#[derive(Debug)]
pub(super) struct Begun {
    pub file: Named,
    pub at: FilePosition,
    /// Where it stands now, if it was renamed.
    pub moved_to: Option<PathBuf>,
}

/// The files of a source, in the order of their names, and the names of those that were read to their ends and have gone.
pub(super) type Resumed = (Vec<Begun>, Vec<Arc<str>>);

/// Finds the files of a source again. `kept` are the positions of its splits.
pub(super) fn resume(
    spec: &FilesSpec,
    kept: &[(Arc<str>, Position)],
    known: &Known,
) -> Result<Resumed, ConnectorError> {
    let names: BTreeSet<&str> = kept.iter().map(|(name, _)| &**name).collect();
    let mut listed: BTreeMap<String, PathBuf> = spec
        .files(&names)?
        .into_iter()
        .map(|file| (file.name, file.path))
        .collect();
    let (mut begun, mut forgotten) = (Vec::new(), Vec::new());
    for (name, position) in kept {
        let path = listed.get(&**name);
        let kept = Kept {
            spec,
            listed: path.is_some(),
            file: Named {
                path: path.cloned().unwrap_or_else(|| spec.base.join(&**name)),
                name: name.to_string(),
            },
            at: of_file(name, position)?,
        };
        match kept.find()? {
            Some(found) => begun.push(found),
            None => forgotten.push(name.clone()),
        }
    }
    for found in &begun {
        listed.remove(&found.file.name);
    }
    // Neither what was renamed nor what was read before that is another file.
    let moved: BTreeSet<&PathBuf> = begun
        .iter()
        .filter_map(|found| found.moved_to.as_ref())
        .collect();
    let earlier: Vec<&Fingerprint> = begun.iter().flat_map(|found| &found.at.earlier).collect();
    listed.retain(|_, path| {
        !moved.contains(path) && !earlier.iter().any(|print| was_at(print, path, known))
    });
    begun.extend(listed.into_iter().map(|(name, path)| Begun {
        file: Named { name, path },
        at: FilePosition::default(),
        moved_to: None,
    }));
    begun.sort_by(|a, b| a.file.cmp(&b.file));
    Ok((begun, forgotten))
}

fn of_file(name: &str, position: &Position) -> Result<FilePosition, ConnectorError> {
    match position {
        Position::File(at) => Ok(at.clone()),
        Position::Stream { finished: true } => Ok(FilePosition {
            finished: true,
            ..FilePosition::default()
        }),
        Position::Stream { finished: false } => Err(ConnectorError::Changed(format!(
            "{name} is a pipe, of which nothing can be read twice: it cannot be read on"
        ))),
        Position::Record(_) => Err(ConnectorError::Changed(format!(
            "{name} was a partition of Kafka, and is a file now"
        ))),
        Position::Generated { .. } => Err(ConnectorError::Changed(format!(
            "{name} was a split of a generator, and is a file now"
        ))),
    }
}

/// Whether a file that was read to its end stands there under another name; it is known then.
fn was_at(print: &Fingerprint, path: &Path, known: &Known) -> bool {
    let there = path.metadata().ok().as_ref().and_then(identity);
    let same = there.is_some_and(|(_, inode)| print.inode == Some(inode)) && is_of(print, path);
    if same {
        known.let_go(there, *print);
    }
    same
}

/// A split of which a position was kept.
struct Kept<'a> {
    spec: &'a FilesSpec,
    file: Named,
    /// Whether the source still names it, and it is there.
    listed: bool,
    at: FilePosition,
}

impl Kept<'_> {
    /// Its file, unless it is forgotten.
    fn find(self) -> Result<Option<Begun>, ConnectorError> {
        let Some(print) = self.at.file else {
            return self.find_unread();
        };
        match likeness(&self.file.path, &print)? {
            Some(Likeness::Same(length)) if self.listed => self.found(length - print.read),
            _ if self.at.finished => Ok(None),
            Some(Likeness::Same(_)) => Err(self.changed("is none of this source's files any more")),
            other => self.find_moved(&print, other),
        }
    }

    /// Nothing of it was read.
    fn find_unread(self) -> Result<Option<Begun>, ConnectorError> {
        let awaited = self.at.caught_up && self.spec.grows();
        match self.listed {
            true => Ok(Some(self.begun(None))),
            false if self.at.finished || awaited => Ok(None),
            false => Err(self.changed("is not there any more")),
        }
    }

    /// It stands where it stood, longer by so much than what was read of it.
    fn found(mut self, longer: u64) -> Result<Option<Begun>, ConnectorError> {
        if self.at.finished && longer > 0 {
            // What came behind whole lines is read as well.
            if !ends_in_newline(&self.file.path, &self.at)? {
                let name = &self.file.name;
                return Err(ConnectorError::Changed(format!(
                    "{name} has grown by {longer} bytes after it was read to its end, and not by whole lines"
                )));
            }
            self.at.finished = false;
        }
        Ok(Some(self.begun(None)))
    }

    /// It does not stand where it stood.
    fn find_moved(
        self,
        print: &Fingerprint,
        there: Option<Likeness>,
    ) -> Result<Option<Begun>, ConnectorError> {
        if self.spec.follow
            && let Some(path) = moved(&self.file.path, print)
        {
            return Ok(Some(self.begun(Some(path))));
        }
        match there {
            None if self.at.caught_up && self.spec.grows() => Ok(None),
            None => Err(self.changed("is not there any more")),
            Some(Likeness::Shorter(length)) => {
                let read = print.read;
                Err(self.changed(&format!(
                    "has only {length} bytes now, of which {read} were read: it was cut or replaced"
                )))
            }
            Some(_) => Err(self.changed("is another file now: it was replaced or changed")),
        }
    }

    fn begun(self, moved_to: Option<PathBuf>) -> Begun {
        Begun {
            file: self.file,
            at: self.at,
            moved_to,
        }
    }

    fn changed(&self, why: &str) -> ConnectorError {
        let (name, at) = (&self.file.name, &self.at);
        ConnectorError::Changed(format!(
            "{name} {why}; it was not read to its end, but up to line {}, byte {}",
            at.line, at.byte
        ))
    }
}

/// What stands at a path, held against a fingerprint.
fn likeness(path: &Path, print: &Fingerprint) -> Result<Option<Likeness>, ConnectorError> {
    match File::open(path).and_then(|mut file| print.holds_for(&mut file)) {
        Ok(likeness) => Ok(Some(likeness)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(ConnectorError::reading(path, error)),
    }
}

/// Whether what was read of a file ends in a newline; not known of one that is compressed.
fn ends_in_newline(path: &Path, at: &FilePosition) -> Result<bool, ConnectorError> {
    let last = || {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(at.byte.saturating_sub(1)))?;
        let mut last = [0; 1];
        file.read_exact(&mut last).map(|()| last == *b"\n")
    };
    if at.file.is_none_or(|print| print.read != at.byte) {
        return Ok(false);
    }
    Ok(at.byte == 0 || last().map_err(|error| ConnectorError::reading(path, error))?)
}

/// Where a file stands now that stood at a path, if it is still in its folder.
fn moved(path: &Path, print: &Fingerprint) -> Option<PathBuf> {
    let folder = path.parent()?.read_dir().ok()?;
    let paths: BTreeSet<PathBuf> = folder
        .filter_map(|entry| Some(entry.ok()?.path()))
        .collect();
    paths.into_iter().find(|path| {
        let there = path.metadata().ok();
        let inode = there.filter(Metadata::is_file).as_ref().and_then(identity);
        inode.is_some_and(|(_, inode)| print.inode == Some(inode)) && is_of(print, path)
    })
}
