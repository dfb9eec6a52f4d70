//! Whatever files a checkpoint's state is in, it can be gone on from: a base, what has changed since in each, and what has changed
//! since the base kept once.

#[path = "support/keyed.rs"]
mod keyed;
mod support;

use std::time::Duration;

use keyed::{Told, expected, pipeline, same, shown};
use support::input::{self, Row, Shape};
use support::{Bench, Holder, How};
use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::{Checkpoint, Form, Life, Location, OnLock, Part, Sequence};
use tidemill_engine::checkpoint::AtEnd;
use tidemill_engine::checkpoint::Pace;
use tidemill_engine::checkpoint::location::{self, InLocation};
use tidemill_engine::{Checkpoints, Writer, start_with_checkpoints};

const TOLD: Told = Told {
    function: "busy",
    ahead: 3000,
    breaking: "return",
    out_of_orderness: 150,
};

/// Many keys first.
const MANY: Shape = Shape {
    seed: 61,
    rows: 2000,
    splits: 1,
    keys: 900,
    from: 1_000_000,
    step: 2,
    disorder: 100,
    bad: 90,
};

/// Then rows of few.
const FEW: Shape = Shape {
    seed: 62,
    rows: 6000,
    keys: 12,
    from: 2_000_000,
    step: 40,
    ..MANY
};

/// As often as they can be.
const PACE: Pace = Pace {
    interval: Duration::from_micros(100),
    min_pause: Duration::ZERO,
    timeout: Duration::from_secs(60),
    tolerated_failures: 0,
};

/// A life of the pipeline that begins with a checkpoint and comes to the end; the checkpoints that there are then.
fn live(
    bench: &Bench,
    sequence: &Sequence,
    from: Option<&Checkpoint>,
    how: How,
) -> Vec<Checkpoint> {
    let plan = bench.plan(how.workers);
    let claim = sequence.claim(&Life::of_this_process().expect("a life"), OnLock::Refuse);
    let mut claim = claim.expect("nobody else is there");
    claim.resume(from);
    let restored = from.map(|from| location::read(sequence, &from.manifest).expect("it is whole"));
    let writer = Writer::new(claim.pipeline_id(), claim.incarnation().to_string());
    let store = InLocation::new(claim, 10_000, &plan).small();
    let checkpoints = Checkpoints {
        store: Box::new(match from {
            Some(from) => store.going_on_from(&from.manifest),
            None => store,
        }),
        pace: PACE,
        writer,
        restored,
        told: Box::new(|_| ()),
        at_end: AtEnd::Fire,
        requests: None,
    };
    let running = start_with_checkpoints(&plan, &how.options(), checkpoints);
    let ended = running.and_then(|running| running.wait());
    ended.unwrap_or_else(|error| panic!("{how:?}: {error}"));
    let numbers = sequence.numbers().expect("a list").into_iter();
    numbers
        .filter_map(|number| sequence.checkpoint(number).expect("it is whole"))
        .collect()
}

/// The files of its state that are of this form.
fn files(checkpoint: &Checkpoint, form: Form) -> Vec<&Part> {
    let operators = &checkpoint.manifest.contents.operators;
    let busy = operators.iter().find(|operator| operator.name == "busy");
    let parts = busy.expect("it is kept").parts.iter();
    parts.filter(|part| part.form == form).collect()
}

/// Whether it holds what has changed since the base once, where the one before had it in several files.
fn holds_once(before: &Checkpoint, checkpoint: &Checkpoint) -> bool {
    let own = |part: &&Part| part.written_by == checkpoint.number();
    let changed = files(checkpoint, Form::Delta);
    !changed.is_empty()
        && changed.iter().all(own)
        && files(before, Form::Delta).len() > 1
        && files(before, Form::Base) == files(checkpoint, Form::Base)
}

fn check(holder: Holder, how: How) {
    let mut rows: Vec<Row> = MANY.of_this_run().make().remove(0);
    rows.extend(FEW.of_this_run().make().remove(0));
    let bench = Bench::new(&pipeline(&TOLD));
    bench.hold_in(holder);
    input::write(&bench, std::slice::from_ref(&rows));
    let expected = expected(&TOLD, &rows);
    let is_right = |what: &str| {
        let came = shown(&bench.read("out").by_key(&["key"]));
        same(&came, &expected, &format!("{holder:?}, {how:?}, {what}"));
    };

    let location = Location::of_store(MemoryStore::new());
    let sequence = location.pipeline("test").expect("a name");
    let taken = live(&bench, &sequence, None, how);
    is_right("undisturbed");
    let pairs = || taken.windows(2).map(|pair| (&pair[0], &pair[1]));
    let once: Vec<&Checkpoint> = pairs()
        .filter(|(before, one)| holds_once(before, one))
        .map(|(_, one)| one)
        .collect();
    assert!(!once.is_empty(), "of {} checkpoints none", taken.len());
    let bases = pairs().filter(|(before, one)| files(before, Form::Base) != files(one, Form::Base));
    assert!(bases.count() > 0, "the first base is the last");

    let other = How::new(how.batch_rows, 3 - how.workers);
    let some = taken.iter().step_by(taken.len().div_ceil(12));
    for from in some
        .chain(once.into_iter().take(8))
        .filter(|from| !from.manifest.contents.finished)
    {
        live(&bench, &sequence, Some(from), other);
        is_right(&format!("from {}", from.number()));
    }
}

#[test]
fn state_in_memory() {
    check(Holder::Memory, How::new(16, 1));
    check(Holder::Memory, How::new(16, 2));
}

#[test]
fn state_in_rocksdb_all_of_it_in_memory() {
    check(Holder::RocksDb(usize::MAX), How::new(16, 1));
}
