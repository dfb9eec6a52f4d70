//! A folder of finished parts: `part-<worker>-<number>.jsonl`. A part is written under a hidden
//! name and put in its place by renaming, when it has enough rows or bytes, or at the end. Parts
//! that are there already are kept: numbers go on behind them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tidemill_rows::{Batch, SchemaRef};

use super::file::Pending;
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
    /// A part is finished with so many rows (`part-rows`).
    pub part_rows: u64,
    /// A part is finished with so many bytes (`part-bytes`).
    pub part_bytes: u64,
}

impl FolderSpec {
    /// A folder whose parts are finished with a million rows or 128 MiB.
    pub fn new(path: impl Into<PathBuf>, format: Encoding) -> Self {
        let (part_rows, part_bytes) = (1_000_000, 128 * 1024 * 1024);
        Self {
            path: path.into(),
            format,
            part_rows,
            part_bytes,
        }
    }

    pub(super) fn open(&self, schema: SchemaRef, changes: bool) -> Result<Folder, ConnectorError> {
        if self.part_rows == 0 || self.part_bytes == 0 {
            let message = "`part-rows` and `part-bytes` must be at least 1".to_owned();
            return Err(ConnectorError::Configuration(message));
        }
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
            encoded: Vec::new(),
            part: None,
            part_rows: 0,
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
    encoded: Vec<u8>,
    part: Option<Pending>,
    part_rows: u64,
    rows: Arc<AtomicU64>,
}

impl Parts {
    fn part(&mut self) -> Result<&mut Pending, ConnectorError> {
        if self.part.is_none() {
            let ending = self.spec.format.ending();
            let name = format!("part-{:05}-{:06}.{ending}", self.worker, self.number);
            let mut part = Pending::create(&self.spec.path.join(name))?;
            let mut head = Vec::new();
            self.encoder.head(&mut head);
            part.write(&head)?;
            self.number += 1;
            self.part_rows = 0;
            return Ok(self.part.insert(part));
        }
        let broken = || ConnectorError::Internal("a part that was there is not".to_owned());
        self.part.as_mut().ok_or_else(broken)
    }

    fn place(&mut self) -> Result<(), ConnectorError> {
        self.part.take().map_or(Ok(()), Pending::place)
    }

    /// Writes rows that all belong to one part.
    fn append(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        let mut encoded = std::mem::take(&mut self.encoded);
        encoded.clear();
        self.encoder.rows(batch, &mut encoded);
        let written = self.part().and_then(|part| part.write(&encoded));
        self.encoded = encoded;
        written?;
        self.part_rows += batch.len() as u64;
        self.rows.fetch_add(batch.len() as u64, Ordering::Relaxed);
        let bytes = self.part.as_ref().map_or(0, |part| part.bytes);
        let full = self.part_rows >= self.spec.part_rows || bytes >= self.spec.part_bytes;
        if full { self.place() } else { Ok(()) }
    }
}

impl Sink for Parts {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        let mut from = 0;
        while from < batch.len() {
            let taken = if self.part.is_some() {
                self.part_rows
            } else {
                0
            };
            let room = self.spec.part_rows - taken;
            let len = (batch.len() - from).min(usize::try_from(room).unwrap_or(usize::MAX));
            self.append(&batch.slice(from, len))?;
            from += len;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        self.part.as_mut().map_or(Ok(()), Pending::flush)
    }

    fn finish(mut self: Box<Self>) -> Result<(), ConnectorError> {
        self.place()
    }
}
