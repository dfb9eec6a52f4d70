//! Kafka from the command line: once and whole, whatever happens to the process; and what is said where that cannot be.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use tidemill_test_kafka::{Committed, Record, Topic, broker, committed_offsets};

use crate::support::{Ended, Folder, Lines, PATIENCE};

/// From a topic to a topic, with a checkpoint every 100 ms.
pub fn through(from: &Topic, to: &Topic, more: &str) -> String {
    format!(
        r#"name = "through"
workers = 2
[checkpoints]
location = "checkpoints"
interval = "100ms"
min-pause = "10ms"
restarts = 0
[sources.payments]
kafka = {{ brokers = "{0}", topics = "{1}", group = "{1}"{more} }}
columns = {{ account = "text", n = "integer" }}
[sinks.alerts]
input = "payments"
kafka = {{ brokers = "{0}", topic = "{2}", key = "account" }}
"#,
        broker(),
        from.name(),
        to.name()
    )
}

pub fn payments(numbers: std::ops::Range<usize>) -> Vec<Record> {
    let payment = |n: usize| {
        Record::new(format!(r#"{{"account":"a{}","n":{n}}}"#, n % 7)).key(format!("a{}", n % 7))
    };
    numbers.map(payment).collect()
}

/// The values per key, in the order in which they stand there.
pub fn by_key(topic: &Topic) -> std::collections::BTreeMap<Vec<u8>, Vec<String>> {
    let mut by_key = std::collections::BTreeMap::new();
    for record in topic.committed() {
        let values: &mut Vec<String> = by_key
            .entry(record.key.clone().unwrap_or_default())
            .or_default();
        values.push(record.text().to_owned());
    }
    by_key
}

pub fn start(folder: &Folder) -> Child {
    let mut command = folder.command(&["run", "--format", "json"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().expect("the binary runs")
}

pub fn kill(mut child: Child) {
    child.kill().expect("it is there");
    child.wait().expect("it ends");
}

#[test]
fn every_payment_comes_through_once_and_in_order_whenever_it_is_killed() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    let folder = Folder::with(&[("pipeline.toml", &through(&from, &to, ""))]);
    let mut made = 0;
    for pause in [1400, 700, 1100, 900, 1300] {
        let child = start(&folder);
        let until = Instant::now() + Duration::from_millis(pause);
        while Instant::now() < until {
            from.produce(&payments(made..made + 200));
            made += 200;
            std::thread::sleep(Duration::from_millis(20));
        }
        kill(child);
    }
    // What is left, and the end: the same pipeline, bounded.
    let bounded = through(&from, &to, r#", until = "now""#);
    folder.write("pipeline.toml", &bounded);
    folder.run(&["run"]).expect(0);
    assert_eq!(by_key(&to), by_key(&from), "of {made}");
    folder
        .run(&["run"])
        .expect(0)
        .says(&["everything was read and published"]);
}

fn committed(topic: &Topic) -> Vec<Committed> {
    committed_offsets(broker(), topic.name(), topic.name(), 3)
}

/// Runs to the end of what is there.
pub fn run_to_end(folder: &Folder, from: &Topic, to: &Topic) -> Ended {
    folder.write("pipeline.toml", &through(from, to, r#", until = "now""#));
    folder.run(&["run", "--at-end", "keep"])
}

#[test]
fn offsets_and_the_checkpoint_that_they_belong_to_are_committed_with_the_rows() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    from.produce(&payments(0..100));
    let folder = Folder::new();
    run_to_end(&folder, &from, &to).expect(0);
    let offsets = committed(&from);
    assert_eq!(offsets.iter().map(|o| o.offset).sum::<i64>(), 100);
    for offset in &offsets {
        assert!(offset.metadata.contains(r#""checkpoint":"#), "{offset:?}");
        assert!(
            offset
                .metadata
                .contains(r#""transactional-id":"tidemill-through-"#),
            "{offset:?}"
        );
    }
    from.produce(&payments(100..150));
    run_to_end(&folder, &from, &to).expect(0);
    assert_eq!(by_key(&to), by_key(&from));
}

#[test]
fn offsets_that_somebody_has_set_are_not_believed() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    from.produce(&payments(0..100));
    let folder = Folder::new();
    run_to_end(&folder, &from, &to).expect(0);
    tidemill_test_kafka::commit(broker(), from.name(), from.name(), &[(0, 1)], "");
    let refused = run_to_end(&folder, &from, &to).expect(1);
    refused.says(&["stands at offset 1", "with nothing beside it", "--fresh"]);
    // A person decides.
    let checkpoints = folder
        .run(&["checkpoint", "list", "--format", "json"])
        .expect(0);
    let listed: serde_json::Value = serde_json::from_str(&checkpoints.out).expect("JSON");
    let mut entries = listed.as_array().expect("a list").iter();
    let newest = entries
        .rfind(|entry| entry["kind"] == "checkpoint")
        .expect("a checkpoint");
    let number = newest["number"].to_string();
    folder
        .run(&["run", "--at-end", "keep", "--from", &number])
        .expect(0);
    from.produce(&payments(100..120));
    run_to_end(&folder, &from, &to).expect(0);
    assert_eq!(by_key(&to), by_key(&from));
}

#[test]
fn a_pipeline_of_the_same_name_elsewhere_is_told_from_this_one() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    from.produce(&payments(0..10));
    let (one, other) = (Folder::new(), Folder::new());
    run_to_end(&one, &from, &to).expect(0);
    let refused = run_to_end(&other, &from, &to).expect(1);
    refused.says(&["of another pipeline with this name", "another"]);
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let folder = Folder::with(&[(
        "pipeline.toml",
        "name = \"away\"\n[sources.rows]\nkafka = { brokers = \"localhost:1\", topics = \"t\", properties = { \"socket.connection.setup.timeout.ms\" = \"1000\" } }\n\
         columns = { n = \"integer\" }\n[sinks.out]\ninput = \"rows\"\nstdout = {}\n",
    )]);
    let began = Instant::now();
    folder.run(&["run"]).expect(1).says(&[
        "source rows",
        "localhost:1",
        "hint: see whether the brokers run",
    ]);
    assert!(began.elapsed() < PATIENCE);
}

#[test]
fn a_topic_that_is_not_there_yet_is_waited_for() {
    let (from, to) = (
        Topic::named(broker(), &format!("later-{}", std::process::id())),
        Topic::new("alerts", 3),
    );
    let folder = Folder::with(&[("pipeline.toml", &through(&from, &to, ""))]);
    let mut command = folder.command(&["run"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary runs");
    let lines = Lines::of(child.stderr.take().expect("a pipe"));
    let waits = format!("source payments: waits for topic {} at ", from.name());
    lines.until("word of it", |line| line.starts_with(&waits));
    from.create(3);
    from.produce(&payments(0..10));
    let began = Instant::now();
    while to.committed().len() < 10 {
        assert!(began.elapsed() < PATIENCE, "nothing came through");
        std::thread::sleep(Duration::from_millis(50));
    }
    kill(child);
    assert_eq!(by_key(&to), by_key(&from));
}

#[test]
fn a_process_that_wakes_up_behind_its_successor_writes_nothing() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    let folder = Folder::with(&[("pipeline.toml", &through(&from, &to, ""))]);
    from.produce(&payments(0..500));
    let mut command = folder.command(&["run"]);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut first = command.spawn().expect("the binary runs");
    let said = Lines::of(first.stderr.take().expect("a pipe"));
    let pid = Pid::from_child(&first);
    let until = |count: usize| {
        let began = Instant::now();
        while to.committed().len() < count {
            assert!(began.elapsed() < PATIENCE, "{count} did not come through");
            std::thread::sleep(Duration::from_millis(50));
        }
    };
    until(500);
    kill_process(pid, Signal::STOP).expect("it is there");
    from.produce(&payments(500..700));
    let mut command = folder.command(&["run", "--take-over"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let second = command.spawn().expect("the binary runs");
    until(700);
    // It reads these too, as far as it knows.
    from.produce(&payments(700..900));
    kill_process(pid, Signal::CONT).expect("it is there");
    let said = said.rest();
    assert_eq!(first.wait().expect("it ends").code(), Some(1), "{said:#?}");
    let fenced = said.iter().any(|line| line.contains("was fenced"));
    assert!(fenced, "{said:#?}");
    until(900);
    kill(second);
    assert_eq!(by_key(&to), by_key(&from));
}

#[test]
fn an_older_savepoint_says_what_repeats_and_is_recorded() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    from.produce(&payments(0..50));
    let folder = Folder::new();
    run_to_end(&folder, &from, &to).expect(0);
    let older = committed(&from)[0].metadata.clone();
    let older: serde_json::Value = serde_json::from_str(&older).expect("an identity");
    from.produce(&payments(50..80));
    run_to_end(&folder, &from, &to).expect(0);
    let number = older["checkpoint"].to_string();
    let again = ["run", "--at-end", "keep", "--from", number.as_str()];
    folder
        .run(&again)
        .expect(2)
        .says(&["would be published again", "--allow-duplicates"]);
    let again = [&again[..], &["--allow-duplicates"]].concat();
    folder.run(&again).expect(0);
    // 30 of them twice, and after that it goes on from there.
    assert_eq!(to.committed().len(), 110);
    from.produce(&payments(80..90));
    run_to_end(&folder, &from, &to).expect(0);
    assert_eq!(to.committed().len(), 120);
}

#[test]
fn what_waits_for_a_commit_is_bounded() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    let folder = Folder::new();
    let text = through(&from, &to, "")
        .replace(r#"key = "account""#, r#"key = "account", buffer = "1KiB""#);
    folder.write("pipeline.toml", &text);
    let child = start(&folder);
    for n in 0..30 {
        from.produce(&payments(n * 1000..(n + 1) * 1000));
    }
    let began = Instant::now();
    while to.committed().len() < 30_000 {
        assert!(began.elapsed() < PATIENCE, "only {}", to.committed().len());
        std::thread::sleep(Duration::from_millis(100));
    }
    kill(child);
    assert_eq!(by_key(&to), by_key(&from));
}

#[test]
fn rows_of_a_generator_come_to_a_topic_and_files_beside_it_once() {
    let to = Topic::new("made", 2);
    let pipeline = format!(
        r#"name = "made"
workers = 2
[checkpoints]
location = "checkpoints"
interval = "100ms"
min-pause = "10ms"
[sources.rows]
datagen = {{ rows = 30_000, rate = 20_000, splits = 2 }}
columns = {{ n = {{ type = "integer", sequence = 0 }} }}
[sinks.topic]
input = "rows"
kafka = {{ brokers = "{}", topic = "{}", key = "n" }}
[sinks.files]
input = "rows"
folder = "out"
"#,
        broker(),
        to.name()
    );
    let folder = Folder::with(&[("pipeline.toml", &pipeline)]);
    for pause in [450, 350] {
        let child = start(&folder);
        std::thread::sleep(Duration::from_millis(pause));
        kill(child);
    }
    folder.run(&["run"]).expect(0);
    let number = |line: &str| -> u64 {
        let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
        row["n"].as_u64().expect("a number")
    };
    let mut in_topic: Vec<u64> = to.committed().iter().map(|r| number(r.text())).collect();
    let mut in_files = Vec::new();
    for entry in std::fs::read_dir(folder.path().join("out")).expect("parts") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a part");
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            in_files.extend(text.lines().map(number));
        }
    }
    in_topic.sort_unstable();
    in_files.sort_unstable();
    let all: Vec<u64> = (0..30_000).collect();
    assert!(in_topic == all, "{} rows in the topic", in_topic.len());
    assert!(in_files == all, "{} rows in files", in_files.len());
}

#[test]
fn how_far_a_pipeline_is_stands_in_its_group_also_where_nothing_decides_there() {
    let from = Topic::new("payments", 3);
    from.produce(&payments(0..90));
    let pipeline = through(&from, &from, "").replace(
        &format!(
            r#"kafka = {{ brokers = "{}", topic = "{}", key = "account" }}"#,
            broker(),
            from.name()
        ),
        r#"folder = "out""#,
    );
    let folder = Folder::with(&[("pipeline.toml", &pipeline)]);
    let child = start(&folder);
    let began = Instant::now();
    while committed(&from).iter().map(|o| o.offset).sum::<i64>() < 90 {
        assert!(began.elapsed() < PATIENCE, "{:?}", committed(&from));
        std::thread::sleep(Duration::from_millis(50));
    }
    kill(child);
}

#[test]
fn checkpoints_happen_also_while_rows_never_stop_that_are_written_at_once() {
    let to = Topic::new("made", 2);
    let pipeline = format!(
        r#"name = "busy"
[checkpoints]
location = "checkpoints"
interval = "100ms"
min-pause = "10ms"
timeout = "5s"
tolerated-failures = 0
restarts = 0
[sources.rows]
datagen = {{ rows = 2_000_000, splits = 2 }}
columns = {{ n = {{ type = "integer", sequence = 0 }} }}
[sinks.topic]
input = "rows"
kafka = {{ brokers = "{}", topic = "{}", guarantee = "at-least-once" }}
"#,
        broker(),
        to.name()
    );
    let folder = Folder::with(&[("pipeline.toml", &pipeline)]);
    let ran = folder.run(&["run", "--format", "json"]).expect(0);
    let taken = ran
        .err
        .lines()
        .filter(|line| line.contains(r#""event":"checkpoint""#));
    // One of them is that of the end.
    assert!(taken.count() >= 2, "{}", ran.err);
    assert_eq!(to.committed().len(), 2_000_000);
}

#[test]
fn what_is_deleted_from_one_topic_is_deleted_from_the_other() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    let pipeline = |more: &str| {
        through(&from, &to, &format!(", null-values = \"delete\"{more}"))
            .replace(
                "columns = { account = \"text\", n = \"integer\" }",
                "columns = { account = { type = \"text\", from = \"key\" }, n = \"integer?\" }",
            )
            .replace(
                "key = \"account\" }",
                "key = \"account\", omit = [\"change\", \"account\"] }",
            )
    };
    let value = |key: &str, n: i64| Record::new(format!(r#"{{"n":{n}}}"#)).key(key);
    from.produce(&[
        value("a", 1),
        value("b", 2),
        Record::tombstone("a"),
        value("a", 3),
    ]);
    let folder = Folder::with(&[("pipeline.toml", &pipeline(r#", until = "now""#))]);
    folder.run(&["run", "--at-end", "keep"]).expect(0);
    from.produce(&[
        Record::tombstone("b"),
        Record::tombstone("a"),
        value("c", 4),
    ]);
    folder.run(&["run", "--at-end", "keep"]).expect(0);
    let of = |topic: &Topic, key: &str| -> Vec<Option<Vec<u8>>> {
        let records = topic.committed().into_iter();
        let records = records.filter(|record| record.key.as_deref() == Some(key.as_bytes()));
        records.map(|record| record.value).collect()
    };
    for (key, count) in [("a", 4), ("b", 2), ("c", 1)] {
        let there = of(&to, key);
        assert_eq!(there, of(&from, key), "{key}");
        assert_eq!(there.len(), count, "{key}");
    }
    assert_eq!(of(&to, "b"), [Some(br#"{"n":2}"#.to_vec()), None]);
}
