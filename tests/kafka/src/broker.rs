//! Which broker tests use, and who starts it.

use std::env;
use std::fs::{self, File};
use std::mem;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};
use tidemill_broker::{Broker, BrokerError, Jars, Lifetime, Options, Place, answers};

/// Names a broker that runs, such as `127.0.0.1:9092`.
const VARIABLE: &str = "TIDEMILL_TEST_KAFKA";

/// The address of the broker that all tests share, such as `127.0.0.1:9092`; started if there is none.
///
/// # Panics
/// If it cannot be started: tests of Kafka fail without Kafka, they are not left out.
pub fn broker() -> &'static str {
    static ADDRESS: OnceLock<String> = OnceLock::new();
    ADDRESS.get_or_init(|| match env::var(VARIABLE) {
        Ok(address) if !address.is_empty() => address,
        _ => shared().unwrap_or_else(|error| panic!("no Kafka for tests: {error:#}")),
    })
}

/// Kafka's jars, for tests that start brokers of their own.
///
/// # Errors
/// If they are not there and cannot be brought.
pub fn jars() -> Result<Jars> {
    Jars::ready(&cache()?, |_| ()).map_err(with_hint)
}

/// The cache folder, which the command finds in the same way.
///
/// # Errors
/// If none is known.
pub fn cache() -> Result<PathBuf> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    set("TIDEMILL_CACHE")
        .or_else(|| Some(set("XDG_CACHE_HOME")?.join("tidemill")))
        .or_else(|| Some(set("HOME")?.join(".cache/tidemill")))
        .context("neither TIDEMILL_CACHE nor HOME is set")
}

/// The broker that all test processes share, which lives while one of them does.
fn shared() -> Result<String> {
    let place = env::temp_dir().join(format!("tidemill-test-kafka-{}", user()?));
    fs::create_dir_all(&place).with_context(|| place.display().to_string())?;
    let (users, folder) = (place.join("users"), place.join("broker"));
    let user = open(&users)?;
    // Waits while a broker that nobody wanted any more is being ended.
    user.lock_shared().context("the users' lock")?;
    let starting = open(&place.join("starting"))?;
    starting.lock().context("the starting lock")?;
    let address = running(&folder).map_or_else(|| start(&folder, users), Ok)?;
    // Held until the process has ended, in whichever way: the kernel lets it go.
    mem::forget(user);
    Ok(address)
}

/// The broker that runs already, if there is one.
fn running(folder: &Path) -> Option<String> {
    let address = fs::read_to_string(folder.join("address")).ok()?;
    answers(&address).then_some(address)
}

fn start(folder: &Path, users: PathBuf) -> Result<String> {
    // What a machine that went down has left.
    let _ = fs::remove_dir_all(folder);
    let options = Options {
        place: Place::Removed(folder.to_owned()),
        lifetime: Lifetime::Locked(users),
        ..Options::default()
    };
    let broker = Broker::start(&jars()?, &options).map_err(with_hint)?;
    fs::write(folder.join("address"), broker.address()).context("the address")?;
    Ok(broker.address().to_owned())
}

fn open(path: &Path) -> Result<File> {
    let opened = File::options().create(true).append(true).open(path);
    opened.with_context(|| path.display().to_string())
}

/// Users do not share: the folders of one are not for another to remove.
fn user() -> Result<u32> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata("/proc/self").context("/proc/self")?.uid())
}

fn with_hint(error: BrokerError) -> anyhow::Error {
    match error.hint() {
        Some(hint) => anyhow::anyhow!("{error}\nhint: {hint}"),
        None => error.into(),
    }
}
