//! The lives of a pipeline: each claims it, goes on from what the one before has left, and ends well, by a crash, or because a
//! later one has taken over.

use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Weak};
use std::time::Duration;

use tidemill_checkpoint::store::faults::{Effect, Fate, Faults};
use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::{CheckpointError, Life, Location, OnLock, Recovery, Wish};
use tidemill_engine::checkpoint::location::{self, InLocation};
use tidemill_engine::checkpoint::{AtEnd, Pace, Request};
use tidemill_engine::simulation::simulate;
use tidemill_engine::{Checkpoints, EngineError, Options, Plan, Writer};

use crate::files::Files;
use crate::support::How;
use crate::world::{Meets, Process, Watch, World};

/// So many lives a story has at most.
const MOST_LIVES: u64 = 200;

/// A pipeline, and everything that outlives its processes.
pub struct Story {
    pub world: Arc<World>,
    objects: MemoryStore,
    /// By the number of workers, from one.
    plans: Arc<Vec<Plan>>,
    /// This, for processes that live while another one is stopped.
    this: Weak<Story>,
}

/// How a life ended.
#[derive(Debug)]
#[allow(dead_code, reason = "the log shows it")]
enum Ended {
    /// Everything is read and published.
    Finished,
    /// It was stopped, and is to be gone on with.
    Stopped,
    /// The process died.
    Dead,
    /// It stopped with an error that may pass.
    Failed(String),
    /// A later one has taken over.
    Fenced,
}

const TROUBLES: &[Meets] = &[
    Meets::Fate(Fate::CrashBefore),
    Meets::Fate(Fate::CrashAfter),
    Meets::Fate(Fate::Refused),
    Meets::Fate(Fate::AnswerLost),
    Meets::Fate(Fate::Lost),
    Meets::Sleep,
];

impl Story {
    pub fn new(world: Arc<World>, plans: Arc<Vec<Plan>>) -> Arc<Self> {
        Arc::new_cyclic(|this| Self {
            world,
            objects: MemoryStore::new(),
            plans,
            this: this.clone(),
        })
    }

    /// Lives until everything is read and published, or something is wrong. How many lives it took.
    pub fn live(&self) -> u64 {
        for life in 1..=MOST_LIVES {
            let ended = self.one_life(life, true);
            self.world.say(format!("life {life}: {ended:?}"));
            match ended {
                _ if self.world.is_wrong().is_some() => return life,
                Ended::Finished => {
                    self.world.look(|reader| reader.all());
                    return life;
                }
                Ended::Fenced if !self.has_slept(life) => {
                    self.world
                        .wrong(format!("life {life} was fenced by nobody"));
                }
                Ended::Fenced => {}
                Ended::Stopped | Ended::Dead | Ended::Failed(_) => {}
            }
        }
        self.world.wrong("it never ends".to_owned());
        MOST_LIVES
    }

    /// Only who was stopped can be fenced.
    fn has_slept(&self, life: u64) -> bool {
        self.world.log().contains(&format!("{life} wakes up"))
    }

    /// One life. If its process may be stopped, another one lives meanwhile.
    fn one_life(&self, token: u64, stops: bool) -> Ended {
        let meanwhile = stops.then(|| {
            let (story, mut next) = (self.this.clone(), 1000 * token);
            Box::new(move || {
                let Some(story) = story.upgrade() else { return };
                next += 1;
                let ended = story.one_life(next, false);
                story.world.say(format!("meanwhile, {next}: {ended:?}"));
            }) as Box<dyn FnMut() + Send>
        });
        let process = Process::new(&self.world, token, meanwhile);
        let ended = self.live_as(&process);
        match ended {
            Ok(ended) if !process.is_dead() => ended,
            Ok(_) => Ended::Dead,
            Err(error) => self.end(&process, &error),
        }
    }

    /// Whether a later one has claimed: what a process does not find then, its successor has removed, as the command knows.
    fn is_taken_over(&self, process: &Process) -> bool {
        let sequence = Location::of_store(self.objects.clone()).pipeline("test");
        let (Ok(sequence), Some(incarnation)) = (sequence, process.incarnation()) else {
            return false;
        };
        matches!(sequence.taken_over(incarnation), Ok(Some(_)))
    }

    fn end(&self, process: &Process, error: &EngineError) -> Ended {
        let text = error.to_string();
        match error {
            EngineError::Panic { .. } => {
                self.world.wrong(format!("panicked: {text}"));
                Ended::Failed(text)
            }
            _ if process.is_dead() => Ended::Dead,
            _ if self.is_taken_over(process) => Ended::Fenced,
            error if error.may_pass() => Ended::Failed(text),
            _ => {
                self.world.wrong(format!("life {}: {text}", process.token));
                Ended::Failed(text)
            }
        }
    }

    fn live_as(&self, process: &Arc<Process>) -> Result<Ended, EngineError> {
        let of_location = |source: CheckpointError| EngineError::Location {
            number: 0,
            source: Box::new(source),
        };
        let life = Life {
            token: process.token,
            process: format!("process {}", process.token),
            clock: Arc::new(Watch(process.clone())),
        };
        let sequence = Location::of_store(self.store(process)).pipeline("test");
        let claim = sequence.and_then(|sequence| sequence.claim(&life, OnLock::Refuse));
        let mut claim = claim.map_err(of_location)?;
        process.claimed(claim.incarnation());
        let found = claim.recovery().map_err(of_location)?;
        let from = match found.recovery {
            Recovery::Fresh => None,
            Recovery::Resume(checkpoint) => Some(*checkpoint),
            damaged @ Recovery::Damaged { .. } => {
                if !self.is_taken_over(process) && !process.is_dead() {
                    self.world.wrong(format!("{damaged:?}"));
                }
                return Ok(Ended::Fenced);
            }
        };
        claim.resume(from.as_ref());
        let restored = match &from {
            Some(from) => Some(location::read(claim.sequence(), &from.manifest)?),
            None => None,
        };
        let plan = &self.plans[self.world.below(self.plans.len() as u64) as usize];
        let mut writer = Writer::new(claim.pipeline_id(), claim.incarnation().to_string());
        writer.effects = Arc::new(Files(process.clone()));
        if let (Some(from), Some(restored)) = (&from, &restored)
            && from.manifest.contents.finished
        {
            location::publish(plan, restored, &writer)?;
            return Ok(Ended::Finished);
        }
        let keep = 1 + self.world.below(3) as usize;
        let store = InLocation::new(claim, keep, plan).small();
        let store = match &from {
            Some(from) => store.going_on_from(&from.manifest),
            None => store,
        };
        let (ask, requests) = mpsc::channel();
        let checkpoints = Checkpoints {
            store: Box::new(store),
            pace: self.pace(),
            writer,
            restored,
            told: Box::new(|_| ()),
            at_end: AtEnd::Fire,
            requests: Some(requests),
        };
        let options = self.options();
        let meanwhile = self.meanwhile(process.clone(), ask);
        let summary = simulate(plan, &options, checkpoints, (&process.crew, meanwhile))?;
        Ok(match summary.stopped {
            true => Ended::Stopped,
            false => Ended::Finished,
        })
    }

    /// Where a process keeps its checkpoints.
    fn store(&self, process: &Arc<Process>) -> Faults<MemoryStore> {
        let process = process.clone();
        Faults::new(self.objects.clone(), move |effect| {
            let text = match effect {
                Effect::Put(name) => format!("put {name}"),
                Effect::Get(name) => format!("get {name}"),
                Effect::List(folder) => format!("list {folder}"),
                Effect::Delete(name) => format!("delete {name}"),
            };
            process.meet(&text, TROUBLES)
        })
    }

    fn pace(&self) -> Pace {
        Pace {
            interval: Duration::from_micros(100 * (1 + self.world.below(40))),
            min_pause: Duration::from_micros(100 * self.world.below(10)),
            timeout: Duration::from_secs(600),
            tolerated_failures: self.world.below(3) as u32,
        }
    }

    fn options(&self) -> Options {
        let rows = [1, 3, 8, 30][self.world.below(4) as usize];
        How::new(rows, 1).options()
    }

    /// What happens while the coordinator waits: workers take turns, and now and then somebody wants something.
    fn meanwhile(
        &self,
        process: Arc<Process>,
        ask: Sender<Request>,
    ) -> Box<dyn FnMut() -> Duration + Send> {
        Box::new(move || {
            let wish = match process.world.below(400) {
                0 => Some(Wish::Savepoint),
                1 => Some(Wish::Stop),
                _ => None,
            };
            if let Some(wish) = wish {
                let (answer, _) = mpsc::channel();
                // Who has ended already is asked for nothing.
                let _ = ask.send(Request { wish, answer });
                process
                    .world
                    .say(format!("{}: {wish:?} is asked for", process.token));
            }
            process.wait()
        })
    }
}
