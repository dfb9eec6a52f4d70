//! `tidemill dlq`: what lies in a dead-letter topic is found, shown, and sent again once, whatever happens meanwhile.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tidemill_test_kafka::{Act, Point, Proxy, Record, Request, Topic, broker};

use crate::support::{Folder, PATIENCE, kinds};

/// A pipeline whose source cannot read some records, and whose function traps on 13.
struct Scene {
    from: Topic,
    bad: Topic,
    /// Goes with the test.
    _replayed: Topic,
    folder: Folder,
}

impl Scene {
    /// Twelve records over three partitions, of which every fourth is no row, and one traps.
    fn new() -> Self {
        let (from, bad) = (Topic::new("payments", 3), Topic::new("bad", 1));
        let replayed = format!("tidemill-{}-replayed", from.name());
        let pipeline = format!(
            r#"name = "{1}"
workers = 1
[checkpoints]
location = "checkpoints"
interval = "100ms"
[modules.kinds]
file = {3:?}
[sources.payments]
kafka = {{ brokers = "{0}", topics = "{1}", until = "now" }}
columns = {{ key = "text", value = "integer" }}
on-failure = "dead-letter"
[operators.look]
input = "payments"
function = "kinds/trapping"
config = {{ at = 13 }}
on-failure = "dead-letter"
[sinks.out]
input = "look"
blackhole = {{}}
[sinks.bad]
input = ["payments.failed", "look.failed"]
kafka = {{ brokers = "{0}", topic = "{2}" }}
"#,
            broker(),
            from.name(),
            bad.name(),
            kinds()
        );
        let record = |n: i32| {
            let value = match n % 4 {
                3 => format!(r#"{{"key":"k{n}","value":"none of {n}"}}"#),
                _ => format!(r#"{{"key":"k{n}","value":{}}}"#, n + 5),
            };
            let at = 1_704_067_200_000 + i64::from(n);
            let record = Record::new(value).key(format!("k{n}")).timestamp_ms(at);
            record.partition(n % 3).header("trace", format!("t{n}"))
        };
        from.produce(&(0..12).map(record).collect::<Vec<_>>());
        let scene = Self {
            from,
            bad,
            _replayed: Topic::named(broker(), &replayed),
            folder: Folder::with(&[("pipeline.toml", &pipeline)]),
        };
        scene.folder.run(&["run", "--at-end", "keep"]).expect(0);
        visible(&scene.bad, 4);
        scene
    }

    /// What is listed, by letter.
    fn listed(&self, more: &[&str]) -> BTreeMap<String, Value> {
        let args = [&["dlq", "list", "--format", "json"], more].concat();
        let listed = self.folder.run(&args).expect(0);
        let lines = listed.out.lines();
        let letters = lines.map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let name = |letter: &Value| letter["letter"].as_str().expect("a name").to_owned();
        letters.map(|letter| (name(&letter), letter)).collect()
    }

    /// The copies in the topic, by the record that they are copies of: so many at least.
    fn copies(&self, count: usize) -> BTreeMap<String, Vec<Record>> {
        let mut copies: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        for record in visible(&self.from, 12 + count) {
            if let Some(of) = header(&record, "tidemill.replay-of") {
                copies.entry(of).or_default().push(record);
            }
        }
        copies
    }

    /// Fails unless all four are there once, as their records were.
    fn expect_each_once(&self) {
        let (copies, records) = (self.copies(4), self.from.committed());
        assert_eq!(copies.len(), 4, "{copies:#?}");
        for (of, copies) in &copies {
            assert_eq!(copies.len(), 1, "{copies:#?}");
            let copy = &copies[0];
            let is_it = |record: &&Record| self.place(record) == *of;
            let record = records.iter().find(is_it).expect("the record");
            assert_eq!(copy.key, record.key);
            assert_eq!(copy.value, record.value);
            assert_eq!(copy.timestamp_ms, record.timestamp_ms);
            assert_eq!(copy.partition, record.partition);
            assert_eq!(copy.headers[..1], record.headers[..]);
            assert_eq!(header(copy, "tidemill.replayed").as_deref(), Some("1"));
        }
        until("receipts", || {
            self.listed(&[]).values().all(|l| l["replayed"] == 1)
        });
    }

    fn place(&self, record: &Record) -> String {
        let (partition, offset) = (record.partition, record.offset);
        let (partition, offset) = (partition.expect("one"), offset.expect("one"));
        format!("{}-{partition}:{offset}", self.from.name())
    }

    /// The address of the brokers for this time.
    fn through(&self, proxy: &Proxy) -> [String; 4] {
        let at = proxy.address();
        let set = |key: &str| format!("{key}.kafka.brokers={at}");
        let (bad, payments) = (set("sinks.bad"), set("sources.payments"));
        ["--set".to_owned(), bad, "--set".to_owned(), payments]
    }
}

/// What a topic shows of committed records when there are so many at least: a commit is answered before all can see it.
fn visible(topic: &Topic, count: usize) -> Vec<Record> {
    until("what was committed", || topic.committed().len() >= count);
    topic.committed()
}

fn until(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < PATIENCE, "not yet: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn header(record: &Record, name: &str) -> Option<String> {
    let found = record.headers.iter().find(|(named, _)| named == name)?;
    let value = found.1.clone()?;
    Some(String::from_utf8(value).expect("text"))
}

#[test]
fn letters_are_listed_shown_and_sent_again_once() {
    let scene = Scene::new();
    let letters = scene.listed(&[]);
    assert_eq!(letters.len(), 4, "{letters:#?}");
    let trapped = scene.listed(&["--operator", "look"]);
    let (name, trapped) = trapped.first_key_value().expect("it trapped");
    assert_eq!(trapped["reason"], "panic");
    assert_eq!(trapped["record"], format!("{}-2:2", scene.from.name()));
    assert_eq!(trapped["row"], r#"{"key":"k8","value":13}"#);
    assert_eq!(scene.listed(&["--reason", "decode"]).len(), 3);
    assert!(
        scene
            .listed(&["--since", "1h", "--reason", "other"])
            .is_empty()
    );
    // Headers say it to who reads the topic with anything else.
    let records = scene.bad.committed();
    let of_trap = |r: &&Record| header(r, "tidemill.operator").as_deref() == Some("look");
    let record = records.iter().find(of_trap).expect("the letter");
    let said = |name: &str| header(record, &format!("tidemill.{name}"));
    assert_eq!(said("topic").as_deref(), Some(scene.from.name()));
    assert_eq!(said("partition").as_deref(), Some("2"));
    assert_eq!(said("offset").as_deref(), Some("2"));
    assert_eq!(said("reason").as_deref(), Some("panic"));
    assert_eq!(said("module-hash").map(|hash| hash.len()), Some(64));
    let undecoded = records.iter().find(|r| !of_trap(r)).expect("another one");
    let time = header(undecoded, "tidemill.timestamp").expect("the record's time");
    assert!(time.starts_with("2024-01-01T00:00:00.0"), "{time}");
    // One of them, whole, and given to its function alone.
    let shown = scene.folder.run(&["dlq", "show", name]).expect(0).out;
    for text in [
        "reason     panic",
        "is there: key k8",
        "replayed   never",
        "tidemill rerun",
    ] {
        assert!(shown.contains(text), "no {text:?} in:\n{shown}");
    }
    let rerun = scene.folder.run(&["rerun", "--letter", name]).expect(1);
    assert!(rerun.out.contains("fails again"), "{}", rerun.out);
    // Nothing happens but when it is meant.
    let dry = scene.folder.run(&["dlq", "replay", "--dry-run"]).expect(0);
    assert_eq!(dry.out.lines().count(), 4);
    assert!(scene.copies(0).is_empty());
    scene.folder.run(&["dlq", "replay", name]).expect(0);
    assert_eq!(scene.copies(1).len(), 1);
    let rest = scene.folder.run(&["dlq", "replay"]).expect(0);
    rest.says(&["3 letters sent again, 1 sent before"]);
    scene.expect_each_once();
    let again = scene.folder.run(&["dlq", "replay", name, "--again"]);
    again.expect(0).says(&["1 letter sent again"]);
    let copies = scene.copies(5);
    let of_it = &copies[trapped["record"].as_str().expect("a place")];
    assert_eq!(header(&of_it[1], "tidemill.replayed").as_deref(), Some("2"));
    // The copies fail as the records did, which can be seen.
    scene.folder.run(&["run", "--at-end", "keep"]).expect(0);
    visible(&scene.bad, 4 + 5);
    assert_eq!(scene.listed(&[]).len(), 4 + 5);
    let circling = scene.folder.run(&["dlq", "replay"]).expect(0);
    circling.says(&[
        "5 letters sent again, 4 sent before",
        "1 record for the third time",
    ]);
    let missing = scene.folder.run(&["dlq", "show", "0:99"]).expect(2);
    missing.says(&["there is no letter 0:99", "hint: `tidemill dlq list`"]);
}

#[test]
fn a_replay_that_is_killed_neither_loses_nor_doubles_a_letter() {
    let strikes = [
        (Request::InitProducerId, Point::Unanswered),
        (Request::AddPartitionsToTxn, Point::Unanswered),
        (Request::Produce, Point::Unanswered),
        (Request::EndTxn, Point::Before),
        (Request::EndTxn, Point::Unanswered),
        (Request::EndTxn, Point::Answered),
    ];
    std::thread::scope(|scope| {
        for strike in strikes {
            scope.spawn(move || killed(strike));
        }
    });
}

/// A replay that is killed there, and the one after it.
fn killed((request, point): (Request, Point)) {
    let scene = Scene::new();
    let proxy = Proxy::before(broker());
    let (tell, told) = channel::<Pid>();
    let strike = move || {
        let pid = told.recv().expect("the process was begun");
        kill_process(pid, Signal::KILL).expect("it is there");
    };
    proxy.call(request, 0, (point, strike));
    let mut command = scene.folder.command(&["dlq", "replay"]);
    command.args(scene.through(&proxy));
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary runs");
    tell.send(Pid::from_child(&child))
        .expect("it is listened to");
    let ended = child.wait().expect("it ends");
    // With the last answer it may be faster than its end.
    let struck = ended.code().is_none() || point == Point::Answered;
    assert!(struck, "{request:?} {point:?}: not struck");
    let may_be_committed = request == Request::EndTxn && point != Point::Before;
    assert!(may_be_committed || scene.copies(0).is_empty());
    scene.folder.run(&["dlq", "replay"]).expect(0);
    scene.expect_each_once();
}

#[test]
fn more_letters_than_one_transaction_holds_are_sent_once_and_large_ones_whole() {
    let (from, bad) = (Topic::new("payments", 2), Topic::new("bad", 2));
    let _replayed = Topic::named(broker(), &format!("tidemill-{}-replayed", from.name()));
    let pipeline = |at: &str| {
        let (from, bad) = (from.name(), bad.name());
        format!(
            "name = \"{from}\"\n[sources.payments]\ncolumns = {{ n = \"integer\" }}\non-failure = \"dead-letter\"\n\
             kafka = {{ brokers = \"{at}\", topics = \"{from}\", until = \"now\" }}\n\
             [sinks.out]\ninput = \"payments\"\nblackhole = {{}}\n[sinks.bad]\ninput = \"payments.failed\"\n\
             kafka = {{ brokers = \"{at}\", topic = \"{bad}\", guarantee = \"at-least-once\", key = \"position\" }}\n"
        )
    };
    let large = Record::new(vec![b'x'; 10 << 20]).partition(1);
    let small = (0..1200).map(|n| Record::new(format!("no row {n}")).partition(n % 2));
    let records: Vec<Record> = small.chain([large]).collect();
    from.produce(&records);
    let proxy = Proxy::before(broker());
    let folder = Folder::with(&[("pipeline.toml", &pipeline(&proxy.address()))]);
    folder.run(&["run"]).expect(0);
    let (tell, told) = channel::<Pid>();
    let strike = move || {
        let pid = told.recv().expect("the process was begun");
        kill_process(pid, Signal::KILL).expect("it is there");
    };
    proxy.call(Request::EndTxn, 1, (Point::Unanswered, strike));
    let mut command = folder.command(&["dlq", "replay"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary runs");
    tell.send(Pid::from_child(&child))
        .expect("it is listened to");
    assert_eq!(child.wait().expect("it ends").code(), None);
    folder.write("pipeline.toml", &pipeline(broker()));
    let rest = folder.run(&["dlq", "replay"]).expect(0);
    rest.says(&["letters sent again, 1000 sent before"]);
    let mut values: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for record in visible(&from, 2 * records.len()) {
        *values.entry(record.value.expect("a value")).or_default() += 1;
    }
    assert_eq!(values.len(), records.len());
    assert!(values.values().all(|&count| count == 2));
}

#[test]
fn a_commit_whose_answer_is_lost_is_committed_once() {
    for act in [Act::LoseAnswer, Act::Cut] {
        let scene = Scene::new();
        let proxy = Proxy::before(broker());
        proxy.at(Request::EndTxn, 0, act);
        let mut command = scene.folder.command(&["dlq", "replay"]);
        let ended = command.args(scene.through(&proxy)).output();
        let ended = ended.expect("the binary runs");
        assert!(ended.status.success(), "{act:?}: {ended:?}");
        assert_eq!(proxy.met(), 1);
        scene.expect_each_once();
    }
}

#[test]
fn a_second_replay_shuts_the_first_one_out() {
    let scene = Scene::new();
    let proxy = Proxy::before(broker());
    let (tell, told) = channel::<Pid>();
    let (stopped, is_stopped) = channel();
    let strike = move || {
        let pid = told.recv().expect("the process was begun");
        kill_process(pid, Signal::STOP).expect("it is there");
        stopped.send(()).expect("the test waits");
    };
    proxy.call(Request::EndTxn, 0, (Point::Before, strike));
    let mut command = scene.folder.command(&["dlq", "replay"]);
    command.args(scene.through(&proxy));
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    let first = command.spawn().expect("the binary runs");
    let pid = Pid::from_child(&first);
    tell.send(pid).expect("it is listened to");
    is_stopped.recv().expect("it comes to its commit");
    let second = scene.folder.run(&["dlq", "replay"]).expect(0);
    second.says(&["4 letters sent again"]);
    kill_process(pid, Signal::CONT).expect("it is there");
    let first = first.wait_with_output().expect("it ends");
    let said = String::from_utf8_lossy(&first.stderr);
    assert_eq!(first.status.code(), Some(1), "{said}");
    assert!(said.contains("another process has its id now"), "{said}");
    scene.expect_each_once();
}

#[test]
fn what_is_gone_is_sent_as_the_letter_holds_it_or_not_at_all() {
    let scene = Scene::new();
    scene
        .folder
        .run(&["dlq", "replay", "--reason", "decode"])
        .expect(0);
    assert!(scene.from.delete());
    scene.from.create(3);
    // The topic is another one: that it was sent to the one before means nothing.
    let replayed = scene.folder.run(&["dlq", "replay"]).expect(1).says(&[
        "3 letters sent again, 3 of them from the letter, as the record is gone, 1 cannot be sent again",
        "of look cannot be sent again: ",
        "is not there any more, and the letter holds the row that was made of it, not the record",
        "hint: `tidemill rerun pipeline.toml --letter NAME` gives the row",
    ]);
    assert_eq!(replayed.out.matches("as the letter holds it").count(), 3);
    let copies = visible(&scene.from, 3);
    assert_eq!(copies.len(), 3);
    for copy in &copies {
        assert!(copy.text().contains("none of"), "{copy:?}");
        assert_eq!(copy.key, None);
        assert!(
            copy.timestamp_ms
                .is_some_and(|ms| ms / 1000 == 1_704_067_200)
        );
    }
}

#[test]
fn letters_in_files_are_listed_and_shown_and_replay_says_that_they_are_none_of_its() {
    let pipeline = "name = \"filed\"\n[sources.rows]\nfiles = \"rows.jsonl\"\ncolumns = { n = \"integer\" }\n\
        on-failure = \"dead-letter\"\n[sinks.out]\ninput = \"rows\"\nblackhole = {}\n\
        [sinks.bad]\ninput = \"rows.failed\"\nfolder = \"bad\"\n";
    let rows = "{\"n\":1}\n{\"n\":\"two\"}\nthree\n";
    let folder = Folder::with(&[("pipeline.toml", pipeline), ("rows.jsonl", rows)]);
    folder.run(&["run"]).expect(0);
    let listed = folder.run(&["dlq", "list"]).expect(0).out;
    assert_eq!(listed.lines().count(), 3, "{listed}");
    let last = listed.lines().last().expect("a letter");
    let name = last.split_whitespace().next().expect("a name");
    assert!(name.ends_with(":2"), "{listed}");
    let shown = folder.run(&["dlq", "show", name]).expect(0).out;
    assert!(shown.contains("bytes      three"), "{shown}");
    folder.run(&["dlq", "replay"]).expect(2).says(&[
        "the dead letters of this pipeline lie in files",
        "hint: `tidemill rerun --letters FILE`",
    ]);
}

/// Letters whose topic a column names: that of the operator is known by the pipeline file, that of the reason is asked for.
#[test]
fn letters_in_topics_that_a_column_names_are_found() {
    let (from, look) = (Topic::new("payments", 1), Topic::new("look", 1));
    let decode = Topic::named(broker(), "decode");
    decode.create(1);
    let pipeline = format!(
        r#"name = "{1}"
[modules.kinds]
file = {3:?}
[sources.payments]
kafka = {{ brokers = "{0}", topics = "{1}", until = "now" }}
columns = {{ value = "integer" }}
on-failure = "dead-letter"
[operators.{2}]
input = "payments"
function = "kinds/trapping"
config = {{ at = 13 }}
on-failure = "dead-letter"
[sinks.out]
input = "{2}"
blackhole = {{}}
[sinks.unread]
input = "payments.failed"
kafka = {{ brokers = "{0}", topic-column = "reason" }}
[sinks.bad]
input = "{2}.failed"
kafka = {{ brokers = "{0}", topic-column = "operator" }}
"#,
        broker(),
        from.name(),
        look.name(),
        kinds()
    );
    from.produce(&[
        Record::new(r#"{"value":13}"#),
        Record::new(r#"{"value":"none"}"#),
    ]);
    let folder = Folder::with(&[("pipeline.toml", &pipeline)]);
    folder.run(&["run"]).expect(0);
    visible(&look, 1);
    visible(&decode, 1);
    let listed = folder.run(&["dlq", "list"]).expect(0).says(&[
        "not looked for: sink unread sends each letter to the topic that column `reason` names",
        "`--topic NAME`",
    ]);
    assert!(
        listed.out.contains(&format!("{}-0:0", look.name())),
        "{}",
        listed.out
    );
    let listed = folder
        .run(&["dlq", "list", "--topic", "decode"])
        .expect(0)
        .out;
    assert!(listed.contains("decode-0:0"), "{listed}");
    let shown = folder.run(&["dlq", "show", "decode-0:0"]).expect(0).out;
    assert!(shown.contains("bytes      {\"value\":\"none\"}"), "{shown}");
    folder
        .run(&["dlq", "replay", "decode-0:0"])
        .expect(0)
        .says(&["1 letter sent again"]);
    assert_eq!(visible(&from, 3).len(), 3);
    Topic::named(broker(), &format!("tidemill-{}-replayed", from.name())).delete();

    let only = pipeline.replace(r#"topic-column = "operator""#, r#"topic-column = "reason""#);
    folder.write("pipeline.toml", &only);
    folder
        .run(&["dlq", "list"])
        .expect(2)
        .says(&["which topic? sink unread sends", "hint: `--topic NAME`"]);
}
