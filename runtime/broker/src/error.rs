//! Why there is no broker.

use std::io;
use std::path::PathBuf;

use rdkafka::error::KafkaError;

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// There is no Java.
    #[error("Java is missing, which Kafka runs on: {tried} cannot be started")]
    NoJava {
        /// What was tried.
        tried: PathBuf,
    },
    /// The Java that is there is too old.
    #[error("Java is too old: Kafka needs 17 or later, {java} is {found}")]
    OldJava {
        /// The program.
        java: PathBuf,
        /// The version that it tells.
        found: String,
    },
    /// There is no Maven, and Kafka has not been brought yet.
    #[error("Maven is missing, which brings Kafka the first time: `mvn` cannot be started")]
    NoMaven,
    /// Maven could not bring Kafka.
    #[error("Maven cannot bring Kafka {version}:\n{said}", version = crate::VERSION)]
    Maven {
        /// The end of what it said.
        said: String,
    },
    /// Someone else listens there.
    #[error("port {port} of this machine is taken")]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The broker ended before it answered.
    #[error("Kafka ended before it answered; its log ends with:\n{tail}")]
    Ended {
        /// The log's end.
        tail: String,
    },
    /// The broker did not answer in time.
    #[error("Kafka does not answer within {within_s} s; its log ends with:\n{tail}")]
    Slow {
        /// How long it was waited for, in seconds.
        within_s: u64,
        /// The log's end.
        tail: String,
    },
    /// A topic.
    #[error("topic {topic} cannot be {what}: {source}")]
    Topic {
        /// What was wanted of it.
        what: &'static str,
        /// The topic.
        topic: String,
        /// What the client or the broker said.
        source: KafkaError,
    },
    /// A file, a folder or a process.
    #[error("{what} {path}: {source}", path = path.display())]
    System {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl BrokerError {
    /// What to do about it, on one line.
    pub fn hint(&self) -> Option<String> {
        let text = match self {
            Self::NoJava { .. } | Self::OldJava { .. } => {
                "install Java 17 or later (Debian: `apt-get install openjdk-17-jre-headless`), or set JAVA_HOME"
            }
            Self::NoMaven => {
                "install Maven (Debian: `apt-get install maven`); it is needed for the first start only"
            }
            Self::Maven { .. } => {
                "the first start needs the network, and Maven's settings for a proxy or mirror if there is one"
            }
            Self::PortTaken { .. } => "`--port 0` takes a free one",
            Self::Slow { .. } => "the machine may be short of memory or processors: try again",
            Self::Ended { .. } | Self::Topic { .. } | Self::System { .. } => return None,
        };
        Some(text.to_owned())
    }

    /// What becomes of an error of the system.
    pub(crate) fn system(
        what: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::System { what, path, source }
    }
}
