//! Problems as text.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use super::{Diagnostics, Problem, Severity};
use crate::place::Span;
use crate::source_text::SourceText;

/// Width at which long lines of the file are cut. Fixed, so that what is shown does not depend on the terminal.
const WIDTH: usize = 140;

/// All problems in the order of the file, then how many there are.
pub(super) fn render(diagnostics: &Diagnostics, color: bool) -> String {
    let renderer = if color {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii).term_width(WIDTH);
    let mut problems: Vec<&Problem> = diagnostics.problems.iter().collect();
    problems.sort_by_key(|problem| problem.span.as_ref().map_or(0, |span| span.start));
    let mut out = String::new();
    for problem in &problems {
        out.push_str(&renderer.render(&[group(problem, &diagnostics.text)]));
        out.push_str("\n\n");
    }
    if problems.len() > 1 {
        out.push_str(&total(&problems));
    }
    out.truncate(out.trim_end().len());
    out
}

fn group<'a>(problem: &'a Problem, text: &'a SourceText) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(problem.title.as_str()));
    if let Some(span) = &problem.span {
        let mut places = vec![(AnnotationKind::Primary, span, problem.label.as_str())];
        for (span, label) in &problem.context {
            places.push((AnnotationKind::Context, span, label.as_str()));
        }
        group = group.elements(snippets(&places, text));
    }
    for help in &problem.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    group
}

type Place<'a> = (AnnotationKind, &'a Span, &'a str);

/// One snippet for each piece of the text that a place is in, the first place's first.
fn snippets<'a>(
    places: &[Place<'a>],
    text: &'a SourceText,
) -> Vec<Snippet<'a, annotate_snippets::Annotation<'a>>> {
    let mut out: Vec<(*const _, Snippet<'a, _>)> = Vec::new();
    for (kind, span, label) in places {
        let Some((piece, span)) = text.locate(span) else {
            continue;
        };
        let annotation = kind.span(span).label((!label.is_empty()).then_some(*label));
        let known = out
            .iter()
            .position(|(known, _)| std::ptr::eq(*known, piece));
        let (key, snippet) = match known {
            Some(at) => out.remove(at),
            None => (
                piece as *const _,
                Snippet::source(&piece.text).path(&piece.name),
            ),
        };
        let entry = (key, snippet.annotation(annotation));
        out.insert(known.unwrap_or(out.len()), entry);
    }
    out.into_iter().map(|(_, snippet)| snippet).collect()
}

fn total(problems: &[&Problem]) -> String {
    let errors = problems
        .iter()
        .filter(|problem| problem.severity == Severity::Error)
        .count();
    let warnings = problems.len() - errors;
    let counted = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{n} {word}s")),
    };
    let parts: Vec<String> = [counted(errors, "error"), counted(warnings, "warning")]
        .into_iter()
        .flatten()
        .collect();
    parts.join(", ")
}
