//! Parts that are published with checkpoints, from life to life: who takes up what, and what is left alone.

mod support {
    pub mod faulty;
    pub mod lives;
    pub mod numbers;
}

use std::fs;
use std::sync::Arc;

use support::faulty::Faulty;
use support::lives::{checkpoint, cut, folder_sink, last, life, names, open};
use support::numbers::{batch, hidden, published, schema};
use tidemill_connectors::{Encoding, Missing, Part, Pending, Roll, Segment};

#[test]
fn each_worker_takes_up_its_own_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let roll = Roll {
        rows: 2,
        ..Roll::default()
    };
    let spec = folder_sink(folder.path(), roll);
    let lives = |incarnation: &str, kept: &[Pending], rows: [(i64, i64); 2]| {
        let life = life(incarnation, &Arc::new(Faulty::new(None)));
        let sink = spec.open_kept(schema(), false, &life).expect("opens");
        sink.restore(kept, 2, Missing::Refuse).expect("goes on");
        let pending = rows.into_iter().enumerate().map(|(worker, (from, to))| {
            let mut hand = sink.writer(worker);
            hand.write(&batch(from, to)).expect("written");
            hand.cut(&cut(2)).expect("cut")
        });
        let pending: Vec<Pending> = pending.collect();
        sink.secure(&pending).expect("durable");
        sink.publish(&pending).expect("published");
        pending
    };
    // The part of worker 0 is complete, and that of worker 1 is open.
    let kept = lives("1-a", &[], [(0, 2), (10, 11)]);
    let kept = lives("3-b", &kept, [(2, 4), (11, 12)]);
    let ids: Vec<&str> = kept.iter().map(|kept| kept.parts[0].id.as_str()).collect();
    assert_eq!(ids, ["3-b-00000-000001", "1-a-00001-000001"]);
}

#[test]
fn a_process_that_was_only_stopped_harms_nothing_when_it_wakes_up() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    let roll = Roll {
        rows: 4,
        ..Roll::default()
    };
    let spec = folder_sink(folder, roll);
    let (old, mut sleeper) = open(&spec, "1-ab", &[]);
    sleeper.write(&batch(0, 6)).expect("written");
    let kept = vec![sleeper.cut(&cut(2)).expect("cut")];
    old.secure(&kept).expect("durable");
    // Its checkpoint is there; before it has published it, it is stopped. It has rows at hand that nobody knows of.
    sleeper.write(&batch(60, 61)).expect("written");

    let (new, mut hand) = open(&spec, "3-cd", &kept);
    new.clean(&kept).expect("clean");
    hand.write(&batch(6, 8)).expect("written");
    let ended = checkpoint(&new, &mut *hand, &last(4));

    sleeper.write(&batch(61, 70)).expect("it knows nothing");
    assert_eq!(
        old.publish(&kept).expect("it is there"),
        Vec::<std::path::PathBuf>::new()
    );
    let _ = sleeper.cut(&cut(3));
    let all: Vec<i64> = (0..8).collect();
    assert_eq!(published(folder, Encoding::CSV), all);
    let (newest, _hand) = open(&spec, "5-ef", &ended);
    newest.clean(&ended).expect("clean");
    assert_eq!(hidden(folder), 0, "{:?}", names(folder));
    assert_eq!(published(folder, Encoding::CSV), all);
}

#[test]
fn only_own_files_of_older_lives_are_removed() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    let kept = [
        ".hidden",
        ".other.1-ab.0.1.pending",
        ".p1-out.1-ab.0.1.pending",
        // Of one that has taken over in the meantime.
        ".p1-out.10-0a.0.1.pending",
        ".p1-out.3-cd.0.1.pending",
        ".p1-out.notes",
        "part-000001-1-ab-00000-000001.csv",
    ];
    let removed = [".p1-out.1-ab.0.2.pending", ".p1-out.2-ff.join.1.pending"];
    for name in kept.iter().chain(&removed) {
        fs::write(folder.join(name), "").expect("a file");
    }
    let segment = Segment {
        file: ".p1-out.1-ab.0.1.pending".into(),
        bytes: 0,
        head: 0,
        rows: 0,
        crc: 0,
        left: false,
    };
    let savepoint = Pending {
        parts: vec![Part {
            id: "1-ab-00000-000001".into(),
            publish: None,
            begun_ms: 0,
            segments: vec![segment],
        }],
    };
    let (sink, _hand) = open(&folder_sink(folder, Roll::default()), "3-cd", &[]);
    sink.clean(&[savepoint]).expect("clean");
    assert_eq!(names(folder), kept);
}
