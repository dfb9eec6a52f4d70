//! The tree of a file to the [`Pipeline`]: values, types and what each table alone can be checked for.
//!
//! Where something is wrong it is reported and a stand-in is read on with, so that everything wrong is found; a pipeline
//! with stand-ins is never given out, since there is an error then.

mod checkpoints;
mod column;
mod connector;
mod failure;
mod generator;
mod input;
mod kafka;
mod keep;
mod module;
mod operator;
mod record;
mod sink;
mod source;
mod state;
mod trigger;
mod values;
mod window;

use std::path::Path;

use crate::diagnostics::Diagnostics;
use crate::keys::{Default, MODULE, OPERATOR, PIPELINE, SECRET, SINK, SOURCE, Shape};
use crate::model::{Instances, Pipeline};
use crate::place::{Span, Spanned};
use crate::section::Section;
use crate::tree::{Entry, Value, quoted};

/// A pipeline as far as it could be read, and every name that the file gives to something, readable or not.
pub(crate) struct Draft {
    pub(crate) pipeline: Pipeline,
    pub(crate) sources: Vec<Spanned<String>>,
    pub(crate) operators: Vec<Spanned<String>>,
    pub(crate) sinks: Vec<Spanned<String>>,
    /// Of each source the columns that the file gives it, readable or not; nothing if that is not known.
    pub(crate) columns: Vec<Option<Vec<String>>>,
    /// Operators for which the file says a window, readable or not.
    pub(crate) windowed: Vec<String>,
    /// Sources whose columns, and operators of which anything, could not be read; and names that stand for two things.
    pub(crate) unsound: Vec<String>,
}

/// Sources, operators, sinks and modules, each: more are not read, so that no check takes long.
const MOST_TABLES: usize = 1_000;

/// Reads a document whose paths are relative to `folder`.
pub(crate) fn read(root: &[Entry], folder: &Path, d: &mut Diagnostics) -> Draft {
    let top = Section::open(&PIPELINE, "the pipeline".to_owned(), (root, 0..0), d);
    let name = pipeline_name(&top, d);
    let workers = top.whole("workers", d);
    let instances = top.word("instances", d);
    let max_parallelism = top.whole("max-parallelism", d);
    let checkpoints = checkpoints::read(&top, d);
    let state = state::read(&top, folder, d);
    let modules = named(&top, "modules", &MODULE, d);
    for secret in named(&top, "secrets", &SECRET, d) {
        // What it holds was filled in already.
        secret.section.text("file", d);
    }
    let sources = named(&top, "sources", &SOURCE, d);
    let operators = named(&top, "operators", &OPERATOR, d);
    let sinks = named(&top, "sinks", &SINK, d);
    let mut pipeline = Pipeline {
        name: name.unwrap_or_else(|| Spanned::new(String::new(), 0..0)),
        folder: folder.to_owned(),
        workers: workers.map(|w| w.map(|w| w as usize)),
        instances: instances.unwrap_or_else(|| Spanned::new(Instances::One, 0..0)),
        max_parallelism: max_parallelism.map_or(Spanned::new(128, 0..0), |m| m.map(|m| m as u32)),
        checkpoints,
        state,
        modules: modules
            .iter()
            .filter_map(|m| module::read(m, folder, d))
            .collect(),
        sources: Vec::new(),
        operators: Vec::new(),
        sinks: sinks
            .iter()
            .filter_map(|s| sink::read(s, folder, d))
            .collect(),
    };
    let mut unsound = Vec::new();
    for named in &sources {
        let (source, sound) = source::read(named, &mut pipeline.modules, folder, d);
        pipeline.sources.push(source);
        unsound.extend((!sound).then(|| named.name.value.clone()));
    }
    for named in &operators {
        let before = d.errors();
        let operator = operator::read(named, &mut pipeline.modules, folder, d);
        pipeline.operators.push(operator);
        let sound = named.sound && d.errors() == before;
        unsound.extend((!sound).then(|| named.name.value.clone()));
    }
    let windowed = operators
        .iter()
        .filter(|operator| operator.section.has("window"));
    let windowed = windowed
        .map(|operator| operator.name.value.clone())
        .collect();
    let columns = sources
        .iter()
        .map(|source| column::names(&source.section))
        .collect();
    let names = |of: &[Named<'_>]| of.iter().map(|n| n.name.clone()).collect();
    let (sources, operators, sinks) = (names(&sources), names(&operators), names(&sinks));
    unsound.extend(doubled(&[&sources, &operators, &sinks]));
    Draft {
        pipeline,
        sources,
        operators,
        sinks,
        columns,
        windowed,
        unsound,
    }
}

/// Names that stand for more than one thing.
fn doubled(groups: &[&Vec<Spanned<String>>]) -> Vec<String> {
    let mut names: Vec<&String> = groups
        .iter()
        .flat_map(|group| group.iter().map(|name| &name.value))
        .collect();
    names.sort();
    let pairs = names.windows(2).filter(|pair| pair[0] == pair[1]);
    pairs.map(|pair| pair[0].clone()).collect()
}

fn pipeline_name(top: &Section<'_>, d: &mut Diagnostics) -> Option<Spanned<String>> {
    let name = top.text("name", d)?;
    check_name(&name, "the pipeline", d);
    Some(name)
}

/// A table of its own under a name: `[sources.payments]`.
struct Named<'a> {
    name: Spanned<String>,
    section: Section<'a>,
    /// Whether all its keys are known.
    sound: bool,
}

/// Opens the tables under a key: `[sources.a]`, `[sources.b]`.
fn named<'a>(
    top: &Section<'a>,
    group: &str,
    shape: &'static Shape,
    d: &mut Diagnostics,
) -> Vec<Named<'a>> {
    let Some(entry) = top.entry(group) else {
        let required = matches!(
            PIPELINE.key(group).map(|key| key.default),
            Some(Default::Required)
        );
        if required && !top.meant(group) {
            no_table(group, shape, d);
        }
        return Vec::new();
    };
    let Value::Table(entries) = &entry.node.value else {
        wrong_group(group, entry, shape, d);
        return Vec::new();
    };
    if let Some(first) = entries.get(MOST_TABLES) {
        d.error(
            &first.key.span,
            format!("there are too many {group}: {}", entries.len()),
        )
        .label(format!(
            "expected at most {MOST_TABLES}; this is the first beyond"
        ))
        .help("make several pipelines of it");
    }
    let entries = entries.iter().take(MOST_TABLES);
    entries
        .filter_map(|entry| named_one(group, shape, entry, d))
        .collect()
}

fn named_one<'a>(
    group: &str,
    shape: &'static Shape,
    entry: &'a Entry,
    d: &mut Diagnostics,
) -> Option<Named<'a>> {
    let name = &entry.key;
    let title = format!("{} `{}`", shape.name, name.value);
    check_name(name, &format!("[{group}.{}]", name.value), d);
    let Value::Table(entries) = &entry.node.value else {
        d.error(&entry.node.span, format!("{title} is not a table"))
            .label(format!(
                "expected the settings of a {}, found {}",
                shape.name,
                entry.node.found()
            ))
            .help(format!(
                "begin a section `[{group}.{}]` and write its settings below",
                name.value
            ));
        return None;
    };
    let before = d.errors();
    let section = Section::open(shape, title, (entries, name.span.clone()), d);
    Some(Named {
        name: name.clone(),
        section,
        sound: d.errors() == before,
    })
}

fn no_table(group: &str, shape: &Shape, d: &mut Diagnostics) {
    let what = match shape.name {
        "source" => (
            "it reads nothing",
            "[sources.lines]` with `stdin = {}` and `columns",
        ),
        _ => (
            "its results go nowhere",
            "[sinks.out]` with `input = \"...\"` and `stdout = {}",
        ),
    };
    d.error(
        &(0..0),
        format!("the pipeline has no {}: {}", shape.name, what.0),
    )
    .label(format!(
        "expected a section `[{group}.<name>]` in this file"
    ))
    .help(format!("add one, for example `{}`", what.1));
}

fn wrong_group(group: &str, entry: &Entry, shape: &Shape, d: &mut Diagnostics) {
    let found = entry.node.found();
    let problem = d.error(&entry.key.span, format!("`{group}` is not a table"));
    problem.label(format!("expected {}s by name, found {found}", shape.name));
    problem.help(format!(
        "write `[{group}.<name>]`, in single brackets, for each {}",
        shape.name
    ));
}

/// Checks that a name is `[a-z][a-z0-9-]*`.
fn check_name(name: &Spanned<String>, what: &str, d: &mut Diagnostics) {
    let text = name.value.as_str();
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if text.starts_with(|c: char| c.is_ascii_lowercase()) && text.chars().all(allowed) {
        return;
    }
    let problem = d.error(&name.span, format!("the name of {what} cannot be a name"));
    problem.label(format!(
        "expected lowercase letters, digits and `-`, a letter first, found {}",
        quoted(text)
    ));
    if let Some(better) = better_name(text) {
        problem.help(format!("write `{better}`"));
    }
}

fn better_name(text: &str) -> Option<String> {
    let mut better = String::new();
    for c in text.chars() {
        if c.is_ascii_uppercase() && better.ends_with(|c: char| c.is_ascii_lowercase()) {
            better.push('-');
        }
        better.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        });
    }
    let better = better.trim_matches('-').to_owned();
    better
        .starts_with(|c: char| c.is_ascii_lowercase())
        .then_some(better)
}

/// Adds the problem of a table with several keys of which one must be chosen.
fn several(section: &Section<'_>, what: &str, entries: &[&Entry], d: &mut Diagnostics) {
    let [first, second, ..] = entries else { return };
    let names = crate::nearest::list(entries.iter().map(|e| e.key.value.as_str()), "and");
    d.error(
        &second.key.span,
        format!("{} has {} {what}s: {names}", section.title, entries.len()),
    )
    .label("and here another")
    .also(&first.key.span, format!("one {what} here"))
    .help(format!("leave one; {}", advice(what)));
}

fn advice(what: &str) -> &'static str {
    match what {
        "connector" => "rows of several origins need several sources, or sinks, of their own",
        _ => "results of several windows need several operators",
    }
}

/// The place of the first of some entries, or a stand-in.
fn place_of(entries: &[&Entry], otherwise: &Span) -> Span {
    entries
        .first()
        .map_or_else(|| otherwise.clone(), |entry| entry.key.span.clone())
}
