//! Rows into a topic, and rows out of it.
#![allow(dead_code)]

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tidemill_connectors::kafka::{
    ClientSpec, Isolation, KafkaSinkSpec, NullValues, Properties, Start, TopicOf, Topics, Until,
};
use tidemill_connectors::registry::{Registry, RegistrySpec};
use tidemill_connectors::{
    ConnectorError, FormatSpec, Guarantee, KafkaSpec, SinkSpec, SourceSpec, Then, ValueFormat,
    Wake, resume_all,
};
use tidemill_rows::{Batch, RecordBatch, RowTimes};
use tidemill_test_kafka::{Topic, broker};

/// Long enough for a broker on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// The registry at an address.
pub fn registry_at(url: String) -> Registry {
    Registry::new(RegistrySpec {
        url,
        user: None,
        password: None,
    })
}

/// How tests reach the broker.
pub fn client() -> ClientSpec {
    ClientSpec {
        brokers: broker().to_owned(),
        properties: Properties::default(),
    }
}

/// What is in a topic now, read so.
pub fn source(topic: &Topic, format: FormatSpec) -> KafkaSpec {
    KafkaSpec {
        client: client(),
        partition: None,
        topics: Topics::Named(vec![topic.name().to_owned()]),
        group: format!("group-{}", topic.name()),
        start: Start::Earliest,
        until: Some(Until::Now),
        isolation: Isolation::ReadCommitted,
        null_values: NullValues::Refuse,
        format,
    }
}

/// Rows as JSON, and the codes of bad rows behind their offsets.
pub fn read(spec: KafkaSpec) -> Result<(Vec<String>, Vec<String>), ConnectorError> {
    let wake: Wake = Arc::new(|| ());
    let spec = SourceSpec::Kafka(Box::new(spec));
    let mut opened = resume_all(&spec, &[wake], &[])?.swap_remove(0);
    let (_, split) = &mut opened.splits[0];
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    let began = Instant::now();
    loop {
        assert!(began.elapsed() < PATIENCE, "only {rows:?} and {bad:?}");
        let chunk = split.read(100)?;
        let of = |row| tidemill_rows::json::row(&chunk.rows, row);
        rows.extend((0..chunk.rows.num_rows()).map(of));
        bad.extend(
            chunk
                .bad
                .iter()
                .map(|bad| format!("{} {}", bad.position, bad.code)),
        );
        match chunk.then {
            Then::End => return Ok((rows, bad)),
            Then::Pending => thread::sleep(Duration::from_millis(5)),
            Then::More => {}
        }
    }
}

/// A sink of a topic.
pub fn sink(topic: &Topic, format: ValueFormat) -> KafkaSinkSpec {
    KafkaSinkSpec {
        client: client(),
        topic: TopicOf::Named(topic.name().to_owned()),
        key: None,
        timestamp: None,
        headers: Vec::new(),
        letters: None,
        omit: Vec::new(),
        guarantee: Guarantee::AtLeastOnce,
        buffer: 1 << 20,
        format,
    }
}

/// Writes rows, each with what it does if anything is said.
pub fn write(
    spec: KafkaSinkSpec,
    rows: RecordBatch,
    changes: Option<&[u8]>,
) -> Result<(), ConnectorError> {
    let sink = SinkSpec::Kafka(Box::new(spec)).open(rows.schema(), false)?;
    let mut writer = sink.writer(0);
    let count = rows.num_rows();
    writer.write(&Batch {
        columns: rows,
        times: RowTimes {
            times: vec![0; count].into(),
            stamps: vec![0; count].into(),
            w: None,
        },
        changes: changes.map(|changes| changes.to_vec().into()),
        origin: None,
    })?;
    writer.finish()
}
