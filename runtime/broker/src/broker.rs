//! A broker that runs.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::BrokerError;
use crate::folder::{Folder, free_port};
use crate::jars::Jars;
use crate::java;
use crate::ready::answers;
use crate::security::{Listeners, Protocol, Security};

/// What stays beside a broker and ends it.
const WARDEN: &str = include_str!("warden.sh");

/// How long a broker may take to start: a loaded machine needs ten times the usual three seconds.
const PATIENCE: Duration = Duration::from_secs(90);

/// How often it is asked meanwhile.
const LOOK: Duration = Duration::from_millis(25);

/// What keeps the Java of development small and quick to start; throughput is hardly touched.
const JAVA_OPTIONS: [&str; 3] = [
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
];

/// How a broker is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The port on loopback; 0 takes a free one.
    pub port: u16,
    /// Where its settings, log and data lie.
    pub place: Place,
    /// How long it lives.
    pub lifetime: Lifetime,
    /// The Java heap, in MiB.
    pub heap_mb: u32,
    /// Whether it listens also where it wants a password or speaks TLS.
    pub security: Option<Security>,
}

/// Where a broker's settings, log and data lie.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a folder that is made for it, and goes with it.
    Temporary,
    /// In this folder, which goes with it.
    Removed(PathBuf),
    /// In this folder, which stays, and may be that of an earlier broker.
    Kept(PathBuf),
}

/// How long a broker lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lifetime {
    /// As long as its [`Broker`] does, at most as long as this process.
    Owner,
    /// As long as anybody holds a lock (`flock`) on this file, in any process. The warden looks for the first time when the broker
    /// has been started, so whoever starts it must hold one.
    Locked(PathBuf),
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            place: Place::Temporary,
            lifetime: Lifetime::Owner,
            heap_mb: 384,
            security: None,
        }
    }
}

/// A broker that runs, and answers. Ends when this goes, if it lives as long as its owner.
#[derive(Debug)]
pub struct Broker {
    address: String,
    folder: Folder,
    /// The warden, whose standard input ends the broker.
    warden: Child,
    began: Instant,
    owned: bool,
    secured: Listeners,
}

impl Broker {
    /// Starts a broker, and waits until it answers: about three seconds, two where its data folder has been used before.
    ///
    /// # Errors
    /// If Java is missing, the port is taken, or the broker does not come to answer. Nothing is left running then.
    pub fn start(jars: &Jars, options: &Options) -> Result<Self, BrokerError> {
        let mut broker = Self::launch(jars, options)?;
        while !broker.answers()? {
            sleep(LOOK);
        }
        Ok(broker)
    }

    /// Starts a broker, which does not answer yet.
    ///
    /// # Errors
    /// If Java is missing, or the port is taken.
    pub fn launch(jars: &Jars, options: &Options) -> Result<Self, BrokerError> {
        let java = java::find()?;
        let port = free_port(options.port)?;
        let (path, temporary) = match &options.place {
            Place::Removed(path) | Place::Kept(path) => (absolute(path)?, None),
            Place::Temporary => {
                let made = temporary()?;
                (made.path().to_owned(), Some(made))
            }
        };
        let secured = match options.security {
            None => Listeners::default(),
            Some(_) => Listeners::on_free_ports()?,
        };
        let settings = options.security.as_ref().map(Security::settings);
        let more = (&secured, settings.unwrap_or_default());
        let folder = Folder::lay(&path, (port, free_port(0)?), more)?;
        let warden = warden(&java, jars, &folder, options)?;
        // From here on the folder is the warden's to remove.
        if let Some(temporary) = temporary {
            let _ = temporary.keep();
        }
        Ok(Self {
            address: format!("127.0.0.1:{port}"),
            folder,
            warden,
            began: Instant::now(),
            owned: options.lifetime == Lifetime::Owner,
            secured,
        })
    }

    /// Whether it answers already, to be asked a few times a second.
    ///
    /// # Errors
    /// If it has ended, or has not answered for a minute and a half.
    pub fn answers(&mut self) -> Result<bool, BrokerError> {
        // A folder that goes takes its log along, so what it says is read before.
        let tail = self.folder.tail();
        if self.has_ended() {
            return Err(BrokerError::Ended { tail });
        }
        if self.began.elapsed() > PATIENCE {
            let _ = self.kill();
            let within_s = PATIENCE.as_secs();
            return Err(BrokerError::Slow { within_s, tail });
        }
        Ok(answers(&self.address))
    }

    /// Whether it has ended by itself.
    pub fn has_ended(&mut self) -> bool {
        !matches!(self.warden.try_wait(), Ok(None))
    }

    /// Where clients find it, such as `127.0.0.1:9092`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Where clients find it who speak so, if it was told to listen there.
    pub fn secured(&self, protocol: Protocol) -> Option<String> {
        self.secured.address(protocol)
    }

    /// The folder of its settings, log and data.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Its log.
    pub fn log(&self) -> PathBuf {
        self.folder.log()
    }

    /// The process id of its Java, for tests that are not kind to it.
    ///
    /// # Errors
    /// If the warden's note of it cannot be read.
    pub fn process(&self) -> Result<u32, BrokerError> {
        let file = self.folder.path().join("broker.pid");
        let note = std::fs::read_to_string(&file).map_err(BrokerError::system("reading", &file))?;
        let id = note.trim().parse().map_err(std::io::Error::other);
        id.map_err(BrokerError::system("reading", &file))
    }

    /// Kills the broker as if its machine had lost power, as tests do; what it was given a folder for stays.
    ///
    /// # Errors
    /// If the warden's note of its process cannot be read.
    pub fn kill(&self) -> Result<(), BrokerError> {
        let id = i32::try_from(self.process()?).ok().and_then(Pid::from_raw);
        // One that has ended already is as dead as it would be.
        let _ = id.map(|id| kill_process(id, Signal::KILL));
        Ok(())
    }

    /// Ends the broker, and returns when it has ended: files that are kept are closed, those that are not are gone.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        if self.owned {
            drop(self.warden.stdin.take());
            let _ = self.warden.wait();
        }
    }
}

fn temporary() -> Result<tempfile::TempDir, BrokerError> {
    let made = tempfile::Builder::new().prefix("tidemill-kafka-").tempdir();
    made.map_err(BrokerError::system(
        "creating a folder in",
        std::env::temp_dir(),
    ))
}

fn absolute(path: &Path) -> Result<PathBuf, BrokerError> {
    std::path::absolute(path).map_err(BrokerError::system("finding", path))
}

/// Java with the jars, and the settings of logs.
fn command(java: &Path, jars: &Jars, folder: &Folder) -> Command {
    let mut logging = std::ffi::OsString::from("-Dlog4j2.configurationFile=");
    logging.push(folder.logging());
    let mut command = Command::new(java);
    command.args(JAVA_OPTIONS).arg(logging);
    command.arg("-cp").arg(jars.class_path());
    command
}

/// A cluster's id of its own, in the form that Kafka wants: 16 bytes as base64 for file names.
fn cluster() -> String {
    let random = RandomState::new().build_hasher().finish();
    format!("tidem{random:016x}A")
}

/// Starts the warden, and with it the broker.
fn warden(
    java: &Path,
    jars: &Jars,
    folder: &Folder,
    options: &Options,
) -> Result<Child, BrokerError> {
    use std::os::unix::process::CommandExt;
    let broker = command(java, jars, folder);
    let (lock, stdin) = match &options.lifetime {
        Lifetime::Owner => (Path::new(""), Stdio::piped()),
        Lifetime::Locked(file) => (file.as_path(), Stdio::null()),
    };
    let fate = match options.place {
        Place::Kept(_) => "keep",
        Place::Temporary | Place::Removed(_) => "remove",
    };
    let cluster = match folder.is_formatted() {
        true => String::new(),
        false => cluster(),
    };
    let mut warden = Command::new("sh");
    warden.args(["-c", WARDEN, "tidemill-kafka-warden"]);
    let scram = options.security.as_ref().map(Security::scram);
    let scram = scram.unwrap_or_default();
    warden
        .arg(folder.path())
        .arg(lock)
        .args([fate, &cluster, &scram]);
    warden.arg(broker.get_program()).args(broker.get_args());
    warden.arg(format!("-Xmx{}m", options.heap_mb));
    // A group of its own: an interrupt from the terminal is for who asked for the broker, who ends it in order.
    warden.process_group(0).current_dir("/");
    let quiet = (Stdio::null(), Stdio::null());
    let started = warden.stdin(stdin).stdout(quiet.0).stderr(quiet.1).spawn();
    started.map_err(BrokerError::system("starting", "sh"))
}
