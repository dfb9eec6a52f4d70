//! The topics that a broker is to have: those of the command line, and those that a pipeline file names.

use std::path::Path;

use tidemill_pipeline::{Cluster, Connector, KafkaTopic, KafkaTopics, Pipeline, SinkConnector};

use crate::args::PipelineArgs;
use crate::error::Failure;
use crate::load;

/// A topic to make.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    /// Its name.
    pub name: String,
    /// How many partitions.
    pub partitions: i32,
}

/// What a pipeline file wants of brokers.
#[derive(Debug, Default)]
pub struct OfPipeline {
    /// The topics that it names; those of patterns and columns are not known.
    pub topics: Vec<String>,
    /// Where it looks for brokers, as written.
    pub brokers: Vec<String>,
}

/// What a pipeline file wants of brokers. It may be wrong elsewhere.
///
/// # Errors
/// If nothing of it can be read.
pub fn of_pipeline(file: &Path) -> Result<OfPipeline, Failure> {
    let args = PipelineArgs {
        pipeline: file.to_owned(),
        set: Vec::new(),
    };
    Ok(wanted(&load::as_far_as_it_goes(&args)?))
}

fn wanted(pipeline: &Pipeline) -> OfPipeline {
    let mut wanted = OfPipeline::default();
    for source in &pipeline.sources {
        if let Connector::Kafka(kafka) = &source.connector.value {
            wanted.at(&kafka.cluster);
            if let KafkaTopics::Named(names) = &kafka.topics {
                names.iter().for_each(|name| wanted.topic(&name.value));
            }
        }
    }
    for sink in &pipeline.sinks {
        if let SinkConnector::Kafka(kafka) = &sink.connector.value {
            wanted.at(&kafka.cluster);
            if let KafkaTopic::Named(name) = &kafka.topic {
                wanted.topic(&name.value);
            }
        }
    }
    wanted
}

impl OfPipeline {
    fn at(&mut self, cluster: &Cluster) {
        let brokers = &cluster.brokers.value;
        if !self.brokers.contains(brokers) {
            self.brokers.push(brokers.clone());
        }
    }

    fn topic(&mut self, name: &str) {
        if !self.topics.iter().any(|known| known == name) {
            self.topics.push(name.to_owned());
        }
    }

    /// The addresses that are not those of a broker on this port of this machine.
    pub fn elsewhere(&self, port: u16) -> Vec<&str> {
        let here = ["localhost", "127.0.0.1"].map(|host| format!("{host}:{port}"));
        let is_here = |brokers: &&String| here.contains(brokers);
        let elsewhere = self.brokers.iter().filter(|brokers| !is_here(brokers));
        elsewhere.map(String::as_str).collect()
    }
}

/// Reads `name:partitions` or `name`.
///
/// # Errors
/// If it is neither.
pub fn topic(text: &str) -> Result<Topic, String> {
    let (name, partitions) = match text.rsplit_once(':') {
        Some((name, count)) => (name, count.parse().ok().filter(|&count| count > 0)),
        None => (text, Some(1)),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 249 || !name.chars().all(fits) {
        return Err("a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -".to_owned());
    }
    let partitions = partitions.ok_or("expected a number of partitions behind `:`, such as 4")?;
    Ok(Topic {
        name: name.to_owned(),
        partitions,
    })
}

#[cfg(test)]
mod tests {
    use super::topic;

    #[test]
    fn a_topic_is_a_name_and_a_number_of_partitions() {
        let cases = [
            ("payments", Some(("payments", 1))),
            ("a.b_c-1:12", Some(("a.b_c-1", 12))),
            ("payments:", None),
            ("payments:0", None),
            ("payments:x", None),
            (":4", None),
            ("a b", None),
            ("a/b:2", None),
        ];
        for (text, expected) in cases {
            let read = topic(text).ok();
            let read = read
                .as_ref()
                .map(|topic| (topic.name.as_str(), topic.partitions));
            assert_eq!(read, expected, "{text}");
        }
    }
}
