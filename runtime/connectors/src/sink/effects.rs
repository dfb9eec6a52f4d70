//! What sinks do to the file system, one small act at a time; so a test can let any of them fail, or be the last.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

/// The file system and the clock, as sinks use them. A write that failed may have been done in part.
pub trait Effects: Send + Sync {
    /// Makes a folder, and those that it stands in.
    ///
    /// # Errors
    /// What the system says; so for all of these.
    fn create_folder(&self, folder: &Path) -> io::Result<()>;

    /// Makes a file, empty, to be written and read. One that is there is cut to nothing.
    #[allow(missing_docs, clippy::missing_errors_doc)]
    fn create(&self, path: &Path) -> io::Result<File>;

    /// Writes bytes at an offset.
    #[allow(clippy::missing_errors_doc)]
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Makes what was written to a file outlast the machine.
    #[allow(clippy::missing_errors_doc)]
    fn sync(&self, file: &File) -> io::Result<()>;

    /// Makes the names in a folder outlast the machine.
    #[allow(clippy::missing_errors_doc)]
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;

    /// Gives a file another name, over what may be there.
    #[allow(clippy::missing_errors_doc)]
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    #[allow(clippy::missing_errors_doc)]
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// The clock, in milliseconds since the Unix epoch.
    fn now_ms(&self) -> i64;
}

/// The machine's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Effects for Disk {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        std::fs::create_dir_all(folder)
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(true);
        options.open(path)
    }

    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        use std::os::unix::fs::FileExt;
        file.write_all_at(bytes, offset)
    }

    fn sync(&self, file: &File) -> io::Result<()> {
        file.sync_all()
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        std::fs::remove_file(path)
    }

    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH);
        since.map_or(0, |since| since.as_millis() as i64)
    }
}
