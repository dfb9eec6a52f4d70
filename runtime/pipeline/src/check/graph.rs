//! The graph: no cycles; nothing that nobody takes.

use crate::diagnostics::Diagnostics;
use crate::model::Operator;
use crate::place::Spanned;
use crate::read::Draft;

/// Reports every cycle once; true if there is none.
pub(super) fn check_cycles(draft: &Draft, d: &mut Diagnostics) -> bool {
    let operators = &draft.pipeline.operators;
    let mut state = vec![Visit::New; operators.len()];
    let mut acyclic = true;
    for start in 0..operators.len() {
        let mut path = Vec::new();
        acyclic &= visit(operators, start, &mut state, &mut path, d);
    }
    acyclic
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Visit {
    New,
    OnPath,
    Done,
}

fn visit(
    operators: &[Operator],
    at: usize,
    state: &mut [Visit],
    path: &mut Vec<usize>,
    d: &mut Diagnostics,
) -> bool {
    match state[at] {
        Visit::Done => return true,
        Visit::OnPath => {
            let from = path.iter().position(|known| *known == at).unwrap_or(0);
            report_cycle(operators, &path[from..], d);
            return false;
        }
        Visit::New => {}
    }
    state[at] = Visit::OnPath;
    path.push(at);
    let mut acyclic = true;
    for input in &operators[at].inputs {
        let from = operators
            .iter()
            .position(|operator| operator.name.value == input.name);
        if let Some(from) = from {
            acyclic &= visit(operators, from, state, path, d);
        }
    }
    path.pop();
    state[at] = Visit::Done;
    acyclic
}

/// `path` holds operators of which each takes from the next, the last from the first.
fn report_cycle(operators: &[Operator], path: &[usize], d: &mut Diagnostics) {
    let name = |at: &usize| operators[*at].name.value.as_str();
    let takes = |at: usize, from: usize| {
        let from = &operators[from].name.value;
        operators[at]
            .inputs
            .iter()
            .find(|input| input.name == *from)
    };
    let (first, last) = (path[0], path[path.len() - 1]);
    let Some(closing) = takes(last, first) else {
        return;
    };
    let mut round: Vec<String> = path
        .iter()
        .rev()
        .map(|at| format!("`{}`", name(at)))
        .collect();
    round.insert(0, format!("`{}`", name(&first)));
    let title = match path.len() {
        1 => format!("operator `{}` takes its own output", name(&first)),
        _ => format!(
            "operators take from each other in a circle: {}",
            round.join(" -> ")
        ),
    };
    let problem = d.error(&closing.span, title);
    problem.label(format!(
        "`{}` takes from `{}` here",
        name(&last),
        name(&first)
    ));
    for pair in path.windows(2) {
        if let Some(input) = takes(pair[0], pair[1]) {
            problem.also(
                &input.span,
                format!("`{}` takes from `{}`", name(&pair[0]), name(&pair[1])),
            );
        }
    }
    problem.help("rows flow from sources to sinks: take one of these inputs out");
}

/// Warns of sources and operators of which nobody takes anything.
pub(super) fn check_unused(draft: &Draft, d: &mut Diagnostics) {
    let pipeline = &draft.pipeline;
    let inputs = pipeline
        .operators
        .iter()
        .flat_map(|operator| &operator.inputs);
    let inputs: Vec<&str> = inputs
        .chain(pipeline.sinks.iter().flat_map(|sink| &sink.inputs))
        .map(|input| input.name.as_str())
        .collect();
    let unused = |name: &&Spanned<String>| !inputs.contains(&name.value.as_str());
    for name in draft.sources.iter().filter(unused) {
        d.warn(&name.span, format!("nothing takes from source `{name}`"))
            .label("its rows are not read")
            .help(format!(
                "name it as an `input`, as in `input = \"{name}\"`, or take it out"
            ));
    }
    for name in draft.operators.iter().filter(unused) {
        d.warn(&name.span, format!("nothing takes from operator `{name}`"))
            .label("its results go nowhere")
            .help(format!(
                "add a sink with `input = \"{name}\"`; `blackhole = {{}}` only counts rows"
            ));
    }
}
