//! Files that grow while they are read. One thread per source looks, every few milliseconds,
//! whether a file of which all has been read is longer now, and wakes the worker if so. It ends
//! when the last of the source's files is dropped.

use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use super::{Fill, Input};
use crate::ConnectorError;
use crate::split::Wake;

/// How often files are looked at (`follow-interval`).
pub const INTERVAL: Duration = Duration::from_millis(10);

/// The files of a source that grow.
pub(crate) struct Growth {
    files: Mutex<Vec<Weak<Watched>>>,
}

struct Watched {
    file: File,
    /// So much has been read.
    read: AtomicU64,
    /// Whether somebody waits for more.
    waiting: AtomicBool,
}

impl Growth {
    /// Starts looking.
    pub fn watch(wake: Wake) -> Arc<Self> {
        let growth = Arc::new(Self {
            files: Mutex::new(Vec::new()),
        });
        let watched = Arc::downgrade(&growth);
        let look = move || {
            while let Some(growth) = watched.upgrade() {
                if growth.any_grown() {
                    wake();
                }
                drop(growth);
                std::thread::sleep(INTERVAL);
            }
        };
        let thread = std::thread::Builder::new().name("tidemill-follow".to_owned());
        thread
            .spawn(look)
            .unwrap_or_else(|e| panic!("a thread could not be started: {e}"));
        growth
    }

    fn any_grown(&self) -> bool {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut grown = false;
        files.retain(|file| {
            let Some(file) = file.upgrade() else {
                return false;
            };
            grown |= file.has_grown();
            true
        });
        grown
    }
}

impl Watched {
    fn has_grown(&self) -> bool {
        if !self.waiting.load(Ordering::Acquire) {
            return false;
        }
        // Any other length, and any error, is for the reader to see.
        let read = self.read.load(Ordering::Acquire);
        let other = self
            .file
            .metadata()
            .map_or(true, |metadata| metadata.len() != read);
        other && self.waiting.swap(false, Ordering::AcqRel)
    }
}

/// A file that grows.
pub(crate) struct Followed {
    path: PathBuf,
    watched: Arc<Watched>,
    /// Keeps the thread going.
    _growth: Arc<Growth>,
}

impl Followed {
    /// Opens a file and has it looked at.
    pub fn open(path: &Path, growth: &Arc<Growth>) -> Result<Self, ConnectorError> {
        let file = File::open(path).map_err(|error| ConnectorError::reading(path, error))?;
        let (read, waiting) = (AtomicU64::new(0), AtomicBool::new(false));
        let watched = Arc::new(Watched {
            file,
            read,
            waiting,
        });
        let mut files = growth.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.push(Arc::downgrade(&watched));
        Ok(Self {
            path: path.to_owned(),
            watched,
            _growth: growth.clone(),
        })
    }

    fn pending(&self) -> Result<Fill, ConnectorError> {
        let length = self.watched.file.metadata().map(|metadata| metadata.len());
        let length = length.map_err(|error| ConnectorError::reading(&self.path, error))?;
        let read = self.watched.read.load(Ordering::Acquire);
        if length < read {
            let path = self.path.display();
            let message = format!(
                "{path} has shrunk to {length} bytes after {read} were read; \
                 a file that is followed may only grow"
            );
            return Err(ConnectorError::Data(message));
        }
        self.watched.waiting.store(true, Ordering::Release);
        Ok(Fill::Pending)
    }
}

impl Input for Followed {
    fn fill(&mut self, space: &mut [u8]) -> Result<Fill, ConnectorError> {
        loop {
            match (&self.watched.file).read(space) {
                Ok(0) => return self.pending(),
                Ok(len) => {
                    let before = self.watched.read.fetch_add(len as u64, Ordering::AcqRel);
                    if before == 0 && is_compressed(&space[..len]) {
                        let path = self.path.display();
                        let message =
                            format!("{path} is compressed: only plain files can be followed");
                        return Err(ConnectorError::Configuration(message));
                    }
                    return Ok(Fill::Bytes(len));
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(ConnectorError::reading(&self.path, error)),
            }
        }
    }
}

fn is_compressed(first: &[u8]) -> bool {
    first.starts_with(&[0x1F, 0x8B]) || first.starts_with(&[0x28, 0xB5, 0x2F, 0xFD])
}
