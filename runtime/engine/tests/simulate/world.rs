//! What surrounds a simulated process: an order of events that a seed decides, effects that meet their fates, and a log.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tidemill_checkpoint::store::faults::Fate;
use tidemill_checkpoint::{Clock, Incarnation, Moment};
use tidemill_engine::simulation::Crew;

use crate::reader::Reader;
use crate::support::input::Random;

/// So many events a story has at most: one that has more never ends.
const MOST_EVENTS: u64 = 2_000_000;

/// Which troubles there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Troubles {
    /// None.
    None,
    /// One: a crash at this effect, counted over all lives, or behind it.
    One { effect: u64, behind: bool },
    /// As they come: one in so many effects meets one, but no more than so many do.
    Many { one_in: u64, most: u64 },
}

/// Everything outside of processes. All of them share it.
pub struct World {
    state: Mutex<State>,
}

struct State {
    random: Random,
    troubles: Troubles,
    /// How many effects there were, and how many of them met trouble.
    effects: u64,
    met: u64,
    events: u64,
    now_us: i64,
    log: Vec<String>,
    reader: Reader,
    wrong: Option<String>,
}

/// What a process meets at an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meets {
    /// A fate of the effect.
    Fate(Fate),
    /// The process is stopped before it, and wakes up when another one has lived.
    Sleep,
}

impl World {
    pub fn new(seed: u64, troubles: Troubles, reader: Reader) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::new(State {
                random: Random(seed),
                troubles,
                effects: 0,
                met: 0,
                events: 0,
                now_us: 0,
                log: Vec::new(),
                reader,
                wrong: None,
            }),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that the seed decides.
    pub fn below(&self, limit: u64) -> u64 {
        self.state().random.below(limit)
    }

    /// How many effects there were.
    pub fn effects(&self) -> u64 {
        self.state().effects
    }

    /// How many effects met trouble.
    pub fn met(&self) -> u64 {
        self.state().met
    }

    pub fn say(&self, line: String) {
        self.state().log.push(line);
    }

    /// Everything that was said.
    pub fn log(&self) -> Vec<String> {
        self.state().log.clone()
    }

    /// Something is not as it must be; the first such thing is kept.
    pub fn wrong(&self, what: String) {
        self.state().wrong.get_or_insert(what);
    }

    pub fn is_wrong(&self) -> Option<String> {
        self.state().wrong.clone()
    }

    /// A reader of the sinks' places sees that something has changed there.
    pub fn look(&self, look: impl FnOnce(&mut Reader) -> Result<(), String>) {
        let mut state = self.state();
        if let Err(what) = look(&mut state.reader) {
            state.wrong.get_or_insert(what);
        }
    }

    /// An event: time goes on a bit.
    fn event(&self) {
        let mut state = self.state();
        state.events += 1;
        state.now_us += 50;
        let events = state.events;
        drop(state);
        assert!(events < MOST_EVENTS, "the story never ends");
    }

    pub fn now_us(&self) -> i64 {
        self.state().now_us
    }

    /// What an effect meets: `kinds` are the troubles that there may be at it.
    fn decide(&self, effect: &str, kinds: &[Meets]) -> Meets {
        let mut state = self.state();
        state.effects += 1;
        let number = state.effects;
        let calm = Meets::Fate(Fate::Done);
        let troubles = state.troubles;
        let meets = match troubles {
            Troubles::One { effect, behind } if effect == number => Meets::Fate(match behind {
                true => Fate::CrashAfter,
                false => Fate::CrashBefore,
            }),
            Troubles::Many { one_in, most } => {
                let trouble = state.met < most && state.random.below(one_in) == 0;
                let kind = state.random.below(kinds.len() as u64);
                if trouble { kinds[kind as usize] } else { calm }
            }
            Troubles::None | Troubles::One { .. } => calm,
        };
        state.met += u64::from(meets != calm);
        let line = match meets == calm {
            true => format!("{number} {effect}"),
            false => format!("{number} {effect}: {meets:?}"),
        };
        state.log.push(line);
        meets
    }
}

/// One process: what it does to the world goes through here.
pub struct Process {
    pub world: Arc<World>,
    /// Tells it from all others.
    pub token: u64,
    pub crew: Crew,
    dead: AtomicBool,
    /// What it is called, once it has claimed.
    incarnation: OnceLock<Incarnation>,
    /// What happens while it is stopped; nothing if it never is.
    meanwhile: Mutex<Option<Box<dyn FnMut() + Send>>>,
}

impl Process {
    pub fn new(
        world: &Arc<World>,
        token: u64,
        meanwhile: Option<Box<dyn FnMut() + Send>>,
    ) -> Arc<Self> {
        Arc::new(Self {
            world: world.clone(),
            token,
            crew: Crew::default(),
            dead: AtomicBool::new(false),
            incarnation: OnceLock::new(),
            meanwhile: Mutex::new(meanwhile),
        })
    }

    pub fn is_dead(&self) -> bool {
        self.dead.load(Ordering::Relaxed)
    }

    /// It has claimed as this incarnation.
    pub fn claimed(&self, incarnation: Incarnation) {
        let _ = self.incarnation.set(incarnation);
    }

    pub fn incarnation(&self) -> Option<Incarnation> {
        self.incarnation.get().copied()
    }

    /// Lets workers take turns, as many as come to it.
    pub fn turns(&self, most: u64) {
        for _ in 0..self.world.below(most + 1) {
            self.world.event();
            self.crew.turn(self.world.below(6));
        }
    }

    /// While the coordinator waits.
    pub fn wait(&self) -> Duration {
        let before = self.world.now_us();
        self.world.event();
        self.turns(4);
        match self.world.below(20) {
            0 => self.crew.stall(true),
            1..5 => self.crew.stall(false),
            _ => {}
        }
        let passed = self.world.now_us() - before;
        Duration::from_micros(passed.unsigned_abs())
    }

    /// What an effect meets. Whoever waits for it lets others work meanwhile, and a stopped process lets another one live.
    pub fn meet(&self, effect: &str, kinds: &[Meets]) -> Fate {
        self.turns(2);
        if self.is_dead() {
            return Fate::CrashBefore;
        }
        let meets = self
            .world
            .decide(&format!("{}: {effect}", self.token), kinds);
        let fate = match meets {
            Meets::Fate(fate) => fate,
            Meets::Sleep => {
                self.sleep();
                Fate::Done
            }
        };
        if matches!(fate, Fate::CrashBefore | Fate::CrashAfter) {
            self.dead.store(true, Ordering::Relaxed);
        }
        fate
    }

    fn sleep(&self) {
        // Whoever is stopped already sleeps on.
        let Ok(mut meanwhile) = self.meanwhile.try_lock() else {
            return;
        };
        if let Some(meanwhile) = meanwhile.as_mut() {
            meanwhile();
            self.world.say(format!("{} wakes up", self.token));
        }
    }
}

/// The clock of claims: waiting lets workers go on.
pub struct Watch(pub Arc<Process>);

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Watch")
    }
}

impl Clock for Watch {
    fn now(&self) -> Moment {
        Moment(self.0.world.now_us())
    }

    fn pause(&self, _long: Duration) {
        self.0.turns(3);
    }
}

/// A path from the folder of the sinks' places, for the log.
pub fn name(path: &Path) -> String {
    let mut parts: Vec<_> = path
        .iter()
        .rev()
        .take_while(|part| *part != "out")
        .collect();
    parts.reverse();
    let path: std::path::PathBuf = parts.iter().collect();
    path.display().to_string()
}
