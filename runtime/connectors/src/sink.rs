//! Sinks as plain data, how a run opens one, and how each worker writes to it.

mod blackhole;
mod file;
mod folder;
pub mod place;
mod shared;

use std::path::PathBuf;
use std::sync::Arc;

use tidemill_rows::{Batch, SchemaRef};

use crate::ConnectorError;
use crate::encode::Encoding;

pub use folder::FolderSpec;

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

    /// Hands on what has been written so far, so that rows don't wait for others.
    ///
    /// # Errors
    /// As [`Sink::write`].
    fn flush(&mut self) -> Result<(), ConnectorError>;

    /// Ends: nothing more is written by this worker. With the last worker's end the output is whole
    /// and in its place; if a worker is dropped without, it never is.
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
trait Writers: Send + Sync {
    fn writer(&self, worker: usize) -> Box<dyn Sink>;
    fn rows(&self) -> u64;
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
}

impl SinkSpec {
    /// Opens the sink for rows of a schema. With `changes` every row says first what it does:
    /// insert, update-before, update-after or delete, in a column `change`.
    ///
    /// # Errors
    /// If it cannot be written to, or its format cannot be.
    pub fn open(&self, schema: SchemaRef, changes: bool) -> Result<SharedSink, ConnectorError> {
        let inner: Arc<dyn Writers> = match self {
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
}
