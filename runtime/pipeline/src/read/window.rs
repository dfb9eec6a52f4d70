//! Windows.

use tidemill_core::window::{Mode, WindowKind, WindowSpec};

use super::several;
use crate::diagnostics::Diagnostics;
use crate::keys::WINDOW;
use crate::model::Window;
use crate::place::Spanned;
use crate::section::{Section, not_built_yet};
use crate::tree::{Entry, Value};
use crate::units::show_duration;

const KINDS: [&str; 3] = ["tumble", "hop", "session"];
const KINDS_OF_LATER: [&str; 4] = ["cumulate", "slide", "rows", "global"];

/// Keys that only some kinds have.
const KEYS_OF_KINDS: [(&str, &[&str]); 2] = [("step", &["hop"]), ("offset", &["tumble", "hop"])];

/// Reads `window` of an operator.
pub(super) fn read(operator: &Section<'_>, d: &mut Diagnostics) -> Option<Window> {
    let entry = operator.entry("window")?;
    if let Value::Text(word) = &entry.node.value {
        window_word(operator, word, entry, d);
        return None;
    }
    let section = operator.table("window", &WINDOW, d)?;
    let kind = kind(&section, entry, d);
    let lateness = section.duration("lateness", d);
    let mode = section.one_of("mode", &["accumulating", "discarding", "retract"], d);
    if mode.as_ref().is_some_and(|mode| mode.value == "retract") {
        not_built_yet(&section.place("mode"), "`mode = \"retract\"`", d)
            .help("in this version there are \"accumulating\" and \"discarding\"");
        return None;
    }
    let mode = match mode?.value.as_str() {
        "discarding" => Mode::Discarding,
        _ => Mode::Accumulating,
    };
    let spec = WindowSpec {
        kind: kind?,
        lateness: lateness?.value,
        mode,
    };
    Some(Window {
        spec,
        span: entry.node.span.clone(),
    })
}

fn window_word(operator: &Section<'_>, word: &str, entry: &Entry, d: &mut Diagnostics) {
    if KINDS_OF_LATER.contains(&word) {
        not_built_yet(&entry.node.span, &format!("`window = \"{word}\"`"), d)
            .help("in this version there are `tumble`, `hop` and `session`, as in `window = { tumble = \"1h\" }`");
        return;
    }
    let problem = d.error(
        &entry.node.span,
        format!("`window` of {} is of the wrong type", operator.title),
    );
    problem.label(format!("expected a table, found {}", entry.node.found()));
    match KINDS.contains(&word) {
        true => problem.help(format!(
            "give its length, as in `window = {{ {word} = \"1h\" }}`"
        )),
        false => problem.help("for example `window = { tumble = \"1h\" }`"),
    };
}

fn kind(section: &Section<'_>, entry: &Entry, d: &mut Diagnostics) -> Option<WindowKind> {
    let chosen = section.chosen(&KINDS);
    let name = match chosen.as_slice() {
        [one] => one.key.value.as_str(),
        [] if section.chosen(&KINDS_OF_LATER).is_empty() && !section.has_any(&KINDS) => {
            d.error(
                &entry.node.span,
                format!("{} does not say which windows", section.title),
            )
            .label("expected one of `tumble`, `hop` or `session` in here")
            .help("for example `window = { tumble = \"1h\" }`");
            return None;
        }
        [] => return None,
        _ => {
            several(section, "window", &chosen, d);
            return None;
        }
    };
    check_keys(section, name, d);
    read_kind(section, name, d)
}

fn check_keys(section: &Section<'_>, kind: &str, d: &mut Diagnostics) {
    for (key, kinds) in KEYS_OF_KINDS {
        let Some(entry) = section.entry(key).filter(|_| !kinds.contains(&kind)) else {
            continue;
        };
        let problem = d.error(&entry.key.span, format!("`{kind}` windows have no `{key}`"));
        problem.label("no meaning here");
        match (kind, key) {
            ("tumble", "step") => problem.help(
                "windows that start more often than they end are `hop = \"...\", step = \"...\"`",
            ),
            _ => problem.help(format!("leave `{key}` out")),
        };
    }
}

fn read_kind(section: &Section<'_>, kind: &str, d: &mut Diagnostics) -> Option<WindowKind> {
    match kind {
        "tumble" => {
            let size = section.duration("tumble", d);
            let offset = section.duration("offset", d)?.value;
            Some(WindowKind::Tumble {
                size: size?.value,
                offset,
            })
        }
        "hop" => hop(section, d),
        _ => Some(WindowKind::Session {
            gap: section.duration("session", d)?.value,
        }),
    }
}

fn hop(section: &Section<'_>, d: &mut Diagnostics) -> Option<WindowKind> {
    let size = section.duration("hop", d);
    let offset = section.duration("offset", d);
    if !section.has("step") {
        let span = section.place("hop");
        d.error(&span, format!("{} has no `step`", section.title))
            .label("expected a step beside the size of the windows")
            .help("say how often a window starts, as in `{ hop = \"10m\", step = \"1m\" }`");
        return None;
    }
    let step = section.duration("step", d)?;
    let (size, offset) = (size?, offset?.value);
    warn_of_gaps(&size, &step, d);
    Some(WindowKind::Hop {
        size: size.value,
        step: step.value,
        offset,
    })
}

fn warn_of_gaps(size: &Spanned<i64>, step: &Spanned<i64>, d: &mut Diagnostics) {
    if step.value <= size.value {
        return;
    }
    let gap = show_duration(step.value - size.value);
    d.warn(&step.span, "the step is longer than the windows")
        .label(format!("between two windows, rows of {gap} belong to none"))
        .also(&size.span, "the windows' size")
        .help("they are counted as in gaps; make the step shorter if that is not meant");
}
