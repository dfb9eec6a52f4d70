//! Kafka's jars: brought by Maven once, then taken from the cache folder.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::BrokerError;

/// Which Kafka.
pub const VERSION: &str = "4.3.0";

/// What is brought. A change of it needs another [`VERSION`] or [`FOLDER`].
const POM: &str = include_str!("pom.xml");

/// The folder's name below the cache folder, without the version.
const FOLDER: &str = "kafka";

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
    let output = format!("-DoutputDirectory={}", jars.display());
    let ended = Command::new("mvn")
        .args(["-q", "-B", "dependency:copy-dependencies"])
        .args(["-DincludeScope=runtime", &output])
        .current_dir(beside.path())
        .stdin(Stdio::null())
        .output();
    let ended = match ended {
        Ok(ended) => ended,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(BrokerError::NoMaven),
        Err(source) => return Err(BrokerError::system("starting", "mvn")(source)),
    };
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stdout).into_owned()
            + &String::from_utf8_lossy(&ended.stderr);
        return Err(BrokerError::Maven {
            said: last_lines(&said, TOLD),
        });
    }
    match fs::rename(&jars, folder) {
        // Another process was faster: what it brought is the same.
        Err(_) if folder.is_dir() => Ok(()),
        renamed => renamed.map_err(BrokerError::system("moving jars to", folder)),
    }
}

/// The end of a text.
pub(crate) fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}
