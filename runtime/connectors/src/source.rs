//! Sources as plain data, and how a worker opens its share of one.

use std::sync::Arc;

use tidemill_rows::SchemaRef;

use crate::ConnectorError;
use crate::datagen::DatagenSpec;
use crate::format::FormatSpec;
use crate::generated;
use crate::input::files::FilesSpec;
use crate::input::finder::Later;
use crate::input::stdin::{self, StdinSpec};
use crate::kafka::KafkaSpec;
use crate::nexmark::NexmarkSpec;
use crate::position::Position;
use crate::split::{Split, Wake};

/// A source.
#[derive(Clone, Debug, PartialEq)]
pub enum SourceSpec {
    /// Files: one, several, folders, globs.
    Files(FilesSpec),
    /// Standard input.
    Stdin(StdinSpec),
    /// Topics of Kafka.
    Kafka(Box<KafkaSpec>),
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
    /// The names of splits of which a position was kept, and that are no splits any more: files that were read to their
    /// ends and have gone. One of `names` may be called the same: another file.
    pub forgotten: Arc<[Arc<str>]>,
    /// What can be seen of the source from outside, on its first worker.
    pub gauge: Option<Arc<dyn Gauge>>,
}

/// What can be seen of a source while it is read, by anyone.
pub trait Gauge: Send + Sync {
    /// How many records are there and were not read, as far as that is known.
    fn backlog(&self) -> Option<u64>;

    /// What it waits for, or what is wrong just now and may pass, in a sentence.
    fn news(&self) -> Option<String>;
}

/// The shares of all workers.
pub(crate) struct Shares {
    /// The names of all splits, in order.
    pub names: Vec<Arc<str>>,
    /// Each worker's splits, with their indices.
    pub splits: Vec<Vec<(usize, Box<dyn Split>)>>,
    /// What each worker is told of splits that are found; empty where there are none.
    pub later: Vec<Later>,
    /// The names of splits that have gone.
    pub forgotten: Vec<Arc<str>>,
    /// What can be seen of all of them.
    pub gauge: Option<Arc<dyn Gauge>>,
}

impl Shares {
    /// Nothing for each of so many workers.
    pub fn new(workers: usize) -> Self {
        Self {
            names: Vec::new(),
            splits: (0..workers).map(|_| Vec::new()).collect(),
            later: Vec::new(),
            forgotten: Vec::new(),
            gauge: None,
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
    resume_all(spec, wakes, &[])
}

/// Opens a source as [`open_all`] does, to be read on from positions that were kept of its splits, by name: all that the
/// source had then, on whichever worker. A split of which none is given is new.
///
/// A split that had been read to its end is one of those opened, and gives its end at once; so it keeps its name. Where its
/// file has gone, it is [`Opened::forgotten`].
///
/// # Errors
/// As [`open_all`]; [`ConnectorError::Changed`] if a split cannot be read on, because its file is not what it was or because
/// it gives nothing twice.
pub fn resume_all(
    spec: &SourceSpec,
    wakes: &[Wake],
    kept: &[(Arc<str>, Position)],
) -> Result<Vec<Opened>, ConnectorError> {
    spec.check()?;
    let schema = spec.schema();
    let shares = match spec {
        SourceSpec::Files(files) => files.open(&schema, wakes, kept)?,
        SourceSpec::Stdin(stdin) => {
            if kept.iter().any(|(_, at)| !at.is_finished()) {
                return Err(ConnectorError::Changed(NOT_AGAIN.to_owned()));
            }
            let finished = !kept.is_empty();
            each(wakes, |share, wake| {
                let open = |i| (i, stdin.open(&schema, finished, wake));
                let splits = share.of(1).map(open);
                (vec![stdin::NAME.into()], splits.collect())
            })
        }
        SourceSpec::Kafka(kafka) => kafka.open(&schema, wakes, kept)?,
        SourceSpec::Nexmark(nexmark) => {
            let begins = generated::begins(&nexmark.names(), nexmark.splits, kept)?;
            each(wakes, |share, wake| {
                nexmark.open(&schema, (share, &begins), wake)
            })
        }
        SourceSpec::Datagen(datagen) => {
            let begins = generated::begins(&datagen.names(), datagen.splits, kept)?;
            each(wakes, |share, wake| {
                datagen.open(&schema, (share, &begins), wake)
            })
        }
    };
    let names: Arc<[Arc<str>]> = shares.names.into();
    let forgotten: Arc<[Arc<str>]> = shares.forgotten.into();
    let mut later = shares.later.into_iter();
    let mut gauge = shares.gauge;
    let mut opened = |splits| Opened {
        schema: schema.clone(),
        names: names.clone(),
        splits,
        bounded: spec.bounded(),
        later: later.next(),
        forgotten: forgotten.clone(),
        gauge: gauge.take(),
    };
    Ok(shares.splits.into_iter().map(&mut opened).collect())
}

/// What is wrong with reading standard input on.
const NOT_AGAIN: &str = "standard input gives nothing twice: it cannot be read on";

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
            Self::Kafka(kafka) => kafka.format.schema(),
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
            Self::Kafka(kafka) => kafka.until.is_some(),
            Self::Nexmark(nexmark) => nexmark.events.is_some(),
            Self::Datagen(datagen) => datagen.rows.is_some(),
        }
    }

    /// Whether another process can read it on from where one stopped. Standard input cannot be, and pipes among files show
    /// it only when they are opened.
    pub fn resumes(&self) -> bool {
        !matches!(self, Self::Stdin(_))
    }

    /// The format of its text; generators have none.
    pub fn format(&self) -> Option<&FormatSpec> {
        match self {
            Self::Files(files) => Some(&files.format),
            Self::Stdin(stdin) => Some(&stdin.format),
            Self::Kafka(kafka) => Some(&kafka.format),
            Self::Nexmark(_) | Self::Datagen(_) => None,
        }
    }

    /// The columns that are null in rows that delete; nothing where no row does.
    pub fn deleted_columns(&self) -> Option<Vec<String>> {
        match self {
            Self::Kafka(kafka) => kafka.deleted_columns(),
            Self::Files(_) | Self::Stdin(_) | Self::Nexmark(_) | Self::Datagen(_) => None,
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
            Self::Kafka(kafka) => kafka.names(),
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
            Self::Kafka(kafka) => kafka.check(),
            Self::Nexmark(nexmark) => nexmark.check(),
            Self::Datagen(datagen) => datagen.check(),
        }
    }
}
