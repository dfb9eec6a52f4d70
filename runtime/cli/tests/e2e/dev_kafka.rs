//! `tidemill dev kafka`: the broker comes, is used, and goes without a trace, however the command ends.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::Value;
use tidemill_test_kafka::{Topic, broker, cache};

use crate::support::{Ended, Folder, tidemill};

/// The command with the cache that has Kafka's jars.
fn dev(args: &[&str]) -> Command {
    let mut command = tidemill();
    command.args(["dev", "kafka"]).args(args);
    command.env("TIDEMILL_CACHE", cache().expect("a cache folder"));
    command
}

/// A broker that was started from the command line.
struct Started {
    child: Child,
    told: Value,
}

impl Started {
    fn new(args: &[&str]) -> Self {
        let mut child = dev(&["--port", "0", "--format", "json"])
            .args(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let out = child.stdout.take().expect("it is piped");
        BufReader::new(out).read_line(&mut line).expect("a line");
        let told = serde_json::from_str(&line).expect("a line of JSON");
        Self { child, told }
    }

    fn text(&self, key: &str) -> &str {
        self.told[key].as_str().expect("text")
    }

    fn java(&self) -> PathBuf {
        let note = Path::new(self.text("folder")).join("broker.pid");
        let id = std::fs::read_to_string(note).expect("its process");
        Path::new("/proc").join(id.trim())
    }

    /// Signals it, and waits for its end and for that of its broker.
    fn end(mut self, end: impl FnOnce(&mut Child)) -> Option<i32> {
        let (java, folder) = (self.java(), PathBuf::from(self.text("folder")));
        assert!(java.is_dir() && folder.is_dir());
        end(&mut self.child);
        let ended = self.child.wait().expect("it ends");
        let began = Instant::now();
        while java.exists() || folder.exists() {
            assert!(
                began.elapsed() < Duration::from_secs(20),
                "it is still there"
            );
            sleep(Duration::from_millis(10));
        }
        ended.code()
    }
}

/// A test that fails leaves no broker behind.
impl Drop for Started {
    fn drop(&mut self) {
        // It has ended already where nothing failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(child: &Child, signal: i32) {
    let id = i32::try_from(child.id()).expect("a process id");
    // SAFETY: the call takes two numbers, and the process is this one's child.
    assert_eq!(unsafe { libc::kill(id, signal) }, 0);
}

#[test]
fn a_broker_with_a_topic_comes_and_goes_with_a_signal() {
    let started = Started::new(&["--topic", "payments:3", "--topic", "alerts"]);
    let topics = serde_json::json!([
        { "name": "payments", "partitions": 3 }, { "name": "alerts", "partitions": 1 },
    ]);
    assert_eq!(started.told["topics"], topics);
    let topic = Topic::named(started.text("address"), "payments");
    topic.grow(4);
    std::mem::forget(topic);
    let code = started.end(|child| signal(child, libc::SIGTERM));
    assert_eq!(code, Some(0));
}

#[test]
fn the_topics_of_a_pipeline_are_made() {
    let pipeline = r#"name = "fraud"
[sources.payments]
kafka = { brokers = "localhost:9092", topics = ["payments", "refunds"] }
columns = { card = "text" }
[sinks.alerts]
input = "payments"
kafka = { brokers = "localhost:9092", topic = "alerts" }
format = "json"
[sinks.again]
input = "payments"
kafka = { brokers = "localhost:9092", topic = "alerts", guarantee = "at-least-once" }
format = "json"
"#;
    let folder = Folder::with(&[("pipeline.toml", pipeline)]);
    let file = folder.path().join("pipeline.toml");
    let file = file.to_str().expect("a path that is text");
    let started = Started::new(&[
        "--pipeline",
        file,
        "--topic",
        "refunds:2",
        "--partitions",
        "3",
    ]);
    let topics = serde_json::json!([
        { "name": "refunds", "partitions": 2 },
        { "name": "payments", "partitions": 3 },
        { "name": "alerts", "partitions": 3 },
    ]);
    assert_eq!(started.told["topics"], topics);
    assert_eq!(started.end(|child| signal(child, libc::SIGINT)), Some(0));
}

#[test]
fn a_broker_goes_with_a_command_that_is_killed_and_one_that_is_tied_with_its_input() {
    let killed = Started::new(&[]);
    let tied = Started::new(&["--tied"]);
    assert_eq!(killed.end(|child| child.kill().expect("killed")), None);
    assert_eq!(tied.end(|child| drop(child.stdin.take())), Some(0));
}

#[test]
fn records_go_in_and_come_out() {
    let topic = Topic::new("lines", 2);
    let lines = "{\"card\":\"a\",\"n\":1}\n\n{\"card\":\"b\",\"n\":2}\n{\"n\":3}\n";
    let at = [topic.name(), "--broker", broker()];
    let ended = fed(dev(&["produce", "--key", "card"]).args(at), lines).expect(0);
    assert_eq!(ended.err, format!("3 records to {}\n", topic.name()));
    let read = ["--from-beginning", "--to-end", "--read-committed"];
    let ended = fed(dev(&["consume"]).args(at).args(read), "").expect(0);
    let mut sent: Vec<&str> = lines.lines().filter(|line| !line.is_empty()).collect();
    sent.sort_unstable();
    assert_eq!(ended.rows(), sent);
    let ended = fed(
        dev(&["consume", "--format", "json"]).args(at).args(read),
        "",
    )
    .expect(0);
    let rows = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    let keys: Vec<Value> = rows.map(|row: Value| row["key"].clone()).collect();
    assert!(
        keys.contains(&"a".into()) && keys.contains(&Value::Null),
        "{keys:?}"
    );
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let at = ["--broker", broker()];
    let ended = fed(dev(&["consume", "nothing-here"]).args(at), "").expect(1);
    ended.says(&[
        "no topic nothing-here at",
        "hint: `tidemill dev kafka --topic nothing-here`",
    ]);
    let topic = Topic::new("wrong", 1);
    let produce = ["produce", topic.name(), "--key", "card"];
    let ended = fed(dev(&produce).args(at), "{\"card\":1}\n[]\n").expect(1);
    ended.says(&["line 2: expected a JSON object", "1 records to"]);
    assert_eq!(topic.committed().len(), 1);
    let folder = Folder::new();
    let nowhere = dev(&[])
        .env("PATH", folder.path())
        .env_remove("JAVA_HOME")
        .output();
    let ended = Ended::from(nowhere.expect("it runs")).expect(1);
    ended.says(&["error: Java is missing", "hint: install Java 17 or later"]);
    let port = broker().rsplit_once(':').expect("a port").1;
    let taken = dev(&["--port", port]).output().expect("it runs");
    Ended::from(taken)
        .expect(1)
        .says(&["is taken", "hint: `--port 0` takes a free one"]);
}

/// Runs a command with this standard input.
fn fed(command: &mut Command, input: &str) -> Ended {
    let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = piped.stderr(Stdio::piped()).spawn().expect("it starts");
    let mut stdin = child.stdin.take().expect("it is piped");
    stdin.write_all(input.as_bytes()).expect("it is read");
    drop(stdin);
    Ended::from(child.wait_with_output().expect("it ends"))
}
