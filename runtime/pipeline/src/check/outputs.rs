//! Where rows go: no two sinks into one place, no sink into what a source reads, dead letters taken by someone.

use std::path::{Component, Path, PathBuf};

use crate::diagnostics::Diagnostics;
use crate::model::{
    Connector, FAILED, FailurePolicy, OnFailure, Pipeline, Sink, SinkConnector, SinkFormat,
};
use crate::place::Spanned;
use crate::read::Draft;

pub(super) fn check(draft: &Draft, d: &mut Diagnostics) {
    let pipeline = &draft.pipeline;
    same_place(&pipeline.sinks, d);
    read_and_written(pipeline, d);
    standard_output(&pipeline.sinks, d);
    for source in &pipeline.sources {
        dead_letters(pipeline, "source", &source.name, &source.failure, d);
    }
    for operator in &pipeline.operators {
        dead_letters(pipeline, "operator", &operator.name, &operator.failure, d);
    }
}

fn target(sink: &Sink) -> Option<PathBuf> {
    match &sink.connector.value {
        SinkConnector::File(path) => Some(normal(path)),
        SinkConnector::Folder(folder) => Some(normal(&folder.path)),
        SinkConnector::Stdout | SinkConnector::Kafka(_) | SinkConnector::Blackhole => None,
    }
}

/// A path without `.` and, as far as the text shows it, without `..`.
fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir
                if matches!(out.components().next_back(), Some(Component::Normal(_))) =>
            {
                out.pop();
            }
            part => out.push(part),
        }
    }
    out
}

fn same_place(sinks: &[Sink], d: &mut Diagnostics) {
    for (n, sink) in sinks.iter().enumerate() {
        let Some(path) = target(sink) else { continue };
        if let Some(first) = sinks[..n]
            .iter()
            .find(|first| target(first).as_ref() == Some(&path))
        {
            d.error(
                &sink.connector.span,
                format!("two sinks write to `{}`", path.display()),
            )
            .label(format!("sink `{}` here", sink.name))
            .also(&first.connector.span, format!("sink `{}` here", first.name))
            .help("write to another place, or let one sink take both: `input = [\"a\", \"b\"]`");
        }
    }
}

fn read_and_written(pipeline: &Pipeline, d: &mut Diagnostics) {
    for sink in &pipeline.sinks {
        let Some(path) = target(sink) else { continue };
        for source in &pipeline.sources {
            let Connector::Files(files) = &source.connector.value else {
                continue;
            };
            let same =
                |pattern: &&Spanned<String>| normal(&pipeline.folder.join(&pattern.value)) == path;
            if let Some(pattern) = files.patterns.iter().find(same) {
                d.error(
                    &sink.connector.span,
                    format!("sink `{}` writes what is read", sink.name),
                )
                .label(format!("`{}` is written here", path.display()))
                .also(
                    &pattern.span,
                    format!("and read by source `{}` here", source.name),
                )
                .help("write to another place");
            }
        }
    }
}

/// A table on standard output takes the whole screen.
fn standard_output(sinks: &[Sink], d: &mut Diagnostics) {
    let all: Vec<&Sink> = sinks
        .iter()
        .filter(|s| matches!(s.connector.value, SinkConnector::Stdout))
        .collect();
    for (n, sink) in all.iter().enumerate() {
        let differs = |first: &&&Sink| {
            first.format.value != sink.format.value && SinkFormat::Json != sink.format.value
                || first.format.value != SinkFormat::Json
        };
        if let Some(first) = all[..n].iter().find(differs) {
            d.error(
                &sink.connector.span,
                "two sinks share standard output, and not as JSON lines",
            )
            .label(format!(
                "sink `{}` writes \"{}\"",
                sink.name,
                sink.format.value.word()
            ))
            .also(
                &first.connector.span,
                format!(
                    "sink `{}` writes \"{}\"",
                    first.name,
                    first.format.value.word()
                ),
            )
            .help("write one of them to a `file`, or both as \"json\"");
        }
    }
}

fn dead_letters(
    pipeline: &Pipeline,
    kind: &str,
    name: &Spanned<String>,
    failure: &FailurePolicy,
    d: &mut Diagnostics,
) {
    let mut inputs = pipeline.sinks.iter().flat_map(|sink| &sink.inputs);
    let taken = inputs.any(|i| i.name == name.value && i.side.as_deref() == Some(FAILED));
    match failure.action.value {
        OnFailure::DeadLetter if !taken => {
            d.error(&failure.action.span, format!("no sink takes the failed rows of {kind} `{name}`"))
                .label("its failed rows would go nowhere")
                .help(format!("add a sink with `input = \"{name}.{FAILED}\"`, such as `[sinks.bad]` with `file = \"bad.jsonl\"`"));
        }
        action @ (OnFailure::Fail | OnFailure::Skip) if taken => {
            d.warn(
                &failure.action.span,
                format!("`{name}.{FAILED}` gets no rows"),
            )
            .label(format!(
                "{kind} `{name}` has the policy \"{}\"",
                action.word()
            ))
            .help("write `on-failure = \"dead-letter\"` there");
        }
        _ => {}
    }
}
