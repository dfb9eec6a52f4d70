//! A broker ends with who wanted it, and leaves what was to stay and nothing else.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use tidemill_broker::{Broker, BrokerError, Options, Place, answers};
use tidemill_test_kafka::{Record, Topic, jars};

/// Waits until something holds.
fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "not yet: {what}");
        sleep(Duration::from_millis(20));
    }
}

fn runs(process: u32) -> bool {
    Path::new("/proc").join(process.to_string()).exists()
}

#[test]
fn one_in_a_temporary_folder_leaves_nothing() {
    let broker = Broker::launch(&jars().unwrap(), &Options::default()).unwrap();
    until("its process", || broker.process().is_ok());
    let (folder, process) = (broker.folder().to_owned(), broker.process().unwrap());
    assert!(runs(process) && folder.is_dir());
    // It has hardly begun: whoever starts it may be gone again at once.
    broker.stop();
    assert!(!runs(process) && !folder.exists());
}

#[test]
fn one_that_is_killed_comes_again_with_what_it_was_given() {
    let home = fs::canonicalize(std::env::temp_dir()).unwrap();
    let home = home.join(format!("tidemill-test-kept-{}", std::process::id()));
    let mut options = Options {
        place: Place::Kept(home.clone()),
        ..Options::default()
    };
    let mut broker = Broker::start(&jars().unwrap(), &options).unwrap();
    let topic = Topic::at(broker.address(), "kept", 1, &[]);
    topic.produce(&[Record::new("a")]);
    broker.kill().unwrap();
    until("its end", || !answers(topic.address()));
    while !broker.has_ended() {
        sleep(Duration::from_millis(5));
    }
    let port = topic.address().rsplit_once(':').unwrap().1;
    options.port = port.parse().unwrap();
    let broker = Broker::start(&jars().unwrap(), &options).unwrap();
    assert_eq!(broker.address(), topic.address());
    assert_eq!(topic.committed()[0].text(), "a");
    drop(topic);
    broker.stop();
    assert!(home.join("data").is_dir(), "it was to be kept");
    fs::remove_dir_all(home).unwrap();
}

#[test]
fn a_port_that_is_taken_is_said_to_be() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let options = Options {
        port,
        ..Options::default()
    };
    let error = Broker::start(&jars().unwrap(), &options).unwrap_err();
    assert!(matches!(error, BrokerError::PortTaken { .. }), "{error}");
    assert_eq!(
        error.to_string(),
        format!("port {port} of this machine is taken")
    );
}

#[test]
fn one_that_cannot_start_says_why() {
    let home = std::env::temp_dir().join(format!("tidemill-test-broken-{}", std::process::id()));
    fs::create_dir_all(home.join("data")).unwrap();
    fs::write(home.join("data/meta.properties"), "version=99\n").unwrap();
    let options = Options {
        place: Place::Kept(home.clone()),
        ..Options::default()
    };
    let error = Broker::start(&jars().unwrap(), &options).unwrap_err();
    fs::remove_dir_all(home).unwrap();
    let BrokerError::Ended { tail } = error else {
        panic!("{error}");
    };
    assert!(tail.contains("meta.properties"), "{tail}");
}
