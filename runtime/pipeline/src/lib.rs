//! The pipeline file: its text to a checked [`Pipeline`], or a [`Report`] of everything that is wrong with it.
//!
//! Owns the keys of the file, their types and defaults ([`keys`]), the wiring of sources, operators and sinks, and what can
//! be said about all of it without a module and without data. Never opens a module, a source or a sink: what needs those,
//! the planner checks, and adds what it finds to the same [`Diagnostics`], so that a person sees all of it at once, line by
//! line.
//!
//! ```text
//! text --tree--> Entry, Node --read (by keys)--> Draft --check--> Checked { Pipeline, Diagnostics (warnings) }
//!    \__________________________\_________________\__________________> Report (errors and warnings)
//! ```
//!
//! 1. Every value keeps its place ([`Spanned`]), as byte offsets into the [`SourceText`].
//! 2. All problems of a file are found in one go: an error is noted and reading goes on. Only where the TOML itself is
//!    wrong is nothing else said.
//! 3. A [`Pipeline`] that is given out has no errors: all names resolve, there is no cycle, every window can be.
//! 4. Times and durations are microseconds, sizes are bytes.

pub mod diagnostics;
pub mod keys;
pub mod model;
pub mod nearest;
pub mod place;
pub mod schema;
pub mod tree;
pub mod units;

mod check;
mod fill_in;
mod overrides;
mod read;
mod secrets;
mod section;
mod source_text;

pub use diagnostics::{Diagnostics, Problem, Report, Severity};
pub use model::*;
pub use place::{Span, Spanned};
pub use secrets::read_file as read_secret;
pub use source_text::SourceText;

use std::path::Path;

/// A pipeline file is at most so long.
pub const LONGEST_FILE: u64 = 4 << 20;

/// A pipeline without errors.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The pipeline.
    pub pipeline: Pipeline,
    /// The warnings so far, for later steps to add to.
    pub diagnostics: Diagnostics,
}

/// As much of a pipeline as could be read from a file that has errors: for a planner that looks for what else is wrong.
#[derive(Clone, Debug)]
pub struct Partial {
    /// The pipeline, with stand-ins where something could not be read; nothing where the TOML itself is wrong.
    pub pipeline: Option<Pipeline>,
    /// Sources, operators and sinks about which nothing more can be said, by name: what they hold may be a stand-in.
    pub unsound: Vec<String>,
    /// What is wrong with the file.
    pub report: Report,
}

/// What comes from outside the file.
pub struct Settings<'a> {
    /// Keys and values of `--set`, such as `("sources.payments.files", "other.jsonl")`.
    pub overrides: &'a [(String, String)],
    /// The value of an environment variable, for `${NAME}` in texts.
    pub environment: &'a dyn Fn(&str) -> Option<String>,
    /// What a secret's file holds, or why it cannot be had, for `${secrets.NAME}` in texts.
    pub secret: &'a dyn Fn(&Path) -> Result<String, String>,
}

impl std::default::Default for Settings<'_> {
    /// No overrides, the process's environment and files.
    fn default() -> Self {
        Self {
            overrides: &[],
            environment: &|name| std::env::var(name).ok(),
            secret: &secrets::read_file,
        }
    }
}

/// Reads and checks a pipeline file.
///
/// # Errors
/// A report of everything that is wrong, also when the file cannot be read.
pub fn read(path: &Path) -> Result<Checked, Report> {
    read_with(path, &Settings::default())
}

/// Reads and checks a pipeline file with what comes from outside.
///
/// # Errors
/// A report of everything that is wrong, also when the file cannot be read.
pub fn read_with(path: &Path, settings: &Settings<'_>) -> Result<Checked, Report> {
    read_as_far(path, settings).map_err(|partial| partial.report)
}

/// Reads and checks a pipeline file; of one that has errors, what could be read of it.
///
/// # Errors
/// A report of everything that is wrong, with the rest.
pub fn read_as_far(path: &Path, settings: &Settings<'_>) -> Result<Checked, Box<Partial>> {
    match file_text(path) {
        Ok(text) => parse_as_far(&text, path, settings),
        Err(report) => Err(Partial::nothing(report)),
    }
}

/// Parses and checks a pipeline file's text; `path` is shown in messages, and other paths are relative to its folder.
///
/// # Errors
/// A report of everything that is wrong.
pub fn parse(text: &str, path: &Path) -> Result<Checked, Report> {
    parse_with(text, path, &Settings::default())
}

/// Parses and checks a pipeline file's text with what comes from outside.
///
/// # Errors
/// A report of everything that is wrong.
pub fn parse_with(text: &str, path: &Path, settings: &Settings<'_>) -> Result<Checked, Report> {
    parse_as_far(text, path, settings).map_err(|partial| partial.report)
}

/// Parses and checks a pipeline file's text; of one that has errors, what could be read of it.
///
/// # Errors
/// A report of everything that is wrong, with the rest.
pub fn parse_as_far(
    text: &str,
    path: &Path,
    settings: &Settings<'_>,
) -> Result<Checked, Box<Partial>> {
    let mut d = Diagnostics::new(SourceText::new(path, text));
    let root = tree::parse_document(text, &mut d);
    let Some(mut root) = root else {
        let report = d.into_result().expect_err("syntax errors");
        return Err(Partial::nothing(report));
    };
    overrides::apply(settings.overrides, &mut root, &mut d);
    let folder = path.parent().unwrap_or(Path::new(""));
    fill_in::fill_in(&mut root, (settings, folder), &mut d);
    let known = d.problems().len();
    let draft = read::read(&root, folder, &mut d);
    check::check(&draft, &mut d);
    // Of a text without its variable or secret nothing more is said.
    d.forget_repeated(known);
    match d.into_result() {
        Ok(diagnostics) => Ok(Checked {
            pipeline: draft.pipeline,
            diagnostics,
        }),
        Err(report) => Err(Box::new(Partial {
            pipeline: Some(draft.pipeline),
            unsound: draft.unsound,
            report,
        })),
    }
}

impl Partial {
    /// Of a file of which nothing could be read.
    fn nothing(report: Report) -> Box<Self> {
        Box::new(Self {
            pipeline: None,
            unsound: Vec::new(),
            report,
        })
    }
}

/// A file's text.
fn file_text(path: &Path) -> Result<String, Report> {
    let failed = |why: String, help: &str| {
        let mut d = Diagnostics::new(SourceText::new(path, ""));
        d.error_without_place(format!(
            "cannot read pipeline file `{}`: {why}",
            path.display()
        ))
        .help(help.to_owned());
        d.into_result().expect_err("one error")
    };
    let file_help = "give the path of a pipeline file, such as `pipeline.toml`";
    let info = std::fs::metadata(path).map_err(|e| failed(e.to_string(), file_help))?;
    if info.is_dir() {
        return Err(failed("it is a folder".to_owned(), file_help));
    }
    if info.len() > LONGEST_FILE {
        let why = format!(
            "it has {} bytes, and at most {LONGEST_FILE} are read",
            info.len()
        );
        return Err(failed(why, file_help));
    }
    let bytes = std::fs::read(path).map_err(|e| failed(e.to_string(), file_help))?;
    String::from_utf8(bytes).map_err(|e| {
        let good = e.utf8_error().valid_up_to();
        let line = e.as_bytes()[..good]
            .iter()
            .filter(|byte| **byte == b'\n')
            .count()
            + 1;
        failed(
            format!("line {line} is not UTF-8 text"),
            "save the file as UTF-8",
        )
    })
}
