//! A broker of a test's own that wants a password, or speaks TLS with a certificate that was made for it.

use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;
use tidemill_broker::{Broker, Options, Protocol, Security};

use crate::broker::jars;

/// A broker that wants to know who speaks to it.
pub struct Secured {
    broker: Broker,
    folder: TempDir,
}

impl Secured {
    /// Who is let in.
    pub const USER: &str = "alice";

    /// With this password, which must not be seen anywhere.
    pub const PASSWORD: &str = "open-sesame-4711";

    /// Starts one.
    ///
    /// # Panics
    /// If it does not start, or `openssl` makes no certificate.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let certificate = certificate(folder.path());
        let security = Security {
            user: Self::USER.to_owned(),
            password: Self::PASSWORD.to_owned(),
            certificate,
        };
        let options = Options {
            security: Some(security),
            ..Options::default()
        };
        let jars = jars().unwrap_or_else(|error| panic!("no Kafka for tests: {error:#}"));
        let broker = Broker::start(&jars, &options);
        let broker = broker.unwrap_or_else(|error| panic!("no Kafka for tests: {error}"));
        Self { broker, folder }
    }

    /// Where it asks for nothing.
    pub fn open(&self) -> &str {
        self.broker.address()
    }

    /// Where it wants to be spoken to so.
    ///
    /// # Panics
    /// Never: it listens everywhere.
    pub fn address(&self, protocol: Protocol) -> String {
        self.broker.secured(protocol).expect("it listens there")
    }

    /// What its certificate is signed with: itself.
    pub fn authority(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }
}

impl std::fmt::Debug for Secured {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secured")
            .field("broker", &self.broker)
            .finish_non_exhaustive()
    }
}

/// A file with a key and its certificate, which stands beside it alone.
fn certificate(folder: &Path) -> PathBuf {
    let (key, alone) = (folder.join("key.pem"), folder.join("authority.pem"));
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
        ])
        .args(["-subj", "/CN=127.0.0.1"])
        .args(["-addext", "subjectAltName=IP:127.0.0.1"])
        .arg("-keyout")
        .arg(&key)
        .arg("-out")
        .arg(&alone)
        .output()
        .expect("openssl runs");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "{said}");
    let read = |path: &Path| std::fs::read_to_string(path).expect("openssl has written it");
    let both = folder.join("both.pem");
    std::fs::write(&both, read(&key) + &read(&alone)).expect("a file in a folder of ours");
    both
}
