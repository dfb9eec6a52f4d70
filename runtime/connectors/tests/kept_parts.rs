//! Parts that are published with checkpoints: when, under which names, by whom; what is refused.

mod support {
    pub mod faulty;
    pub mod numbers;
}

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use support::faulty::{Fault, Faulty};
use support::numbers::{batch, hidden, published, schema};
use tidemill_connectors::position::{FilePosition, Fingerprint};
use tidemill_connectors::{
    Cut, Encoding, Ending, FolderSpec, Guarantee, Life, Missing, Part, Pending, Position, Roll,
    Segment, SharedSink, Sink, SinkSpec,
};

fn folder_sink(folder: &Path, roll: Roll) -> SinkSpec {
    SinkSpec::Folder(FolderSpec {
        roll,
        ..FolderSpec::new(folder, Encoding::CSV)
    })
}

fn life(incarnation: &str, effects: &Arc<Faulty>) -> Life {
    Life {
        owner: "p1-out".into(),
        incarnation: incarnation.into(),
        effects: effects.clone(),
    }
}

/// A sink in one life of the process, with one worker.
fn open(spec: &SinkSpec, incarnation: &str, pending: &[Pending]) -> (SharedSink, Box<dyn Sink>) {
    let effects = Arc::new(Faulty::new(None));
    let life = life(incarnation, &effects);
    let sink = spec.open_kept(schema(), false, &life).expect("opens");
    sink.restore(pending, 1, Missing::Refuse).expect("goes on");
    let hand = sink.writer(0);
    (sink, hand)
}

fn cut(checkpoint: u64) -> Cut {
    Cut {
        checkpoint,
        ending: Ending::Nothing,
    }
}

fn last(checkpoint: u64) -> Cut {
    Cut {
        checkpoint,
        ending: Ending::Everything,
    }
}

/// A whole checkpoint, with what it keeps.
fn checkpoint(sink: &SharedSink, hand: &mut dyn Sink, cut: &Cut) -> Vec<Pending> {
    let pending = vec![hand.cut(cut).expect("cut")];
    sink.secure(&pending).expect("durable");
    sink.publish(&pending).expect("published");
    pending
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<_> = names
        .map(|name| name.into_string().expect("UTF-8"))
        .collect();
    names.sort();
    names
}

#[test]
fn a_part_is_published_with_the_first_checkpoint_after_a_limit() {
    let never = Roll {
        rows: u64::MAX,
        bytes: u64::MAX,
        age: None,
    };
    let age = Some(Duration::from_millis(30));
    // How a part ends; rows written before each checkpoint, 10 ms apart; rows published with each.
    let cases = [
        (Roll { rows: 5, ..never }, [3, 3, 0, 12], [0, 5, 5, 15]),
        (Roll { bytes: 50, ..never }, [3, 3, 0, 12], [0, 6, 6, 18]),
        (Roll { age, ..never }, [3, 3, 0, 12], [0, 0, 6, 6]),
        (never, [3, 3, 0, 12], [0, 0, 0, 0]),
    ];
    for (roll, written, expected) in cases {
        let temporary = tempfile::tempdir().expect("a folder");
        let spec = folder_sink(temporary.path(), roll);
        let effects = Arc::new(Faulty::new(None));
        let life = life("1-ab", &effects);
        let sink = spec.open_kept(schema(), false, &life).expect("opens");
        let mut hand = sink.writer(0);
        let mut next = 0;
        for (number, (rows, expected)) in written.into_iter().zip(expected).enumerate() {
            hand.write(&batch(next, next + rows)).expect("written");
            next += rows;
            effects.pass(10);
            checkpoint(&sink, &mut *hand, &cut(number as u64 + 1));
            let found = published(temporary.path(), Encoding::CSV);
            assert_eq!(found.len(), expected, "{roll:?}, checkpoint {}", number + 1);
        }
        checkpoint(&sink, &mut *hand, &last(9));
        let all: Vec<i64> = (0..next).collect();
        assert_eq!(published(temporary.path(), Encoding::CSV), all);
        assert_eq!(hidden(temporary.path()), 0);
        assert_eq!(sink.rows(), 18);
    }
}

#[test]
fn parts_are_named_by_checkpoint_incarnation_worker_and_number() {
    let temporary = tempfile::tempdir().expect("a folder");
    let roll = Roll {
        rows: 2,
        ..Roll::default()
    };
    let spec = folder_sink(temporary.path(), roll);
    let (sink, mut hand) = open(&spec, "7-0f", &[]);
    hand.write(&batch(0, 5)).expect("written");
    let kept = checkpoint(&sink, &mut *hand, &cut(8));
    let expected = [
        ".p1-out.7-0f.0.3.pending",
        "part-000008-7-0f-00000-000001.csv",
        "part-000008-7-0f-00000-000002.csv",
    ];
    assert_eq!(names(temporary.path()), expected);
    // The part that is taken up keeps its own name.
    let (sink, mut hand) = open(&spec, "9-1e", &kept);
    hand.write(&batch(5, 6)).expect("written");
    checkpoint(&sink, &mut *hand, &cut(10));
    let later = sink.published_after(8).expect("a folder");
    let later: Vec<_> = later.iter().filter_map(|path| path.file_name()).collect();
    assert_eq!(later, ["part-000010-7-0f-00000-000003.csv"]);
}

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
fn what_is_neither_pending_nor_published_is_named() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    let roll = Roll {
        rows: 4,
        ..Roll::default()
    };
    let spec = folder_sink(folder, roll);
    let (sink, mut hand) = open(&spec, "1-ab", &[]);
    hand.write(&batch(0, 6)).expect("written");
    let kept = vec![hand.cut(&cut(2)).expect("cut")];
    let restore = |missing| {
        let effects = Arc::new(Faulty::new(None));
        let sink = spec.open_kept(schema(), false, &life("2-cd", &effects));
        sink.expect("opens").restore(&kept, 1, missing)
    };
    // The open part is cut.
    fs::write(folder.join(".p1-out.1-ab.0.2.pending"), "id,te").expect("cut");
    let error = restore(Missing::Refuse).expect_err("it is cut").to_string();
    assert!(
        error.contains(".p1-out.1-ab.0.2.pending") && error.contains("2 rows"),
        "{error}"
    );
    restore(Missing::LeaveOut).expect("a person has decided so");
    // The complete one was published by that, and is gone from there.
    fs::remove_file(folder.join("part-000002-1-ab-00000-000001.csv")).expect("there");
    let error = sink.publish(&kept).expect_err("it is nowhere").to_string();
    for part in [
        "part-000002-1-ab-00000-000001.csv",
        ".p1-out.1-ab.0.1.pending",
    ] {
        assert!(error.contains(part), "{error}");
    }
}

#[test]
fn a_damaged_segment_is_never_published() {
    let temporary = tempfile::tempdir().expect("a folder");
    let folder = temporary.path();
    let spec = folder_sink(folder, Roll::default());
    let (sink, mut hand) = open(&spec, "1-ab", &[]);
    hand.write(&batch(0, 6)).expect("written");
    let kept = checkpoint(&sink, &mut *hand, &cut(2));
    let segment = folder.join(".p1-out.1-ab.0.1.pending");
    let text = fs::read_to_string(&segment).expect("there");
    fs::write(&segment, text.replace('3', "8")).expect("changed");
    let (sink, mut hand) = open(&spec, "3-cd", &kept);
    let pending = vec![hand.cut(&last(4)).expect("cut")];
    let error = sink
        .publish(&pending)
        .expect_err("it is not what was written");
    assert!(error.to_string().contains("is damaged"), "{error}");
    assert_eq!(published(folder, Encoding::CSV), Vec::<i64>::new());
}

#[test]
fn after_a_failed_sync_nothing_is_relied_upon() {
    let at = |chosen| {
        let temporary = tempfile::tempdir().expect("a folder");
        let effects = Arc::new(Faulty::new(chosen));
        let spec = folder_sink(temporary.path(), Roll::default());
        let sink = spec.open_kept(schema(), false, &life("1-ab", &effects));
        let sink = sink.expect("opens");
        let mut hand = sink.writer(0);
        hand.write(&batch(0, 6)).expect("written");
        let pending = vec![hand.cut(&cut(1)).expect("cut")];
        let before = effects.effects();
        let secured = sink.secure(&pending);
        (before, secured, hand.cut(&cut(2)))
    };
    let (before, secured, again) = at(None);
    assert!(secured.is_ok() && again.is_ok());
    for sync in [before + 1, before + 2] {
        let (_, secured, again) = at(Some((sync, Fault::Full)));
        let error = secured.expect_err("the disk failed").to_string();
        assert!(error.contains("cannot write"), "{error}");
        let error = again.expect_err("nobody knows what is there").to_string();
        assert!(error.contains("may be lost"), "{error}");
    }
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

#[test]
fn each_sink_says_what_it_guarantees() {
    let format = Encoding::Json;
    let file = SinkSpec::File {
        path: "out".into(),
        format,
    };
    assert!(file.needs_an_end());
    let cases = [
        (file, Guarantee::ExactlyOnce),
        (
            SinkSpec::Folder(FolderSpec::new("out", format)),
            Guarantee::ExactlyOnce,
        ),
        (SinkSpec::Stdout { format }, Guarantee::AtLeastOnce),
        (SinkSpec::Blackhole, Guarantee::Nothing),
    ];
    for (spec, guarantee) in cases {
        assert_eq!(spec.guarantee(), guarantee, "{spec:?}");
    }
}

/// What checkpoints keep, as the first version wrote it: every later one reads it so.
#[test]
fn what_is_kept_is_read_for_ever() {
    let print = Fingerprint {
        inode: Some(7),
        read: 300,
        head: 1,
        tail: 2,
    };
    let positions = [
        (
            r#"{"of":"generated","next":5,"finished":false}"#,
            Position::Generated {
                next: 5,
                finished: false,
            },
        ),
        (
            r#"{"of":"stream","finished":true}"#,
            Position::Stream { finished: true },
        ),
        (
            r#"{"of":"file","byte":0,"line":1}"#,
            Position::File(FilePosition::default()),
        ),
        (
            r#"{"of":"file","byte":3,"line":2,"within-line":true,"header-read":true,"finished":true,"caught-up":true,"file":{"inode":7,"read":300,"head":1,"tail":2},"earlier":[{"inode":7,"read":300,"head":1,"tail":2}]}"#,
            Position::File(FilePosition {
                byte: 3,
                line: 2,
                within_line: true,
                header_read: true,
                finished: true,
                caught_up: true,
                file: Some(print),
                earlier: vec![print],
            }),
        ),
    ];
    for (json, position) in positions {
        assert_eq!(serde_json::to_string(&position).expect("JSON"), json);
        assert_eq!(
            serde_json::from_str::<Position>(json).expect("a position"),
            position
        );
    }
    let pending = r#"{"parts":[{"id":"1-ab-00000-000001","publish":"out.csv","begun-ms":9,"segments":[{"file":".x","bytes":4,"head":2,"rows":1,"crc":3,"left":true}]}]}"#;
    let parsed: Pending = serde_json::from_str(pending).expect("pending");
    assert_eq!(serde_json::to_string(&parsed).expect("JSON"), pending);
    assert_eq!(parsed.parts[0].rows(), 1);
    let nothing: Pending = serde_json::from_str("{}").expect("pending");
    assert_eq!(nothing, Pending::default());
}

/// What is to be kept for long needs nothing that lies in the sink's place under a hidden name; a single file goes on.
#[test]
fn parts_may_end_before_their_limits() {
    let savepoint = |checkpoint| Cut {
        checkpoint,
        ending: Ending::Parts,
    };
    let temporary = tempfile::tempdir().expect("a folder");
    let spec = folder_sink(temporary.path(), Roll::default());
    let (sink, mut hand) = open(&spec, "1-ab", &[]);
    hand.write(&batch(0, 3)).expect("written");
    let pending = checkpoint(&sink, &mut *hand, &savepoint(1));
    assert!(pending[0].parts.iter().all(|part| part.publish.is_some()));
    assert_eq!(published(temporary.path(), Encoding::CSV), [0, 1, 2]);
    assert_eq!(hidden(temporary.path()), 0);
    // Nothing was written since, then some more.
    checkpoint(&sink, &mut *hand, &savepoint(2));
    hand.write(&batch(3, 5)).expect("written");
    checkpoint(&sink, &mut *hand, &cut(3));
    assert_eq!(published(temporary.path(), Encoding::CSV), [0, 1, 2]);
    checkpoint(&sink, &mut *hand, &last(4));
    assert_eq!(published(temporary.path(), Encoding::CSV), [0, 1, 2, 3, 4]);

    let file = temporary.path().join("one.csv");
    let spec = SinkSpec::File {
        path: file.clone(),
        format: Encoding::CSV,
    };
    let (sink, mut hand) = open(&spec, "2-cd", &[]);
    hand.write(&batch(0, 3)).expect("written");
    checkpoint(&sink, &mut *hand, &savepoint(5));
    assert!(!file.exists(), "it is whole at the end");
    hand.write(&batch(3, 5)).expect("written");
    checkpoint(&sink, &mut *hand, &last(6));
    assert!(file.exists());
}
