//! Every folder of `examples`: built by its own toolchain, run on one, two and three workers, held against what is expected.

use std::fs;
use std::path::{Path, PathBuf};

use tidemill_pipeline::{Pipeline, SinkConnector};
use tidemill_test_kafka::{Record, Topic, broker};

use crate::support::{Ended, Folder, root, sorted};

#[test]
fn flights_are_as_expected() {
    check("flights");
}

#[test]
fn orders_are_as_expected() {
    check("orders");
}

#[test]
fn fraud_is_as_expected() {
    check("fraud");
}

#[test]
fn rotation_is_as_expected() {
    check("rotation");
}

#[test]
fn dedup_is_as_expected() {
    check("dedup");
}

#[test]
fn fraud_kafka_is_as_expected() {
    let example = root().join("examples/fraud-kafka");
    let folder = Folder::new();
    copy(&example, folder.path());
    let rules = root().join("examples/fraud/rules");
    folder
        .run(&["build", "--set", &format!("modules.rules.source={rules:?}")])
        .expect(0);
    check_scenarios(&folder);
    for workers in ["1", "2"] {
        let payments = Topic::new("payments", 4);
        let (alerts, bad) = (Topic::new("alerts", 4), Topic::new("bad", 1));
        let text = folder.read("payments.jsonl");
        let records: Vec<Record> = text.lines().map(payment).collect();
        payments.produce(&records);
        let settings = [
            format!("workers={workers}"),
            format!("checkpoints.location=checkpoints-{workers}"),
            format!("sources.payments.kafka.brokers={}", broker()),
            format!("sources.payments.kafka.topics={}", payments.name()),
            format!("sources.payments.kafka.group={}", payments.name()),
            "sources.payments.kafka.until=now".to_owned(),
            format!("sinks.alerts.kafka.brokers={}", broker()),
            format!("sinks.alerts.kafka.topic={}", alerts.name()),
            format!("sinks.bad.kafka.brokers={}", broker()),
            format!("sinks.bad.kafka.topic={}", bad.name()),
            format!("sinks.late.folder=out/late-{workers}"),
        ];
        let mut args = vec!["run"];
        args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        folder.run(&args).expect(0);
        let lines = |topic: &Topic| {
            let records = topic.committed();
            let mut lines: Vec<String> = records.iter().map(|r| r.text().to_owned()).collect();
            lines.sort();
            lines
        };
        let expected = example.join("expected/alerts.jsonl");
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&expected, lines(&alerts).join("\n") + "\n").expect("written");
        }
        let expected = fs::read_to_string(&expected).expect("what is expected");
        assert_eq!(lines(&alerts), sorted(&expected), "{workers} workers");
        let bad = bad.committed();
        assert_eq!(bad.len(), 1);
        let headers: Vec<&str> = bad[0]
            .headers
            .iter()
            .map(|(name, _)| name.as_str())
            .collect();
        let names = [
            "topic",
            "partition",
            "offset",
            "timestamp",
            "operator",
            "module-hash",
            "reason",
        ];
        assert_eq!(headers, names.map(|name| format!("tidemill.{name}")));
        assert_eq!(
            bad[0].headers[0].1.as_deref(),
            Some(payments.name().as_bytes())
        );
        let mut args = vec!["dlq", "list"];
        args.extend(settings.iter().flat_map(|setting| ["--set", setting]));
        let listed = folder.run(&args).expect(0).out;
        assert!(
            listed.contains("expected float, found \"a lot\""),
            "{listed}"
        );
    }
}

fn payment(line: &str) -> Record {
    let payment: serde_json::Value = serde_json::from_str(line).expect("a payment");
    Record::new(line).key(payment["account"].as_str().expect("an account"))
}

#[test]
fn every_example_has_a_test() {
    let mut names: Vec<String> = fs::read_dir(root().join("examples"))
        .expect("the examples")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.is_dir())
        .map(|path| {
            path.file_name()
                .expect("a name")
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    assert_eq!(
        names,
        [
            "dedup",
            "flights",
            "fraud",
            "fraud-kafka",
            "orders",
            "rotation"
        ],
        "add a test above for what is new"
    );
}

fn check(name: &str) {
    let example = root().join("examples").join(name);
    let folder = Folder::new();
    copy(&example, folder.path());
    let pipeline = tidemill_pipeline::read(&folder.path().join("pipeline.toml"));
    let pipeline = pipeline
        .expect("the example's pipeline file is sound")
        .pipeline;
    build(&pipeline, &example, &folder);
    check_scenarios(&folder);
    let stdout = stdout_sink(&pipeline);
    for workers in ["1", "2", "3"] {
        let ended = run(&folder, &stdout, workers);
        compare(&folder, &stdout, &ended, workers);
    }
}

/// Runs the example's scenarios, of which there are some: as they are, then with other numbers of workers.
fn check_scenarios(folder: &Folder) {
    for workers in [None, Some(2), Some(3)] {
        if let Some(workers) = workers {
            set_workers(folder, workers);
        }
        let ended = folder.run(&["test"]).expect(0);
        let last = ended.out.lines().last().unwrap_or_default();
        assert!(last.ends_with("passed"), "{}", ended.out);
    }
}

/// Lets every scenario run on so many workers.
fn set_workers(folder: &Folder, workers: usize) {
    for entry in fs::read_dir(folder.path().join("tests")).expect("scenarios") {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(&path).expect("a scenario");
        let kept: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with("workers "))
            .collect();
        let pipeline = "pipeline ../pipeline.toml";
        let asked = format!("{pipeline}\nworkers {workers}");
        let text = kept.join("\n").replacen(pipeline, &asked, 1) + "\n";
        fs::write(&path, text).expect("the scenario is written");
    }
}

/// Copies what a user's folder would have.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("the example") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        match path.is_dir() {
            true if name == "target" || name == "out" => {}
            true => copy(&path, &to.join(name)),
            false
                if path
                    .extension()
                    .is_some_and(|extension| extension == "wasm") => {}
            false => drop(fs::copy(&path, to.join(name)).expect("the file is copied")),
        }
    }
}

/// Builds the modules from where they are, since their path to the SDK is relative.
fn build(pipeline: &Pipeline, example: &Path, folder: &Folder) {
    let mut args = vec!["build".to_owned()];
    for module in &pipeline.modules {
        let source = module
            .source
            .as_ref()
            .expect("an example's module has a source");
        let inside = source
            .value
            .strip_prefix(folder.path())
            .expect("a folder of the example");
        let source: PathBuf = example.join(inside);
        args.extend([
            "--set".to_owned(),
            format!("modules.{}.source={source:?}", module.name),
        ]);
    }
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    folder
        .run(&args)
        .expect(0)
        .says(&["cargo build --release", "built "]);
}

/// The name of the sink that writes to standard output.
fn stdout_sink(pipeline: &Pipeline) -> String {
    let sink = pipeline
        .sinks
        .iter()
        .find(|s| matches!(s.connector.value, SinkConnector::Stdout));
    sink.expect("an example shows something").name.value.clone()
}

fn run(folder: &Folder, stdout: &str, workers: &str) -> Ended {
    let json = format!("sinks.{stdout}.format=json");
    folder
        .run(&["run", "--workers", workers, "--set", &json])
        .expect(0)
        .says(&["done in"])
}

/// Holds every file of `expected` against what was written; the sink of standard output has one of its name.
fn compare(folder: &Folder, stdout: &str, ended: &Ended, workers: &str) {
    let mut compared = 0;
    for entry in fs::read_dir(folder.path().join("expected")).expect("what is expected") {
        let file = entry
            .expect("an entry")
            .file_name()
            .into_string()
            .expect("a name");
        let found = match file == format!("{stdout}.jsonl") {
            true => ended.rows(),
            false => sorted(&folder.read(&format!("out/{file}"))),
        };
        let expected = sorted(&folder.read(&format!("expected/{file}")));
        let different = found
            .iter()
            .zip(&expected)
            .find(|(found, expected)| found != expected);
        assert_eq!(
            different, None,
            "{file} with {workers} workers: found, expected"
        );
        assert_eq!(
            found.len(),
            expected.len(),
            "rows in {file} with {workers} workers"
        );
        compared += 1;
    }
    let written = fs::read_dir(folder.path().join("out")).map_or(0, Iterator::count);
    assert_eq!(
        compared,
        written + 1,
        "every sink has its file in expected/"
    );
}
