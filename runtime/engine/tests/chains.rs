//! Where few of many keys change, what has changed since the base takes the place of all that was kept of it: a process that dies
//! then goes on from there.

#[path = "support/keyed.rs"]
mod keyed;
mod support;

use std::time::Duration;

use keyed::{Told, expected, pipeline, same, shown};
use support::input::{self, Row, Shape};
use support::{Bench, Holder, How};
use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::{
    Checkpoint, Form, Life, Location, Number, OnLock, Part, Recovery, Sequence,
};
use tidemill_connectors::Pending;
use tidemill_engine::checkpoint::location::{self, InLocation};
use tidemill_engine::checkpoint::{AtEnd, Begun, BlockCut, Cut, Pace, Store, StoreError};
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
    rows: 900,
    splits: 1,
    keys: 400,
    from: 1_000_000,
    step: 2,
    disorder: 100,
    bad: 900,
};

/// Then rows of few.
const FEW: Shape = Shape {
    seed: 62,
    rows: 40_000,
    keys: 8,
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

/// A location whose process dies as soon as a checkpoint holds once what has changed since its base.
struct Dying {
    inner: InLocation,
    sequence: Sequence,
    before: Option<Checkpoint>,
    dies: bool,
}

impl Store for Dying {
    fn begin(&mut self) -> Result<Begun, StoreError> {
        match self.dies {
            true => Err(StoreError::Unknown {
                text: "the process dies".to_owned(),
                hint: None,
            }),
            false => self.inner.begin(),
        }
    }

    fn block(&mut self, block: BlockCut) -> Result<(), StoreError> {
        self.inner.block(block)
    }

    fn keep(&mut self, cut: &Cut) -> Result<u64, StoreError> {
        let bytes = self.inner.keep(cut)?;
        let taken = self.sequence.checkpoint(Number(cut.number));
        let taken = taken.expect("it is whole").expect("it was kept");
        let before = self.before.as_ref();
        self.dies = before.is_some_and(|before| holds_once(before, &taken));
        self.before = Some(taken);
        Ok(bytes)
    }

    fn published(&mut self) -> Result<(), StoreError> {
        self.inner.published()
    }

    fn pending(&self, sink: &str) -> Result<Vec<Pending>, StoreError> {
        self.inner.pending(sink)
    }
}

/// A life of the pipeline that goes on from the last checkpoint; whether it comes to the end.
fn live(bench: &Bench, sequence: &Sequence, how: How) -> bool {
    let plan = bench.plan(how.workers);
    let claim = sequence.claim(&Life::of_this_process().expect("a life"), OnLock::Refuse);
    let mut claim = claim.expect("nobody else is there");
    let from = match claim.recovery().expect("a list").recovery {
        Recovery::Fresh => None,
        Recovery::Resume(checkpoint) => Some(*checkpoint),
        damaged @ Recovery::Damaged { .. } => panic!("{damaged:?}"),
    };
    claim.resume(from.as_ref());
    let read = |from: &Checkpoint| location::read(sequence, &from.manifest).expect("it is whole");
    let restored = from.as_ref().map(read);
    let writer = Writer::new(claim.pipeline_id(), claim.incarnation().to_string());
    let store = InLocation::new(claim, 2, &plan).small();
    let store = Dying {
        inner: match &from {
            Some(from) => store.going_on_from(&from.manifest),
            None => store,
        },
        sequence: sequence.clone(),
        before: from,
        dies: false,
    };
    let checkpoints = Checkpoints {
        store: Box::new(store),
        pace: PACE,
        writer,
        restored,
        told: Box::new(|_| ()),
        at_end: AtEnd::Fire,
        requests: None,
    };
    let running = start_with_checkpoints(&plan, &how.options(), checkpoints);
    match running.and_then(|running| running.wait()) {
        Ok(_) => true,
        Err(error) => {
            assert!(error.to_string().contains("the process dies"), "{error}");
            false
        }
    }
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

fn check(holder: Holder, workers: [usize; 2]) {
    let mut rows: Vec<Row> = MANY.of_this_run().make().remove(0);
    rows.extend(FEW.of_this_run().make().remove(0));
    let bench = Bench::new(&pipeline(&TOLD));
    bench.hold_in(holder);
    input::write(&bench, std::slice::from_ref(&rows));
    let location = Location::of_store(MemoryStore::new());
    let sequence = location.pipeline("test").expect("a name");
    let mut lives = workers.into_iter().cycle().take(100).enumerate();
    let last = lives.find(|(_, workers)| live(&bench, &sequence, How::new(16, *workers)));
    let (deaths, _) = last.expect("it comes to the end");
    assert!(deaths > 1, "nothing was held once");
    let came = shown(&bench.read("out").by_key(&["key"]));
    let what = format!("{holder:?}, {deaths} deaths");
    same(&came, &expected(&TOLD, &rows), &what);
}

#[test]
fn state_in_memory() {
    check(Holder::Memory, [1, 2]);
}

#[test]
fn state_in_rocksdb_and_all_of_it_in_memory() {
    check(Holder::RocksDb(usize::MAX), [1, 1]);
}
