//! A split of Kafka: a partition, read on from an offset.

use std::sync::Arc;

use rdkafka::error::RDKafkaErrorCode;

use super::error;
use super::queue::{PartitionQueue, Record};
use super::reader::Reader;
use super::record::RecordDecoder;
use super::source::NullValues;
use super::start::Partition;
use crate::ConnectorError;
use crate::columns::Columns;
use crate::decode::Refusal;
use crate::position::{Position, RecordPosition};
use crate::split::{BAD_ROW_BYTES, BadRow, CHUNK_BYTES, Chunk, Split, Then};

/// What rows do to a table.
const INSERT: u8 = 0;
const DELETE: u8 = 3;

/// A partition that is read.
pub(super) struct PartitionSplit {
    pub name: Arc<str>,
    pub partition: Partition,
    /// None where everything was read before.
    pub queue: Option<PartitionQueue>,
    pub reader: Arc<Reader>,
    pub decoder: RecordDecoder,
    pub columns: Columns,
    pub null_values: NullValues,
    pub at: RecordPosition,
}

/// What a chunk has beside its columns.
struct Marks {
    positions: Vec<u64>,
    /// What each row does, where records without a value are deletes.
    changes: Vec<u8>,
    bad: Vec<BadRow>,
    bytes: usize,
}

impl Split for PartitionSplit {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn read(&mut self, max_rows: usize) -> Result<Chunk, ConnectorError> {
        let mut marks = Marks {
            positions: Vec::new(),
            changes: Vec::new(),
            bad: Vec::new(),
            bytes: 0,
        };
        let then = self.fill(max_rows, &mut marks)?;
        Ok(Chunk {
            rows: self.columns.take()?,
            positions: marks.positions,
            lines: None,
            changes: (self.null_values == NullValues::Delete).then_some(marks.changes),
            bad: marks.bad,
            then,
        })
    }

    fn position(&self) -> Position {
        Position::Record(self.at.clone())
    }
}

impl PartitionSplit {
    fn fill(&mut self, max_rows: usize, marks: &mut Marks) -> Result<Then, ConnectorError> {
        loop {
            if self.at.is_finished() {
                self.queue = None;
                return Ok(Then::End);
            }
            if marks.positions.len() + marks.bad.len() >= max_rows || marks.bytes >= CHUNK_BYTES {
                return Ok(Then::More);
            }
            let Some(record) = self.queue.as_mut().and_then(PartitionQueue::next) else {
                self.reader.check()?;
                return Ok(Then::Pending);
            };
            match record.error() {
                None => self.take(&record, marks)?,
                Some(RDKafkaErrorCode::PartitionEOF) => self.at.has_come_to(record.offset()),
                Some(code) => self.fail(code, &record)?,
            }
        }
    }

    #[inline]
    fn take(&mut self, record: &Record, marks: &mut Marks) -> Result<(), ConnectorError> {
        let offset = record.offset();
        if offset < self.at.next {
            // It was read before: librdkafka may begin with the batch that an offset lies in.
            return Ok(());
        }
        if self.at.end.is_some_and(|end| offset >= end) {
            self.at.has_come_to(offset);
            return Ok(());
        }
        if let Some(value) = record.value() {
            self.decoder.prepare(value)?;
        }
        self.at.next = offset + 1;
        let decoded = match record.value() {
            Some(value) => {
                marks.bytes += value.len();
                self.decoder.decode(record, value, &mut self.columns)
            }
            None => match self.null_values {
                NullValues::Skip => return Ok(()),
                NullValues::Refuse if !self.decoder.needs_no_value() => Err(no_value()),
                NullValues::Refuse | NullValues::Delete => {
                    self.decoder.without_value(record, &mut self.columns)
                }
            },
        };
        match decoded {
            Ok(()) => {
                marks.positions.push(offset as u64);
                if self.null_values == NullValues::Delete {
                    let change = if record.value().is_some() {
                        INSERT
                    } else {
                        DELETE
                    };
                    marks.changes.push(change);
                }
            }
            Err(refusal) => self.bad(record, refusal, marks),
        }
        Ok(())
    }

    #[cold]
    fn bad(&self, record: &Record, refusal: Refusal, marks: &mut Marks) {
        let value = record.value().unwrap_or_default();
        marks.bad.push(BadRow {
            before: self.columns.rows(),
            position: record.offset() as u64,
            line: None,
            code: refusal.code,
            message: refusal.message,
            bytes: value[..value.len().min(BAD_ROW_BYTES)].to_vec(),
            recorded: record.time().micros(),
        });
    }

    /// What came instead of a record: librdkafka tries again by itself what may pass.
    #[cold]
    fn fail(&self, code: RDKafkaErrorCode, record: &Record) -> Result<(), ConnectorError> {
        let (name, brokers, next) = (&self.name, self.reader.client.brokers(), self.at.next);
        let (text, hint) = match code {
            RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange => (
                format!(
                    "cannot read {name} on at {brokers}: it has no record at offset {next}: {}",
                    self.has()
                ),
                "what lies between is lost to this pipeline: `--fresh` with `start` begins anew; `retention.ms` of the topic says how \
                 long records are kept",
            ),
            RDKafkaErrorCode::UnknownTopicOrPartition
            | RDKafkaErrorCode::UnknownTopic
            | RDKafkaErrorCode::UnknownPartition => (
                format!("cannot read {name} on at {brokers}: it is not there any more"),
                "make the topic again and begin anew with `--fresh`, or take it out of the pipeline",
            ),
            code if error::may_pass(code) => return Ok(()),
            code => (
                format!(
                    "cannot read {name} on at {brokers}: {code}: {}",
                    record.error_text()
                ),
                "see whether the user may read the topic and the group",
            ),
        };
        Err(ConnectorError::Kafka {
            text,
            hint,
            may_pass: false,
        })
    }

    /// What the partition has, as far as it can be found out.
    fn has(&self) -> String {
        match super::start::ends(&self.partition, &self.reader.client) {
            Ok((first, behind)) => format!("it has those from {first} to before {behind}"),
            Err(error) => error.to_string(),
        }
    }
}

#[cold]
fn no_value() -> Refusal {
    let message = "the record has no value; `null-values = \"skip\"` passes over such records, `\"delete\"` takes them for deletes";
    Refusal::new("null", message)
}
