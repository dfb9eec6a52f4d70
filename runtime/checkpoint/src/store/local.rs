//! A folder of this machine: `object_store` with fsync, made when something is first put there, and with a lock. Long files that
//! are seldom read are written past the system's cache (`past_cache.rs`).

mod past_cache;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use object_store::local::LocalFileSystem;

use super::{Listed, Lock, ObjectFolder, Put, Runner, Store, StoreError};
use crate::error::Happened;

/// Longest text of a lock's holder that is shown.
const HOLDER_BYTES: u64 = 512;

/// A folder of this machine.
#[derive(Debug)]
pub(crate) struct LocalFolder {
    root: PathBuf,
    runner: RunnerOf,
    folder: OnceLock<ObjectFolder>,
}

/// Keeps `Debug` of the folder short.
struct RunnerOf(Runner);

impl std::fmt::Debug for RunnerOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Runner")
    }
}

impl LocalFolder {
    pub(crate) fn new(root: PathBuf, runner: Runner) -> Self {
        Self {
            root,
            runner: RunnerOf(runner),
            folder: OnceLock::new(),
        }
    }

    /// The folder, if it exists.
    fn there(&self) -> Result<Option<&ObjectFolder>, StoreError> {
        if let Some(folder) = self.folder.get() {
            return Ok(Some(folder));
        }
        match fs::metadata(&self.root) {
            Ok(_) => self.open().map(Some),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed("read", &self.root, &e)),
        }
    }

    /// The folder, made if need be.
    fn made(&self) -> Result<&ObjectFolder, StoreError> {
        if let Some(folder) = self.there()? {
            return Ok(folder);
        }
        create_durably(&self.root).map_err(|e| failed("make the folder", &self.root, &e))?;
        self.open()
    }

    fn open(&self) -> Result<&ObjectFolder, StoreError> {
        let store = LocalFileSystem::new_with_prefix(&self.root)
            .map_err(|e| failed("open", &self.root, &io::Error::other(e)))?
            .with_fsync(true);
        let place = self.root.display().to_string();
        let runner = self.runner.0.clone();
        let folder = ObjectFolder::new(Arc::new(store), runner, "".into(), place);
        Ok(self.folder.get_or_init(|| folder))
    }
}

impl Store for LocalFolder {
    fn put(&self, name: &str, pieces: &[Bytes]) -> Result<Put, StoreError> {
        let folder = self.made()?;
        folder
            .put(name, pieces)
            .map_err(|error| certain(error, folder, name))
    }

    fn put_past_cache(&self, name: &str, pieces: &[Bytes]) -> Result<Put, StoreError> {
        let folder = self.made()?;
        let path = self.root.join(name);
        past_cache::put(&path, pieces).map_err(|error| {
            let error = StoreError {
                happened: Happened::Perhaps,
                ..failed("write", &path, &error)
            };
            certain(error, folder, name)
        })
    }

    fn get(&self, name: &str) -> Result<Option<Bytes>, StoreError> {
        match self.there()? {
            Some(folder) => folder.get(name),
            None => Ok(None),
        }
    }

    fn list(&self, folder: &str) -> Result<Vec<Listed>, StoreError> {
        match self.there()? {
            Some(there) => there.list(folder),
            None => Ok(Vec::new()),
        }
    }

    fn delete(&self, name: &str) -> Result<(), StoreError> {
        match self.there()? {
            Some(folder) => folder.delete(name),
            None => Ok(()),
        }
    }

    /// Interrupted puts leave `name#1` behind, which listing does not show.
    fn tidy(&self, folder: &str) {
        let folder = self.root.join(folder);
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            if is_staged(&entry.file_name().to_string_lossy()) {
                let _ = fs::remove_file(entry.path());
            }
        }
        let _ = fs::remove_dir(&folder);
    }

    fn lock(&self, name: &str, holder: &str) -> Result<Lock, StoreError> {
        self.made()?;
        let path = self.root.join(name);
        lock_file(&path, holder).map_err(|e| failed("lock", &path, &e))
    }

    fn is_locked(&self, name: &str) -> Result<Option<bool>, StoreError> {
        let path = self.root.join(name);
        match File::open(&path) {
            // Held for a moment only, which a process that starts waits for.
            Ok(file) => match file.try_lock_shared() {
                Ok(()) => Ok(Some(false)),
                Err(TryLockError::WouldBlock) => Ok(Some(true)),
                Err(TryLockError::Error(e)) => Err(failed("look at the lock", &path, &e)),
            },
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Some(false)),
            Err(e) => Err(failed("look at the lock", &path, &e)),
        }
    }

    fn look_every(&self) -> Duration {
        Duration::from_millis(100)
    }

    fn place(&self, name: &str) -> String {
        self.root.join(name).display().to_string()
    }
}

/// What failed when an object was put. Nothing arrives late in a folder of this machine: what is not there after an error never
/// will be.
fn certain(error: StoreError, folder: &ObjectFolder, name: &str) -> StoreError {
    match folder.is_there(name) {
        Ok(false) => StoreError {
            happened: Happened::No,
            ..error
        },
        _ => error,
    }
}

fn is_staged(file: &str) -> bool {
    file.rsplit_once('#')
        .is_some_and(|(_, digits)| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
}

/// The lock is the system's, on an open file: it goes with the process, whatever becomes of that, and stays with one that is
/// only stopped. What stands in the file is for people.
fn lock_file(path: &Path, holder: &str) -> io::Result<Lock> {
    if let Some(parent) = path.parent() {
        create_durably(parent)?;
    }
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(path)?;
    match lock_soon(&file) {
        Ok(()) => {
            file.set_len(0)?;
            file.rewind()?;
            writeln!(file, "{holder}")?;
            Ok(Lock::Held(Box::new(file)))
        }
        Err(TryLockError::WouldBlock) => {
            let mut text = String::new();
            let _ = file.take(HOLDER_BYTES).read_to_string(&mut text);
            Ok(Lock::Busy(match text.trim() {
                "" => "a process that has not said which".to_owned(),
                holder => holder.to_owned(),
            }))
        }
        Err(TryLockError::Error(e)) => Err(e),
    }
}

/// Who only looks whether a lock is held holds it for a moment.
fn lock_soon(file: &File) -> Result<(), TryLockError> {
    for _ in 0..5 {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_millis(10)),
            done => return done,
        }
    }
    file.try_lock()
}

/// Makes a folder and those above it, so that a power failure does not take them away again.
fn create_durably(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty());
    if let Some(parent) = parent {
        create_durably(parent)?;
    }
    match fs::create_dir(folder) {
        Err(e) if e.kind() != io::ErrorKind::AlreadyExists => return Err(e),
        Err(_) if !folder.is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
        _ => {}
    }
    File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> StoreError {
    use io::ErrorKind;
    StoreError {
        what: format!("cannot {doing} {}", path.display()),
        error: error.to_string(),
        happened: Happened::No,
        hint: match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::AlreadyExists => {
                "a location is a folder, relative to the pipeline file; what stands before the last `/` must be one too"
            }
            ErrorKind::PermissionDenied => "the folder must be writable for who runs the pipeline",
            ErrorKind::StorageFull => "make room, then run again",
            _ => "see whether the disk or the mount is in order",
        },
    }
}
