//! The text that problems are shown in: the pipeline file, and behind it what `--set` said.
//!
//! Places are byte offsets into all of it, as if the pieces stood one behind the other, a newline between them.

use std::path::{Path, PathBuf};

use crate::place::Span;

/// What is shown as the name of the piece with the overrides.
const OVERRIDES: &str = "--set";

/// The pipeline file's text, and that of the overrides.
#[derive(Clone, Debug, Default)]
pub struct SourceText {
    path: PathBuf,
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub(crate) name: String,
    pub(crate) text: String,
    start: usize,
}

impl SourceText {
    /// The text of a pipeline file.
    pub fn new(path: &Path, text: &str) -> Self {
        let mut this = Self {
            path: path.to_owned(),
            pieces: Vec::new(),
        };
        this.push(&path.display().to_string(), text);
        this
    }

    /// The pipeline file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Appends the text of an override; gives the place where it starts.
    pub(crate) fn push_override(&mut self, text: &str) -> usize {
        self.push(OVERRIDES, text)
    }

    fn push(&mut self, name: &str, text: &str) -> usize {
        let start = self
            .pieces
            .last()
            .map_or(0, |last| last.start + last.text.len() + 1);
        self.pieces.push(Piece {
            name: name.to_owned(),
            text: text.to_owned(),
            start,
        });
        start
    }

    /// The piece that a place is in, with the place inside it: on character boundaries, and within the first of its lines.
    pub(crate) fn locate(&self, span: &Span) -> Option<(&Piece, Span)> {
        let piece = self
            .pieces
            .iter()
            .rev()
            .find(|piece| piece.start <= span.start)?;
        let text = &piece.text;
        let start = text.floor_char_boundary((span.start - piece.start).min(text.len()));
        let end = text.ceil_char_boundary((span.end.max(span.start) - piece.start).min(text.len()));
        let line = text[start..end]
            .find(['\r', '\n'])
            .map_or(end, |at| start + at);
        Some((piece, start..line))
    }

    /// File and line, from 1, of a place, as `fraud.toml:12`.
    pub fn line(&self, span: &Span) -> Option<String> {
        let (piece, span) = self.locate(span)?;
        let line = piece.text[..span.start].matches('\n').count() + 1;
        Some(format!("{}:{line}", piece.name))
    }
}
