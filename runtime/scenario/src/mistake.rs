//! What is wrong with a scenario file.

use std::ops::Range;

/// A mistake: where it is, what is there, what was expected, what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Byte offsets into the file's text.
    pub span: Range<usize>,
    /// What is wrong, in one line.
    pub title: String,
    /// What was expected there.
    pub label: String,
    /// What to do.
    pub help: String,
}

impl Mistake {
    /// A mistake at a place; the label and the help are still to be said.
    pub fn new(span: Range<usize>, title: impl Into<String>) -> Self {
        Self {
            span,
            title: title.into(),
            label: String::new(),
            help: String::new(),
        }
    }

    /// What was expected there.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// What to do.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = help.into();
        self
    }

    /// The line that it is on, from 1.
    pub fn line(&self, text: &str) -> usize {
        let before = &text.as_bytes()[..self.span.start.min(text.len())];
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }
}
