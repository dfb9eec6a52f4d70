//! Problems with a pipeline file, collected and then shown all at once, each with the lines that it is about.
//!
//! A problem says in its title what is wrong, in its label what was expected and what is there, in its help what to do.
//! The reader adds what it finds; the planner adds its own to the same [`Diagnostics`].

mod render;

use std::fmt;

use crate::place::Span;
use crate::source_text::SourceText;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// The pipeline cannot run.
    Error,
    /// It can, but hardly as meant.
    Warning,
}

/// One problem.
#[derive(Clone, Debug)]
pub struct Problem {
    severity: Severity,
    span: Option<Span>,
    title: String,
    label: String,
    context: Vec<(Span, String)>,
    help: Vec<String>,
}

impl Problem {
    /// What was expected and what is there, shown at the place.
    pub fn label(&mut self, text: impl Into<String>) -> &mut Self {
        self.label = text.into();
        self
    }

    /// Another place that has to do with it, and why.
    pub fn also(&mut self, span: &Span, text: impl Into<String>) -> &mut Self {
        self.context.push((span.clone(), text.into()));
        self
    }

    /// What to do.
    pub fn help(&mut self, text: impl Into<String>) -> &mut Self {
        self.help.push(text.into());
        self
    }

    /// How bad it is.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What is wrong, in one line.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// Where, if it has a place.
    pub fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }
}

/// All problems found with a pipeline file.
#[derive(Clone, Debug, Default)]
pub struct Diagnostics {
    text: SourceText,
    problems: Vec<Problem>,
}

impl Diagnostics {
    /// None yet.
    pub fn new(text: SourceText) -> Self {
        Self {
            text,
            problems: Vec::new(),
        }
    }

    /// Adds an error; what is given back takes its label and help.
    pub fn error(&mut self, span: &Span, title: impl Into<String>) -> &mut Problem {
        self.add(Severity::Error, Some(span.clone()), title.into())
    }

    /// Adds a warning.
    pub fn warn(&mut self, span: &Span, title: impl Into<String>) -> &mut Problem {
        self.add(Severity::Warning, Some(span.clone()), title.into())
    }

    /// Adds an error that has no place in the file, such as that the file cannot be read.
    pub fn error_without_place(&mut self, title: impl Into<String>) -> &mut Problem {
        self.add(Severity::Error, None, title.into())
    }

    fn add(&mut self, severity: Severity, span: Option<Span>, title: String) -> &mut Problem {
        let (label, context, help) = (String::new(), Vec::new(), Vec::new());
        self.problems.push(Problem {
            severity,
            span,
            title,
            label,
            context,
            help,
        });
        self.problems.last_mut().expect("one was pushed")
    }

    /// Whether there is an error among them.
    pub fn has_errors(&self) -> bool {
        self.problems
            .iter()
            .any(|problem| problem.severity == Severity::Error)
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        let errors = self.problems.iter();
        errors
            .filter(|problem| problem.severity == Severity::Error)
            .count()
    }

    /// Takes out what was added after the first `known` problems and is about a place of which one of these says already
    /// that it is wrong: a later step may meet the same mistake again, with less to say about it.
    pub fn forget_repeated(&mut self, known: usize) {
        let (before, after) = self.problems.split_at(known.min(self.problems.len()));
        let wrong: Vec<&Span> = before
            .iter()
            .filter(|problem| problem.severity == Severity::Error)
            .filter_map(Problem::span)
            .collect();
        let new = |problem: &&Problem| problem.span().is_none_or(|span| !wrong.contains(&span));
        let after: Vec<Problem> = after.iter().filter(new).cloned().collect();
        self.problems.truncate(known);
        self.problems.extend(after);
    }

    /// Whether there is nothing to say.
    pub fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// The problems, in the order in which they were found.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// The text that places refer to.
    pub fn text(&self) -> &SourceText {
        &self.text
    }

    pub(crate) fn text_mut(&mut self) -> &mut SourceText {
        &mut self.text
    }

    /// Itself if nothing is worse than a warning.
    ///
    /// # Errors
    /// A report of everything, if there is an error.
    pub fn into_result(self) -> Result<Self, Report> {
        if self.has_errors() {
            Err(Report(self))
        } else {
            Ok(self)
        }
    }

    /// All problems with the file's lines, in the order of the file.
    pub fn render(&self, color: bool) -> String {
        render::render(self, color)
    }
}

/// Why a pipeline file cannot run: at least one error, and the warnings.
#[derive(Clone, Debug)]
pub struct Report(Diagnostics);

impl Report {
    /// The problems.
    pub fn diagnostics(&self) -> &Diagnostics {
        &self.0
    }

    /// The problems, for a later step to add to.
    pub fn into_diagnostics(self) -> Diagnostics {
        self.0
    }

    /// All problems with the file's lines.
    pub fn render(&self, color: bool) -> String {
        self.0.render(color)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Report {}
