//! A simulation of the engine, the store of its checkpoints and its sinks, on one thread: everything that happens, happens in an
//! order that a seed decides, and at each effect on the world a process may die, be stopped, or be told of an error.
//!
//! ```text
//!   seed ─► case (pipeline, input, what an undisturbed run publishes)
//!       └─► story: life ─► claim, recovery, rows and checkpoints ─► crash at an effect ─► life ─► … ─► the end
//!                    └── reader: after each file that comes to stand in its place
//! ```
//!
//! `make simulate SEEDS=10000` tries so many seeds, `SEED=n` this one, and says what happened in it.

mod cases;
mod files;
mod lives;
mod reader;
#[path = "../support/mod.rs"]
mod support;
mod world;

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use cases::Case;
use lives::Story;
use reader::Reader;
use support::input::Random;
use world::{Troubles, World};

/// So many seeds share a pipeline and its input.
const SEEDS_OF_CASE: u64 = 20;

/// So many seeds are tried by `make test`.
const SHORT: u64 = 300;

/// What became of a story.
struct Told {
    wrong: Option<String>,
    log: Vec<String>,
    lives: u64,
    effects: u64,
    met: u64,
}

/// Lets a story happen, whose order of events a seed decides.
fn story(case: &Case, seed: u64, troubles: Troubles) -> Told {
    let reader = Reader::new(&case.out(), case.expected.clone());
    let world = World::new(seed, troubles, reader);
    let story = Story::new(world.clone(), case.plans.clone());
    let lives = story.live();
    if case.out().is_dir() {
        case.clear();
    }
    Told {
        wrong: world.is_wrong(),
        log: world.log(),
        lives,
        effects: world.effects(),
        met: world.met(),
    }
}

/// The troubles of a seed: none now and then, often a few, sometimes many.
fn troubles(seed: u64) -> Troubles {
    let mut random = Random(seed ^ 0x7_0b1e);
    let one_in = [20, 60, 150][random.below(3) as usize];
    Troubles::Many {
        one_in,
        most: 1 + random.below(12),
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok().filter(|text| !text.is_empty())?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is no number: {text}")),
    )
}

/// Panics with everything that is known of a story that went wrong.
fn fail(what: &str, told: &Told, again: &str) -> ! {
    let most = match number("SEED") {
        Some(_) => told.log.len(),
        None => 40,
    };
    let last = &told.log[told.log.len().saturating_sub(most)..];
    panic!(
        "{what}: {}\nthe last of what happened:\n  {}\nagain: {again}",
        told.wrong.as_deref().unwrap_or("nothing is wrong"),
        last.join("\n  ")
    );
}

/// The seeds of one case, as far as they are wanted.
fn tell_case(number: u64, seeds: impl Iterator<Item = u64>, totals: &Totals) {
    let case = Case::new(number);
    for seed in seeds {
        let told = story(&case, seed, troubles(seed));
        totals.add(&told);
        if told.wrong.is_some() {
            fail(
                &format!("seed {seed}"),
                &told,
                &format!("make simulate SEED={seed}"),
            );
        }
    }
}

/// What all stories together had.
#[derive(Default)]
struct Totals {
    stories: AtomicU64,
    lives: AtomicU64,
    effects: AtomicU64,
    met: AtomicU64,
}

impl Totals {
    fn add(&self, told: &Told) {
        self.stories.fetch_add(1, Relaxed);
        self.lives.fetch_add(told.lives, Relaxed);
        self.effects.fetch_add(told.effects, Relaxed);
        self.met.fetch_add(told.met, Relaxed);
    }

    #[expect(clippy::print_stdout, reason = "who simulates wants to know how much")]
    fn say(&self, began: Instant) {
        let seconds = began.elapsed().as_secs_f64();
        let stories = self.stories.load(Relaxed);
        println!(
            "{stories} seeds, {} lives, {} effects, {} of them with trouble; nothing is wrong; {seconds:.1} s, {:.0} seeds a minute",
            self.lives.load(Relaxed),
            self.effects.load(Relaxed),
            self.met.load(Relaxed),
            60.0 * stories as f64 / seconds
        );
    }
}

#[test]
fn whatever_happens_every_row_is_published_once() {
    let (began, totals) = (Instant::now(), Totals::default());
    if let Some(seed) = number("SEED") {
        tell_case(seed / SEEDS_OF_CASE, std::iter::once(seed), &totals);
        return totals.say(began);
    }
    let seeds = number("SEEDS").unwrap_or(SHORT);
    let next = AtomicU64::new(0);
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let failed = Mutex::new(None);
    // Each story is on one thread; several are told side by side.
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let told = std::panic::catch_unwind(|| {
                    while failed.lock().is_ok_and(|failed| failed.is_none()) {
                        let case = next.fetch_add(1, Relaxed);
                        let first = case * SEEDS_OF_CASE;
                        if first >= seeds {
                            break;
                        }
                        let until = seeds.min(first + SEEDS_OF_CASE);
                        tell_case(case, first..until, &totals);
                    }
                });
                if let Err(panic) = told {
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(panic);
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(panic) = failed {
        std::panic::resume_unwind(panic);
    }
    totals.say(began);
}

/// A crash before and after each effect of a story in turn, in that of recovery too.
#[test]
fn a_crash_at_every_effect_in_turn() {
    let began = Instant::now();
    let totals = Totals::default();
    let cases = number("CASES").unwrap_or(1);
    for number in 0..cases {
        let case = Case::new(1_000_000 + number);
        let undisturbed = story(&case, number, Troubles::None);
        if undisturbed.wrong.is_some() {
            fail(
                &format!("case {number}, undisturbed"),
                &undisturbed,
                "as it was",
            );
        }
        // What is done in the life after a crash counts on.
        for effect in 1..=undisturbed.effects {
            let behind = effect % 2 == number % 2;
            let told = story(&case, number, Troubles::One { effect, behind });
            totals.add(&told);
            if told.wrong.is_some() {
                let what = format!("case {number}, effect {effect}, behind it: {behind}");
                fail(&what, &told, "as it was");
            }
        }
    }
    totals.say(began);
}

/// Otherwise a seed that fails could not be looked at.
#[test]
fn a_seed_repeats_itself() {
    for seed in [3, 47] {
        let tell = || {
            let case = Case::new(seed / SEEDS_OF_CASE);
            let log = story(&case, seed, troubles(seed)).log;
            // Errors name files in a folder that has another name each time.
            let out = case.out().display().to_string();
            let log = log.into_iter().map(|line| line.replace(&out, "out"));
            log.collect::<Vec<String>>()
        };
        let (first, second) = (tell(), tell());
        let differs = first.iter().zip(&second).find(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
    }
}
