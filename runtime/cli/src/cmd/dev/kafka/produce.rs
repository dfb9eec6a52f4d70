//! `tidemill dev kafka produce`: lines of standard input become records.

use std::io::{BufRead, stdin};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, anyhow};
use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext};
use serde_json::Value;

use super::client::TopicArgs;
use crate::args::Format;
use crate::error::Failure;
use crate::talk::Talk;

/// How long the broker may take for what has not been answered at the end.
const PATIENCE: Duration = Duration::from_secs(60);

/// Produce a record for each line of standard input
///
/// A line is the record's value, as it is; empty lines are left out. With `--key` lines are JSON objects, and a field's value is
/// the key: text without its quotes, anything else as it stands in JSON, none where the field is null or missing. Records with
/// a key go to the partition that Kafka's Java clients choose. Ends when the broker has all of them.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill dev kafka produce payments < payments.jsonl
  echo '{\"card\":\"a\",\"amount\":3}' | tidemill dev kafka produce payments --key card")]
pub struct Args {
    #[command(flatten)]
    topic: TopicArgs,
    /// The field of each line that is the record's key
    #[arg(long, value_name = "FIELD")]
    key: Option<String>,
}

/// Counts what the broker has taken, and keeps the first reason why it has not.
#[derive(Debug, Default)]
struct Deliveries {
    taken: AtomicU64,
    refused: std::sync::OnceLock<KafkaError>,
}

impl ClientContext for Deliveries {}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = ();

    fn delivery(&self, delivered: &DeliveryResult<'_>, (): ()) {
        match delivered {
            Ok(_) => drop(self.taken.fetch_add(1, Ordering::Relaxed)),
            Err((error, _)) => drop(self.refused.set(error.clone())),
        }
    }
}

/// Produces records.
pub fn produce(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    let mut config = args.topic.client();
    config.set("partitioner", "murmur2_random");
    config.set("enable.idempotence", "true");
    config.set("linger.ms", "5");
    let producer: BaseProducer<Deliveries> = config
        .create_with_context(Deliveries::default())
        .map_err(|e| args.topic.failed(e))?;
    args.topic.partitions(producer.client())?;
    let read = lines(args, &producer);
    // What was read before a line that is wrong is in the topic.
    producer.flush(PATIENCE).map_err(|e| args.topic.failed(e))?;
    let deliveries = producer.context();
    let taken = deliveries.taken.load(Ordering::Relaxed);
    talk.note(format!("{taken} records to {}", args.topic.topic));
    match deliveries.refused.get() {
        Some(error) => Err(args.topic.failed(error.clone())),
        None => read,
    }
}

fn lines(args: &Args, producer: &BaseProducer<Deliveries>) -> Result<(), Failure> {
    let mut input = stdin().lock();
    let mut line = Vec::new();
    for number in 1_u64.. {
        line.clear();
        if input
            .read_until(b'\n', &mut line)
            .context("standard input")?
            == 0
        {
            break;
        }
        let value = line.trim_ascii_end();
        if value.is_empty() {
            continue;
        }
        let key = match &args.key {
            Some(field) => key(value, field).map_err(|e| e.context(format!("line {number}")))?,
            None => None,
        };
        send(args, producer, key.as_deref(), value)?;
    }
    Ok(())
}

/// The value of a field, as a key.
fn key(line: &[u8], field: &str) -> anyhow::Result<Option<String>> {
    let Value::Object(mut fields) = serde_json::from_slice(line)? else {
        return Err(anyhow!(
            "expected a JSON object, whose field `{field}` is the key"
        ));
    };
    Ok(match fields.remove(field) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => Some(other.to_string()),
    })
}

fn send(
    args: &Args,
    producer: &BaseProducer<Deliveries>,
    key: Option<&str>,
    value: &[u8],
) -> Result<(), Failure> {
    let mut record: BaseRecord<'_, str, [u8]> = BaseRecord::to(&args.topic.topic).payload(value);
    record.key = key;
    loop {
        record = match producer.send(record) {
            Ok(()) => break,
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => back,
            Err((error, _)) => return Err(args.topic.failed(error)),
        };
        producer.poll(Duration::from_millis(10));
    }
    producer.poll(Duration::ZERO);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn a_key_is_a_field_of_the_line() {
        let cases = [
            (r#"{"card":"a","n":1}"#, Ok(Some("a"))),
            (r#"{"card":12.50}"#, Ok(Some("12.5"))),
            (r#"{"card":[1,"x"]}"#, Ok(Some(r#"[1,"x"]"#))),
            (r#"{"card":null}"#, Ok(None)),
            (r#"{"n":1}"#, Ok(None)),
            ("[1]", Err(())),
            ("card", Err(())),
        ];
        for (line, expected) in cases {
            let found = key(line.as_bytes(), "card");
            let found = found.as_ref().map(Option::as_deref).map_err(|_| ());
            assert_eq!(found, expected, "{line}");
        }
    }
}
