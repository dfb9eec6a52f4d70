//! Kafka's jars: brought by Maven once, then taken from the cache folder.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::BrokerError;
use crate::trust;

/// Which Kafka.
pub const VERSION: &str = "4.3.0";

/// What is brought. A change of it needs another [`VERSION`] or [`FOLDER`].
const POM: &str = include_str!("pom.xml");

/// The folder's name below the cache folder, without the version.
const FOLDER: &str = "kafka";

/// How Java says that it does not trust a certificate.
const UNTRUSTED: &str = "unable to find valid certification path";

/// How much of what Maven says is repeated, in lines.
const TOLD: usize = 12;

/// Where Kafka's jars lie, all of them.
#[derive(Clone, Debug)]
pub struct Jars(PathBuf);

impl Jars {
    /// Takes the jars from below `cache`, where Maven puts them if they are not there yet; `bring` is called before that.
    ///
    /// # Errors
    /// If they are not there and cannot be brought.
    pub fn ready(cache: &Path, bring: impl FnOnce(&Path)) -> Result<Self, BrokerError> {
        let folder = cache.join(format!("{FOLDER}-{VERSION}"));
        if !folder.is_dir() {
            bring(&folder);
            download(cache, &folder)?;
        }
        Ok(Self(folder))
    }

    /// Whether they are below `cache`, so that Maven is not needed; where.
    pub fn there(cache: &Path) -> Option<PathBuf> {
        let folder = cache.join(format!("{FOLDER}-{VERSION}"));
        folder.is_dir().then_some(folder)
    }

    /// As Java takes a class path: every jar of the folder.
    pub(crate) fn class_path(&self) -> PathBuf {
        self.0.join("*")
    }
}

/// Brings the jars beside their place, and moves them there once they are whole.
fn download(cache: &Path, folder: &Path) -> Result<(), BrokerError> {
    fs::create_dir_all(cache).map_err(BrokerError::system("creating", cache))?;
    let beside = tempfile::Builder::new()
        .prefix("kafka-")
        .tempdir_in(cache)
        .map_err(BrokerError::system("creating a folder in", cache))?;
    let (pom, jars) = (beside.path().join("pom.xml"), beside.path().join("jars"));
    fs::write(&pom, POM).map_err(BrokerError::system("writing", &pom))?;
    let brought = match maven(beside.path(), &jars, None) {
        // Who answers has a certificate that Java does not trust: the system may.
        Err(BrokerError::Maven { said }) if said.contains(UNTRUSTED) => {
            match trust::option(beside.path()) {
                Some(option) => maven(beside.path(), &jars, Some(&option)),
                None => Err(BrokerError::Maven { said }),
            }
        }
        brought => brought,
    };
    brought.map_err(|error| match error {
        BrokerError::Maven { said } => BrokerError::Maven {
            said: last_lines(&said, TOLD),
        },
        error => error,
    })?;
    match fs::rename(&jars, folder) {
        // Another process was faster: what it brought is the same.
        Err(_) if folder.is_dir() => Ok(()),
        renamed => renamed.map_err(BrokerError::system("moving jars to", folder)),
    }
}

/// Has Maven bring the jars of the `pom.xml` in a folder, with an option of Java's beside those that are set.
fn maven(folder: &Path, jars: &Path, option: Option<&str>) -> Result<(), BrokerError> {
    let output = format!("-DoutputDirectory={}", jars.display());
    let mut command = Command::new("mvn");
    command
        .args(["-q", "-B", "dependency:copy-dependencies"])
        .args(["-DincludeScope=runtime", &output])
        .current_dir(folder)
        .stdin(Stdio::null());
    if let Some(option) = option {
        let set = env::var("MAVEN_OPTS").unwrap_or_default();
        command.env("MAVEN_OPTS", format!("{option} {set}"));
    }
    let ended = match command.output() {
        Ok(ended) => ended,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(BrokerError::NoMaven),
        Err(source) => return Err(BrokerError::system("starting", "mvn")(source)),
    };
    if ended.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ended.stdout).into_owned()
        + &String::from_utf8_lossy(&ended.stderr);
    Err(BrokerError::Maven { said })
}

/// The end of a text.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
