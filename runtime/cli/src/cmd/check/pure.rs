//! `tidemill check --pure`: whether functions give the same for the same rows.

use std::io::Write;
use std::sync::Arc;

use anyhow::anyhow;
use tidemill_engine::functions::InModules;
use tidemill_engine::purity::{self, Verdict};
use tidemill_engine::{BATCH_ROWS, Options};
use tidemill_wasm::Host;

use crate::args::PipelineArgs;
use crate::error::Failure;
use crate::figures::counted;
use crate::load;

/// What rows functions are compared with.
#[derive(Clone, Copy, Debug)]
pub struct Rows {
    /// At most so many of each source.
    pub most: usize,
    /// Whether they are made up even if the sources can be read.
    pub made_up: bool,
}

/// Compares what functions make of the same rows, called in other ways, and tells it.
///
/// # Errors
/// If one gives something else, or cannot be called.
pub fn check(args: &PipelineArgs, host: &Host, rows: Rows) -> Result<(), Failure> {
    let options = Options {
        batch_rows: BATCH_ROWS,
        now: Arc::new(|| 0),
        // What functions say does not matter here, and they are called many times.
        log: Arc::new(|_, _| ()),
        functions: Arc::new(InModules),
        profile: false,
    };
    let sampled = load::plan_rehearsal(args, 1, host)?;
    let sample = purity::sample(sampled, (rows.most, rows.made_up), &options).map_err(unable)?;
    let plan = load::plan_rehearsal(args, 1, host)?;
    let verdicts = purity::check(&plan, &sample).map_err(unable)?;
    for source in &sample.made_up {
        line(&format!("{source}: rows were made up from its columns"));
    }
    verdicts.iter().for_each(|verdict| line(&text(verdict)));
    let impure: Vec<&str> = verdicts
        .iter()
        .filter(|verdict| verdict.found.is_some())
        .map(|verdict| verdict.operator.as_str())
        .collect();
    if impure.is_empty() {
        return Ok(());
    }
    let names = impure.join(", ");
    Err(Failure::from(anyhow!("not pure: {names}")).hint(
        "a function may depend on nothing but its arguments: see docs/functions.md, What decides a result",
    ))
}

fn unable(error: purity::PurityError) -> Failure {
    Failure::from(anyhow::Error::from(error))
}

fn line(text: &str) {
    // Nobody may listen any more: nothing is lost.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn text(verdict: &Verdict) -> String {
    let Verdict {
        operator,
        function,
        module,
        rows,
        found,
    } = verdict;
    match found {
        None if *rows == 0 => {
            format!("{operator} ({function}): no row came to it, nothing was compared")
        }
        None => {
            let rows = counted(*rows as u64, "row");
            format!("{operator} ({function}): pure, as far as {rows} show")
        }
        Some(found) => format!(
            "{operator} ({function} of {module}): {}, it gives something else\n  \
             row:    {}\n  first:  {}\n  then:   {}",
            found.when, found.row, found.first, found.other
        ),
    }
}
