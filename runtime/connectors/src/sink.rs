//! Sinks as plain data, how a run opens one, and how each worker writes to it.
//!
//! Without checkpoints a sink publishes what it has when it has enough of it, or at the end. With them, rows become visible
//! with a checkpoint, once and whole:
//!
//! ```text
//!   worker:      write write … cut(n) write …        cut: all before it is pending, and says so as JSON
//!   background:                  secure(n)            durable; then the checkpoint's manifest is put
//!                                      publish(n)     complete parts come to stand in their places
//!   after a crash:  open_kept, restore(n), writer(i) …, clean(all that is kept)
//! ```

mod blackhole;
pub mod effects;
mod file;
mod folder;
mod join;
mod kept;
mod ledger;
pub mod pending;
pub mod place;
mod publish;
mod shared;

use std::path::PathBuf;
use std::sync::Arc;

use self::effects::Effects;
use self::ledger::{Kept, Ledger};
use self::pending::{Cut, Pending};

use tidemill_rows::{Batch, SchemaRef};

use crate::ConnectorError;
use crate::encode::Encoding;
use crate::kafka::{KafkaSinkSpec, Transactions};

pub use folder::{FolderSpec, Roll};
pub use publish::Missing;

/// Whose pending files a sink writes.
#[derive(Clone)]
pub struct Life {
    /// The pipeline and the sink, the same in every life of it and no other's: letters, digits, `-`, `_`.
    pub owner: String,
    /// This life of the process: made of the same, and beginning with the number of its claim, as `12-0f3e`.
    pub incarnation: String,
    /// The file system.
    pub effects: Arc<dyn Effects>,
    /// The transactions of sinks of Kafka whose rows become visible with checkpoints.
    pub transactions: Option<Arc<Transactions>>,
}

/// How often a row is published that a pipeline with checkpoints gives to a sink.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guarantee {
    /// Once, whatever happens.
    ExactlyOnce,
    /// Once, and again what came after the last checkpoint when a crash is recovered from.
    AtLeastOnce,
    /// It is published nowhere.
    Nothing,
}

impl Guarantee {
    /// As it is said: `exactly once`, `at least once`, `nothing`.
    pub fn name(self) -> &'static str {
        match self {
            Self::ExactlyOnce => "exactly once",
            Self::AtLeastOnce => "at least once",
            Self::Nothing => "nothing",
        }
    }
}

/// A sink.
#[derive(Clone, Debug, PartialEq)]
pub enum SinkSpec {
    /// Standard output.
    Stdout {
        /// How rows are written.
        format: Encoding,
    },
    /// One file, whole at the end of the run: until then it stands beside its place under a hidden
    /// name.
    File {
        /// Its place.
        path: PathBuf,
        /// How rows are written.
        format: Encoding,
    },
    /// A folder of finished parts.
    Folder(FolderSpec),
    /// Topics of Kafka.
    Kafka(Box<KafkaSinkSpec>),
    /// Nowhere, but encoded: what writing costs without what is written to.
    Encoded {
        /// How rows would be written.
        format: Encoding,
    },
    /// Nowhere: rows are counted.
    Blackhole,
}

/// A worker's hand on a sink.
pub trait Sink: Send {
    /// Writes the rows of a batch, which has the schema that the sink was opened with.
    ///
    /// # Errors
    /// If they cannot be written; [`ConnectorError::OutputClosed`] if nobody reads standard output
    /// any more.
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError>;

    /// Whether so much waits for a checkpoint that no more should be written before it.
    fn is_full(&self) -> bool {
        false
    }

    /// Hands on what has been written so far, so that rows don't wait for others.
    ///
    /// # Errors
    /// As [`Sink::write`].
    fn flush(&mut self) -> Result<(), ConnectorError>;

    /// Ends the rows of a checkpoint: everything written so far belongs to it, and what is not published is pending. Costs
    /// little: what it says is durable only after [`SharedSink::secure`].
    ///
    /// # Errors
    /// As [`Sink::write`]; it may be tried again, then or with the next checkpoint.
    fn cut(&mut self, _cut: &Cut) -> Result<Pending, ConnectorError> {
        self.flush()?;
        Ok(Pending::default())
    }

    /// Ends: nothing more is written by this worker. With the last worker's end the output is whole
    /// and in its place; if a worker is dropped without, it never is. Where rows are published with checkpoints, the
    /// [`Cut`] that is the last one has ended everything.
    ///
    /// # Errors
    /// As [`Sink::write`].
    fn finish(self: Box<Self>) -> Result<(), ConnectorError>;
}

/// An open sink, of which every worker gets a [`Sink`].
#[derive(Clone)]
pub struct SharedSink {
    inner: Arc<dyn Writers>,
}

impl std::fmt::Debug for SharedSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedSink")
            .field("rows", &self.rows())
            .finish_non_exhaustive()
    }
}

/// What gives workers their hands.
pub(crate) trait Writers: Send + Sync {
    fn writer(&self, worker: usize) -> Box<dyn Sink>;

    fn rows(&self) -> u64;

    fn secure(&self, _pending: &[Pending]) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn give_up(&self) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn publish(&self, _pending: &[Pending]) -> Result<Vec<PathBuf>, ConnectorError> {
        Ok(Vec::new())
    }

    fn restore(
        &self,
        _pending: &[Pending],
        _workers: usize,
        _missing: Missing,
    ) -> Result<Vec<PathBuf>, ConnectorError> {
        Ok(Vec::new())
    }

    fn clean(&self, _kept: &[Pending]) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn published_after(&self, _checkpoint: u64) -> Result<Vec<PathBuf>, ConnectorError> {
        Ok(Vec::new())
    }
}

impl SharedSink {
    /// A worker's hand. All are to be made before the first one finishes.
    pub fn writer(&self, worker: usize) -> Box<dyn Sink> {
        self.inner.writer(worker)
    }

    /// How many rows have been written so far.
    pub fn rows(&self) -> u64 {
        self.inner.rows()
    }

    /// Makes durable what these say, of all workers at one cut. Workers may go on writing in the meantime.
    ///
    /// # Errors
    /// If the disk fails; then nothing that was written can be relied upon, and every later cut fails too: the process goes
    /// on from the last checkpoint.
    pub fn secure(&self, pending: &[Pending]) -> Result<(), ConnectorError> {
        self.inner.secure(pending)
    }

    /// Nothing comes of the cut at hand: what is held back for it goes with the next one.
    ///
    /// # Errors
    /// As [`Sink::write`].
    pub fn give_up(&self) -> Result<(), ConnectorError> {
        self.inner.give_up()
    }

    /// Puts complete parts in their places, when the checkpoint is confirmed that they belong to: all of these at once, of
    /// all workers. Gives those that were not there yet. May be done again, and by two at a time.
    ///
    /// # Errors
    /// If a part is neither pending nor published, or the disk fails; it may be tried again.
    pub fn publish(&self, pending: &[Pending]) -> Result<Vec<PathBuf>, ConnectorError> {
        self.inner.publish(pending)
    }

    /// Goes on from a checkpoint, with so many workers, before any of them has its hand: publishes what was complete and
    /// takes up what was open. Gives the files that were published.
    ///
    /// # Errors
    /// As [`Self::publish`], and if an open part is not there as it was written.
    pub fn restore(
        &self,
        pending: &[Pending],
        workers: usize,
        missing: Missing,
    ) -> Result<Vec<PathBuf>, ConnectorError> {
        self.inner.restore(pending, workers, missing)
    }

    /// Removes pending files of older incarnations that none of these name: all checkpoints and savepoints that are kept.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn clean(&self, kept: &[Pending]) -> Result<(), ConnectorError> {
        self.inner.clean(kept)
    }

    /// The files that were published with later checkpoints than that: what repeats if a person goes back to it.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn published_after(&self, checkpoint: u64) -> Result<Vec<PathBuf>, ConnectorError> {
        self.inner.published_after(checkpoint)
    }
}

impl SinkSpec {
    /// Opens the sink for rows of a schema. With `changes` every row says first what it does:
    /// insert, update-before, update-after or delete, in a column `change`.
    ///
    /// # Errors
    /// If it cannot be written to, or its format cannot be.
    pub fn open(&self, schema: SchemaRef, changes: bool) -> Result<SharedSink, ConnectorError> {
        let inner: Arc<dyn Writers> = match self {
            Self::Stdout {
                format: Encoding::Parquet,
            } => {
                let message = "Parquet is written to files alone, not to standard output";
                return Err(ConnectorError::Configuration(message.to_owned()));
            }
            Self::Stdout { format } => {
                let out = Box::new(std::io::stdout());
                Arc::new(shared::SharedOutput::stdout(
                    out, *format, &schema, changes,
                )?)
            }
            Self::File { path, format } => {
                Arc::new(shared::SharedOutput::file(path, *format, &schema, changes)?)
            }
            Self::Folder(folder) => Arc::new(folder.open(schema, changes)?),
            Self::Kafka(kafka) => Arc::new(kafka.open(&schema, None)?),
            Self::Encoded { format } => Arc::new(shared::SharedOutput::stdout(
                Box::new(std::io::sink()),
                *format,
                &schema,
                changes,
            )?),
            Self::Blackhole => Arc::new(blackhole::Blackhole::default()),
        };
        Ok(SharedSink { inner })
    }

    /// Opens the sink as [`Self::open`] does, in a pipeline with checkpoints: rows are published with them. Where nothing
    /// can be published so, it is as without.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_kept(
        &self,
        schema: SchemaRef,
        changes: bool,
        life: &Life,
    ) -> Result<SharedSink, ConnectorError> {
        let ledger = match self {
            Self::File { path, format } => {
                let (folder, name) = file::folder_and_name(path)?;
                Ledger::open((folder, Some(name)), (*format, Roll::NEVER), life)
            }
            Self::Folder(folder) => {
                folder.check()?;
                let place = (folder.path.clone(), None);
                Ledger::open(place, (folder.format, folder.roll), life)
            }
            Self::Kafka(kafka) => {
                let transactions = match kafka.guarantee {
                    // Only one cluster decides; at others rows are there at least once.
                    Guarantee::ExactlyOnce => {
                        let deciding = life.transactions.as_ref();
                        deciding.filter(|t| t.is_on(&kafka.client)).cloned()
                    }
                    Guarantee::AtLeastOnce | Guarantee::Nothing => None,
                };
                let inner = Arc::new(kafka.open(&schema, transactions)?);
                return Ok(SharedSink { inner });
            }
            Self::Stdout { .. } | Self::Encoded { .. } | Self::Blackhole => {
                return self.open(schema, changes);
            }
        };
        let inner = Arc::new(Kept::new(ledger?, &schema, changes));
        Ok(SharedSink { inner })
    }

    /// What is wrong with it for rows of a schema, without touching what it writes to.
    ///
    /// # Errors
    /// A configuration error.
    pub fn check(&self, schema: &SchemaRef) -> Result<(), ConnectorError> {
        match self {
            Self::Kafka(kafka) => kafka.check(schema),
            _ => Ok(()),
        }
    }

    /// How often a row is published, in a pipeline with checkpoints.
    pub fn guarantee(&self) -> Guarantee {
        match self {
            Self::File { .. } | Self::Folder(_) => Guarantee::ExactlyOnce,
            Self::Kafka(kafka) => kafka.guarantee,
            Self::Stdout { .. } => Guarantee::AtLeastOnce,
            Self::Encoded { .. } | Self::Blackhole => Guarantee::Nothing,
        }
    }

    /// Whether there is something to be done for its rows when a checkpoint is taken.
    pub fn takes_part_in_checkpoints(&self) -> bool {
        matches!(self, Self::File { .. } | Self::Folder(_) | Self::Kafka(_))
    }

    /// Whether rows are published only at the end of a bounded run: no pipeline with checkpoints that has no end can have
    /// it.
    pub fn needs_an_end(&self) -> bool {
        matches!(self, Self::File { .. })
    }
}
