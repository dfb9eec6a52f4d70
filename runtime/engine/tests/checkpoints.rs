//! Checkpoints while workers run: they change no result, and every one of them can be gone on from.

mod support;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use support::input::{self, Shape};
use support::stations::{Rule, Watched, pipeline};
use support::{Bench, How, Rows};
use tidemill_connectors::Pending;
use tidemill_engine::checkpoint::{
    AtEnd, Begun, BlockCut, Cut, Holds, Pace, Store, StoreError, Told,
};
use tidemill_engine::{Checkpoints, Writer, start_with_checkpoints};

const SHAPE: Shape = Shape {
    seed: 31,
    rows: 3000,
    splits: 1,
    keys: 20,
    from: 1_000_000,
    step: 40,
    disorder: 4000,
    bad: 9,
};

const OUT_OF_ORDERNESS: i64 = 150;

/// As often as they can be.
const PACE: Pace = Pace {
    interval: Duration::from_micros(100),
    min_pause: Duration::ZERO,
    timeout: Duration::from_secs(60),
    tolerated_failures: 0,
};

/// Counts what it keeps.
#[derive(Clone, Default)]
struct Counting(Arc<Mutex<Vec<(u64, bool)>>>);

impl Store for Counting {
    fn begin(&mut self) -> Result<Begun, StoreError> {
        let number = self.0.lock().expect("no panic").len() as u64 + 1;
        let holds = match number % 5 {
            1 => Holds::Everything,
            4 => Holds::SinceBase,
            _ => Holds::Changes,
        };
        Ok(Begun { number, holds })
    }

    fn block(&mut self, _block: BlockCut) -> Result<(), StoreError> {
        Ok(())
    }

    fn keep(&mut self, cut: &Cut) -> Result<u64, StoreError> {
        let mut kept = self.0.lock().expect("no panic");
        kept.push((cut.number, cut.finished));
        Ok(0)
    }

    fn published(&mut self) -> Result<(), StoreError> {
        Ok(())
    }

    fn pending(&self, _sink: &str) -> Result<Vec<Pending>, StoreError> {
        Ok(Vec::new())
    }
}

fn checkpoints(store: Counting) -> Checkpoints {
    Checkpoints {
        store: Box::new(store),
        pace: PACE,
        writer: Writer::new("test", "first"),
        restored: None,
        at_end: AtEnd::Fire,
        requests: None,
        told: Box::new(|told| assert!(matches!(told, Told::Taken { .. }), "{told:?}")),
    }
}

#[test]
fn results_are_as_without() {
    let shape = SHAPE.of_this_run();
    let (text, watched) = pipeline(OUT_OF_ORDERNESS, &[]);
    let bench = Bench::new(&text);
    input::write(&bench, &shape.make());
    let read = || -> BTreeMap<String, Rows> {
        let read = |one: &Watched| (one.sink.clone(), bench.read(&one.sink));
        watched.iter().map(read).collect()
    };
    bench.run(How::new(7, 1));
    let expected = read();
    for how in [How::new(7, 1), How::new(16, 2), How::new(5, 3)] {
        let store = Counting::default();
        let plan = bench.plan(how.workers);
        let running = start_with_checkpoints(&plan, &how.options(), checkpoints(store.clone()));
        let ended = running.expect("a start").wait();
        ended.unwrap_or_else(|error| panic!("{how:?}: {error}"));
        let kept = store.0.lock().expect("no panic").clone();
        assert!(kept.len() > 3, "{how:?} took {} checkpoints", kept.len());
        let last: Vec<bool> = kept.iter().map(|(_, finished)| *finished).collect();
        assert!(last[..last.len() - 1].iter().all(|last| !last) && last[last.len() - 1]);
        let is = read();
        for one in &watched {
            let (was, is) = (&expected[&one.sink], &is[&one.sink]);
            if how.workers == 1 || !one.rekeyed {
                assert_eq!(
                    was.by_key(&one.key),
                    is.by_key(&one.key),
                    "{how:?} {}",
                    one.sink
                );
            } else if one.beside == Rule::Set {
                assert_eq!(was.sorted(), is.sorted(), "{how:?} {}", one.sink);
            }
        }
    }
}
