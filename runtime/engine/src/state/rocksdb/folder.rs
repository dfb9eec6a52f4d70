//! The folder of a process's state outside memory: its own, locked while it lives, removed when it ends.
//!
//! Checkpoints hold everything, so what stands here is worth nothing once its process is gone: whoever comes next removes
//! it. A folder belongs to one life of a process, not to a pipeline, so that a process that was stopped and wakes up, a
//! rehearsal and a run never meet in one.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The file in it that its process holds a lock on.
const HELD: &str = "held";

/// What a folder is called until its lock is held.
const NEW: &str = "new-";

/// How many folders this process has made.
static MADE: AtomicU64 = AtomicU64::new(0);

/// A folder that this process holds.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    /// The lock goes with it.
    _held: File,
}

impl Folder {
    /// Makes one below `base`, and removes those below it of processes that are gone.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn make(base: &Path) -> io::Result<Self> {
        fs::create_dir_all(base)?;
        for entry in fs::read_dir(base)?.flatten() {
            let name = entry.file_name();
            if !name.to_string_lossy().starts_with(NEW) {
                remove_if_left(&entry.path());
            }
        }
        loop {
            let (process, made) = (std::process::id(), MADE.fetch_add(1, Relaxed));
            let name = format!("{process}-{made}");
            let new = base.join(format!("{NEW}{name}"));
            let path = base.join(name);
            // Another machine, or an earlier process of this number, may have taken it.
            match fs::create_dir(&new) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                // The last process that was here has taken it away.
                Err(e) if e.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir_all(base)?;
                    continue;
                }
                made => made?,
            }
            let held = File::create(new.join(HELD))?;
            held.lock()?;
            if fs::rename(&new, &path).is_ok() {
                return Ok(Self { path, _held: held });
            }
            fs::remove_dir_all(&new)?;
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Whoever comes next tries again.
        let _ = fs::remove_dir_all(&self.path);
        if let Some(base) = self.path.parent() {
            // Only if it is empty.
            let _ = fs::remove_dir(base);
        }
    }
}

/// Removes a folder that nobody holds. If that fails the next one tries again.
fn remove_if_left(path: &Path) {
    let Ok(held) = File::open(path.join(HELD)) else {
        return;
    };
    match held.try_lock() {
        Ok(()) => drop(fs::remove_dir_all(path)),
        Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_removed_and_what_is_held_is_not() {
        let base = tempfile::tempdir().expect("a folder");
        let held = Folder::make(base.path()).expect("a folder");
        let left = base.path().join("1234-0");
        fs::create_dir(&left).expect("a folder");
        fs::write(left.join(HELD), "").expect("a file");
        fs::write(left.join("000001.sst"), "state").expect("a file");
        let other = Folder::make(base.path()).expect("another folder");
        assert_ne!(held.path(), other.path());
        assert!(held.path().exists() && !left.exists());
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists() && other.path().exists());
    }

    #[test]
    fn what_is_no_state_is_left_alone() {
        let base = tempfile::tempdir().expect("a folder");
        let foreign = base.path().join("letters");
        fs::create_dir(&foreign).expect("a folder");
        drop(Folder::make(base.path()).expect("a folder"));
        assert!(foreign.exists());
    }
}
