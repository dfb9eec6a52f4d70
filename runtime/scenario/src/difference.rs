//! The difference between what should come out of a step and what came, line by line.

use std::fmt::Write;

use serde_json::{Map, Value};
use similar::{Algorithm, ChangeTag, TextDiff, capture_diff_slices};

use crate::{Line, Step};

/// Whether differences are shown in colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    /// As a terminal shows them.
    Terminal,
    /// As plain text.
    Plain,
}

/// How many lines that are as expected stand around a difference.
const CONTEXT: usize = 3;

/// Whether a line came that says the same as the one expected. How JSON is spaced and in which order its members stand
/// makes no difference; digits do: `1` is an integer, `1.0` a float.
pub fn is_same(expected: &str, came: &str) -> bool {
    if expected == came {
        return true;
    }
    let split = |line: &str| -> Option<(String, Value)> {
        let (output, row) = line.trim().split_once(' ')?;
        Some((output.to_owned(), serde_json::from_str(row.trim()).ok()?))
    };
    match (split(expected), split(came)) {
        (Some(expected), Some(came)) => expected == came,
        _ => false,
    }
}

/// Whether all lines came, and no others.
pub fn is_met(step: &Step<'_>, came: &[String]) -> bool {
    step.expected.len() == came.len()
        && step
            .expected
            .iter()
            .zip(came)
            .all(|(expected, came)| is_same(expected.text, came))
}

/// A line of a difference.
enum Shown<'a> {
    Same(&'a str),
    Missing(Line<'a>),
    Unexpected(&'a str),
}

/// The difference of a step: `-` before what should have come, `+` before what came instead. `file` is shown before the
/// line of each step.
pub fn of_step(file: &str, step: &Step<'_>, came: &[String], colour: Colour) -> String {
    let paint = |style: &str, text: &str| match colour {
        Colour::Terminal => format!("\x1b[{style}m{text}\x1b[0m"),
        Colour::Plain => text.to_owned(),
    };
    let place = format!("{file}:{}", first_wrong(step, came));
    let mut text = paint("1", &format!("{place}: {}", step.directive.text)) + "\n";
    let lines = aligned(step, came);
    let near = |at: usize| {
        let around = at.saturating_sub(CONTEXT)..(at + CONTEXT + 1).min(lines.len());
        lines[around]
            .iter()
            .any(|line| !matches!(line, Shown::Same(_)))
    };
    let mut left_out = false;
    for (at, line) in lines.iter().enumerate() {
        if !near(at) {
            left_out = true;
            continue;
        }
        if std::mem::take(&mut left_out) {
            text.push_str("    …\n");
        }
        let line = match line {
            Shown::Same(line) => format!("    {line}"),
            Shown::Missing(line) => paint("31", &format!("  - {}", line.text)),
            Shown::Unexpected(line) => paint("32", &format!("  + {line}")),
        };
        _ = writeln!(text, "{line}");
        if let Some(fields) = instead_of(&lines, at).and_then(|(was, is)| fields(was, is)) {
            _ = writeln!(text, "    {fields}");
        }
    }
    if left_out {
        text.push_str("    …\n");
    }
    text
}

/// What should have come in place of a line that came: as many came behind each other as should have.
fn instead_of<'a>(lines: &[Shown<'a>], at: usize) -> Option<(&'a str, &'a str)> {
    let Shown::Unexpected(came) = lines[at] else {
        return None;
    };
    let is_unexpected = |line: &&Shown<'_>| matches!(line, Shown::Unexpected(_));
    let is_missing = |line: &&Shown<'_>| matches!(line, Shown::Missing(_));
    let before = lines[..at].iter().rev().take_while(is_unexpected).count();
    let first = at - before;
    let all = lines[first..].iter().take_while(is_unexpected).count();
    let missing = lines[..first].iter().rev().take_while(is_missing).count();
    match lines[..first].get(at.checked_sub(missing)?) {
        Some(Shown::Missing(line)) if missing == all => Some((line.text, came)),
        _ => None,
    }
}

/// Rows with more differences are other rows.
const MOST_FIELDS: usize = 3;

/// In which fields two rows of one output differ, if these are few.
fn fields(expected: &str, came: &str) -> Option<String> {
    let row = |line: &str| -> Option<(String, Map<String, Value>)> {
        let (output, row) = line.trim().split_once(' ')?;
        Some((output.to_owned(), serde_json::from_str(row).ok()?))
    };
    let ((output, expected), (other, came)) = (row(expected)?, row(came)?);
    let shown = |value: Option<&Value>| value.map_or("nothing".to_owned(), Value::to_string);
    let names = expected.keys();
    let more = came.keys().filter(|name| !expected.contains_key(*name));
    let different: Vec<String> = names
        .chain(more)
        .filter(|name| expected.get(*name) != came.get(*name))
        .map(|name| {
            let (was, is) = (shown(expected.get(name)), shown(came.get(name)));
            format!("{name}: {was} was expected, {is} came")
        })
        .collect();
    let few = output == other && (1..=MOST_FIELDS).contains(&different.len());
    (few && different.len() < expected.len()).then(|| different.join("; "))
}

/// The number of the first line of the file at which what came is something else.
fn first_wrong(step: &Step<'_>, came: &[String]) -> usize {
    let same = step
        .expected
        .iter()
        .zip(came)
        .take_while(|(expected, came)| is_same(expected.text, came))
        .count();
    // Behind the last line there is none to name but where it would stand.
    let dashes = step
        .input
        .last()
        .map_or(step.directive.number, |line| line.number)
        + 1;
    dashes + 1 + same
}

fn aligned<'a>(step: &Step<'a>, came: &'a [String]) -> Vec<Shown<'a>> {
    // Lines that say the same are the same to the comparison.
    let came_as: Vec<&str> = came.iter().map(String::as_str).collect();
    let expected: Vec<&str> = step
        .expected
        .iter()
        .map(|line| {
            let same = came_as.iter().find(|came| is_same(line.text, came));
            same.copied().unwrap_or(line.text)
        })
        .collect();
    let mut shown = Vec::new();
    for op in capture_diff_slices(Algorithm::Myers, &expected, &came_as) {
        for change in op.iter_changes(&expected, &came_as) {
            shown.push(match change.tag() {
                ChangeTag::Equal => Shown::Same(change.value()),
                ChangeTag::Delete => {
                    Shown::Missing(step.expected[change.old_index().unwrap_or_default()])
                }
                ChangeTag::Insert => Shown::Unexpected(change.value()),
            });
        }
    }
    shown
}

/// The difference of two whole texts, plain, for tests of this project that compare files.
pub fn of_texts(expected: &str, came: &str) -> String {
    let diff = TextDiff::from_lines(expected, came);
    diff.unified_diff().context_radius(CONTEXT).to_string()
}
