//! Windows need event time and a watermark: semantics, Rows 3 and Watermarks 4. Those that work by the clock, or on rows that
//! were given it, need neither.

use crate::diagnostics::Diagnostics;
use crate::model::{EventTime, Operator, Pipeline, Source, Strategy, Time};

pub(super) fn check(pipeline: &Pipeline, d: &mut Diagnostics) {
    let mut told: Vec<&str> = Vec::new();
    for operator in &pipeline.operators {
        let Some(window) = &operator.window else {
            continue;
        };
        for source in origins(pipeline, operator) {
            if told.contains(&source.name.value.as_str()) {
                continue;
            }
            let mut problem = missing_time(source, d);
            if problem.is_none() {
                problem = missing_watermark(source, d);
            }
            if let Some(problem) = problem {
                problem.also(
                    &window.span,
                    format!("the window of `{}` depends on it", operator.name),
                );
                told.push(&source.name.value);
            }
        }
    }
}

/// The sources whose time an operator's rows have, through other operators too. One that works by the clock gives rows
/// another time.
fn origins<'a>(pipeline: &'a Pipeline, operator: &'a Operator) -> Vec<&'a Source> {
    let mut names: Vec<&str> = vec![&operator.name.value];
    let mut seen = 0;
    while let Some(name) = names.get(seen).copied() {
        seen += 1;
        let from = pipeline
            .operators
            .iter()
            .find(|operator| operator.name.value == name && operator.time.value == Time::Event);
        for input in from.iter().flat_map(|from| &from.inputs) {
            if !names.contains(&input.name.as_str()) {
                names.push(&input.name);
            }
        }
    }
    pipeline
        .sources
        .iter()
        .filter(|s| names.contains(&s.name.value.as_str()))
        .collect()
}

fn missing_time<'d>(
    source: &Source,
    d: &'d mut Diagnostics,
) -> Option<&'d mut crate::diagnostics::Problem> {
    if !matches!(source.event_time, EventTime::Unstated) {
        return None;
    }
    let problem = d.error(
        &source.name.span,
        format!("source `{}` has no event time", source.name),
    );
    problem.label("expected `event-time` or `time` in here");
    problem.help(format!(
        "name the column that says when things happened: {}",
        example(source)
    ));
    problem.help("or write `time = \"ingestion\"` for the clock of reading, or `time = \"processing\"` at the operator; results then depend on when they were made");
    Some(problem)
}

fn example(source: &Source) -> String {
    let time = source
        .columns
        .iter()
        .find(|c| c.ty == tidemill_rows::LogicalType::Time);
    match time {
        Some(column) => format!("`event-time = \"{}\"`", column.name),
        None => "`event-time = \"paid_at\"`, a column of type time".to_owned(),
    }
}

fn missing_watermark<'d>(
    source: &Source,
    d: &'d mut Diagnostics,
) -> Option<&'d mut crate::diagnostics::Problem> {
    if source.strategy.value != Strategy::None || source.strategy.span != source.name.span {
        return None;
    }
    let problem = d.error(
        &source.name.span,
        format!("source `{}` has no watermark", source.name),
    );
    problem.label("expected `out-of-orderness` or `watermark` in here");
    problem.help("say how far rows may come out of order, as in `out-of-orderness = \"30s\"`");
    problem.help("or `watermark = \"monotonic\"` if times never fall, `watermark = \"none\"` to fire only at the end");
    Some(problem)
}
