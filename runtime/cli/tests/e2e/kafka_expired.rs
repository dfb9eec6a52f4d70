//! A broker keeps a group's offsets for seven days: what becomes of a pipeline that slept for longer.

use std::process::Stdio;
use std::sync::mpsc::channel;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tidemill_test_kafka::{Point, Proxy, Request, Topic, broker, forget, hold};

use crate::kafka::{by_key, payments, run_to_end, through};
use crate::support::Folder;

/// The newest checkpoint that is in a state, if there is one.
fn newest(folder: &Folder, state: &str) -> Option<String> {
    let listed = folder.run(&["checkpoint", "list", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed.expect(0).out).expect("JSON");
    let entries = listed.as_array().expect("a list");
    let newest = entries.iter().rfind(|entry| entry["state"] == state)?;
    Some(newest["number"].to_string())
}

#[test]
fn a_note_that_a_checkpoint_was_confirmed_stands_for_offsets_that_are_gone() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    from.produce(&payments(0..100));
    let folder = Folder::new();
    run_to_end(&folder, &from, &to).expect(0);
    assert!(newest(&folder, "confirmed").is_some());
    forget(broker(), from.name());
    from.produce(&payments(100..150));
    run_to_end(&folder, &from, &to).expect(0);
    assert_eq!(by_key(&to), by_key(&from));
    // It has said again where it stands: the next one believes that.
    from.produce(&payments(150..160));
    run_to_end(&folder, &from, &to).expect(0);
    assert_eq!(by_key(&to), by_key(&from));
}

/// Kills a run when it is about to commit: its checkpoint is prepared, and its output is not there.
fn killed_before_its_commit(folder: &Folder, from: &Topic, to: &Topic) {
    let proxy = Proxy::before(broker());
    let (tell, told) = channel::<Pid>();
    let strike = move || {
        let pid = told.recv().expect("the process was begun");
        kill_process(pid, Signal::KILL).expect("it is there");
    };
    let pipeline = through(from, to, r#", until = "now""#).replace(broker(), &proxy.address());
    folder.write("pipeline.toml", &pipeline);
    // The first commit of a run says where it begins; the next one is that of rows.
    proxy.call(Request::EndTxn, 0, (Point::Before, strike));
    let mut command = folder.command(&["run", "--at-end", "keep"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().expect("the binary runs");
    tell.send(Pid::from_child(&child))
        .expect("it is listened to");
    let ended = child.wait().expect("it ends");
    assert_eq!(ended.code(), None, "it was not struck");
}

#[test]
fn without_offsets_a_checkpoint_that_is_only_prepared_stops_and_says_what_may_be_there() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    from.produce(&payments(0..100));
    let folder = Folder::new();
    run_to_end(&folder, &from, &to).expect(0);
    let confirmed = newest(&folder, "confirmed").expect("a checkpoint");
    from.produce(&payments(100..150));
    killed_before_its_commit(&folder, &from, &to);
    let prepared = newest(&folder, "prepared").expect("one that was not committed");
    forget(broker(), from.name());
    let what = format!("whether the output of checkpoint {prepared} was committed is not known");
    run_to_end(&folder, &from, &to).expect(1).says(&[
        &what,
        "the group has no offsets any more",
        "offsets.retention.minutes",
        "--from N --allow-duplicates",
    ]);
    // A person has looked, and decides: it was not.
    let again = [
        "run",
        "--at-end",
        "keep",
        "--from",
        &confirmed,
        "--allow-duplicates",
    ];
    folder.run(&again).expect(0);
    from.produce(&payments(150..160));
    run_to_end(&folder, &from, &to).expect(0);
    assert_eq!(by_key(&to), by_key(&from));
}

#[test]
fn offsets_of_a_transaction_that_never_ends_are_not_waited_for_where_a_note_says_enough() {
    let (from, to) = (Topic::new("payments", 3), Topic::new("alerts", 3));
    from.produce(&payments(0..100));
    let folder = Folder::new();
    run_to_end(&folder, &from, &to).expect(0);
    // As where the broker has lost the end of a transaction that was committed.
    let _held = hold(broker(), from.name(), from.name(), 1);
    from.produce(&payments(100..150));
    run_to_end(&folder, &from, &to).expect(0).says(&[
        "holds offsets of a transaction that the broker does not end",
        "is the newest that was to be committed, and its note says that it was",
    ]);
    assert_eq!(by_key(&to), by_key(&from));
    from.produce(&payments(150..160));
    killed_before_its_commit(&folder, &from, &to);
    let prepared = newest(&folder, "prepared").expect("one that was not committed");
    let what = format!("whether the output of checkpoint {prepared} was committed is not known");
    let refused = run_to_end(&folder, &from, &to).expect(1);
    refused.says(&[&what, "--from N --allow-duplicates"]);
    // A person decides, who has looked: it was not.
    let confirmed = newest(&folder, "confirmed").expect("a checkpoint");
    let again = [
        "run",
        "--at-end",
        "keep",
        "--from",
        &confirmed,
        "--allow-duplicates",
    ];
    folder.run(&again).expect(0);
    assert_eq!(by_key(&to), by_key(&from));
}
