//! Directives: what is done to the pipeline.

use std::ops::Range;

use super::head::workers;
use super::moment::moment;
use crate::{Mistake, Step};

/// Which splits a directive is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Of {
    /// All splits of all sources.
    All,
    /// All splits of a source.
    Source(String),
    /// One split of a source.
    Split(String, String),
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Directive {
    /// `rows SOURCE[/SPLIT]`: the source reads the input lines.
    Rows(Of),
    /// `deletes SOURCE[/SPLIT]`: the source reads records without a value, of which the input lines say the rest.
    Deletes(Of),
    /// `watermark [SOURCE[/SPLIT]] TIME`: watermarks of splits rise to this, in microseconds.
    Watermark(Of, i64),
    /// `end [SOURCE[/SPLIT]]`: splits have no more rows.
    End(Of),
    /// `processing-time TIME`: the clock goes on to this, in microseconds.
    ProcessingTime(i64),
    /// `checkpoint`: what stands until here lasts.
    Checkpoint,
    /// `crash`: everything since the last checkpoint is lost.
    Crash,
    /// `restore [at parallelism N]`: the pipeline goes on from the last checkpoint, and reads again what it read since.
    Restore(Option<usize>),
    /// `state OPERATOR`: what the operator keeps, for the keys of the input lines, or all.
    State(String),
}

const DIRECTIVES: &str = "`rows SOURCE[/SPLIT]`, `deletes SOURCE[/SPLIT]`, `watermark [SOURCE[/SPLIT]] TIME`, `end [SOURCE[/SPLIT]]`, \
                          `processing-time TIME`, `checkpoint`, `crash`, `restore [at parallelism N]` or `state OPERATOR`";
const TIMES: &str = "such as 2013-01-01T10:15:00Z, or a whole number of microseconds since 1970";

/// A word and the bytes that it takes in the file.
type Word<'a> = (&'a str, Range<usize>);

/// Reads the directive of a step.
///
/// # Errors
/// The first mistake; also where a directive that takes no input has some.
pub fn directive(step: &Step<'_>) -> Result<Directive, Mistake> {
    let words: Vec<Word<'_>> = step.directive.words().collect();
    let directive = match &words[..] {
        [("rows", _), of] => Directive::Rows(source(of)?),
        [("deletes", _), of] => Directive::Deletes(source(of)?),
        [("watermark", _), time] => Directive::Watermark(Of::All, time_of(time)?),
        [("watermark", _), of, time] => Directive::Watermark(source(of)?, time_of(time)?),
        [("end", _)] => Directive::End(Of::All),
        [("end", _), of] => Directive::End(source(of)?),
        [("processing-time", _), time] => Directive::ProcessingTime(time_of(time)?),
        [("checkpoint", _)] => Directive::Checkpoint,
        [("crash", _)] => Directive::Crash,
        [("restore", _)] => Directive::Restore(None),
        [("restore", _), ("at", _), ("parallelism", _), (number, at)] => {
            Directive::Restore(Some(workers(number, at.clone())?))
        }
        [("state", _), (operator, _)] => Directive::State((*operator).to_owned()),
        _ => return Err(no_directive(step, &words)),
    };
    match step.rows().next() {
        Some(line) if !directive.takes_lines() => {
            let title = format!("`{}` takes no input lines", words[0].0);
            Err(Mistake::new(line.span(), title)
                .label("expected `----` here")
                .help("rows are given by `rows SOURCE`, in a step of their own"))
        }
        _ => Ok(directive),
    }
}

impl Directive {
    fn takes_lines(&self) -> bool {
        matches!(self, Self::Rows(_) | Self::Deletes(_) | Self::State(_))
    }
}

/// The words that directives begin with.
const WORDS: [&str; 9] = [
    "rows",
    "deletes",
    "watermark",
    "end",
    "processing-time",
    "checkpoint",
    "crash",
    "restore",
    "state",
];

/// The word that was meant, where a few letters are wrong.
fn nearest(word: &str) -> Option<&'static str> {
    let far = |candidate: &str| strsim::damerau_levenshtein(word, candidate);
    let near = |candidate: &&str| far(candidate) <= candidate.len().div_ceil(4);
    WORDS.into_iter().filter(near).min_by_key(|c| far(c))
}

fn no_directive(step: &Step<'_>, words: &[Word<'_>]) -> Mistake {
    let first = words.first().map_or("", |(word, _)| *word);
    let times = format!("a TIME is {TIMES}");
    let (form, help) = match first {
        "rows" => (
            "`rows SOURCE` or `rows SOURCE/SPLIT`",
            "the rows stand below it, one a line".to_owned(),
        ),
        "deletes" => (
            "`deletes SOURCE` or `deletes SOURCE/SPLIT`",
            "what of the records is not in their value stands below it, a line each".to_owned(),
        ),
        "watermark" => (
            "`watermark TIME`, `watermark SOURCE TIME` or `watermark SOURCE/SPLIT TIME`",
            times,
        ),
        "end" => (
            "`end`, `end SOURCE` or `end SOURCE/SPLIT`",
            "without a source all of them end".to_owned(),
        ),
        "processing-time" => ("`processing-time TIME`", times),
        "checkpoint" | "crash" => (
            "the word alone",
            "a scenario has one pipeline, and it is taken or lost whole".to_owned(),
        ),
        "state" => (
            "`state OPERATOR`",
            "keys may stand below it, one a line; without them all are shown".to_owned(),
        ),
        "restore" => (
            "`restore` or `restore at parallelism N`",
            "it goes on from the last `checkpoint`, or from the beginning".to_owned(),
        ),
        _ => {
            let span = words.first().map(|(_, at)| at.clone());
            let span = span.unwrap_or(step.directive.span());
            let mistake = Mistake::new(span, format!("no such directive: {first}"))
                .label(format!("expected {DIRECTIVES}"));
            return match nearest(first) {
                Some(word) => mistake.help(format!("did you mean `{word}`?")),
                None => mistake.help("a step begins with a directive, after an empty line"),
            };
        }
    };
    let title = format!("`{first}` is written otherwise");
    Mistake::new(step.directive.span(), title)
        .label(format!("expected {form}"))
        .help(help)
}

fn source((word, span): &Word<'_>) -> Result<Of, Mistake> {
    match word.split_once('/') {
        None => Ok(Of::Source((*word).to_owned())),
        Some((source, split)) if !source.is_empty() && !split.is_empty() => {
            Ok(Of::Split(source.to_owned(), split.to_owned()))
        }
        Some(_) => Err(
            Mistake::new(span.clone(), format!("no source and split: {word}"))
                .label("expected `SOURCE` or `SOURCE/SPLIT`")
                .help("a split's name is any word, such as `payments/a`"),
        ),
    }
}

fn time_of((word, span): &Word<'_>) -> Result<i64, Mistake> {
    moment(word).ok_or_else(|| {
        Mistake::new(span.clone(), format!("no time: {word}"))
            .label("expected a time")
            .help(format!("write it {TIMES}"))
    })
}
