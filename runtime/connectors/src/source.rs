//! Sources as plain data, and how a worker opens its share of one.

use std::sync::Arc;

use tidemill_rows::SchemaRef;

use crate::ConnectorError;
use crate::datagen::DatagenSpec;
use crate::format::FormatSpec;
use crate::input::files::FilesSpec;
use crate::input::stdin::{self, StdinSpec};
use crate::nexmark::NexmarkSpec;
use crate::split::{Split, Wake};

/// A source.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceSpec {
    /// Files: one, several, folders, globs.
    Files(FilesSpec),
    /// Standard input.
    Stdin(StdinSpec),
    /// The events of the Nexmark benchmark.
    Nexmark(NexmarkSpec),
    /// Rows made up from a schema.
    Datagen(DatagenSpec),
}

/// A worker's share of a source.
pub struct Opened {
    /// The columns of all its rows.
    pub schema: SchemaRef,
    /// The names of all splits of the source, in order.
    pub names: Arc<[Arc<str>]>,
    /// This worker's splits, each with its index in `names`: split i is worker i mod workers'.
    pub splits: Vec<(usize, Box<dyn Split>)>,
    /// Whether all splits are known to end, and to what.
    pub bounded: bool,
}

/// The names of all splits of a source, and the splits of one worker with their indices.
pub(crate) type NamesAndSplits = (Vec<Arc<str>>, Vec<(usize, Box<dyn Split>)>);

/// Which splits are this worker's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share {
    worker: usize,
    workers: usize,
}

impl Share {
    /// The indices of its splits, of so many.
    pub fn of(self, splits: usize) -> impl Iterator<Item = usize> {
        (self.worker..splits).step_by(self.workers)
    }
}

/// Opens a worker's share of a source. Files are opened when they are first read.
///
/// # Errors
/// If the source cannot be as it is described, or a file is not there.
///
/// # Panics
/// If there is no such worker.
pub fn open(
    spec: &SourceSpec,
    worker: usize,
    workers: usize,
    wake: Wake,
) -> Result<Opened, ConnectorError> {
    assert!(worker < workers, "worker {worker} of {workers}");
    spec.check()?;
    let share = Share { worker, workers };
    let schema = spec.schema();
    let (names, splits) = match spec {
        SourceSpec::Files(files) => files.open(&schema, share, &wake)?,
        SourceSpec::Stdin(stdin) => {
            let splits = share
                .of(1)
                .map(|i| (i, stdin.open(&schema, &wake)))
                .collect();
            (vec![stdin::NAME.into()], splits)
        }
        SourceSpec::Nexmark(nexmark) => nexmark.open(&schema, share, &wake),
        SourceSpec::Datagen(datagen) => datagen.open(&schema, share, &wake),
    };
    Ok(Opened {
        schema,
        names: names.into(),
        splits,
        bounded: spec.bounded(),
    })
}

impl SourceSpec {
    /// The columns of its rows.
    pub fn schema(&self) -> SchemaRef {
        match self {
            Self::Files(files) => files.format.schema(),
            Self::Stdin(stdin) => stdin.format.schema(),
            Self::Nexmark(nexmark) => nexmark.schema(),
            Self::Datagen(datagen) => datagen.schema(),
        }
    }

    /// Whether all its splits are known to end, and to what. Standard input is live, although it
    /// may end.
    pub fn bounded(&self) -> bool {
        match self {
            Self::Files(files) => !files.follow,
            Self::Stdin(_) => false,
            Self::Nexmark(nexmark) => nexmark.events.is_some(),
            Self::Datagen(datagen) => datagen.rows.is_some(),
        }
    }

    /// The format of its text; generators have none.
    pub fn format(&self) -> Option<&FormatSpec> {
        match self {
            Self::Files(files) => Some(&files.format),
            Self::Stdin(stdin) => Some(&stdin.format),
            Self::Nexmark(_) | Self::Datagen(_) => None,
        }
    }

    /// The names of its splits, in order.
    ///
    /// # Errors
    /// As [`open`].
    pub fn split_names(&self) -> Result<Vec<Arc<str>>, ConnectorError> {
        match self {
            Self::Files(files) => files.names(),
            Self::Stdin(_) => Ok(vec![stdin::NAME.into()]),
            Self::Nexmark(nexmark) => Ok(nexmark.names()),
            Self::Datagen(datagen) => Ok(datagen.names()),
        }
    }

    /// Checks what the types cannot say, without touching a file.
    ///
    /// # Errors
    /// A configuration error that says what is wrong.
    pub fn check(&self) -> Result<(), ConnectorError> {
        match self {
            Self::Files(files) => files.format.check(),
            Self::Stdin(stdin) => stdin.format.check(),
            Self::Nexmark(nexmark) => nexmark.check(),
            Self::Datagen(datagen) => datagen.check(),
        }
    }
}
