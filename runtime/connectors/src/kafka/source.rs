//! A source of Kafka as plain data, and how it is opened.

use std::collections::BTreeMap;
use std::sync::Arc;

use tidemill_rows::SchemaRef;

use super::client::ClientSpec;
use super::discovery::{self, Discovery};
use super::gauge::{KafkaGauge, Missing};
use super::partition::PartitionSplit;
use super::queue::PartitionQueue;
use super::reader::Reader;
use super::record::{RecordDecoder, RecordField};
use super::start::{Partition, Start, Until};
use super::topic_id;
use super::topics::{Found, Topics};
use crate::ConnectorError;
use crate::columns::Columns;
use crate::format::{ColumnSpec, FormatSpec};
use crate::position::{Position, RecordPosition};
use crate::source::Shares;
use crate::split::{Split, Wake};

/// A source of Kafka.
#[derive(Clone, Debug, PartialEq)]
pub struct KafkaSpec {
    /// How its cluster is reached.
    pub client: ClientSpec,
    /// Which topics are read.
    pub topics: Topics,
    /// The one partition of each that is read; none: all.
    pub partition: Option<i32>,
    /// The consumer group, whose offsets show how far it is.
    pub group: String,
    /// Where it begins what it knows nothing of.
    pub start: Start,
    /// Where it ends; none: it is live.
    pub until: Option<Until>,
    /// Whether records of open and aborted transactions are read.
    pub isolation: Isolation,
    /// What becomes of records without a value.
    pub null_values: NullValues,
    /// What records are made of.
    pub format: FormatSpec,
}

/// Which records are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Those outside transactions and of committed ones.
    #[default]
    ReadCommitted,
    /// All.
    ReadUncommitted,
}

impl Isolation {
    pub(crate) fn property(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read_committed",
            Self::ReadUncommitted => "read_uncommitted",
        }
    }
}

/// What becomes of a record without a value, which log compaction knows as a deletion.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NullValues {
    /// It is a bad row.
    #[default]
    Refuse,
    /// It is passed over.
    Skip,
    /// It is a row that deletes: its columns of the value are null.
    Delete,
}

impl KafkaSpec {
    /// What is wrong with it, as far as can be seen without a cluster.
    pub(crate) fn check(&self) -> Result<(), ConnectorError> {
        self.client.config()?;
        self.topics.check()?;
        self.format.check()?;
        self.check_deletes()?;
        RecordDecoder::new(&self.format, ("", 0)).map(|_| ())
    }

    /// A row that deletes has nothing where its value would be.
    fn check_deletes(&self) -> Result<(), ConnectorError> {
        match self.of_deleted_values().find(|column| !column.nullable) {
            Some(column) => Err(ConnectorError::Configuration(format!(
                "column `{}` may not be null, and is where records without a value are deletes: give it the type `{}?`",
                column.name, column.ty
            ))),
            None => Ok(()),
        }
    }

    /// The columns of the value, where records without one delete.
    fn of_deleted_values(&self) -> impl Iterator<Item = &ColumnSpec> {
        let deletes = self.null_values == NullValues::Delete;
        let of_value = |from: &RecordField| matches!(from, RecordField::Field | RecordField::Value);
        let columns = self.format.columns.iter();
        columns.filter(move |column| deletes && of_value(&column.from))
    }

    /// The names of these columns; nothing where no record deletes.
    pub(crate) fn deleted_columns(&self) -> Option<Vec<String>> {
        let names = self.of_deleted_values().map(|column| column.name.clone());
        (self.null_values == NullValues::Delete).then(|| names.collect())
    }

    /// Opens the shares of the workers that are woken by these.
    pub(crate) fn open(
        &self,
        schema: &SchemaRef,
        wakes: &[Wake],
        kept: &[(Arc<str>, Position)],
    ) -> Result<Shares, ConnectorError> {
        let reader = self.reader()?;
        let found = self.topics.find(&reader.client)?;
        self.check_found(&found)?;
        let opener = Opener {
            spec: Arc::new(self.clone()),
            schema: schema.clone(),
            reader,
        };
        let mut shares = Shares::new(wakes.len());
        let kept = opener.places(&found, kept, &mut shares.forgotten)?;
        let missing = Missing::default();
        missing.note(&self.topics, &found);
        shares.gauge = Some(KafkaGauge::of(&opener.reader, &missing));
        let mut assigned = Vec::new();
        for (index, (partition, at)) in kept.iter().enumerate() {
            let worker = index % wakes.len();
            let split = opener.split(partition, at.clone(), &wakes[worker])?;
            shares.names.push(split.name.clone());
            shares.splits[worker].push((index, Box::new(split)));
            if !at.is_finished() {
                assigned.push((partition.topic.as_str(), partition.number, at.next));
            }
        }
        opener.reader.read(&assigned)?;
        if self.until.is_none() {
            let known = found;
            shares.later = discovery::start(Discovery {
                opener,
                known,
                missing,
                wakes: wakes.to_vec(),
                next: kept.len(),
            });
        }
        Ok(shares)
    }

    fn reader(&self) -> Result<Arc<Reader>, ConnectorError> {
        let group = (self.group.as_str(), self.isolation);
        Reader::start(&self.client, group, self.until.is_some())
    }

    /// A bounded source ends, so what it reads must be there; a live one waits for it.
    fn check_found(&self, found: &Found) -> Result<(), ConnectorError> {
        match self.topics.missing(found) {
            Some(topic) if self.until.is_some() => Err(ConnectorError::Kafka {
                text: format!("there is no topic {topic} at {}", self.client.brokers),
                hint: "make it first: what is read `until` somewhere must be there; without `until` it is waited for",
                may_pass: false,
            }),
            _ => Ok(()),
        }
    }

    /// The names of its splits, as far as they are there.
    pub(crate) fn names(&self) -> Result<Vec<Arc<str>>, ConnectorError> {
        let reader = self.reader()?;
        let found = self.topics.find(&reader.client)?;
        let partitions = self.partitions(&found);
        Ok(partitions.map(|p| p.name().into()).collect())
    }

    /// The partitions that it reads of topics, in the order of topics and numbers.
    pub(super) fn partitions<'a>(
        &self,
        found: &'a Found,
    ) -> impl Iterator<Item = Partition> + use<'a> {
        let only = self.partition;
        let all = found.iter().flat_map(|(topic, count)| {
            (0..*count).map(|number| Partition {
                topic: topic.clone(),
                number,
            })
        });
        all.filter(move |partition| only.is_none_or(|only| only == partition.number))
    }
}

/// Makes splits of partitions.
pub(super) struct Opener {
    pub spec: Arc<KafkaSpec>,
    schema: SchemaRef,
    pub reader: Arc<Reader>,
}

impl Opener {
    /// Where each partition is to be read: on from where it was, or from the beginning.
    fn places(
        &self,
        found: &Found,
        kept: &[(Arc<str>, Position)],
        forgotten: &mut Vec<Arc<str>>,
    ) -> Result<Vec<(Partition, RecordPosition)>, ConnectorError> {
        let ids = topic_id::of(&self.reader.client, found.keys())?;
        let mut left: BTreeMap<&str, &Position> =
            kept.iter().map(|(name, at)| (&**name, at)).collect();
        let mut places = Vec::new();
        for partition in self.spec.partitions(found) {
            let id = ids.get(&partition.topic).cloned();
            let at = match left.remove(partition.name().as_str()) {
                Some(Position::Record(at)) => self.on(&partition, at, id)?,
                Some(_) => return Err(other_source(&partition.name())),
                // What came about while the pipeline was away is read from its beginning: nothing of it was read.
                None if !kept.is_empty() => self.begin(&partition, &Start::Earliest, id)?,
                None => self.begin(&partition, &self.spec.start, id)?,
            };
            places.push((partition, at));
        }
        for (name, at) in left {
            if !at.is_finished() {
                return Err(ConnectorError::Kafka {
                    text: format!(
                        "{name} was read at {} and is not there any more",
                        self.reader.client.brokers()
                    ),
                    hint: "put its topic back, or let go what is known of it: `--allow-dropped-state` with the source's name",
                    may_pass: false,
                });
            }
            forgotten.push(name.into());
        }
        Ok(places)
    }

    /// Where a partition begins.
    pub fn begin(
        &self,
        partition: &Partition,
        start: &Start,
        topic: Option<String>,
    ) -> Result<RecordPosition, ConnectorError> {
        let next = start.of(partition, &self.reader.client)?;
        let end = self
            .spec
            .until
            .map(|until| until.of(partition, &self.reader.client));
        Ok(RecordPosition {
            next,
            end: end.transpose()?.map(|end| end.max(next)),
            topic,
        })
    }

    /// Where a partition goes on: to the end that it had if that was not reached, and to the one that it has now if it was.
    fn on(
        &self,
        partition: &Partition,
        at: &RecordPosition,
        topic: Option<String>,
    ) -> Result<RecordPosition, ConnectorError> {
        if let (Some(was), Some(is)) = (&at.topic, &topic)
            && was != is
        {
            return Err(self.another(partition, at.next));
        }
        let end = match (self.spec.until, at.end) {
            (None, _) => None,
            (Some(_), Some(end)) if !at.is_finished() => Some(end),
            (Some(until), _) => Some(until.of(partition, &self.reader.client)?.max(at.next)),
        };
        Ok(RecordPosition {
            next: at.next,
            end,
            topic,
        })
    }

    fn another(&self, partition: &Partition, next: i64) -> ConnectorError {
        let (name, brokers) = (partition.name(), self.reader.client.brokers());
        ConnectorError::Kafka {
            text: format!(
                "{name} at {brokers} was read to before offset {next}, and its topic was deleted and made again since: what it \
                 has there is something else"
            ),
            hint: "`--allow-dropped-state` with the source's name reads the new topic from where `start` says; `--fresh` begins anew",
            may_pass: false,
        }
    }

    /// A partition as a split, which must not be read yet.
    pub fn split(
        &self,
        partition: &Partition,
        at: RecordPosition,
        wake: &Wake,
    ) -> Result<PartitionSplit, ConnectorError> {
        let (topic, number) = (partition.topic.as_str(), partition.number);
        let queue = match at.is_finished() {
            true => None,
            false => Some(PartitionQueue::open(&self.reader, topic, number, wake)?),
        };
        Ok(PartitionSplit {
            name: partition.name().into(),
            partition: partition.clone(),
            queue,
            reader: self.reader.clone(),
            decoder: RecordDecoder::new(&self.spec.format, (topic, number))?,
            columns: Columns::new(self.schema.clone()),
            null_values: self.spec.null_values,
            at,
        })
    }

    /// Begins to read a split, and gives it as one.
    pub fn opened(&self, split: PartitionSplit) -> Result<Box<dyn Split>, ConnectorError> {
        let partition = &split.partition;
        let assigned = [(partition.topic.as_str(), partition.number, split.at.next)];
        self.reader.read(&assigned)?;
        Ok(Box::new(split))
    }
}

fn other_source(name: &str) -> ConnectorError {
    ConnectorError::Changed(format!(
        "{name} was of another source: what was kept of it is no offset"
    ))
}
