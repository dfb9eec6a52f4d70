//! The form of a scenario, whatever its words mean: a head, then steps.

use std::iter::Peekable;
use std::ops::Range;

use crate::Mistake;

/// Stands between what is done and what comes out.
pub const DASHES: &str = "----";

/// A line of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// Its number, from 1.
    pub number: usize,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Its text, without what ends it.
    pub text: &'a str,
}

impl<'a> Line<'a> {
    /// The bytes that it takes in the file.
    pub fn span(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// Its words, each with the bytes that it takes in the file.
    pub fn words(self) -> impl Iterator<Item = (&'a str, Range<usize>)> {
        self.text.split_whitespace().map(move |word| {
            let at = self.start + (word.as_ptr() as usize - self.text.as_ptr() as usize);
            (word, at..at + word.len())
        })
    }

    fn is_comment(&self) -> bool {
        self.text.starts_with('#')
    }

    fn is_empty(&self) -> bool {
        self.text.trim().is_empty()
    }
}

/// One thing that is done, and what should come out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step<'a> {
    /// Comments before the directive, and empty lines between them.
    pub comments: Vec<Line<'a>>,
    /// What is done.
    pub directive: Line<'a>,
    /// What it is done with, comments included.
    pub input: Vec<Line<'a>>,
    /// What should come out.
    pub expected: Vec<Line<'a>>,
}

impl<'a> Step<'a> {
    /// The input without comments.
    pub fn rows(&self) -> impl Iterator<Item = Line<'a>> {
        self.input.iter().copied().filter(|line| !line.is_comment())
    }
}

/// A scenario file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Scenario<'a> {
    /// Everything before the first step: comments, the head, and empty lines before it.
    opening: Vec<Line<'a>>,
    /// What is done, in order.
    pub steps: Vec<Step<'a>>,
    /// Comments behind the last step.
    closing: Vec<Line<'a>>,
}

impl<'a> Scenario<'a> {
    /// The lines of the head, without comments.
    pub fn head(&self) -> impl Iterator<Item = Line<'a>> {
        let says = |line: &Line<'a>| !line.is_comment() && !line.is_empty();
        self.opening.iter().copied().filter(says)
    }

    /// The file's text with other lines coming out of its steps. Steps that have none are left as they are.
    pub fn with(&self, came: &[Vec<String>]) -> String {
        let mut text = String::new();
        let mut add = |line: &str| {
            text.push_str(line);
            text.push('\n');
        };
        self.opening.iter().for_each(|line| add(line.text));
        for (number, step) in self.steps.iter().enumerate() {
            add("");
            let done = step.comments.iter().chain([&step.directive]);
            done.chain(&step.input).for_each(|line| add(line.text));
            add(DASHES);
            match came.get(number) {
                Some(lines) => lines.iter().for_each(|line| add(line)),
                None => step.expected.iter().for_each(|line| add(line.text)),
            }
        }
        if !self.closing.is_empty() {
            add("");
            self.closing.iter().for_each(|line| add(line.text));
        }
        text
    }
}

/// Reads the form of a scenario.
///
/// # Errors
/// The first mistake.
pub fn parse(text: &str) -> Result<Scenario<'_>, Mistake> {
    let mut lines = lines(text).peekable();
    let opening = opening(&mut lines);
    if !opening
        .iter()
        .any(|line| !line.is_comment() && !line.is_empty())
    {
        let end = text.len();
        return Err(
            Mistake::new(end..end, "the head is missing, which says what is tested")
                .label(
                    "expected a line such as `pipeline pipeline.toml`, found the end of the file",
                )
                .help("write it as the first line, and an empty line below it"),
        );
    }
    let (mut steps, mut closing) = (Vec::new(), Vec::new());
    while lines.peek().is_some() {
        let mut comments = Vec::new();
        while let Some(line) = lines.next_if(|line| line.is_comment() || line.is_empty()) {
            comments.push(line);
        }
        let Some(directive) = lines.next() else {
            closing = comments;
            break;
        };
        steps.push(step(trimmed(comments), directive, &mut lines)?);
    }
    Ok(Scenario {
        opening,
        steps,
        closing: trimmed(closing),
    })
}

/// Comments and empty lines up to the head, and the head.
fn opening<'a>(lines: &mut Peekable<impl Iterator<Item = Line<'a>>>) -> Vec<Line<'a>> {
    let mut opening = Vec::new();
    let mut in_head = false;
    while let Some(line) = lines.next_if(|line| !in_head || !line.is_empty()) {
        in_head |= !line.is_comment() && !line.is_empty();
        opening.push(line);
    }
    opening
}

fn step<'a>(
    comments: Vec<Line<'a>>,
    directive: Line<'a>,
    lines: &mut Peekable<impl Iterator<Item = Line<'a>>>,
) -> Result<Step<'a>, Mistake> {
    if directive.text == DASHES {
        return Err(Mistake::new(
            directive.span(),
            "there is no directive before these dashes",
        )
        .label("expected a directive, such as `rows payments`, and `----` below it")
        .help("what stands before and after `----` is one step, without empty lines in it"));
    }
    let mut input = Vec::new();
    while let Some(line) = lines.next_if(|line| line.text != DASHES && !line.is_empty()) {
        input.push(line);
    }
    if lines.next_if(|line| line.text == DASHES).is_none() {
        return Err(no_dashes(directive, &input));
    }
    let mut expected = Vec::new();
    while let Some(line) = lines.next_if(|line| !line.is_empty()) {
        if line.text == DASHES {
            return Err(Mistake::new(line.span(), "a step has dashes twice")
                .label("expected what comes out, or an empty line and the next step")
                .help("put an empty line before the next directive"));
        }
        expected.push(line);
    }
    Ok(Step {
        comments,
        directive,
        input,
        expected,
    })
}

fn no_dashes(directive: Line<'_>, input: &[Line<'_>]) -> Mistake {
    let last = input.last().unwrap_or(&directive);
    Mistake::new(
        last.span(),
        format!("the step of line {} has no `----`", directive.number),
    )
    .label("expected a line `----` after this one, then what comes out")
    .help("a step is a directive, its input lines, `----`, what comes out, and an empty line")
}

/// Without empty lines at either end.
fn trimmed(mut lines: Vec<Line<'_>>) -> Vec<Line<'_>> {
    while lines.pop_if(|line| line.is_empty()).is_some() {}
    let empty = lines.iter().take_while(|line| line.is_empty()).count();
    lines.drain(..empty);
    lines
}

fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .enumerate()
        .map(move |(i, whole)| {
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            let at = start;
            start += whole.len();
            Line {
                number: i + 1,
                start: at,
                text: line.trim_end_matches('\r'),
            }
        })
}
