//! What all workers of a sink share whose rows are published with checkpoints: the names of its files, which of them are not
//! durable yet, which parts are published.
//!
//! | file | name |
//! |---|---|
//! | segment | `.<owner>.<incarnation>.<worker>.<number>.pending` |
//! | being joined | `.<owner>.<incarnation>.join.<number>.pending` |
//! | published | `part-<checkpoint>-<incarnation>-<worker>-<number>.<ending>`, or the name of the one file |
//!
//! Files of an older incarnation are never written to: one that was only stopped may still do so. What it left is copied as
//! far as it counts.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidemill_rows::SchemaRef;

use super::effects::Effects;
use super::file::Writing;
use super::folder::Roll;
use super::kept::{KeptHand, Parts};
use super::pending::{Cut, Part, Pending, Segment};
use super::publish::Missing;
use super::{Life, Sink, Writers};
use crate::ConnectorError;
use crate::encode::{Encoder, Encoding};

/// What workers share.
pub(super) struct Ledger {
    pub effects: Arc<dyn Effects>,
    pub folder: PathBuf,
    pub format: Encoding,
    pub roll: Roll,
    /// The name of the one file, where all rows become one.
    pub target: Option<String>,
    pub life: Life,
    rows: AtomicU64,
    pub state: Mutex<State>,
}

/// What changes.
#[derive(Default)]
pub(super) struct State {
    /// Segments of which not all that was written is durable, with how much was.
    unsynced: BTreeMap<String, (Arc<File>, u64)>,
    /// Whether there are files whose names are not durable.
    names_unsynced: bool,
    /// Parts that were published, until their workers have heard of it.
    published: BTreeSet<String>,
    /// Parts that are taken up, by worker.
    pub taken_up: BTreeMap<usize, Part>,
    /// Why nothing can be relied upon any more.
    unsound: Option<String>,
    /// Numbers of joins.
    pub joins: u64,
    /// The largest number of a file or a part of this incarnation before its workers began.
    pub taken: u64,
}

impl Ledger {
    /// Opens a sink's folder.
    pub fn open(
        (folder, target): (PathBuf, Option<String>),
        (format, roll): (Encoding, Roll),
        life: &Life,
    ) -> Result<Self, ConnectorError> {
        for text in [&life.owner, &life.incarnation] {
            let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            if text.is_empty() || !text.chars().all(fits) {
                let message = format!("`{text}` cannot be part of the names of pending files");
                return Err(ConnectorError::Internal(message));
            }
        }
        life.effects
            .create_folder(&folder)
            .map_err(|error| ConnectorError::writing(&folder, error))?;
        let ledger = Self {
            effects: life.effects.clone(),
            folder,
            format,
            roll,
            target,
            life: life.clone(),
            rows: AtomicU64::new(0),
            state: Mutex::default(),
        };
        let numbers = ledger.names()?;
        let numbers = numbers.iter().filter_map(|name| ledger.number(name));
        ledger.state().taken = numbers.max().unwrap_or_default();
        Ok(ledger)
    }

    /// The number in the name of a file or a part, if it is of this incarnation: a process may open its sinks anew.
    pub fn number(&self, name: &str) -> Option<u64> {
        let Life {
            owner, incarnation, ..
        } = &self.life;
        let hidden = name.strip_prefix(&format!(".{owner}.{incarnation}."));
        let number = match hidden {
            Some(rest) => rest.split('.').nth(1)?,
            None => {
                let (_, rest) = name.split_once(incarnation.as_str())?;
                rest.rsplit('-').next()?.split('.').next()?
            }
        };
        number.parse().ok()
    }

    /// What changes.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether all rows become one file.
    pub fn one_file(&self) -> bool {
        self.target.is_some()
    }

    /// Counts rows.
    pub fn count(&self, rows: usize) {
        self.rows.fetch_add(rows as u64, Ordering::Relaxed);
    }

    /// A new part.
    pub fn part(&self, worker: usize, number: u64) -> Part {
        Part {
            id: format!("{}-{worker:05}-{number:06}", self.life.incarnation),
            publish: None,
            begun_ms: self.effects.now_ms(),
            segments: Vec::new(),
        }
    }

    /// A new segment, by its name.
    pub fn segment(&self, worker: usize, number: u64) -> (String, Writing) {
        let name = self.hidden(&format!("{worker}.{number}"));
        let writing = Writing::new(self.folder.join(&name), self.effects.clone());
        (name, writing)
    }

    /// A hidden name of this incarnation.
    pub fn hidden(&self, what: &str) -> String {
        let Life {
            owner, incarnation, ..
        } = &self.life;
        format!(".{owner}.{incarnation}.{what}.pending")
    }

    /// What is to be kept of a segment that was written out; it is not durable yet. Nothing if it never was written.
    pub fn written(&self, (name, writing, head, rows): &Parts<'_>) -> Option<Segment> {
        let (file, bytes, crc) = writing.written()?;
        let mut state = self.state();
        let known = state.unsynced.get(*name).map(|(_, bytes)| *bytes);
        if known != Some(bytes) {
            state.unsynced.insert((*name).to_owned(), (file, bytes));
            state.names_unsynced = true;
        }
        Some(Segment {
            file: (*name).to_owned(),
            bytes,
            head: *head,
            rows: *rows,
            crc,
            left: false,
        })
    }

    /// What a part is to be called that is published with this checkpoint.
    pub fn published_name(&self, cut: &Cut, id: &str) -> String {
        self.target.clone().unwrap_or_else(|| {
            let ending = self.format.ending();
            format!("part-{:06}-{id}.{ending}", cut.checkpoint)
        })
    }

    /// Whether a part is known to be published; it is asked once.
    pub fn forget_published(&self, id: &str) -> bool {
        self.state().published.remove(id)
    }

    /// A part is published.
    pub fn note_published(&self, id: &str) {
        self.state().published.insert(id.to_owned());
    }

    /// Whether what was written can still be relied upon.
    pub fn sound(&self) -> Result<(), ConnectorError> {
        match &self.state().unsound {
            None => Ok(()),
            Some(why) => Err(ConnectorError::Unsound(format!(
                "{why}: what was written before may be lost"
            ))),
        }
    }

    /// Makes everything durable that these name. After a failure nobody knows what is on the disk.
    pub fn secure(&self, pending: &[Pending]) -> Result<(), ConnectorError> {
        self.sound()?;
        let segments = pending.iter().flat_map(|of_worker| &of_worker.parts);
        for segment in segments.flat_map(|part| &part.segments) {
            let unsynced = self.state().unsynced.get(&segment.file).cloned();
            let Some((file, bytes)) = unsynced else {
                continue;
            };
            let synced = self.effects.sync(&file);
            self.secured(&segment.file, synced)?;
            let mut state = self.state();
            if state
                .unsynced
                .get(&segment.file)
                .is_some_and(|(_, now)| *now == bytes)
            {
                state.unsynced.remove(&segment.file);
            }
        }
        if std::mem::take(&mut self.state().names_unsynced) {
            self.secured("", self.effects.sync_folder(&self.folder))?;
        }
        Ok(())
    }

    fn secured(&self, name: &str, synced: std::io::Result<()>) -> Result<(), ConnectorError> {
        synced.map_err(|error| {
            let path = self.folder.join(name);
            let error = ConnectorError::writing(&path, error);
            self.state().unsound = Some(error.to_string());
            error
        })
    }
}

/// A sink whose rows are published with checkpoints.
pub(super) struct Kept {
    pub ledger: Arc<Ledger>,
    encoder: Encoder,
}

impl Kept {
    /// Opens it for rows of a schema.
    pub fn new(ledger: Ledger, schema: &SchemaRef, changes: bool) -> Self {
        Self {
            encoder: Encoder::new(ledger.format, schema, changes),
            ledger: Arc::new(ledger),
        }
    }
}

impl Writers for Kept {
    fn writer(&self, worker: usize) -> Box<dyn Sink> {
        let (ledger, encoder) = (self.ledger.clone(), self.encoder.clone());
        Box::new(KeptHand::new(ledger, worker, encoder))
    }

    fn rows(&self) -> u64 {
        self.ledger.rows.load(Ordering::Relaxed)
    }

    fn secure(&self, pending: &[Pending]) -> Result<(), ConnectorError> {
        self.ledger.secure(pending)
    }

    fn publish(&self, pending: &[Pending]) -> Result<Vec<PathBuf>, ConnectorError> {
        self.ledger.publish(pending)
    }

    fn restore(
        &self,
        pending: &[Pending],
        workers: usize,
        missing: Missing,
    ) -> Result<Vec<PathBuf>, ConnectorError> {
        self.ledger.restore(pending, workers, missing)
    }

    fn clean(&self, kept: &[Pending]) -> Result<(), ConnectorError> {
        self.ledger.clean(kept)
    }

    fn published_after(&self, checkpoint: u64) -> Result<Vec<PathBuf>, ConnectorError> {
        self.ledger.published_after(checkpoint)
    }
}
