//! Files that grow while they are read. One thread per source looks, every few milliseconds, whether a file of which all has
//! been read is longer now, and wakes the worker if so. It ends when the last of the source's files is dropped.
//!
//! A file that is renamed away or removed, as by the rotation of logs, is read to its end; then what stands at its place by
//! now is read from its beginning. Whoever wrote to the old one may do so for a while: its end is believed when there is a
//! successor, or no name is left to write by, and nothing has come for [`ROTATION_WAIT`].

use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{Error, ErrorKind, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::known::{Identity, Known, identity, is_of};
use crate::ConnectorError;
use crate::position::Fingerprint;
use crate::split::Wake;

/// How often files are looked at (`follow-interval`).
pub const INTERVAL: Duration = Duration::from_millis(10);

/// In how many of these looks it is seen whether a file still stands at its place.
const PLACES_EVERY: u32 = 10;

/// For so long nothing must come from a file that was renamed away or removed before its successor is read
/// (`rotation-wait`).
pub const ROTATION_WAIT: Duration = Duration::from_secs(2);

/// The files of a source that grow.
pub(crate) struct Growth {
    files: Mutex<Vec<Weak<Watched>>>,
    known: Known,
}

impl Growth {
    /// Starts looking.
    pub fn watch(wake: Wake, known: Known) -> Arc<Self> {
        let growth = Arc::new(Self {
            files: Mutex::new(Vec::new()),
            known,
        });
        let watched = Arc::downgrade(&growth);
        let look = move || {
            let mut looks = 0_u32;
            while let Some(growth) = watched.upgrade() {
                looks = looks.wrapping_add(1);
                if growth.any_news(looks.is_multiple_of(PLACES_EVERY)) {
                    wake();
                }
                drop(growth);
                std::thread::sleep(INTERVAL);
            }
        };
        crate::thread::start("tidemill-follow", look);
        growth
    }

    fn any_news(&self, places: bool) -> bool {
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let mut news = false;
        files.retain(|file| {
            let Some(file) = file.upgrade() else {
                return false;
            };
            if places {
                file.look_at_place();
            }
            news |= file.has_news();
            true
        });
        news
    }
}

/// A place in the file system, and the file that is read there or stood there.
struct Watched {
    path: PathBuf,
    now: Mutex<Now>,
    /// So much has been read of the file.
    read: AtomicU64,
    /// Whether somebody waits for more.
    waiting: AtomicBool,
}

/// What is known of the file and its place.
#[derive(Default)]
struct Now {
    /// The file being read, if there is one.
    file: Option<Arc<File>>,
    /// Which file it is, or was.
    identity: Option<Identity>,
    /// What was read of it, once it has been let go.
    ended: Option<Fingerprint>,
    /// Since when it has not stood at its place; or when it last grew since then.
    moved: Option<Instant>,
    /// What has stood at its place since then, in order.
    successors: VecDeque<File>,
}

impl Watched {
    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn look_at_place(&self) {
        let there = self.path.metadata();
        let mut now = self.now();
        match there {
            Ok(there) if now.is_other(&there, &self.path) => {
                // What cannot be opened just now is looked at again.
                now.successors.extend(File::open(&self.path));
            }
            Ok(_) if now.successors.is_empty() => {
                now.moved = None;
                return;
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(_) => return,
        }
        now.moved.get_or_insert_with(Instant::now);
    }

    fn has_news(&self) -> bool {
        if !self.waiting.load(Ordering::Acquire) {
            return false;
        }
        let mut now = self.now();
        let news = match now.file.as_ref().map(|file| file.metadata()) {
            None => !now.successors.is_empty(),
            // Any other length, and any error, is for the reader to see.
            Some(Err(_)) => true,
            Some(Ok(there)) if there.len() != self.read.load(Ordering::Acquire) => {
                now.moved = now.moved.map(|_| Instant::now());
                true
            }
            Some(Ok(there)) => now.is_over(&there),
        };
        news && self.waiting.swap(false, Ordering::AcqRel)
    }
}

impl Now {
    /// Whether what stands at the place is another file than the last one that was seen there.
    fn is_other(&self, there: &Metadata, path: &Path) -> bool {
        let there = identity(there);
        match (self.successors.back(), &self.ended) {
            (Some(last), _) => last.metadata().is_ok_and(|last| identity(&last) != there),
            // A file that was let go and removed may have left its number to a new one.
            (None, Some(ended)) => there != self.identity || !is_of(ended, path),
            (None, None) => there != self.identity,
        }
    }

    /// Whether nothing will come any more from a file of which all was read.
    fn is_over(&self, file: &Metadata) -> bool {
        let left = !self.successors.is_empty() || links(file) == 0;
        left && self
            .moved
            .is_some_and(|since| since.elapsed() >= ROTATION_WAIT)
    }
}

/// How many names a file has.
#[cfg(unix)]
fn links(file: &Metadata) -> u64 {
    use std::os::unix::fs::MetadataExt;
    file.nlink()
}

/// How many names a file has: not known here.
#[cfg(not(unix))]
fn links(_: &Metadata) -> u64 {
    1
}

/// A place of which the files are read one after the other.
pub(crate) struct Following {
    watched: Arc<Watched>,
    growth: Arc<Growth>,
}

impl Following {
    /// Looks at that place from now on.
    pub fn of(path: PathBuf, growth: Arc<Growth>) -> Self {
        let watched = Arc::new(Watched {
            path,
            now: Mutex::default(),
            read: AtomicU64::new(0),
            waiting: AtomicBool::new(false),
        });
        let mut files = growth.files.lock().unwrap_or_else(PoisonError::into_inner);
        files.push(Arc::downgrade(&watched));
        drop(files);
        Self { watched, growth }
    }

    /// Begins with the file at this path: the place itself, or where its file was moved to.
    pub fn begin(&self, path: &Path) -> Result<Followed, ConnectorError> {
        let reading = |error| ConnectorError::reading(path, error);
        let file = File::open(path).map_err(reading)?;
        self.read(file).map_err(reading)
    }

    /// What stands at the place after the file that was read to its end, if there is something: a file with that
    /// fingerprint.
    pub fn go_on(&self, print: Option<Fingerprint>) -> Result<Option<Followed>, ConnectorError> {
        let mut now = self.watched.now();
        if now.file.take().is_some()
            && let Some(print) = print
        {
            self.growth.known.let_go(now.identity, print);
            now.ended = Some(print);
        }
        let next = now.successors.pop_front();
        now.moved = (!now.successors.is_empty()).then(Instant::now);
        drop(now);
        if next.is_none() {
            self.watched.waiting.store(true, Ordering::Release);
        }
        let read = next.map(|file| self.read(file)).transpose();
        read.map_err(|error| ConnectorError::reading(&self.watched.path, error))
    }

    fn read(&self, file: File) -> std::io::Result<Followed> {
        let identity = identity(&file.metadata()?);
        self.growth.known.hold(identity);
        let file = Arc::new(file);
        let mut now = self.watched.now();
        (now.file, now.identity, now.ended) = (Some(file.clone()), identity, None);
        self.watched.read.store(0, Ordering::Release);
        Ok(Followed {
            file,
            watched: self.watched.clone(),
            _growth: self.growth.clone(),
        })
    }
}

/// A file that grows. Where there is nothing now, reading it would block; its end comes when it has a successor.
pub(crate) struct Followed {
    pub(super) file: Arc<File>,
    watched: Arc<Watched>,
    /// Keeps the thread going.
    _growth: Arc<Growth>,
}

impl Followed {
    /// Reading goes on at this byte.
    pub fn at(&self, byte: u64) {
        self.watched.read.store(byte, Ordering::Release);
    }

    fn nothing(&self) -> std::io::Result<usize> {
        let there = self.file.metadata()?;
        let (length, read) = (there.len(), self.watched.read.load(Ordering::Acquire));
        if length < read {
            let path = self.watched.path.display();
            return Err(Error::other(ConnectorError::Data(format!(
                "{path} has shrunk to {length} bytes after {read} were read; \
                 a file that is followed may only grow"
            ))));
        }
        if length == read && self.watched.now().is_over(&there) {
            return Ok(0);
        }
        self.watched.waiting.store(true, Ordering::Release);
        Err(ErrorKind::WouldBlock.into())
    }
}

impl Read for Followed {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        match (&*self.file).read(space) {
            Ok(0) if !space.is_empty() => self.nothing(),
            Ok(len) => {
                self.watched.read.fetch_add(len as u64, Ordering::AcqRel);
                Ok(len)
            }
            error => error,
        }
    }
}
