//! `tidemill check --infer`: the columns of sources, guessed from their first rows and printed ready to paste.
//!
//! A guess says only what all sampled rows agree on; where they do not, a comment says how many are of another mind.

mod column;
mod csv;
mod json;
mod time;

use std::collections::HashSet;
use std::fmt::Write;

use anyhow::anyhow;
use tidemill_connectors::{FilesSpec, FormatKind, FormatSpec};
use tidemill_pipeline::{Connector, Format, Pipeline, Source};

pub use column::{Guess, Seen};

use crate::error::Failure;

/// So many rows of each file are looked at.
const ROWS: usize = 1_000;

/// What was found out about a source.
pub struct Inferred {
    /// Rows looked at.
    pub rows: usize,
    /// The columns, in the order of the rows' fields.
    pub columns: Vec<Guess>,
    /// What is no column, and why.
    pub left_out: Vec<String>,
}

/// Columns of every source that has none, or such as do not fit its rows: as text, ready to paste.
///
/// # Errors
/// If no source reads files, or a file cannot be read.
pub fn columns(pipeline: &Pipeline) -> Result<String, Failure> {
    let mut text = String::new();
    let mut looked = 0;
    for source in &pipeline.sources {
        let Connector::Files(files) = &source.connector.value else {
            continue;
        };
        looked += 1;
        let paths = files
            .patterns
            .iter()
            .map(|path| path.value.clone())
            .collect();
        let spec = FilesSpec {
            paths,
            base: pipeline.folder.clone(),
            follow: false,
            format: format(source),
        };
        let sampled = spec
            .sample(ROWS)
            .map_err(|error| Failure::wrong(anyhow!("source {}: {error}", source.name)))?;
        let inferred = match source.format.value {
            Format::Json => json::infer(&sampled),
            Format::Csv => csv::infer(&sampled, source.delimiter),
            // Of files there is neither, and only files are looked into.
            Format::Avro | Format::Protobuf => continue,
        };
        text.push_str(&said(source, inferred, &sampled)?);
    }
    if looked == 0 {
        return Err(Failure::wrong(anyhow!("no source reads files, so there is nothing to infer columns from"))
            .hint("write the first rows of what comes in to a file, and name it with --set sources.<name>.files=<file>"));
    }
    Ok(text)
}

fn format(source: &Source) -> FormatSpec {
    let kind = match source.format.value {
        Format::Json => FormatKind::Json,
        Format::Csv => FormatKind::Csv {
            delimiter: source.delimiter,
        },
        Format::Avro => FormatKind::Avro,
        Format::Protobuf => FormatKind::Protobuf,
    };
    FormatSpec::new(kind, Vec::new())
}

fn said(source: &Source, inferred: Inferred, sampled: &[Vec<String>]) -> Result<String, Failure> {
    let Inferred {
        rows,
        columns,
        left_out,
    } = inferred;
    if columns.is_empty() {
        return Err(nothing(source, sampled));
    }
    let wrong = misfits(source, &columns);
    if !source.columns.is_empty() && wrong.is_empty() {
        let mut text = format!(
            "# source {}: its columns fit the first {rows} rows\n",
            source.name
        );
        for (name, remark) in remarks(source, &columns) {
            let _ = writeln!(text, "# {name}: {remark}");
        }
        text.push('\n');
        return Ok(text);
    }
    let mut text = format!("# source {}, from the first {rows} rows\n", source.name);
    for line in &wrong {
        let _ = writeln!(text, "# {line}");
    }
    let _ = writeln!(text, "[sources.{}.columns]", source.name);
    for (name, guess) in named(source, &columns) {
        let _ = writeln!(text, "{}", guess.line(&name));
    }
    for line in left_out {
        let _ = writeln!(text, "# {line}");
    }
    text.push('\n');
    Ok(text)
}

/// Why there is nothing to say of a source, and what to do.
fn nothing(source: &Source, sampled: &[Vec<String>]) -> Failure {
    let first = sampled.iter().flatten().next();
    let Some(first) = first else {
        return Failure::wrong(anyhow!("source {}: its files have no rows", source.name))
            .hint("columns are guessed from rows: give it a file that has some");
    };
    let name = &source.name;
    let failure = Failure::wrong(anyhow!(
        "source {name}: its rows are not in format {}",
        source.format.value.word()
    ));
    match (source.format.value, csv::delimiter_of(first)) {
        (Format::Json, Some(delimiter)) => failure.hint(format!(
            "they look like CSV: write `format = \"csv\"`{} into [sources.{name}]",
            match delimiter {
                ',' => String::new(),
                other => format!(" and `delimiter = {:?}`", other.to_string()),
            }
        )),
        _ => failure.hint(
            "expected one JSON object in each line; or write `format = \"csv\"` into the source",
        ),
    }
}

/// What of the declared columns does not fit the rows.
fn misfits(source: &Source, columns: &[Guess]) -> Vec<String> {
    let mut lines = Vec::new();
    for declared in &source.columns {
        let name = &declared.name;
        match columns
            .iter()
            .find(|guess| guess.path == declared.path.value)
        {
            None => lines.push(format!(
                "{name}: no row has {}",
                declared.path.value.join(".")
            )),
            Some(guess) => lines.extend(guess.misfit(declared).map(|why| format!("{name}: {why}"))),
        }
    }
    lines
}

/// What there is to say of declared columns, by name.
fn remarks<'a>(source: &'a Source, columns: &'a [Guess]) -> Vec<(&'a str, &'a str)> {
    let remark = |guess: &'a Guess| {
        let mut declared = source.columns.iter();
        let column = declared.find(|column| column.path.value == guess.path)?;
        Some((column.name.value.as_str(), guess.remark()?))
    };
    columns.iter().filter_map(remark).collect()
}

/// Each column with its name: the declared one, else that of its field, with those around it where others have it too.
fn named<'a>(source: &Source, columns: &'a [Guess]) -> Vec<(String, &'a Guess)> {
    let declared = |guess: &Guess| {
        let mut columns = source.columns.iter();
        let column = columns.find(|column| column.path.value == guess.path)?;
        Some(column.name.value.clone())
    };
    let mut taken: HashSet<String> = columns.iter().filter_map(declared).collect();
    // A field of the row itself has a better right to its name than one deep inside.
    let outer = |guess: &&Guess| guess.path.len() == 1 && declared(guess).is_none();
    let mut own: HashSet<String> = columns
        .iter()
        .filter(outer)
        .map(|guess| guess.path[0].clone())
        .collect();
    let mut names = Vec::new();
    for guess in columns {
        let name = declared(guess).unwrap_or_else(|| {
            if guess.path.len() == 1 {
                own.remove(&guess.path[0]);
            }
            let short = guess.path[guess.path.len() - 1].clone();
            let long = guess.path.join("_");
            let numbered = (2..).map(|n| format!("{long}_{n}"));
            let mut candidates = [short, long.clone()].into_iter().chain(numbered);
            let free = candidates.find(|name| !taken.contains(name) && !own.contains(name));
            free.expect("numbers do not end")
        });
        taken.insert(name.clone());
        names.push((name, guess));
    }
    names
}
