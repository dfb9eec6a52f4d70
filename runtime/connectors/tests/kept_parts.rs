//! Parts that are published with checkpoints: when, under which names, by whom; what is refused.

mod support {
    pub mod faulty;
    pub mod lives;
    pub mod numbers;
}

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use support::faulty::{Fault, Faulty};
use support::lives::{checkpoint, cut, folder_sink, last, life, names, open};
use support::numbers::{batch, hidden, published, schema};
use tidemill_connectors::position::{FilePosition, Fingerprint};
use tidemill_connectors::{
    Cut, Encoding, Ending, FolderSpec, Guarantee, Missing, Pending, Position, Roll, SinkSpec,
};

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
