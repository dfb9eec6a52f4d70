//! A location that fails at each of its writes in turn: a run ends with a reason that may pass, or goes on, and what the
//! next one publishes is what an undisturbed run publishes.

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use support::input::{self, Shape};
use support::stations::{Watched, pipeline};
use support::{Bench, How, Rows};
use tidemill_checkpoint::store::faults::{Effect, Fate, Faults};
use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::{
    CheckpointError, Claim, Clock, Life, Location, Moment, OnLock, Recovery,
};
use tidemill_engine::checkpoint::location::{self, InLocation};
use tidemill_engine::checkpoint::{AtEnd, Pace, Restored};
use tidemill_engine::{Checkpoints, EngineError, Plan, Writer, start_with_checkpoints};

const SHAPE: Shape = Shape {
    seed: 41,
    rows: 600,
    splits: 1,
    keys: 8,
    from: 1_000_000,
    step: 40,
    disorder: 4000,
    bad: 9,
};

/// As often as they can be; one that fails is tried again once.
const PACE: Pace = Pace {
    interval: Duration::from_micros(100),
    min_pause: Duration::ZERO,
    timeout: Duration::from_secs(60),
    tolerated_failures: 1,
};

/// So many of a location's writes fail, one in each story.
const WRITES: u64 = 14;

/// A clock on which waiting takes no time.
#[derive(Debug, Default)]
struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::Relaxed))
    }

    fn pause(&self, long: Duration) {
        self.0.fetch_add(long.as_micros() as i64, Ordering::Relaxed);
    }
}

/// What becomes of a pipeline whose location fails at one write.
struct Story {
    objects: MemoryStore,
    /// How many writes there have been, over all lives.
    writes: Arc<AtomicU64>,
    /// From which to which they fail, and how.
    fails: std::ops::Range<u64>,
    fate: Fate,
}

impl Story {
    fn claim(&self, token: u64) -> Result<Claim, CheckpointError> {
        let (writes, fails, fate) = (self.writes.clone(), self.fails.clone(), self.fate);
        let decide = move |effect: &Effect| match effect {
            Effect::Put(_) if fails.contains(&writes.fetch_add(1, Ordering::Relaxed)) => fate,
            _ => Fate::Done,
        };
        let store = Faults::new(self.objects.clone(), decide);
        let life = Life {
            token,
            process: format!("life {token} of a test"),
            clock: Arc::new(TestClock::default()),
        };
        let sequence = Location::of_store(store).pipeline("test")?;
        sequence.claim(&life, OnLock::Refuse)
    }

    /// Lives until one of them has come to the end; how many failed.
    fn live(&self, bench: &Bench) -> u64 {
        for token in 1..50 {
            let how = How::new(16, 1 + token as usize % 2);
            match self.one_life(token, &bench.plan(how.workers), how) {
                Ok(()) => return token - 1,
                Err(why) => assert!(why.may_pass(), "{:?} at {:?}: {why}", self.fate, self.fails),
            }
        }
        panic!("{:?} at {:?} never ends", self.fate, self.fails);
    }

    fn one_life(&self, token: u64, plan: &Plan, how: How) -> Result<(), EngineError> {
        let unavailable = |source: CheckpointError| EngineError::Location {
            number: 0,
            source: Box::new(source),
        };
        let mut claim = self.claim(token).map_err(unavailable)?;
        let found = claim.recovery().map_err(unavailable)?;
        let from = match found.recovery {
            Recovery::Fresh => None,
            Recovery::Resume(checkpoint) => Some(*checkpoint),
            damaged @ Recovery::Damaged { .. } => panic!("{damaged:?}"),
        };
        claim.resume(from.as_ref());
        let read = |from: &tidemill_checkpoint::Checkpoint| -> Result<Restored, EngineError> {
            location::read(claim.sequence(), &from.manifest)
        };
        let restored = from.as_ref().map(read).transpose()?;
        let writer = Writer::new(claim.pipeline_id(), claim.incarnation().to_string());
        if let (Some(from), Some(restored)) = (&from, &restored)
            && from.manifest.contents.finished
        {
            return location::publish(plan, restored, &writer);
        }
        let checkpoints = Checkpoints {
            store: Box::new(InLocation::new(claim, 2, plan)),
            pace: PACE,
            writer,
            restored,
            told: Box::new(|_| ()),
            at_end: AtEnd::Fire,
            requests: None,
        };
        let running = start_with_checkpoints(plan, &how.options(), checkpoints)?;
        running.wait().map(|_| ())
    }
}

#[test]
fn nothing_is_lost_whichever_write_fails() {
    let shape = SHAPE.of_this_run();
    let (text, watched) = pipeline(150, &["float-hops-discarding", "session", "retract"]);
    let bench = Bench::new(&text);
    input::write(&bench, &shape.make());
    let read = || -> BTreeMap<String, Vec<String>> {
        let one = |one: &Watched| {
            let rows: Rows = bench.read(&one.sink);
            (one.sink.clone(), rows.sorted())
        };
        watched.iter().map(one).collect()
    };
    bench.run(How::new(16, 1));
    let expected = read();
    let mut failed = 0;
    for (fate, lasts) in [
        (Fate::Refused, 1),
        (Fate::Refused, 9),
        (Fate::AnswerLost, 1),
        (Fate::Lost, 40),
    ] {
        for write in 0..WRITES {
            for one in &watched {
                fs::remove_file(bench.path(&format!("{}.jsonl", one.sink)))
                    .expect("it was published");
            }
            let story = Story {
                objects: MemoryStore::new(),
                writes: Arc::default(),
                fails: write..write + lasts,
                fate,
            };
            failed += story.live(&bench);
            assert_eq!(read(), expected, "{fate:?} at {write}");
        }
    }
    assert!(failed > 0, "no life has failed");
}
