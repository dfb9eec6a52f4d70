//! What only the whole file shows: names, wiring, time, outputs.

mod columns;
mod graph;
mod inputs;
mod names;
mod outputs;
mod time;

use crate::diagnostics::Diagnostics;
use crate::read::Draft;

/// Adds every problem between the tables of a file.
pub(crate) fn check(draft: &Draft, d: &mut Diagnostics) {
    names::check(draft, d);
    inputs::check(draft, d);
    let acyclic = graph::check_cycles(draft, d);
    columns::check(draft, d);
    outputs::check(draft, d);
    if acyclic {
        time::check(&draft.pipeline, d);
    }
    if !d.has_errors() {
        // Beside errors it would mostly say that a misspelt name is not taken.
        graph::check_unused(draft, d);
    }
}
