//! A disk that is full for a while, and one that stays so.

use super::running::Run;
use super::{PIPELINE, add, field, folder, published};

/// Files that may not grow fail as a full disk does: at whatever is written next.
#[test]
fn a_full_disk_is_waited_for_and_nothing_is_lost() {
    let folder = folder(&PIPELINE.replace(
        "keep = 1",
        "keep = 1\ntolerated-failures = 0\nrestarts = 1000",
    ));
    let mut run = Run::start(&folder, &["run", "--workers", "2"]);
    add(&folder, "a.jsonl", 0..25);
    run.until("two windows", || published(&folder).len() == 6);
    let mut seconds = 25;
    // The first bytes of anything, the data file of the window, the manifest.
    for bytes in [0, 200, 700] {
        let failed = run.err().matches("the pipeline has failed").count();
        run.limit_files(Some(bytes));
        add(&folder, "a.jsonl", seconds..seconds + 10);
        seconds += 10;
        let err = run.err.clone();
        run.until("a failure", || {
            let said = err.lock().expect("no panic");
            said.matches("the pipeline has failed").count() > failed
        });
        run.limit_files(None);
        let windows = (seconds / 10) as usize;
        run.until("what was waiting", || {
            published(&folder).len() >= 3 * windows
        });
    }
    let said = run.err();
    assert!(
        said.contains("it goes on from its newest checkpoint in "),
        "{said}"
    );
    folder.run(&["stop", "--drain"]).expect(0);
    assert_eq!(run.ended(), 0);
    let rows = published(&folder);
    let counted: u64 = rows.iter().map(|row| field(row, "sum")).sum();
    assert_eq!((rows.len(), counted), (18, seconds), "{said}");
}

#[test]
fn a_disk_that_stays_full_ends_the_run_with_the_reason() {
    let folder =
        folder(&PIPELINE.replace("keep = 1", "keep = 1\ntolerated-failures = 1\nrestarts = 2"));
    let mut run = Run::start(&folder, &["run", "--workers", "1"]);
    add(&folder, "a.jsonl", 0..25);
    run.until("two windows", || published(&folder).len() == 6);
    run.limit_files(Some(0));
    add(&folder, "a.jsonl", 25..35);
    assert_eq!(run.ended(), 1);
    let said = run.err();
    assert!(said.contains("(restart 2 of at most 2 in a row)"), "{said}");
    assert!(
        said.contains("2 restarts in a row have not helped: giving up"),
        "{said}"
    );
    assert!(said.contains("File too large"), "{said}");

    let mut again = Run::start(&folder, &["run"]);
    again.until("what was waiting", || published(&folder).len() == 9);
    folder.run(&["stop"]).expect(0);
    assert_eq!(again.ended(), 0);
}
