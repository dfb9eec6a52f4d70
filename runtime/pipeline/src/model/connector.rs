//! Where a source's rows come from.

use crate::model::KafkaSource;
use crate::model::word::words;
use crate::place::Spanned;

/// Where a source's rows come from.
#[derive(Clone, Debug)]
pub enum Connector {
    /// Files, each a split.
    Files(Files),
    /// Standard input, one split.
    Stdin,
    /// Topics of Kafka, each partition a split.
    Kafka(Box<KafkaSource>),
    /// The events of the Nexmark benchmark.
    Nexmark(Nexmark),
    /// Rows made up from the declared columns.
    Datagen(Datagen),
}

impl Connector {
    /// The key that names it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Files(_) => "files",
            Self::Stdin => "stdin",
            Self::Kafka(_) => "kafka",
            Self::Nexmark(_) => "nexmark",
            Self::Datagen(_) => "datagen",
        }
    }

    /// Whether rows arrive as they happen, so that a clock means something: standard input, files that are followed, and
    /// topics without an end.
    pub fn is_live(&self) -> bool {
        match self {
            Self::Files(files) => files.follow.value,
            Self::Stdin => true,
            Self::Kafka(kafka) => kafka.until.is_none(),
            Self::Nexmark(_) | Self::Datagen(_) => false,
        }
    }

    /// Whether rows are decoded from bytes, so that a format applies.
    pub fn is_decoded(&self) -> bool {
        matches!(self, Self::Files(_) | Self::Stdin | Self::Kafka(_))
    }
}

/// Files, folders and glob patterns. Compressed ones are told by their first bytes.
#[derive(Clone, Debug)]
pub struct Files {
    /// As written: relative to the pipeline file's folder. Never empty.
    pub patterns: Vec<Spanned<String>>,
    /// Whether to wait for more at their ends.
    pub follow: Spanned<bool>,
}

words! {
    /// Which of Nexmark's events become rows.
    NexmarkKind {
        /// Bids: 46 of 50 events.
        Bids = "bids",
        /// Auctions: 3 of 50.
        Auctions = "auctions",
        /// Persons: 1 of 50.
        Persons = "persons",
    }
}

/// The Nexmark generator's settings.
#[derive(Clone, Debug)]
pub struct Nexmark {
    /// How many events there are, over all splits and kinds; absent: no end.
    pub events: Option<Spanned<u64>>,
    /// Events per second of the clock, over all splits; absent: as fast as they are taken.
    pub rate: Option<Spanned<f64>>,
    /// Events per second of event time.
    pub event_rate: Spanned<u64>,
    /// What decides the random choices.
    pub seed: Spanned<u64>,
    /// Event i is in split i mod `splits`.
    pub splits: Spanned<u32>,
    /// The only kind of which events become rows; absent: all three, in one schema.
    pub only: Option<Spanned<NexmarkKind>>,
    /// The time of event 0, in microseconds since the Unix epoch.
    pub start: Spanned<i64>,
    /// Events are shuffled within groups of so many; 1 leaves them in order.
    pub shuffle: Spanned<u64>,
}

/// The settings of made-up rows.
#[derive(Clone, Debug)]
pub struct Datagen {
    /// How many rows there are, over all splits; absent: no end.
    pub rows: Option<Spanned<u64>>,
    /// Rows per second of the clock, over all splits; absent: as fast as they are taken.
    pub rate: Option<Spanned<f64>>,
    /// What decides the random choices.
    pub seed: Spanned<u64>,
    /// Row i is in split i mod `splits`.
    pub splits: Spanned<u32>,
}
