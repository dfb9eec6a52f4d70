//! The head: which pipeline, and how it is run.

use std::ops::Range;

use crate::{Line, Mistake, Scenario};

/// A name and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The name.
    pub name: String,
    /// Byte offsets into the file's text.
    pub span: Range<usize>,
}

/// The head of a scenario that tests a pipeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The pipeline file, relative to the scenario's folder.
    pub pipeline: Named,
    /// `watermarks from-rows`: the sources' own strategies make watermarks, instead of the directive `watermark`.
    pub watermarks_from_rows: bool,
    /// `workers 2`; 1 if not said.
    pub workers: usize,
    /// `show velocity, velocity.late`: only these outputs are shown; empty: all.
    pub show: Vec<Named>,
    /// `set KEY=VALUE`: keys of the pipeline file that are something else here.
    pub set: Vec<(String, String)>,
}

/// How many workers a scenario may ask for: more show nothing more.
const MOST_WORKERS: usize = 64;

const HEADS: &str =
    "`pipeline FILE`, `watermarks from-rows`, `workers N`, `show OUTPUT, …` or `set KEY=VALUE`";

/// Reads the head.
///
/// # Errors
/// The first mistake.
pub fn head(scenario: &Scenario<'_>) -> Result<Head, Mistake> {
    let mut head = Head {
        pipeline: Named {
            name: String::new(),
            span: 0..0,
        },
        watermarks_from_rows: false,
        workers: 1,
        show: Vec::new(),
        set: Vec::new(),
    };
    scenario.head().try_for_each(|line| said(line, &mut head))?;
    if head.pipeline.name.is_empty() {
        let first = scenario.head().next().map_or(0..0, |line| line.span());
        return Err(Mistake::new(first, "the head names no pipeline file")
            .label("expected a line `pipeline FILE`, such as `pipeline pipeline.toml`")
            .help("write it as the first line; paths are relative to the scenario's folder"));
    }
    Ok(head)
}

/// Takes what one line says.
fn said(line: Line<'_>, head: &mut Head) -> Result<(), Mistake> {
    let (word, at) = line.words().next().unwrap_or(("", line.span()));
    let rest = line.text.trim_start()[word.len()..].trim();
    let rest_at = match line.words().nth(1) {
        Some((_, second)) => second.start..second.start + rest.len(),
        None => line.span(),
    };
    match word {
        "pipeline" if !rest.is_empty() => {
            head.pipeline = Named {
                name: rest.to_owned(),
                span: rest_at,
            };
        }
        "watermarks" if rest == "from-rows" => head.watermarks_from_rows = true,
        "workers" => head.workers = workers(rest, rest_at)?,
        "show" if !rest.is_empty() => head.show.extend(outputs(rest, rest_at.start)),
        "set" if rest.contains('=') => {
            let (key, value) = rest.split_once('=').unwrap_or_default();
            head.set
                .push((key.trim().to_owned(), value.trim().to_owned()));
        }
        word => return Err(mistaken(word, at, rest_at)),
    }
    Ok(())
}

/// What is wrong with a line that begins with this word.
fn mistaken(word: &str, at: Range<usize>, rest_at: Range<usize>) -> Mistake {
    let of_what = |span: Range<usize>| Mistake::new(span, format!("`{word}` of what?"));
    match word {
        "pipeline" => of_what(at)
            .label("expected the path of a pipeline file")
            .help("paths are relative to the scenario's folder"),
        "show" => of_what(at)
            .label("expected outputs, such as `velocity, velocity.late`")
            .help("without this line all outputs are shown"),
        "set" => of_what(rest_at)
            .label("expected `set KEY=VALUE`")
            .help("such as `set operators.velocity.config.limit=5.0`"),
        "watermarks" => Mistake::new(rest_at, "no such way to make watermarks")
            .label("expected `from-rows`")
            .help("without this line, watermarks come from directives `watermark`"),
        word => Mistake::new(at, format!("the head says nothing of `{word}`"))
            .label(format!("expected {HEADS}"))
            .help("an empty line ends the head; directives come below it"),
    }
}

/// A number of workers.
pub(super) fn workers(word: &str, span: Range<usize>) -> Result<usize, Mistake> {
    match word.parse() {
        Ok(workers @ 1..=MOST_WORKERS) => Ok(workers),
        _ => Err(Mistake::new(span, "no such number of workers")
            .label(format!("expected a number from 1 to {MOST_WORKERS}"))
            .help("what comes out is the same with any number")),
    }
}

fn outputs(rest: &str, start: usize) -> Vec<Named> {
    let split = |c: char| c == ',' || c.is_whitespace();
    rest.split(split)
        .filter(|name| !name.is_empty())
        .map(|name| {
            let at = start + (name.as_ptr() as usize - rest.as_ptr() as usize);
            Named {
                name: name.to_owned(),
                span: at..at + name.len(),
            }
        })
        .collect()
}
