//! Rows that change others: which stations may give them, and which functions take them (decision 0037).

use tidemill_pipeline::Operator;
use tidemill_wasm::{Function, Kind};

use crate::plan::StationKind;
use crate::plan::streams::{Found, Planner};

/// A function that gathers rows must know of those that delete others: it would count them like any. A transform need not, since
/// what it makes of a row does to others what the row does. Results that are taken back are counted where nobody asks.
pub fn takes_changes(
    planner: &mut Planner<'_>,
    operator: &Operator,
    inputs: &[Found],
    function: &Function,
) -> bool {
    let at = inputs
        .iter()
        .position(|input| input.output.changes && deletes(planner, input.station));
    let Some(at) = at.filter(|_| function.kind != Kind::Transform && !function.changes) else {
        return true;
    };
    let input = &operator.inputs[at];
    planner
        .diagnostics
        .error(
            &input.span,
            format!(
                "operator {} cannot take rows that delete others",
                operator.name
            ),
        )
        .label(format!("rows of {} may do so", input.name))
        .help(format!(
            "function {} does not declare `changes`, and would count such rows like any other: in Rust a field of its row with \
             `#[record(change)]` declares it; `null-values = \"skip\"` of a source passes over what would delete",
            function.name
        ));
    false
}

/// Whether rows of a station that change others may delete: they come from a source, or a function says what they do.
fn deletes(planner: &Planner<'_>, station: usize) -> bool {
    match &planner.stations[station].kind {
        Some(StationKind::Source(_)) => true,
        Some(StationKind::Transform(transform)) => {
            let mut edges = planner.edges.iter().filter(|edge| edge.to == station);
            transform.function.described().changes || edges.any(|edge| deletes(planner, edge.from))
        }
        Some(StationKind::Process(process)) => process.function.described().changes,
        _ => false,
    }
}

/// Whether what a function makes of rows may change others: because the rows do, or because it says so itself.
pub fn give_changes(inputs: &[Found], function: &Function) -> bool {
    function.changes || have_changes(inputs)
}

/// Whether some input has rows that change others.
pub fn have_changes(inputs: &[Found]) -> bool {
    inputs.iter().any(|input| input.output.changes)
}
