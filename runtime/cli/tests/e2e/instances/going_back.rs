//! `--from` and `--fresh` of a pipeline that several processes share: each task goes back once, whoever runs it then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;

use super::*;

/// What comes out when these stretches of the payments are read one after the other, each with what was kept before it.
fn in_turn(
    one: &BTreeMap<Vec<u8>, Vec<String>>,
    read: &[Range<usize>],
) -> BTreeMap<Vec<u8>, Vec<String>> {
    let of_key = |key: &Vec<u8>, until: usize| {
        let is = |n: &usize| format!("k{}", n % 23).as_bytes() == &key[..];
        (0..until).filter(is).count()
    };
    let rows = |(key, rows): (&Vec<u8>, &Vec<String>)| {
        let stretch =
            |range: &Range<usize>| rows[of_key(key, range.start)..of_key(key, range.end)].to_vec();
        (key.clone(), read.iter().flat_map(stretch).collect())
    };
    one.iter().map(rows).collect()
}

fn says(instance: &Instance, text: &str) {
    instance.said.until(text, |line| line.contains(text));
}

#[test]
fn tasks_go_back_to_savepoints_once_whoever_runs_them_then() {
    let (from, to) = (Topic::new("payments", 4), Topic::new("sums", 4));
    let folder = Folder::with(&[("pipeline.toml", &sums(&from, &to, ("on-one-host", "")))]);
    let a = Instance::start(&folder, "a");
    from.produce(&payments(0..1000));
    wait_for(&to, 1000);
    let saved = folder.run(&["savepoint", "--to", "saves"]).expect(0);
    let saved = saved.out.trim().to_owned();
    let own = saved.strip_prefix("saves@").expect("a place").to_owned();
    assert_eq!(own.split(',').count(), 4, "{own}");
    from.produce(&payments(1000..2000));
    wait_for(&to, 2000);
    // Who does not run alone goes nowhere.
    folder
        .run(&[
            "run",
            "--instance",
            "b",
            "--from",
            &saved,
            "--allow-duplicates",
        ])
        .expect(2)
        .says(&["another process runs task 0", "hint: `tidemill stop`"]);
    folder.run(&["stop"]).expect(0);
    a.ends(0);
    folder
        .run(&["run", "--instance", "a", "--from", &own])
        .expect(2)
        .says(&["what came after checkpoint", "would be published again"]);
    folder
        .run(&["run", "--instance", "a", "--from", "7=1"])
        .expect(2)
        .says(&["there is no task 7", "tasks are 0 to 3"]);
    // It is told to go back, and dies before a checkpoint; others go back too, and were not told.
    let once = [
        "--set",
        "checkpoints.interval=\"2m\"",
        "--from",
        &saved,
        "--allow-duplicates",
    ];
    let a = Instance::start_with(&folder, "a", &once);
    for _ in 0..4 {
        says(&a, "going on from savepoint");
    }
    a.kill();
    let b = Instance::start(&folder, "b");
    b.runs(4);
    for _ in 0..4 {
        says(&b, "going on from savepoint");
    }
    wait_for(&to, 3000);
    // What is taken over later goes on from where it is.
    let c = Instance::start(&folder, "c");
    c.runs(2);
    from.produce(&payments(2000..2500));
    wait_for(&to, 3500);
    b.kill();
    c.runs(4);
    from.produce(&payments(2500..3000));
    wait_for(&to, 4000);
    folder.run(&["stop"]).expect(0);
    c.ends(0);
    let one = of_one(&folder, &from);
    assert_eq!(by_key(&to), in_turn(&one, &[0..2000, 1000..3000]));
}

#[test]
fn one_task_goes_back_and_all_begin_anew() {
    let (from, to) = (Topic::new("payments", 2), Topic::new("sums", 2));
    let folder = Folder::with(&[("pipeline.toml", &sums(&from, &to, ("on-one-host", "")))]);
    let a = Instance::start(&folder, "a");
    from.produce(&payments(0..400));
    wait_for(&to, 400);
    let saved = folder.run(&["stop"]).expect(0);
    a.ends(0);
    let (first, second) = saved.out.trim().split_once(',').expect("two tasks");
    let run = |more: &[&str], text: &str| {
        let instance = Instance::start_with(&folder, "a", more);
        says(&instance, text);
        instance
    };
    let number = second.strip_prefix("1=").expect("the other's");
    // Nothing was published since: nobody need allow anything.
    let a = run(
        &["--from", second],
        &format!("task 1: going on from savepoint {number}"),
    );
    from.produce(&payments(400..800));
    wait_for(&to, 800);
    folder.run(&["stop"]).expect(0);
    a.ends(0);
    let a = run(
        &["--from", first, "--allow-duplicates"],
        "task 0: going on from savepoint",
    );
    // Its rows behind the savepoint come again, and none of the other's.
    let read = from.committed();
    let of_first = |record: &&Record| record.partition == Some(0);
    let keys: BTreeSet<_> = read.iter().filter(of_first).map(|r| &r.key).collect();
    let again = payments(400..800);
    let again = again.iter().filter(|row| keys.contains(&row.key)).count();
    assert!((1..400).contains(&again), "{again}");
    wait_for(&to, 800 + again);
    folder.run(&["stop"]).expect(0);
    a.ends(0);
    assert_eq!(to.committed().len(), 800 + again);
    let a = run(&["--fresh"], "starting anew");
    wait_for(&to, 1600 + again);
    folder.run(&["stop"]).expect(0);
    a.ends(0);
    let one = of_one(&folder, &from);
    for (key, rows) in by_key(&to) {
        assert_eq!(rows[rows.len() - one[&key].len()..], one[&key], "{key:?}");
    }
}

#[test]
fn what_was_published_since_is_not_guessed_where_its_record_is_gone() {
    let (from, to) = (Topic::new("payments", 1), Topic::new("sums", 1));
    let folder = Folder::with(&[("pipeline.toml", &sums(&from, &to, ("on-one-host", "")))]);
    let a = Instance::start(&folder, "a");
    from.produce(&payments(0..100));
    wait_for(&to, 100);
    let saved = folder.run(&["stop"]).expect(0).out.trim().to_owned();
    a.ends(0);
    let a = Instance::start_with(&folder, "a", &["--from", &saved]);
    from.produce(&payments(100..200));
    wait_for(&to, 200);
    folder.run(&["stop"]).expect(0);
    a.ends(0);
    let number: u64 = saved
        .split('=')
        .nth(1)
        .and_then(|n| n.parse().ok())
        .expect("a number");
    let noted = folder
        .path()
        .join("checkpoints-on-one-host/shared/tasks/0/confirmed");
    for note in fs::read_dir(noted).expect("notes") {
        let note = note.expect("a note").path();
        let of = note
            .file_stem()
            .and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        if of.is_some_and(|of| of > number) {
            fs::remove_file(&note).expect("it is there");
        }
    }
    forget(broker(), &format!("{}-on-one-host", from.name()));
    folder.run(&["run", "--instance", "a"]).expect(1).says(&[
        "whether the output of checkpoint",
        "is not known",
        "`--from TASK=N --allow-duplicates`",
    ]);
    // A person has looked.
    let a = Instance::start_with(&folder, "a", &["--from", &saved, "--allow-duplicates"]);
    wait_for(&to, 300);
    folder.run(&["stop"]).expect(0);
    a.ends(0);
}
