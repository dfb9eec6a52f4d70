//! Where the dead letters of a pipeline lie, and where their rows came from, by its file.

use std::path::PathBuf;

use anyhow::anyhow;
use tidemill_connectors::kafka::{ClientSpec, Isolation, Topics};
use tidemill_engine::plan::cluster;
use tidemill_pipeline::{
    self as file, Connector, KafkaTopic, KafkaTopics, Pipeline, Sink, SinkConnector, SinkFormat,
};

use super::names::Name;
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
    /// Sinks that send letters to topics which a column names.
    pub by_column: Vec<ByColumn>,
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

impl LetterTopic {
    /// Whether it is the same one.
    fn is(&self, other: &Self) -> bool {
        self.topic == other.topic && self.cluster.brokers == other.cluster.brokers
    }
}

/// A sink whose letters say themselves, in a column, to which topic they go.
#[derive(Clone, Debug)]
pub struct ByColumn {
    sink: String,
    column: String,
    cluster: ClientSpec,
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
            by_column: Vec::new(),
            files: Vec::new(),
            sources: sources(&pipeline),
        };
        let takes_letters = |sink: &&Sink| sink.inputs.iter().any(file::Input::is_failed);
        for sink in pipeline.sinks.iter().filter(takes_letters) {
            places.add(sink, &pipeline);
        }
        let somewhere = !places.topics.is_empty() || !places.by_column.is_empty();
        if !somewhere && places.files.is_empty() {
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
                let cluster = cluster(&kafka.cluster);
                match &kafka.topic {
                    KafkaTopic::Named(name) => self.add_topic(&cluster, &name.value),
                    // What stands in that column is known: where rows fail that the sink takes.
                    KafkaTopic::Column(column) if column.value == "operator" => {
                        let failed = sink.inputs.iter().filter(|input| input.is_failed());
                        failed.for_each(|input| self.add_topic(&cluster, &input.name));
                    }
                    KafkaTopic::Column(column) => self.by_column.push(ByColumn {
                        sink: sink.name.value.clone(),
                        column: column.value.clone(),
                        cluster,
                    }),
                }
            }
            SinkConnector::File(path) if json => self.files.push(pipeline.folder.join(path)),
            SinkConnector::Folder(folder) if json => {
                self.files.push(pipeline.folder.join(&folder.path));
            }
            _ => {}
        }
    }

    fn add_topic(&mut self, cluster: &ClientSpec, topic: &str) {
        let topic = LetterTopic {
            cluster: cluster.clone(),
            topic: topic.to_owned(),
        };
        if !self.topics.iter().any(|known| known.is(&topic)) {
            self.topics.push(topic);
        }
    }

    /// The dead-letter topics that are asked for: the one that was named, those of the letters that were, or all that are known
    /// by the pipeline file.
    ///
    /// # Errors
    /// If the pipeline has none of that name, or a name is needed.
    pub fn topics(
        &self,
        named: Option<&str>,
        letters: &[Name],
    ) -> Result<Vec<LetterTopic>, Failure> {
        if let Some(name) = named {
            return self.called(name);
        }
        let mut topics = match letters.iter().all(|letter| letter.topic().is_some()) {
            true if !letters.is_empty() => Vec::new(),
            _ => self.known()?,
        };
        for name in letters.iter().filter_map(Name::topic) {
            for topic in self.called(name)? {
                if !topics.iter().any(|known| known.is(&topic)) {
                    topics.push(topic);
                }
            }
        }
        Ok(topics)
    }

    /// Those that the pipeline file names.
    fn known(&self) -> Result<Vec<LetterTopic>, Failure> {
        match self.unnamed() {
            Some(unnamed) if self.topics.is_empty() && self.files.is_empty() => {
                Err(Failure::wrong(anyhow!("which topic? {unnamed}"))
                    .hint("`--topic NAME` names one; so does a letter's name, as in `NAME-0:17`"))
            }
            _ => Ok(self.topics.clone()),
        }
    }

    /// Those of this name; a column can name any topic of its sink's cluster.
    fn called(&self, name: &str) -> Result<Vec<LetterTopic>, Failure> {
        let known = self.topics.iter().filter(|topic| topic.topic == name);
        let mut topics: Vec<LetterTopic> = known.cloned().collect();
        for by_column in &self.by_column {
            let topic = LetterTopic {
                cluster: by_column.cluster.clone(),
                topic: name.to_owned(),
            };
            if !topics.iter().any(|known| known.is(&topic)) {
                topics.push(topic);
            }
        }
        if topics.is_empty() {
            let has: Vec<&str> = self.topics.iter().map(|t| t.topic.as_str()).collect();
            let error = anyhow!(
                "pipeline {} sends no dead letters to topic {name}",
                self.pipeline
            );
            return Err(
                Failure::wrong(error).hint(format!("its dead letters go to: {}", has.join(", ")))
            );
        }
        Ok(topics)
    }

    /// Which sinks send letters to topics that the pipeline file does not name.
    pub fn unnamed(&self) -> Option<String> {
        let of = |by_column: &ByColumn| {
            let ByColumn { sink, column, .. } = by_column;
            format!("sink {sink} sends each letter to the topic that column `{column}` names")
        };
        let said: Vec<String> = self.by_column.iter().map(of).collect();
        (!said.is_empty()).then(|| said.join("; "))
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
