//! A folder of finished parts, without checkpoints: `part-<worker>-<number>.jsonl`. A part is written under a hidden
//! name and put in its place by renaming, when it has enough rows or bytes, is old enough, or at the end. Parts that are there
//! already are kept: numbers go on behind them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tidemill_rows::{Batch, SchemaRef};

use super::effects::{Disk, Effects};
use super::file::Whole;
use super::{Sink, Writers};
use crate::ConnectorError;
use crate::encode::{Encoder, Encoding};

/// A folder to write to.
#[derive(Clone, Debug, PartialEq)]
pub struct FolderSpec {
    /// Its place; made if it is not there.
    pub path: PathBuf,
    /// How rows are written.
    pub format: Encoding,
    /// When a part is finished.
    pub roll: Roll,
}

/// When a part is finished: as soon as it has met one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Roll {
    /// So many rows (`part-rows`).
    pub rows: u64,
    /// So many bytes (`part-size`).
    pub bytes: u64,
    /// So long since its first row (`part-age`); looked at when rows come, and at checkpoints.
    pub age: Option<Duration>,
}

impl Default for Roll {
    /// A million rows, 128 MiB or ten minutes.
    fn default() -> Self {
        Self {
            rows: 1_000_000,
            bytes: 128 * 1024 * 1024,
            age: Some(Duration::from_secs(600)),
        }
    }
}

impl Roll {
    /// Nothing but the end finishes a part.
    pub(super) const NEVER: Self = Self {
        rows: u64::MAX,
        bytes: u64::MAX,
        age: None,
    };

    /// Whether a part that was begun then is old enough.
    pub(super) fn is_old(&self, begun_ms: i64, now_ms: i64) -> bool {
        let age = now_ms.saturating_sub(begun_ms);
        self.age
            .is_some_and(|limit| i128::from(age) >= limit.as_millis() as i128)
    }
}

impl FolderSpec {
    /// A folder whose parts are finished with a million rows, 128 MiB or after ten minutes.
    pub fn new(path: impl Into<PathBuf>, format: Encoding) -> Self {
        Self {
            path: path.into(),
            format,
            roll: Roll::default(),
        }
    }

    /// Checks what the types cannot say.
    pub(super) fn check(&self) -> Result<(), ConnectorError> {
        if self.roll.rows == 0 || self.roll.bytes == 0 {
            let message = "`part-rows` and `part-size` must be at least 1".to_owned();
            return Err(ConnectorError::Configuration(message));
        }
        Ok(())
    }

    pub(super) fn open(&self, schema: SchemaRef, changes: bool) -> Result<Folder, ConnectorError> {
        self.check()?;
        std::fs::create_dir_all(&self.path).map_err(|e| ConnectorError::writing(&self.path, e))?;
        let first = first_number(&self.path)?;
        let encoder = Encoder::new(self.format, &schema, changes);
        Ok(Folder {
            spec: self.clone(),
            first,
            encoder,
            rows: Arc::default(),
        })
    }
}

/// Behind the largest number of any part that is there.
fn first_number(folder: &Path) -> Result<u64, ConnectorError> {
    let reading = |error| ConnectorError::reading(folder, error);
    let mut first = 0;
    for entry in folder.read_dir().map_err(reading)? {
        let name = entry.map_err(reading)?.file_name();
        let number = name.to_str().and_then(|name| {
            let (_, rest) = name.strip_prefix("part-")?.split_once('-')?;
            rest.split('.').next()?.parse::<u64>().ok()
        });
        first = first.max(number.map_or(0, |number| number + 1));
    }
    Ok(first)
}

/// An open folder.
pub(super) struct Folder {
    spec: FolderSpec,
    first: u64,
    encoder: Encoder,
    rows: Arc<AtomicU64>,
}

impl Writers for Folder {
    fn writer(&self, worker: usize) -> Box<dyn Sink> {
        Box::new(Parts {
            spec: self.spec.clone(),
            worker,
            number: self.first,
            encoder: self.encoder.clone(),
            part: None,
            full: Vec::new(),
            rows: self.rows.clone(),
        })
    }

    fn rows(&self) -> u64 {
        self.rows.load(Ordering::Relaxed)
    }
}

/// One worker's parts.
struct Parts {
    spec: FolderSpec,
    worker: usize,
    number: u64,
    encoder: Encoder,
    part: Option<Part>,
    /// Parts that are finished and not yet in their places.
    full: Vec<Whole>,
    rows: Arc<AtomicU64>,
}

/// The part being written.
struct Part {
    file: Whole,
    rows: u64,
    begun_ms: i64,
}

impl Parts {
    fn begin(&mut self) -> Result<Part, ConnectorError> {
        let ending = self.spec.format.ending();
        let name = format!("part-{:05}-{:06}.{ending}", self.worker, self.number);
        let mut file = Whole::create(&self.spec.path.join(name), Arc::new(Disk))?;
        self.encoder.begin(file.writing().buffer())?;
        self.number += 1;
        Ok(Part {
            file,
            rows: 0,
            begun_ms: Disk.now_ms(),
        })
    }

    /// Writes rows that all belong to one part.
    fn append(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        let mut part = match self.part.take() {
            Some(part) => part,
            None => self.begin()?,
        };
        let writing = part.file.writing();
        self.encoder.rows(batch, writing.buffer())?;
        part.rows += batch.len() as u64;
        self.rows.fetch_add(batch.len() as u64, Ordering::Relaxed);
        let bytes = writing.bytes() + self.encoder.held() as u64;
        let full = part.rows >= self.spec.roll.rows || bytes >= self.spec.roll.bytes;
        self.part = Some(part);
        if full {
            self.end()?;
        }
        Ok(())
    }

    /// Ends the part, without writing anything out.
    fn end(&mut self) -> Result<(), ConnectorError> {
        if let Some(mut part) = self.part.take() {
            self.encoder.end(part.file.writing().buffer())?;
            self.full.push(part.file);
        }
        Ok(())
    }

    /// Writes out what is much, and puts full parts in their places.
    fn settle(&mut self) -> Result<(), ConnectorError> {
        let roll = self.spec.roll;
        if let Some(part) = &mut self.part {
            part.file.writing().settle()?;
            if roll.is_old(part.begun_ms, Disk.now_ms()) {
                self.end()?;
            }
        }
        self.full.drain(..).try_for_each(Whole::place)
    }
}

impl Sink for Parts {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        let mut from = 0;
        while from < batch.len() {
            let taken = self.part.as_ref().map_or(0, |part| part.rows);
            let room = self.spec.roll.rows - taken;
            let len = (batch.len() - from).min(usize::try_from(room).unwrap_or(usize::MAX));
            self.append(&batch.slice(from, len))?;
            from += len;
        }
        self.settle()
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        self.settle()?;
        match &mut self.part {
            Some(part) => part.file.writing().flush(),
            None => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), ConnectorError> {
        self.end()?;
        self.settle()
    }
}
