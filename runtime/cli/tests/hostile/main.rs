//! Hostile modules as whole pipelines: each of `docs/hostile-modules.md` runs in the real binary, survives as the table
//! there says, in bounded memory and time, beside an innocent pipeline in another process that must not feel it.
//!
//! What a module does is in `cases`; what the user sees of it is in the table, word by word. Both have the same names.

mod case;
mod cases;
mod innocent;
mod pipeline;
mod table;
mod usage;
mod wat;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use case::Case;
use innocent::{Innocent, Pace};

/// A case beside which the innocent pipeline looked slow is given again so often before it is believed: others use this
/// machine too.
const TRIES: usize = 5;
/// How much slower the innocent pipeline may be beside a hostile one.
const SLOWER: f64 = 2.0;
/// Many a case is over before much can be measured: when it is given again, then for so long.
const LONG: Duration = Duration::from_millis(500);
/// After so many cases the innocent pipeline is measured alone again.
const TOGETHER: usize = 6;

#[test]
fn the_table_and_the_cases_have_the_same_names() {
    let listed: Vec<String> = table::read().into_iter().map(|row| row.name).collect();
    let cases: Vec<String> = cases::all().iter().map(|c| c.name.to_owned()).collect();
    let set = |names: &[String]| names.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(set(&listed).len(), listed.len(), "a name stands twice");
    assert_eq!(set(&cases).len(), cases.len(), "a name stands twice");
    let (in_table, in_cases) = (set(&listed), set(&cases));
    let only_table: Vec<_> = in_table.difference(&in_cases).collect();
    let only_cases: Vec<_> = in_cases.difference(&in_table).collect();
    assert!(
        only_table.is_empty() && only_cases.is_empty(),
        "only in the table: {only_table:?}; only cases: {only_cases:?}"
    );
    assert!(cases.len() >= 40);
}

#[test]
fn every_hostile_module_is_met_and_hurts_no_neighbour() {
    let table = table::read();
    let mut innocent = Innocent::start();
    let mut alone = innocent.alone();
    let mut wrong = Vec::new();
    for (at, case) in cases::all().iter().enumerate() {
        if at % TOGETHER == 0 {
            alone = innocent.alone();
        }
        let Some(row) = table.iter().find(|row| row.name == case.name) else {
            continue;
        };
        let (ended, beside) = innocent.beside(|| case.run());
        if let Err(problem) = row.judge(case, &ended) {
            wrong.push(format!("{}: {problem}", case.name));
        }
        if is_hurt(&alone, &beside) && !is_believed_harmless(&mut innocent, case) {
            wrong.push(format!(
                "{}: its neighbour had {beside:?}, alone {alone:?}",
                case.name
            ));
        }
    }
    innocent.end();
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn is_hurt(alone: &Pace, beside: &Pace) -> bool {
    beside.latency_ms > SLOWER * alone.latency_ms || beside.block_ms > SLOWER * alone.block_ms
}

/// Gives the case again and again, and measures alone just before.
fn is_believed_harmless(innocent: &mut Innocent, case: &Case) -> bool {
    (0..TRIES).any(|_| {
        let alone = innocent.alone();
        let (_, beside) = innocent.beside(|| {
            let started = Instant::now();
            while started.elapsed() < LONG {
                case.run();
            }
        });
        !is_hurt(&alone, &beside)
    })
}
