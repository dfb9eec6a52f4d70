//! Sinks with checkpoints: whatever effect on the file system is the last one of a process, or fails, the published rows are
//! those of an undisturbed run: none twice, none missing, no part half there.

mod support {
    pub mod faulty;
    pub mod numbers;
}

use std::path::Path;
use std::sync::Arc;

use support::faulty::{Fault, Faulty};
use support::numbers::{batch, hidden, published, schema};
use tidemill_connectors::{
    ConnectorError, Cut, Encoding, Ending, FolderSpec, Life, Missing, Pending, Roll, SharedSink,
    Sink, SinkSpec,
};

/// Rows of a run.
const ROWS: i64 = 44;
/// So many are read before the next barrier.
const BETWEEN: i64 = 13;
/// And given at once.
const BATCH: i64 = 4;

/// What a checkpoint keeps.
#[derive(Clone, Default)]
struct Checkpoint {
    number: u64,
    next: i64,
    pending: String,
    finished: bool,
}

impl Checkpoint {
    fn pending(&self) -> Vec<Pending> {
        match self.pending.as_str() {
            "" => Vec::new(),
            json => serde_json::from_str(json).expect("it is what was kept"),
        }
    }
}

/// A pipeline that writes numbers, as an engine would drive it.
struct Run<'a> {
    spec: &'a SinkSpec,
    effects: Arc<Faulty>,
    /// The workers of each life, in turn.
    workers: &'a [usize],
    lives: usize,
    kept: Checkpoint,
}

impl Run<'_> {
    /// One life, from the newest checkpoint on.
    fn live(&mut self) -> Result<(), ConnectorError> {
        self.lives += 1;
        let workers = self.workers[(self.lives - 1) % self.workers.len()];
        let life = Life {
            owner: "p1-out".into(),
            // Two in turn are the same process, which begins anew.
            incarnation: format!("{}-ab", self.lives / 2),
            effects: self.effects.clone(),
            transactions: None,
        };
        let sink = self.spec.open_kept(schema(), false, &life)?;
        let pending = self.kept.pending();
        self.again(|| sink.restore(&pending, workers, Missing::Refuse))?;
        self.again(|| sink.clean(&pending))?;
        if self.kept.finished {
            return Ok(());
        }
        let mut hands: Vec<_> = (0..workers).map(|worker| sink.writer(worker)).collect();
        let mut next = self.kept.next;
        loop {
            let until = (next + BETWEEN).min(ROWS);
            while next < until {
                let to = (next + BATCH).min(until);
                let hand = &mut hands[usize::try_from(next).expect("small") % workers];
                let rows = batch(next, to);
                self.again(|| hand.write(&rows))?;
                next = to;
            }
            self.effects.pass(10);
            self.checkpoint(next, &sink, &mut hands)?;
            if self.kept.finished {
                return Ok(());
            }
        }
    }

    fn checkpoint(
        &mut self,
        next: i64,
        sink: &SharedSink,
        hands: &mut [Box<dyn Sink>],
    ) -> Result<(), ConnectorError> {
        let cut = Cut {
            checkpoint: self.kept.number + 1,
            ending: if next == ROWS {
                Ending::Everything
            } else {
                Ending::Nothing
            },
        };
        let mut pending = Vec::new();
        for hand in hands {
            pending.push(self.again(|| hand.cut(&cut))?);
        }
        sink.secure(&pending)?;
        self.kept = Checkpoint {
            number: cut.checkpoint,
            next,
            pending: serde_json::to_string(&pending).expect("it is JSON"),
            finished: cut.ending == Ending::Everything,
        };
        self.again(|| sink.publish(&pending)).map(drop)
    }

    /// What fails on a full disk is tried again.
    fn again<T>(
        &self,
        mut act: impl FnMut() -> Result<T, ConnectorError>,
    ) -> Result<T, ConnectorError> {
        act().or_else(|_| act())
    }
}

/// A case: a sink, and how many workers each life has.
struct Case {
    folder: bool,
    format: Encoding,
    workers: &'static [usize],
    fault: Fault,
}

impl Case {
    fn spec(&self, folder: &Path) -> SinkSpec {
        let format = self.format;
        if self.folder {
            let roll = Roll {
                rows: 9,
                bytes: 1 << 20,
                age: Some(std::time::Duration::from_millis(25)),
            };
            let path = folder.to_owned();
            SinkSpec::Folder(FolderSpec { path, format, roll })
        } else {
            let path = folder.join("out");
            SinkSpec::File { path, format }
        }
    }

    /// Runs with a fault at this effect, and then once more at that one.
    fn run(&self, at: u64, again: u64) {
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path().join("out");
        let spec = self.spec(&folder);
        let mut run = Run {
            spec: &spec,
            effects: Arc::new(Faulty::new(Some((at, self.fault)))),
            workers: self.workers,
            lives: 0,
            kept: Checkpoint::default(),
        };
        for life in 0.. {
            assert!(life < 6, "it never ends");
            if run.live().is_ok() {
                break;
            }
            run.effects.lose();
            self.visible(&folder, &run.kept, at);
            let then = (life == 0 && again > 0).then_some((again, self.fault));
            run.effects = Arc::new(Faulty::new(then));
        }
        let all: Vec<i64> = (0..ROWS).collect();
        assert_eq!(
            published(&folder, self.format),
            all,
            "{}",
            self.at(at, again)
        );
        // A new life finds nothing to remove but what was left behind.
        run.effects = Arc::new(Faulty::new(None));
        run.lives += 1;
        run.live().expect("it is finished");
        assert_eq!(hidden(&folder), 0, "{}", self.at(at, again));
        assert_eq!(
            published(&folder, self.format),
            all,
            "{}",
            self.at(at, again)
        );
    }

    /// What a reader sees after a crash: whole parts, no row twice, none that no checkpoint has.
    fn visible(&self, folder: &Path, kept: &Checkpoint, at: u64) {
        if !folder.is_dir() {
            return;
        }
        let seen = published(folder, self.format);
        let mut once = seen.clone();
        once.dedup();
        assert_eq!(seen, once, "rows are there twice: {}", self.at(at, 0));
        let unkept = seen.iter().find(|id| **id >= kept.next);
        assert_eq!(unkept, None, "a row no checkpoint has: {}", self.at(at, 0));
    }

    fn at(&self, at: u64, again: u64) -> String {
        let (fault, format) = (self.fault, self.format);
        format!(
            "{fault:?} at effect {at}, then {again}; {format:?}, {:?}",
            self.workers
        )
    }

    /// How many effects an undisturbed run has.
    fn effects(&self) -> u64 {
        let temporary = tempfile::tempdir().expect("a folder");
        let spec = self.spec(&temporary.path().join("out"));
        let effects = Arc::new(Faulty::new(None));
        let mut run = Run {
            spec: &spec,
            effects: effects.clone(),
            workers: self.workers,
            lives: 0,
            kept: Checkpoint::default(),
        };
        run.live().expect("nothing fails");
        effects.effects()
    }
}

fn every_effect(folder: bool, fault: Fault) {
    for format in [Encoding::Json, Encoding::CSV, Encoding::Parquet] {
        for workers in [&[1][..], &[1, 3, 2]] {
            let case = Case {
                folder,
                format,
                workers,
                fault,
            };
            let effects = case.effects();
            assert!(effects > 10, "{effects} effects");
            for at in 1..=effects {
                case.run(at, 0);
                // The next life ends soon as well, while it goes on from what was left.
                case.run(at, 1 + at * 7 % 23);
            }
        }
    }
}

#[test]
fn a_folder_survives_a_kill_at_every_effect() {
    every_effect(true, Fault::Killed);
}

#[test]
fn a_folder_survives_the_loss_of_power_at_every_effect() {
    every_effect(true, Fault::PowerLost);
}

#[test]
fn a_folder_goes_on_when_there_is_room_again() {
    every_effect(true, Fault::Full);
}

#[test]
fn a_file_survives_a_kill_at_every_effect() {
    every_effect(false, Fault::Killed);
}

#[test]
fn a_file_survives_the_loss_of_power_at_every_effect() {
    every_effect(false, Fault::PowerLost);
}

#[test]
fn a_file_is_whole_when_there_is_room_again() {
    every_effect(false, Fault::Full);
}
