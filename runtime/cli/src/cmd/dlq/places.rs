//! Where the dead letters of a pipeline lie, and where their rows came from, by its file.

use std::path::PathBuf;

use anyhow::anyhow;
use tidemill_connectors::kafka::{ClientSpec, Isolation, Topics};
use tidemill_engine::plan::cluster;
use tidemill_pipeline::{
    self as file, Connector, KafkaTopic, KafkaTopics, Pipeline, Sink, SinkConnector, SinkFormat,
};

use crate::args::PipelineArgs;
use crate::error::Failure;
use crate::load;

/// See the module.
#[derive(Debug)]
pub struct Places {
    /// The pipeline's name.
    pub pipeline: String,
    /// Its dead-letter topics.
    pub topics: Vec<LetterTopic>,
    /// Files and folders of dead letters.
    pub files: Vec<PathBuf>,
    /// Its sources that read topics.
    pub sources: Vec<SourceTopics>,
}

/// A dead-letter topic.
#[derive(Clone, Debug)]
pub struct LetterTopic {
    pub cluster: ClientSpec,
    pub topic: String,
}

/// The topics that a source reads.
#[derive(Clone, Debug)]
pub struct SourceTopics {
    pub name: String,
    pub cluster: ClientSpec,
    pub topics: Topics,
    pub isolation: Isolation,
}

impl Places {
    /// Those of a pipeline file, which may be wrong elsewhere.
    ///
    /// # Errors
    /// If it cannot be read, or no dead letters of it lie anywhere.
    pub fn of(args: &PipelineArgs) -> Result<Self, Failure> {
        let pipeline = load::as_far_as_it_goes(args)?;
        let mut places = Self {
            pipeline: pipeline.name.value.clone(),
            topics: Vec::new(),
            files: Vec::new(),
            sources: sources(&pipeline),
        };
        let takes_letters = |sink: &&Sink| sink.inputs.iter().any(file::Input::is_failed);
        for sink in pipeline.sinks.iter().filter(takes_letters) {
            places.add(sink, &pipeline);
        }
        if places.topics.is_empty() && places.files.is_empty() {
            let error = anyhow!(
                "no sink of pipeline {} keeps dead letters where they can be found",
                places.pipeline
            );
            return Err(Failure::wrong(error).hint(
                "`on-failure = \"dead-letter\"`, and a sink with `input = \"<name>.failed\"` and a topic, a file or a folder of JSON",
            ));
        }
        Ok(places)
    }

    fn add(&mut self, sink: &Sink, pipeline: &Pipeline) {
        let json = sink.format.value == SinkFormat::Json;
        match &sink.connector.value {
            SinkConnector::Kafka(kafka) => {
                if let KafkaTopic::Named(name) = &kafka.topic {
                    let topic = LetterTopic {
                        cluster: cluster(&kafka.cluster),
                        topic: name.value.clone(),
                    };
                    let same = |known: &LetterTopic| {
                        known.topic == topic.topic && known.cluster.brokers == topic.cluster.brokers
                    };
                    if !self.topics.iter().any(same) {
                        self.topics.push(topic);
                    }
                }
            }
            SinkConnector::File(path) if json => self.files.push(pipeline.folder.join(path)),
            SinkConnector::Folder(folder) if json => {
                self.files.push(pipeline.folder.join(&folder.path));
            }
            _ => {}
        }
    }

    /// The dead-letter topics, or the one that was named.
    ///
    /// # Errors
    /// If the pipeline has none of that name.
    pub fn topics(&self, named: Option<&str>) -> Result<Vec<&LetterTopic>, Failure> {
        let topics = self.topics.iter();
        let topics: Vec<&LetterTopic> = topics
            .filter(|topic| named.is_none_or(|name| name == topic.topic))
            .collect();
        match named.filter(|_| topics.is_empty()) {
            None => Ok(topics),
            Some(name) => {
                let has: Vec<&str> = self.topics.iter().map(|t| t.topic.as_str()).collect();
                let error = anyhow!(
                    "pipeline {} sends no dead letters to topic {name}",
                    self.pipeline
                );
                Err(Failure::wrong(error)
                    .hint(format!("its dead letters go to: {}", has.join(", "))))
            }
        }
    }

    /// The source that reads a topic.
    pub fn source(&self, topic: &str) -> Option<&SourceTopics> {
        self.sources.iter().find(|source| source.topics.has(topic))
    }
}

fn sources(pipeline: &Pipeline) -> Vec<SourceTopics> {
    let kafka = pipeline
        .sources
        .iter()
        .filter_map(|source| match &source.connector.value {
            Connector::Kafka(kafka) => Some((source, kafka.as_ref())),
            _ => None,
        });
    let of = |(source, kafka): (&file::Source, &file::KafkaSource)| SourceTopics {
        name: source.name.value.clone(),
        cluster: cluster(&kafka.cluster),
        topics: match &kafka.topics {
            KafkaTopics::Named(names) => {
                Topics::Named(names.iter().map(|name| name.value.clone()).collect())
            }
            KafkaTopics::Like(pattern) => Topics::Like(pattern.value.clone()),
        },
        isolation: match kafka.isolation {
            file::Isolation::ReadCommitted => Isolation::ReadCommitted,
            file::Isolation::ReadUncommitted => Isolation::ReadUncommitted,
        },
    };
    kafka.map(of).collect()
}
