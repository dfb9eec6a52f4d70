//! Every input names an output that there is. Side outputs that a function has are left to the planner, which knows it.

use crate::diagnostics::Diagnostics;
use crate::model::{FAILED, Input, LATE};
use crate::nearest::{nearest, suggestion};
use crate::place::Spanned;
use crate::read::Draft;

pub(super) fn check(draft: &Draft, d: &mut Diagnostics) {
    for operator in &draft.pipeline.operators {
        for input in &operator.inputs {
            check_input(draft, &format!("operator `{}`", operator.name), input, d);
        }
    }
    for sink in &draft.pipeline.sinks {
        for input in &sink.inputs {
            check_input(draft, &format!("sink `{}`", sink.name), input, d);
        }
    }
}

fn check_input(draft: &Draft, taker: &str, input: &Input, d: &mut Diagnostics) {
    let is = |names: &[Spanned<String>]| names.iter().any(|name| name.value == input.name);
    if is(&draft.sources) {
        source_side(input, d);
    } else if is(&draft.operators) {
        operator_side(draft, input, d);
    } else if is(&draft.sinks) {
        d.error(
            &input.span,
            format!("{taker} takes from sink `{}`", input.name),
        )
        .label("a sink has no output")
        .help("take what the sink takes");
    } else {
        unknown(draft, taker, input, d);
    }
}

fn unknown(draft: &Draft, taker: &str, input: &Input, d: &mut Diagnostics) {
    if draft.sources.is_empty() {
        // There is no readable source, which was said; any name may be one of them.
        return;
    }
    let names: Vec<&str> = draft
        .sources
        .iter()
        .chain(&draft.operators)
        .map(|name| name.value.as_str())
        .collect();
    d.error(
        &input.span,
        format!("{taker} takes from `{}`, which does not exist", input.name),
    )
    .label("expected a source or an operator")
    .help(suggestion(&input.name, &names));
}

fn source_side(input: &Input, d: &mut Diagnostics) {
    let Some(side) = input.side.as_deref().filter(|side| *side != FAILED) else {
        return;
    };
    let name = &input.name;
    let problem = d.error(
        &input.span,
        format!("source `{name}` has no side output `{side}`"),
    );
    problem.label(format!("expected `{name}` or `{name}.{FAILED}`"));
    if side == LATE {
        problem.help("a row is late for the operator that refuses it: name the operator, as in \"velocity.late\"");
    } else if nearest(side, [FAILED]).is_some() {
        problem.help(format!("did you mean `{name}.{FAILED}`?"));
    }
}

fn operator_side(draft: &Draft, input: &Input, d: &mut Diagnostics) {
    let operator = draft
        .pipeline
        .operators
        .iter()
        .find(|op| op.name.value == input.name);
    let (Some(operator), Some(LATE)) = (operator, input.side.as_deref()) else {
        return;
    };
    if draft.windowed.contains(&input.name) {
        return;
    }
    d.error(
        &input.span,
        format!("operator `{}` refuses no row for being late", input.name),
    )
    .label("expected an operator with a `window`")
    .also(&operator.name.span, "there is none here")
    .help("take `late` from the operator that has the window");
}
