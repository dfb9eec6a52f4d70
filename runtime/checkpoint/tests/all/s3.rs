//! A real S3 service: versitygw, which `scripts/setup test` builds. Each test has its own, on a port of this machine.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tidemill_checkpoint::*;

use crate::support::*;

const KEY: &str = "tidemill";
const SECRET: &str = "for-tests-only";
const BUCKET: &str = "mill";
/// A service that has not begun to listen by then never will.
const START: Duration = Duration::from_secs(60);

/// A running service, ended with the test.
struct Service {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Service {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (data, meta) = (folder.path().join("data"), folder.path().join("meta"));
        // A bucket is a folder of the service's.
        std::fs::create_dir_all(data.join(BUCKET)).unwrap();
        std::fs::create_dir_all(&meta).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let mut command = Command::new(server());
        command.args([
            "--port",
            &address.to_string(),
            "--access",
            KEY,
            "--secret",
            SECRET,
        ]);
        command
            .args(["--quiet", "posix", "--sidecar"])
            .arg(&meta)
            .arg(&data);
        let child = command
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|e| {
                panic!(
                    "{}: {e}; `scripts/setup test` builds it",
                    server().display()
                )
            });
        let service = Self {
            child,
            address,
            _folder: folder,
        };
        let begun = Instant::now();
        while TcpStream::connect(address).is_err() {
            assert!(begun.elapsed() < START, "the S3 service does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        service
    }

    fn sequence(&self) -> Sequence {
        sequence_at(self.address, SECRET)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn server() -> PathBuf {
    match std::env::var_os("TIDEMILL_S3_SERVER") {
        Some(path) => path.into(),
        None => {
            let home = PathBuf::from(std::env::var_os("HOME").expect("a home folder"));
            home.join(".cache/tidemill/tools/versitygw")
        }
    }
}

fn sequence_at(address: SocketAddr, secret: &str) -> Sequence {
    let options = [
        ("endpoint", format!("http://{address}")),
        ("allow-http", "true".to_owned()),
        ("region", "us-east-1".to_owned()),
        ("access-key-id", KEY.to_owned()),
        ("secret-access-key", secret.to_owned()),
    ];
    let settings = Settings {
        options: options
            .map(|(name, value)| (name.to_owned(), value))
            .to_vec(),
        ..Settings::default()
    };
    Location::open("s3://mill/under/checkpoints", &settings)
        .unwrap()
        .pipeline("fraud")
        .unwrap()
}

#[test]
fn a_life_in_a_bucket() {
    let service = Service::start();
    let sequence = service.sequence();
    assert_eq!(sequence.recovery().unwrap().recovery, Recovery::Fresh);
    let mut old = sequence.claim(&life(1), OnLock::Refuse).unwrap();
    checkpoint(&mut old, &[], "a").unwrap();
    let orphan = old.begin().unwrap();
    put(&orphan, 0, "orphan").unwrap();

    // There are no locks: the later claim fences, and the older one is told by whom.
    let mut new = service.sequence().claim(&life(2), OnLock::Refuse).unwrap();
    let error = checkpoint(&mut old, &[], "b").unwrap_err();
    assert!(
        error.is_fenced() && error.to_string().contains("process 2 of a test"),
        "{error}"
    );
    let found = new.recovery().unwrap();
    assert_eq!(found.never_happened, [Number(3)]);
    let from = resumed(found);
    assert_eq!(state(&sequence, &from).unwrap(), "a");
    new.resume(Some(&from));
    assert_eq!(new.sweep().unwrap().files, 2);
    for bytes in ["c", "d", "e"] {
        checkpoint(&mut new, &[], bytes).unwrap();
    }
    assert_eq!(new.retain(2).unwrap().checkpoints, [2, 4].map(Number));
    assert_eq!(sequence.numbers().unwrap(), [1, 3, 5, 6].map(Number));
    assert_eq!(sequence.verify(Number(6)).unwrap().unwrap().damage, []);
    assert_eq!(sequence.place(), "s3://mill/under/checkpoints/fraud");
}

#[test]
fn of_two_that_race_in_a_bucket_one_wins_every_number() {
    let service = Service::start();
    let fenced = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for token in 1..=2 {
            let (service, fenced) = (&service, &fenced);
            scope.spawn(move || {
                let mut claim = service
                    .sequence()
                    .claim(&life(token), OnLock::Refuse)
                    .unwrap();
                for n in 0..5 {
                    match checkpoint(&mut claim, &[], &format!("{token} {n}")) {
                        Ok(_) => {}
                        Err(e) if e.is_fenced() => {
                            fenced.fetch_add(1, Ordering::Relaxed);
                            return;
                        }
                        Err(e) => panic!("{e}"),
                    }
                }
            });
        }
    });
    // One may have ended before the other began; never were both fenced.
    assert!(fenced.load(Ordering::Relaxed) <= 1);
    let sequence = service.sequence();
    let mut incarnation = None;
    for number in sequence.numbers().unwrap() {
        match sequence.record(number).unwrap().unwrap() {
            Record::Claim(claim) => incarnation = Some(claim.incarnation),
            Record::Manifest(manifest, _) => assert_eq!(Some(manifest.incarnation), incarnation),
        }
    }
}

#[test]
fn a_manifest_whose_answer_is_lost_counts_when_it_is_tried_again() {
    let service = Service::start();
    let relay = Relay::start(
        service.address,
        "PUT /mill/under/checkpoints/fraud/manifests/000000000002.json",
    );
    let mut claim = sequence_at(relay.address, SECRET)
        .claim(&life(1), OnLock::Refuse)
        .unwrap();
    let completed = checkpoint(&mut claim, &[], "a").unwrap();
    assert_eq!(relay.lost.load(Ordering::Relaxed), 1);
    let next = service.sequence().claim(&life(2), OnLock::Refuse).unwrap();
    assert_eq!(resumed(next.recovery().unwrap()), completed);
}

#[test]
fn what_the_service_refuses_certainly_was_not_done() {
    let service = Service::start();
    let refused = sequence_at(service.address, "wrong")
        .claim(&life(1), OnLock::Refuse)
        .unwrap_err();
    assert!(
        refused.certainly_not_done() && refused.is_transient(),
        "{refused}"
    );
    assert!(
        refused.hint().unwrap().contains("needs the right"),
        "{refused}"
    );
    let place = "s3://mill/under/checkpoints/fraud/probe";
    assert!(
        refused
            .to_string()
            .starts_with(&format!("cannot write {place}")),
        "{refused}"
    );
}

/// Stands between, and loses the answer to the first request that begins so: the request itself arrives.
struct Relay {
    address: SocketAddr,
    lost: Arc<AtomicUsize>,
    over: Arc<AtomicBool>,
}

impl Relay {
    fn start(to: SocketAddr, request: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let relay = Self {
            address: listener.local_addr().unwrap(),
            lost: Arc::default(),
            over: Arc::default(),
        };
        let (lost, over) = (Arc::clone(&relay.lost), Arc::clone(&relay.over));
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                match listener.accept() {
                    Ok((client, _)) => {
                        let lost = Arc::clone(&lost);
                        std::thread::spawn(move || carry(client, to, request, &lost));
                    }
                    Err(e) if e.kind() == ErrorKind::WouldBlock => {
                        std::thread::sleep(Duration::from_millis(5))
                    }
                    Err(e) => panic!("{e}"),
                }
            }
        });
        relay
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
    }
}

/// Carries one connection, until the answer that is to be lost.
fn carry(mut client: TcpStream, to: SocketAddr, request: &str, lost: &AtomicUsize) {
    client.set_nonblocking(false).unwrap();
    let mut server = TcpStream::connect(to).unwrap();
    let loses = Arc::new(AtomicBool::new(false));
    let (mut answers, mut back) = (server.try_clone().unwrap(), client.try_clone().unwrap());
    let losing = Arc::clone(&loses);
    let answering = std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(n @ 1..) = answers.read(&mut buffer) {
            if losing.load(Ordering::Relaxed) {
                let _ = back.shutdown(Shutdown::Both);
                return;
            }
            if back.write_all(&buffer[..n]).is_err() {
                return;
            }
        }
    });
    let mut buffer = [0; 16_384];
    while let Ok(n @ 1..) = client.read(&mut buffer) {
        if buffer[..n].starts_with(request.as_bytes()) && lost.load(Ordering::Relaxed) == 0 {
            lost.fetch_add(1, Ordering::Relaxed);
            loses.store(true, Ordering::Relaxed);
        }
        if server.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = server.shutdown(Shutdown::Both);
    let _ = answering.join();
}
