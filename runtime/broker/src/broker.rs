//! A broker that runs.

use std::collections::hash_map::RandomState;
use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, Hasher};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::error::BrokerError;
use crate::folder::{Folder, free_port};
use crate::jars::Jars;
use crate::java;
use crate::ready::answers;

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
    owned: bool,
}

impl Broker {
    /// Starts a broker, and waits until it answers: about three seconds, two where its data folder has been used before.
    ///
    /// # Errors
    /// If Java is missing, the port is taken, or the broker does not come to answer. Nothing is left running then.
    pub fn start(jars: &Jars, options: &Options) -> Result<Self, BrokerError> {
        let java = java::find()?;
        let port = free_port(options.port)?;
        let (path, temporary) = match &options.place {
            Place::Removed(path) | Place::Kept(path) => (absolute(path)?, None),
            Place::Temporary => {
                let made = temporary()?;
                (made.path().to_owned(), Some(made))
            }
        };
        let folder = Folder::lay(&path, port, free_port(0)?)?;
        if !folder.is_formatted() {
            format(&java, jars, &folder)?;
        }
        let warden = warden(&java, jars, &folder, options)?;
        // From here on the folder is the warden's to remove.
        if let Some(temporary) = temporary {
            let _ = temporary.keep();
        }
        let mut broker = Self {
            address: format!("127.0.0.1:{port}"),
            folder,
            warden,
            owned: options.lifetime == Lifetime::Owner,
        };
        broker.wait_for_answer()?;
        Ok(broker)
    }

    /// Where clients find it, such as `127.0.0.1:9092`.
    pub fn address(&self) -> &str {
        &self.address
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

    /// The error that says how the log ends, if the broker has ended by itself.
    pub fn failure(&mut self) -> Option<BrokerError> {
        let ended: Option<ExitStatus> = self.warden.try_wait().ok().flatten();
        ended.map(|_| BrokerError::Ended {
            log: self.folder.log(),
            tail: self.folder.tail(),
        })
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

    fn wait_for_answer(&mut self) -> Result<(), BrokerError> {
        let began = Instant::now();
        while !answers(&self.address) {
            // A folder that goes takes its log along, so what it says is read before.
            let tail = self.folder.tail();
            if let Some(BrokerError::Ended { log, .. }) = self.failure() {
                return Err(BrokerError::Ended { log, tail });
            }
            if began.elapsed() > PATIENCE {
                let _ = self.kill();
                return Err(BrokerError::Slow {
                    within_s: PATIENCE.as_secs(),
                    tail,
                });
            }
            sleep(LOOK);
        }
        Ok(())
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

/// Prepares the data folder.
fn format(java: &Path, jars: &Jars, folder: &Folder) -> Result<(), BrokerError> {
    let log = folder.log();
    let opened = OpenOptions::new().create(true).append(true).open(&log);
    let opened = opened.map_err(BrokerError::system("writing", &log))?;
    let copy = |file: &File| {
        file.try_clone()
            .map_err(BrokerError::system("writing", &log))
    };
    let ended = command(java, jars, folder)
        .args(["kafka.tools.StorageTool", "format", "-t", &cluster(), "-c"])
        .arg(folder.settings())
        .stdin(Stdio::null())
        .stdout(copy(&opened)?)
        .stderr(copy(&opened)?)
        .status();
    match ended.map_err(BrokerError::system("starting", java))? {
        ended if ended.success() => Ok(()),
        _ => Err(BrokerError::Ended {
            log: folder.log(),
            tail: folder.tail(),
        }),
    }
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
    let mut warden = Command::new("sh");
    warden.args(["-c", WARDEN, "tidemill-kafka-warden"]);
    warden.arg(folder.path()).arg(lock).arg(fate);
    warden.arg(broker.get_program()).args(broker.get_args());
    warden.arg(format!("-Xmx{}m", options.heap_mb));
    warden.arg("kafka.Kafka").arg(folder.settings());
    // A group of its own: an interrupt from the terminal is for who asked for the broker, who ends it in order.
    warden.process_group(0).current_dir("/");
    let quiet = (Stdio::null(), Stdio::null());
    let started = warden.stdin(stdin).stdout(quiet.0).stderr(quiet.1).spawn();
    started.map_err(BrokerError::system("starting", "sh"))
}
