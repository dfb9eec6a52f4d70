//! A broker's folder: its settings, its log and its data.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use crate::error::BrokerError;
use crate::jars::last_lines;
use crate::security::Listeners;

/// How the broker writes its log.
const LOGGING: &str = include_str!("log4j2.xml");

/// What does not depend on where the broker lies: one node, small, that keeps everything.
const SETTINGS: &str = "\
# Written by Tidemill at every start.
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
# One node has nobody to copy to.
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
# Topics are made on purpose, and kept: retention goes by the time of records, which may be years ago.
auto.create.topics.enable=false
log.retention.ms=-1
# Development waits for nothing: groups begin at once, sessions may be short, abandoned transactions end soon.
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=500
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
# Large records are for the broker to take and for the pipeline to refuse.
message.max.bytes=16777216
replica.fetch.max.bytes=16777216
log.cleaner.dedupe.buffer.size=4194304
";

/// How much of a log is shown when its broker fails, in bytes and in lines.
const TAIL_BYTES: u64 = 16 << 10;
const TAIL_LINES: usize = 15;

/// A broker's folder.
#[derive(Clone, Debug)]
pub struct Folder {
    path: PathBuf,
    /// Where this start's part of the log begins, in bytes.
    log_from: u64,
}

impl Folder {
    /// Puts settings into a folder, made if need be, for a broker on `port` and a controller on `controller`, with more listeners and
    /// their settings.
    pub fn lay(
        path: &Path,
        (port, controller): (u16, u16),
        (listeners, more): (&Listeners, String),
    ) -> Result<Self, BrokerError> {
        let data = path.join("data");
        fs::create_dir_all(&data).map_err(BrokerError::system("creating", &data))?;
        let log_from = fs::metadata(path.join("broker.log")).map_or(0, |log| log.len());
        let folder = Self {
            path: path.to_owned(),
            log_from,
        };
        let (named, mapped) = (listeners.named(), listeners.mapped());
        let settings = format!(
            "{SETTINGS}\
             listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}{named}\n\
             advertised.listeners=PLAINTEXT://127.0.0.1:{port}{named}\n\
             listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT{mapped}\n\
             controller.quorum.voters=1@127.0.0.1:{controller}\n\
             log.dirs={}\n{more}",
            data.display()
        );
        for (file, text) in [
            (folder.settings(), settings.as_str()),
            (folder.logging(), LOGGING),
        ] {
            fs::write(&file, text).map_err(BrokerError::system("writing", &file))?;
        }
        Ok(folder)
    }

    /// The folder itself.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The broker's settings.
    pub fn settings(&self) -> PathBuf {
        self.path.join("server.properties")
    }

    /// The settings of its log.
    pub fn logging(&self) -> PathBuf {
        self.path.join("log4j2.xml")
    }

    /// Its log.
    pub fn log(&self) -> PathBuf {
        self.path.join("broker.log")
    }

    /// Whether the data folder was prepared by an earlier start.
    pub fn is_formatted(&self) -> bool {
        self.path.join("data/meta.properties").is_file()
    }

    /// The end of what the log has of this start.
    pub fn tail(&self) -> String {
        let read = || -> std::io::Result<Vec<u8>> {
            let mut log = File::open(self.log())?;
            let end = log.metadata()?.len();
            let from = end.saturating_sub(TAIL_BYTES).max(self.log_from);
            log.seek(SeekFrom::Start(from))?;
            let mut text = Vec::new();
            log.take(TAIL_BYTES).read_to_end(&mut text)?;
            Ok(text)
        };
        let text = read().unwrap_or_else(|error| error.to_string().into_bytes());
        last_lines(&String::from_utf8_lossy(&text), TAIL_LINES)
    }
}

/// A port of loopback that nobody listens on just now; `port` itself unless it is 0.
pub fn free_port(port: u16) -> Result<u16, BrokerError> {
    let bound = TcpListener::bind(("127.0.0.1", port)).and_then(|bound| bound.local_addr());
    bound
        .map(|address| address.port())
        .map_err(|_| BrokerError::PortTaken { port })
}
