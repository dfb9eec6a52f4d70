//! Kafka of the pipeline file as the connectors know it.

use tidemill_connectors::encode::Encoding;
use tidemill_connectors::kafka::{
    ClientSpec, Isolation, KafkaSinkSpec, NullValues, Properties, Start, TopicOf, Topics, Until,
};
use tidemill_connectors::{FormatSpec, Guarantee, KafkaSpec, RecordField};
use tidemill_pipeline as file;

/// A source of the pipeline of this name.
pub fn source(pipeline: &str, kafka: &file::KafkaSource, format: FormatSpec) -> KafkaSpec {
    KafkaSpec {
        client: client(&kafka.cluster),
        topics: match &kafka.topics {
            file::KafkaTopics::Named(names) => Topics::Named(texts(names)),
            file::KafkaTopics::Like(pattern) => Topics::Like(pattern.value.clone()),
        },
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

/// A sink that writes values so.
pub fn sink(kafka: &file::KafkaSink, format: Encoding) -> KafkaSinkSpec {
    KafkaSinkSpec {
        client: client(&kafka.cluster),
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
        format,
    }
}

fn client(cluster: &file::Cluster) -> ClientSpec {
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
