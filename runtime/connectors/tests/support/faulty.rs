//! A file system that fails, or stops, at an effect of one's choice; and what is left of it when the power goes.
#![allow(dead_code)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Error, ErrorKind, Result};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use tidemill_connectors::{Disk, Effects};

/// What happens at the chosen effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The process is gone: it and all later ones do nothing. A write is done in part.
    Killed,
    /// As that, and what was not made durable is lost.
    PowerLost,
    /// It fails once, as on a full disk; a write is done in part.
    Full,
}

/// Effects of which one is chosen.
pub struct Faulty {
    chosen: Option<(u64, Fault)>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    effects: u64,
    stopped: bool,
    now_ms: i64,
    /// By inode, so much is durable.
    durable: BTreeMap<u64, u64>,
    created: Vec<PathBuf>,
    renamed: Vec<(PathBuf, PathBuf)>,
}

impl Faulty {
    pub fn new(chosen: Option<(u64, Fault)>) -> Self {
        Self {
            chosen,
            state: Mutex::default(),
        }
    }

    /// How many effects there were.
    pub fn effects(&self) -> u64 {
        self.state.lock().expect("no panics").effects
    }

    /// Whether the process is gone.
    pub fn is_stopped(&self) -> bool {
        self.state.lock().expect("no panics").stopped
    }

    /// The clock goes on.
    pub fn pass(&self, ms: i64) {
        self.state.lock().expect("no panics").now_ms += ms;
    }

    /// Leaves on the disk what was durable, if the power was lost.
    pub fn lose(&self) {
        let state = self.state.lock().expect("no panics");
        if !matches!(self.chosen, Some((_, Fault::PowerLost))) || !state.stopped {
            return;
        }
        for (from, to) in state.renamed.iter().rev() {
            std::fs::rename(to, from).expect("it was renamed");
        }
        for path in &state.created {
            // It may have been removed since.
            let _ = std::fs::remove_file(path);
        }
        for folder in state.folders() {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                let file = File::options().write(true).open(&path).expect("opens");
                let there = file.metadata().expect("there");
                if let Some(durable) = state
                    .durable
                    .get(&there.ino())
                    .filter(|d| **d < there.len())
                {
                    // Lengths may be durable and bytes not.
                    let zeros = vec![0; usize::try_from(there.len() - durable).expect("small")];
                    file.write_all_at(&zeros, *durable).expect("written");
                }
            }
        }
    }

    fn next(&self) -> Result<bool> {
        let mut state = self.state.lock().expect("no panics");
        if state.stopped {
            return Err(Error::other("the process is gone"));
        }
        state.effects += 1;
        match self.chosen {
            Some((at, Fault::Full)) if at == state.effects => Ok(true),
            Some((at, _)) if at == state.effects => {
                state.stopped = true;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    fn act<T>(&self, effect: impl FnOnce(&mut State) -> Result<T>) -> Result<T> {
        if self.next()? {
            return Err(ErrorKind::StorageFull.into());
        }
        effect(&mut self.state.lock().expect("no panics"))
    }
}

impl State {
    fn folders(&self) -> Vec<PathBuf> {
        let mut folders = Vec::new();
        for path in &self.created {
            folders.push(path.parent().expect("a folder").to_owned());
        }
        folders.sort();
        folders.dedup();
        folders
    }
}

impl Effects for Faulty {
    fn create_folder(&self, folder: &Path) -> Result<()> {
        self.act(|_| Disk.create_folder(folder))
    }

    fn create(&self, path: &Path) -> Result<File> {
        self.act(|state| {
            let file = Disk.create(path)?;
            state.durable.insert(file.metadata()?.ino(), 0);
            state.created.push(path.to_owned());
            Ok(file)
        })
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> Result<()> {
        if self.next()? {
            Disk.write_at(file, &bytes[..bytes.len() / 2], offset)?;
            return Err(ErrorKind::StorageFull.into());
        }
        Disk.write_at(file, bytes, offset)
    }

    fn sync(&self, file: &File) -> Result<()> {
        self.act(|state| {
            let there = file.metadata()?;
            state.durable.insert(there.ino(), there.len());
            Ok(())
        })
    }

    fn sync_folder(&self, _folder: &Path) -> Result<()> {
        self.act(|state| {
            state.created.clear();
            state.renamed.clear();
            Ok(())
        })
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.act(|state| {
            Disk.rename(from, to)?;
            state.renamed.push((from.to_owned(), to.to_owned()));
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.act(|state| {
            state.created.retain(|created| created != path);
            Disk.remove(path)
        })
    }

    fn now_ms(&self) -> i64 {
        self.state.lock().expect("no panics").now_ms
    }
}
