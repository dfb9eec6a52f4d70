//! `tidemill dev kafka consume`: records become lines of standard output.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers, Message};
use rdkafka::{Offset, TopicPartitionList};
use serde_json::{Value, json};

use super::client::TopicArgs;
use super::end::End;
use crate::args::Format;
use crate::error::Failure;

/// How long records are waited for before signals are looked at.
const LOOK: Duration = Duration::from_millis(50);

/// Print records of a topic as they come
///
/// One line per record: its value as it is, or with `--format json` an object with topic, partition, offset, time, key, headers
/// and value. Begins with what comes from now on, and belongs to no group, so nothing is committed. Ends by Ctrl-C, or as the
/// options say.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill dev kafka consume alerts --from-beginning
  tidemill dev kafka consume alerts --read-committed --from-beginning --to-end --format json")]
pub struct Args {
    #[command(flatten)]
    topic: TopicArgs,
    /// Only records of committed transactions, and those outside of any
    #[arg(long)]
    read_committed: bool,
    /// Begin with the first record that the topic has
    #[arg(long)]
    from_beginning: bool,
    /// End when everything has been printed that is there now
    #[arg(long)]
    to_end: bool,
    /// End after so many records
    #[arg(long, value_name = "N")]
    max: Option<u64>,
    /// For whom output is
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

/// Prints records.
pub fn consume(args: &Args) -> Result<(), Failure> {
    let end = End::caught()?;
    let consumer: BaseConsumer = config(args).create().map_err(|e| args.topic.failed(e))?;
    let partitions = args.topic.partitions(consumer.client())?;
    assign(args, &consumer, &partitions).map_err(|e| args.topic.failed(e))?;
    let mut out = BufWriter::new(io::stdout().lock());
    match print(args, &consumer, partitions, (&end, &mut out)) {
        Err(Stopped::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Stopped::Output(error)) => Err(anyhow::Error::from(error))
            .context("standard output")
            .map_err(Failure::from),
        Err(Stopped::Kafka(error)) => Err(args.topic.failed(error)),
        Ok(()) => Ok(()),
    }
}

/// Why printing stopped before its end.
enum Stopped {
    Output(io::Error),
    Kafka(KafkaError),
}

impl From<io::Error> for Stopped {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

fn config(args: &Args) -> rdkafka::ClientConfig {
    let mut config = args.topic.client();
    let isolation = match args.read_committed {
        true => "read_committed",
        false => "read_uncommitted",
    };
    config.set("isolation.level", isolation);
    // The client wants a name, but as nothing is committed or subscribed to, no group comes to be.
    config.set("group.id", "tidemill-dev-consume");
    config.set("enable.auto.commit", "false");
    config.set("enable.partition.eof", "true");
    config.set("fetch.wait.max.ms", "50");
    config
}

fn assign(args: &Args, consumer: &BaseConsumer, partitions: &[i32]) -> Result<(), KafkaError> {
    let from = match args.from_beginning {
        true => Offset::Beginning,
        false => Offset::End,
    };
    let mut assigned = TopicPartitionList::new();
    for &partition in partitions {
        assigned.add_partition_offset(&args.topic.topic, partition, from)?;
    }
    consumer.assign(&assigned)
}

fn print(
    args: &Args,
    consumer: &BaseConsumer,
    partitions: Vec<i32>,
    (end, out): (&End, &mut impl Write),
) -> Result<(), Stopped> {
    let mut open: BTreeSet<i32> = partitions.into_iter().collect();
    let mut left = args.max.unwrap_or(u64::MAX);
    while left > 0 && !end.asked() && !(args.to_end && open.is_empty()) {
        // Whoever watches sees a record at once; while more are there they go out together.
        let next = consumer.poll(Duration::ZERO);
        let next = match next {
            Some(next) => Some(next),
            None => {
                out.flush()?;
                consumer.poll(LOOK)
            }
        };
        match next {
            Some(Ok(record)) => {
                line(args.format, &record, out)?;
                left -= 1;
            }
            Some(Err(KafkaError::PartitionEOF(partition))) => {
                open.remove(&partition);
            }
            Some(Err(error)) if !is_passing(&error) => return Err(Stopped::Kafka(error)),
            Some(Err(_)) | None => {}
        }
    }
    out.flush()?;
    Ok(())
}

/// A broker that is away may come back: whoever watches waits for it.
fn is_passing(error: &KafkaError) -> bool {
    use RDKafkaErrorCode::{AllBrokersDown, BrokerTransportFailure, OperationTimedOut};
    let code = error.rdkafka_error_code();
    matches!(
        code,
        Some(AllBrokersDown | BrokerTransportFailure | OperationTimedOut)
    )
}

fn line(format: Format, record: &BorrowedMessage<'_>, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Text => {
            out.write_all(record.payload().unwrap_or_default())?;
            out.write_all(b"\n")
        }
        Format::Json => writeln!(out, "{}", object(record)),
    }
}

fn object(record: &BorrowedMessage<'_>) -> Value {
    let headers = record.headers().map(|headers| {
        let pair = |header: rdkafka::message::Header<'_, &[u8]>| {
            json!({ "name": header.key, "value": text(header.value) })
        };
        headers.iter().map(pair).collect::<Vec<_>>()
    });
    json!({
        "topic": record.topic(), "partition": record.partition(), "offset": record.offset(),
        "timestamp_ms": record.timestamp().to_millis(), "key": text(record.key()),
        "headers": headers.unwrap_or_default(), "value": text(record.payload()),
    })
}

/// Text as text, other bytes as `{"base64": …}`.
fn text(bytes: Option<&[u8]>) -> Value {
    let Some(bytes) = bytes else {
        return Value::Null;
    };
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => json!({ "base64": STANDARD.encode(bytes) }),
    }
}
