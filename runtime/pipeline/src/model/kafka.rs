//! Kafka, as a source and as a sink.

use crate::model::word::words;
use crate::place::Spanned;

words! {
    /// Which records are read.
    Isolation {
        /// Those outside transactions and of committed ones.
        ReadCommitted = "read-committed",
        /// All.
        ReadUncommitted = "read-uncommitted",
    }
}

words! {
    /// What becomes of records without a value.
    NullValues {
        /// They are bad rows.
        Refuse = "refuse",
        /// They are passed over.
        Skip = "skip",
        /// They are rows that delete.
        Delete = "delete",
    }
}

words! {
    /// How often a row comes to stand in a topic.
    KafkaGuarantee {
        /// Once: rows are written in transactions, which checkpoints commit.
        ExactlyOnce = "exactly-once",
        /// At once, and again after a crash what came after the last checkpoint.
        AtLeastOnce = "at-least-once",
    }
}

/// How a cluster is reached.
#[derive(Clone)]
pub struct Cluster {
    /// `host:port`, with commas between several.
    pub brokers: Spanned<String>,
    /// What else librdkafka is told.
    pub properties: Vec<(Spanned<String>, Spanned<String>)>,
}

impl std::fmt::Debug for Cluster {
    /// Without the values of properties, which may be secrets.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = self
            .properties
            .iter()
            .map(|(name, _)| name.value.as_str())
            .collect();
        f.debug_struct("Cluster")
            .field("brokers", &self.brokers.value)
            .field("properties", &names)
            .finish()
    }
}

/// Topics of Kafka as a source.
#[derive(Clone, Debug)]
pub struct KafkaSource {
    /// How its cluster is reached.
    pub cluster: Cluster,
    /// Which topics are read.
    pub topics: KafkaTopics,
    /// The consumer group; absent: the pipeline's name.
    pub group: Option<String>,
    /// Where reading begins.
    pub start: KafkaStart,
    /// Where it ends; absent: nowhere.
    pub until: Option<KafkaUntil>,
    /// Which records are read.
    pub isolation: Isolation,
    /// What becomes of records without a value.
    pub null_values: NullValues,
    /// The columns of which records with equal values are in one partition; none: those that hold the record's key.
    pub partitioned_by: Vec<Spanned<String>>,
}

/// Which topics are read.
#[derive(Clone, Debug)]
pub enum KafkaTopics {
    /// These.
    Named(Vec<Spanned<String>>),
    /// Those like a regular expression.
    Like(Spanned<String>),
}

/// Where a partition begins that nothing is known of.
#[derive(Clone, Debug)]
pub enum KafkaStart {
    /// At its oldest record.
    Earliest,
    /// Behind its newest.
    Latest,
    /// Where the group stands.
    Group,
    /// At a time, in microseconds since the Unix epoch.
    Time(i64),
    /// At an offset by the name of each partition: `payments-0`.
    Offsets(Vec<(String, i64)>),
}

/// Where a bounded source of Kafka ends.
#[derive(Clone, Copy, Debug)]
pub enum KafkaUntil {
    /// Behind what is there as it is begun.
    Now,
    /// At a time, in microseconds since the Unix epoch.
    Time(i64),
}

/// A topic of Kafka as a sink. Columns are named as they are in the sink's input.
#[derive(Clone, Debug)]
pub struct KafkaSink {
    /// How its cluster is reached.
    pub cluster: Cluster,
    /// Where rows go.
    pub topic: KafkaTopic,
    /// The column that is the record's key.
    pub key: Option<Spanned<String>>,
    /// The column that is the record's time.
    pub timestamp: Option<Spanned<String>>,
    /// Headers by name, each of a column.
    pub headers: Vec<(Spanned<String>, Spanned<String>)>,
    /// Columns that are not in the record's value.
    pub omit: Vec<Spanned<String>>,
    /// How often a row comes to stand in a topic.
    pub guarantee: KafkaGuarantee,
    /// How many bytes of rows wait at most while a transaction is committed.
    pub buffer: u64,
}

/// Where rows go.
#[derive(Clone, Debug)]
pub enum KafkaTopic {
    /// All to this one.
    Named(Spanned<String>),
    /// Each to the one that this column names.
    Column(Spanned<String>),
}
