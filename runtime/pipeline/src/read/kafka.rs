//! Kafka, as a source and as a sink.

use tidemill_rows::time_text::parse_rfc3339;

use crate::diagnostics::Diagnostics;
use crate::keys::{KAFKA_SINK, KAFKA_SOURCE};
use crate::model::{
    Cluster, KafkaSink, KafkaSource, KafkaStart, KafkaTopic, KafkaTopics, KafkaUntil,
};
use crate::place::Spanned;
use crate::section::Section;
use crate::tree::{Value, quoted};

/// Reads `kafka` of a source.
pub(super) fn source(section: &Section<'_>, d: &mut Diagnostics) -> Option<KafkaSource> {
    let table = section.table("kafka", &KAFKA_SOURCE, d)?;
    let cluster = cluster(&table, d);
    let topics = topics(&table, d);
    let group = table.has("group").then(|| table.text("group", d));
    let start = start(&table, d);
    let until = table.has("until").then(|| until(&table, d));
    let isolation = table.word("isolation", d);
    let null_values = table.word("null-values", d);
    let partitioned_by = table.texts("partitioned-by", d);
    Some(KafkaSource {
        cluster: cluster?,
        topics: topics?,
        group: match group {
            Some(group) => Some(group?.value),
            None => None,
        },
        start: start?,
        until: match until {
            Some(until) => Some(until?),
            None => None,
        },
        isolation: isolation?.value,
        null_values: null_values?.value,
        partitioned_by,
    })
}

/// Reads `kafka` of a sink.
pub(super) fn sink(section: &Section<'_>, d: &mut Diagnostics) -> Option<KafkaSink> {
    let table = section.table("kafka", &KAFKA_SINK, d)?;
    let cluster = cluster(&table, d);
    let topic = topic(&table, d);
    let optional = |name, d: &mut Diagnostics| match table.has(name) {
        true => table.text(name, d).map(Some),
        false => Some(None),
    };
    let (key, timestamp) = (optional("key", d), optional("timestamp", d));
    let headers = table.texts_by_name("headers", d);
    let omit = table.texts("omit", d);
    let guarantee = table.word("guarantee", d);
    let buffer = table.size("buffer", d);
    Some(KafkaSink {
        cluster: cluster?,
        topic: topic?,
        key: key?,
        timestamp: timestamp?,
        headers,
        omit,
        guarantee: guarantee?.value,
        buffer: buffer?.value,
    })
}

fn cluster(table: &Section<'_>, d: &mut Diagnostics) -> Option<Cluster> {
    let brokers = table.text("brokers", d);
    let properties = table.texts_by_name("properties", d);
    let brokers = brokers?;
    let is_address = |address: &str| {
        let (host, port) = address.trim().rsplit_once(':').unwrap_or_default();
        !host.is_empty() && port.parse::<u16>().is_ok()
    };
    if let Some(wrong) = brokers
        .value
        .split(',')
        .find(|address| !is_address(address))
    {
        d.error(
            &brokers.span,
            format!("`brokers` of {} is no address", table.title),
        )
        .label(format!("expected host:port, found {}", quoted(wrong)))
        .help("for example `brokers = \"localhost:9092\"`, with commas between several");
        return None;
    }
    Some(Cluster {
        brokers,
        properties,
    })
}

/// One of two keys, of which exactly one must be there.
fn one_of<'k>(
    table: &Section<'_>,
    [first, second]: [&'k str; 2],
    d: &mut Diagnostics,
) -> Option<&'k str> {
    match (table.entry(first), table.entry(second)) {
        (Some(_), None) => Some(first),
        (None, Some(_)) => Some(second),
        (Some(one), Some(other)) => {
            d.error(
                &other.key.span,
                format!("{} has both `{first}` and `{second}`", table.title),
            )
            .label("one here")
            .also(&one.key.span, "and the other here")
            .help("leave one of them out");
            None
        }
        (None, None) => {
            if !table.has_any(&[first, second]) {
                d.error(&table.span, format!("{} names no topic", table.title))
                    .label(format!("expected `{first}` or `{second}`"))
                    .help(format!("for example `{first} = \"payments\"`"));
            }
            None
        }
    }
}

fn topics(table: &Section<'_>, d: &mut Diagnostics) -> Option<KafkaTopics> {
    match one_of(table, ["topics", "pattern"], d)? {
        "topics" => {
            let topics = table.texts("topics", d);
            super::operator::twice(&topics, &format!("`topics` of {}", table.title), d);
            (!topics.is_empty()).then_some(KafkaTopics::Named(topics))
        }
        _ => table.text("pattern", d).map(KafkaTopics::Like),
    }
}

fn topic(table: &Section<'_>, d: &mut Diagnostics) -> Option<KafkaTopic> {
    match one_of(table, ["topic", "topic-column"], d)? {
        "topic" => table.text("topic", d).map(KafkaTopic::Named),
        _ => table.text("topic-column", d).map(KafkaTopic::Column),
    }
}

fn start(table: &Section<'_>, d: &mut Diagnostics) -> Option<KafkaStart> {
    if let (Some(offsets), Some(start)) = (table.entry("offsets"), table.entry("start")) {
        d.error(
            &offsets.key.span,
            format!("{} begins in two places", table.title),
        )
        .label("at these offsets")
        .also(&start.key.span, "and there")
        .help("leave one of them out: partitions that `offsets` does not name begin at their oldest records");
        return None;
    }
    if table.has("offsets") {
        return offsets(table, d).map(KafkaStart::Offsets);
    }
    let text = table.text("start", d)?;
    Some(match text.value.as_str() {
        "earliest" => KafkaStart::Earliest,
        "latest" => KafkaStart::Latest,
        "group" => KafkaStart::Group,
        _ => KafkaStart::Time(moment(
            (table, "start", &text),
            "\"earliest\", \"latest\", \"group\" or a time by RFC 3339",
            d,
        )?),
    })
}

fn until(table: &Section<'_>, d: &mut Diagnostics) -> Option<KafkaUntil> {
    let text = table.text("until", d)?;
    Some(match text.value.as_str() {
        "now" => KafkaUntil::Now,
        _ => KafkaUntil::Time(moment(
            (table, "until", &text),
            "\"now\" or a time by RFC 3339",
            d,
        )?),
    })
}

fn moment(
    (table, name, text): (&Section<'_>, &str, &Spanned<String>),
    expected: &str,
    d: &mut Diagnostics,
) -> Option<i64> {
    if let Ok(micros) = parse_rfc3339(text.value.as_bytes()) {
        return Some(micros);
    }
    d.error(
        &text.span,
        format!("`{name}` of {} is no place in a topic", table.title),
    )
    .label(format!(
        "expected {expected}, found {}",
        quoted(&text.value)
    ))
    .help(format!("for example `{name} = \"2013-01-01T00:00:00Z\"`"));
    None
}

fn offsets(table: &Section<'_>, d: &mut Diagnostics) -> Option<Vec<(String, i64)>> {
    let entry = table.entry("offsets")?;
    let Value::Table(entries) = &entry.node.value else {
        return table.refuse("offsets", &entry.node, d);
    };
    let mut offsets = Vec::new();
    for entry in entries {
        let name = &entry.key.value;
        let number = name
            .rsplit_once('-')
            .map(|(_, number)| number.parse::<i32>());
        let offset = match entry.node.value {
            Value::Integer(offset) if offset >= 0 && matches!(number, Some(Ok(0..))) => offset,
            _ => {
                d.error(
                    &entry.node.span,
                    format!("`{name}` in `offsets` of {} is no offset", table.title),
                )
                .label(format!(
                    "expected topic-partition = number, found {}",
                    entry.node.found()
                ))
                .help("for example `offsets = { payments-0 = 17 }`");
                return None;
            }
        };
        offsets.push((name.clone(), offset));
    }
    Some(offsets)
}
