//! Kafka of the pipeline file as the connectors know it.

use tidemill_connectors::kafka::{
    ClientSpec, Isolation, KafkaSinkSpec, LettersOf, NullValues, Properties, Start, TopicOf,
    Topics, Until,
};
use tidemill_connectors::{
    FormatSpec, Guarantee, KafkaSpec, RecordField, Registering, Registration, ValueFormat,
    WrittenSchema,
};
use tidemill_pipeline as file;

/// A source of the pipeline of this name.
pub fn source(pipeline: &str, kafka: &file::KafkaSource, format: FormatSpec) -> KafkaSpec {
    KafkaSpec {
        client: cluster(&kafka.cluster),
        topics: match &kafka.topics {
            file::KafkaTopics::Named(names) => Topics::Named(texts(names)),
            file::KafkaTopics::Like(pattern) => Topics::Like(pattern.value.clone()),
        },
        partition: None,
        group: kafka.group.clone().unwrap_or_else(|| pipeline.to_owned()),
        start: match &kafka.start {
            file::KafkaStart::Earliest => Start::Earliest,
            file::KafkaStart::Latest => Start::Latest,
            file::KafkaStart::Group => Start::Group,
            file::KafkaStart::Time(micros) => Start::Time(*micros),
            file::KafkaStart::Offsets(offsets) => Start::Offsets(offsets.clone()),
        },
        until: kafka.until.map(|until| match until {
            file::KafkaUntil::Now => Until::Now,
            file::KafkaUntil::Time(micros) => Until::Time(micros),
        }),
        isolation: match kafka.isolation {
            file::Isolation::ReadCommitted => Isolation::ReadCommitted,
            file::Isolation::ReadUncommitted => Isolation::ReadUncommitted,
        },
        null_values: match kafka.null_values {
            file::NullValues::Refuse => NullValues::Refuse,
            file::NullValues::Skip => NullValues::Skip,
            file::NullValues::Delete => NullValues::Delete,
        },
        format,
    }
}

/// What of a record a column holds.
pub fn field(column: &file::Column) -> RecordField {
    match column.from {
        file::RecordPart::Field => RecordField::Field,
        file::RecordPart::Value => RecordField::Value,
        file::RecordPart::Key => RecordField::Key,
        file::RecordPart::Header => RecordField::Header(column.path.value.join(".")),
        file::RecordPart::Topic => RecordField::Topic,
        file::RecordPart::Partition => RecordField::Partition,
        file::RecordPart::Offset => RecordField::Offset,
        file::RecordPart::Timestamp => RecordField::Timestamp,
        file::RecordPart::CreateTime => RecordField::CreateTime,
        file::RecordPart::AppendTime => RecordField::AppendTime,
    }
}

/// The topics that the records of a sink go to, and of what they are dead letters, if they are.
pub fn sink(
    sink: &file::Sink,
    kafka: &file::KafkaSink,
    letters: Option<LettersOf>,
) -> KafkaSinkSpec {
    KafkaSinkSpec {
        letters,
        client: cluster(&kafka.cluster),
        topic: match &kafka.topic {
            file::KafkaTopic::Named(name) => TopicOf::Named(name.value.clone()),
            file::KafkaTopic::Column(name) => TopicOf::Column(name.value.clone()),
        },
        key: kafka.key.as_ref().map(|column| column.value.clone()),
        timestamp: kafka.timestamp.as_ref().map(|column| column.value.clone()),
        headers: pairs(&kafka.headers),
        omit: texts(&kafka.omit),
        guarantee: match kafka.guarantee {
            file::KafkaGuarantee::ExactlyOnce => Guarantee::ExactlyOnce,
            file::KafkaGuarantee::AtLeastOnce => Guarantee::AtLeastOnce,
        },
        buffer: kafka.buffer,
        format: values(sink, kafka),
    }
}

/// How the values of records are written.
fn values(sink: &file::Sink, kafka: &file::KafkaSink) -> ValueFormat {
    match (sink.format.value, &sink.schema) {
        (file::SinkFormat::Csv, _) => ValueFormat::Csv { delimiter: b',' },
        (file::SinkFormat::Avro, Some(schema)) => ValueFormat::Avro(written(schema, kafka)),
        (file::SinkFormat::Protobuf, Some(schema)) => ValueFormat::Protobuf(written(schema, kafka)),
        // What cannot be was said, and nothing runs.
        _ => ValueFormat::Json,
    }
}

fn written(schema: &file::WrittenSchema, kafka: &file::KafkaSink) -> WrittenSchema {
    let registration = |registration: &file::Registration| Registration {
        registry: super::sources::registry(&registration.registry),
        subject: match (&registration.subject, &kafka.topic) {
            (Some(subject), _) => subject.clone(),
            (None, file::KafkaTopic::Named(topic) | file::KafkaTopic::Column(topic)) => {
                format!("{}-value", topic.value)
            }
        },
        registering: match registration.register {
            true => Registering::Allowed,
            false => Registering::Forbidden,
        },
    };
    WrittenSchema {
        path: schema.path.clone(),
        message: schema.message.clone(),
        registration: schema.registration.as_ref().map(registration),
    }
}

/// Of which rows a sink takes dead letters, if it takes nothing else.
pub fn letters(pipeline: &file::Pipeline, sink: &file::Sink) -> Option<LettersOf> {
    let of_topics =
        |source: &file::Source| matches!(source.connector.value, file::Connector::Kafka(_));
    let of = match pipeline.sources.iter().any(of_topics) {
        true => LettersOf::Records,
        false => LettersOf::Others,
    };
    let letters = sink.inputs.iter().all(file::Input::is_failed);
    letters.then_some(of)
}

/// How a cluster is reached.
pub fn cluster(cluster: &file::Cluster) -> ClientSpec {
    ClientSpec {
        brokers: cluster.brokers.value.clone(),
        properties: Properties(pairs(&cluster.properties)),
    }
}

fn texts(texts: &[file::Spanned<String>]) -> Vec<String> {
    texts.iter().map(|text| text.value.clone()).collect()
}

fn pairs(pairs: &[(file::Spanned<String>, file::Spanned<String>)]) -> Vec<(String, String)> {
    let pair = |(name, value): &(file::Spanned<String>, file::Spanned<String>)| {
        (name.value.clone(), value.value.clone())
    };
    pairs.iter().map(pair).collect()
}
