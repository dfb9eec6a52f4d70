//! Sources as plain data, and how a worker opens its share of one.

use std::sync::Arc;

use tidemill_rows::SchemaRef;

use crate::ConnectorError;
use crate::datagen::DatagenSpec;
use crate::format::FormatSpec;
use crate::input::files::FilesSpec;
use crate::input::finder::Later;
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
    /// Splits of this worker that are found while it runs, where there may be any.
    pub later: Option<Later>,
}

/// The shares of all workers.
pub(crate) struct Shares {
    /// The names of all splits, in order.
    pub names: Vec<Arc<str>>,
    /// Each worker's splits, with their indices.
    pub splits: Vec<Vec<(usize, Box<dyn Split>)>>,
    /// What each worker is told of splits that are found; empty where there are none.
    pub later: Vec<Later>,
}

impl Shares {
    /// Nothing for each of so many workers.
    pub fn new(workers: usize) -> Self {
        Self {
            names: Vec::new(),
            splits: (0..workers).map(|_| Vec::new()).collect(),
            later: Vec::new(),
        }
    }
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

/// Opens a source: the share of each of the workers that are woken by these. Files are opened when they are first read.
///
/// # Errors
/// If the source cannot be as it is described, or a file is not there.
pub fn open_all(spec: &SourceSpec, wakes: &[Wake]) -> Result<Vec<Opened>, ConnectorError> {
    spec.check()?;
    let schema = spec.schema();
    let shares = match spec {
        SourceSpec::Files(files) => files.open(&schema, wakes)?,
        SourceSpec::Stdin(stdin) => each(wakes, |share, wake| {
            let splits = share.of(1).map(|i| (i, stdin.open(&schema, wake)));
            (vec![stdin::NAME.into()], splits.collect())
        }),
        SourceSpec::Nexmark(nexmark) => {
            each(wakes, |share, wake| nexmark.open(&schema, share, wake))
        }
        SourceSpec::Datagen(datagen) => {
            each(wakes, |share, wake| datagen.open(&schema, share, wake))
        }
    };
    let names: Arc<[Arc<str>]> = shares.names.into();
    let mut later = shares.later.into_iter();
    let opened = |splits| Opened {
        schema: schema.clone(),
        names: names.clone(),
        splits,
        bounded: spec.bounded(),
        later: later.next(),
    };
    Ok(shares.splits.into_iter().map(opened).collect())
}

/// Opens a source as [`open_all`] does, and gives the share of one worker.
///
/// # Errors
/// As [`open_all`].
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
    let mut shares = open_all(spec, &vec![wake; workers])?;
    Ok(shares.swap_remove(worker))
}

/// The shares of all workers, each opened by itself.
fn each(wakes: &[Wake], open: impl Fn(Share, &Wake) -> NamesAndSplits) -> Shares {
    let mut shares = Shares::new(wakes.len());
    for (worker, wake) in wakes.iter().enumerate() {
        let workers = wakes.len();
        let (names, splits) = open(Share { worker, workers }, wake);
        shares.names = names;
        shares.splits[worker] = splits;
    }
    shares
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
