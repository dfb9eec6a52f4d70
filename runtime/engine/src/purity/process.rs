//! Process functions: what comes of the rows of a key may not depend on which rows share a call.
//!
//! The function stands in an operator as in a run, with state and timers of its own, and is given the same rows in batches of
//! other sizes. The operator hides batches from what a pure function makes; what shows them is the function's.

use std::sync::Arc;

use tidemill_core::time;
use tidemill_rows::{Batch, RowTimes, json};

use super::{BATCHES, Fault, Finding, Given, difference, settings};
use crate::blame::Blame;
use crate::build::processes;
use crate::error::EngineError;
use crate::event::{Event, Output, Port};
use crate::failure::{Action, Policy};
use crate::functions::{Functions, InModules};
use crate::metrics::Counters;
use crate::operator::Operator;
use crate::operator::process::Process;
use crate::plan::{ProcessPlan, Station};
use crate::talk::Talk;

/// What was found out about a process function.
pub fn check(
    plan: &ProcessPlan,
    station: &Station,
    given: &Given,
) -> Result<Option<Finding>, Fault> {
    let rows = given.rows.num_rows();
    let first = in_batches(plan, station, (given, rows))?;
    let mut ways = vec![(rows, "called again on a fresh instance".to_owned())];
    ways.extend(BATCHES.map(|batch| (batch, format!("called with {batch} rows at a time"))));
    for (batch, when) in ways {
        let other = in_batches(plan, station, (given, batch))?;
        let most = first.len().max(other.len());
        let padded = |texts: &[String]| {
            let nothing = std::iter::repeat_n("nothing".to_owned(), most - texts.len());
            texts.iter().cloned().chain(nothing).collect::<Vec<_>>()
        };
        let which = |at: usize| format!("what comes out as number {}", at + 1);
        if let Some(found) = difference(when, (&padded(&first), &padded(&other)), which) {
            return Ok(Some(found));
        }
    }
    Ok(None)
}

/// What comes out, in order, when rows are given so many at a time, and the input then ends.
fn in_batches(
    plan: &ProcessPlan,
    station: &Station,
    (given, batch): (&Given, usize),
) -> Result<Vec<String>, Fault> {
    let function = InModules.process(&plan.function.module, settings(station, &plan.function))?;
    let talk = Talk {
        operator: station.name.clone(),
        log: Arc::new(|_, _| ()),
    };
    let blame = Blame {
        operator: station.name.clone(),
        function: None,
        module: None,
        policy: Arc::new(Policy::new(Action::DeadLetter, None)),
    };
    let heard = (talk, blame, Arc::new(Counters::default()));
    let mut operator = Process::new(processes::parts(plan, function, heard));
    let whole = Batch {
        columns: given.rows.clone(),
        times: RowTimes {
            times: given.times.clone(),
            stamps: given.stamps.clone(),
            w: None,
        },
        changes: None,
        origin: None,
    };
    let mut texts = Vec::new();
    for from in (0..whole.len()).step_by(batch.max(1)) {
        let some = whole.slice(from, batch.min(whole.len() - from));
        let mut out = Output::default();
        served(operator.rows(some, &mut out))?;
        show(station, out, &mut texts);
    }
    let mut out = Output::default();
    served(operator.advance(time::MAX, &mut out))?;
    while out.unfinished {
        show(station, std::mem::take(&mut out), &mut texts);
        served(operator.go_on(&mut out))?;
    }
    show(station, out, &mut texts);
    Ok(texts)
}

/// What a row may do is no error here: failed rows come out like others.
fn served(done: Result<(), EngineError>) -> Result<(), Fault> {
    match done {
        Err(EngineError::Guest { source, .. }) => Err(Fault::Call(source)),
        // A function that asks for the end of the pipeline, or for more state than there may be, is not judged.
        Ok(()) | Err(_) => Ok(()),
    }
}

fn show(station: &Station, out: Output, texts: &mut Vec<String>) {
    for (port, event) in out.events {
        let (Port::One(port), Event::Rows(batch)) = (port, event) else {
            continue;
        };
        let name = match station.ports[port].name.as_str() {
            "" => "row",
            name => name,
        };
        let row = |row| format!("{name} {}", json::row(&batch.columns, row));
        texts.extend((0..batch.len()).map(row));
    }
}
