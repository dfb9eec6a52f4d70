//! Windows.

use tidemill_core::window::{Mode, WindowKind, WindowSpec};

use super::{keep, several, trigger};
use crate::diagnostics::Diagnostics;
use crate::keys::WINDOW;
use crate::model::Window;
use crate::place::Spanned;
use crate::section::Section;
use crate::tree::{Entry, Value};
use crate::units::show_duration;

const KINDS: [&str; 7] = [
    "tumble", "hop", "session", "cumulate", "slide", "rows", "global",
];

/// Kinds of which windows fire at their end; of `slide` there is one result per row.
const BUT_SLIDE: [&str; 6] = ["tumble", "hop", "session", "cumulate", "rows", "global"];

/// Keys that only some kinds have.
const KEYS_OF_KINDS: [(&str, &[&str]); 5] = [
    ("step", &["hop", "cumulate"]),
    ("offset", &["tumble", "hop", "cumulate"]),
    ("lateness", &["tumble", "hop", "cumulate", "session"]),
    ("mode", &BUT_SLIDE),
    ("trigger", &BUT_SLIDE),
];

/// Reads `window` of an operator.
pub(super) fn read(operator: &Section<'_>, d: &mut Diagnostics) -> Option<Window> {
    let entry = operator.entry("window")?;
    let span = entry.node.span.clone();
    if let Value::Text(word) = &entry.node.value {
        let global = word == "global";
        if !global {
            window_word(operator, word, entry, d);
        }
        let spec = WindowSpec::new(WindowKind::Global);
        return global.then_some(Window { spec, span });
    }
    let section = operator.table("window", &WINDOW, d)?;
    let kind = kind(&section, entry, d);
    let lateness = section.duration("lateness", d);
    let triggers = trigger::read(&section, kind, d);
    let mode = mode(&section, d);
    let stored = keep::read(&section, kind, d);
    let spec = WindowSpec {
        lateness: lateness?.value,
        mode: mode?,
        triggers: triggers?,
        stored: stored?,
        ..WindowSpec::new(kind?)
    };
    Some(Window { spec, span })
}

fn mode(section: &Section<'_>, d: &mut Diagnostics) -> Option<Mode> {
    let mode = section.one_of("mode", &["accumulating", "discarding", "retract"], d)?;
    Some(match mode.value.as_str() {
        "retract" => Mode::Retract,
        "discarding" => Mode::Discarding,
        _ => Mode::Accumulating,
    })
}

fn window_word(operator: &Section<'_>, word: &str, entry: &Entry, d: &mut Diagnostics) {
    let problem = d.error(
        &entry.node.span,
        format!("`window` of {} is of the wrong type", operator.title),
    );
    problem.label(format!(
        "expected a table or \"global\", found {}",
        entry.node.found()
    ));
    match word {
        "rows" => problem.help("say how many, as in `window = { rows = 100 }`"),
        word if KINDS.contains(&word) => problem.help(format!(
            "give its length, as in `window = {{ {word} = \"1h\" }}`"
        )),
        _ => problem.help("for example `window = { tumble = \"1h\" }`"),
    };
}

fn kind(section: &Section<'_>, entry: &Entry, d: &mut Diagnostics) -> Option<WindowKind> {
    let chosen = section.chosen(&KINDS);
    let name = match chosen.as_slice() {
        [one] => one.key.value.as_str(),
        [] if !section.has_any(&KINDS) => {
            d.error(
                &entry.node.span,
                format!("{} does not say which windows", section.title),
            )
            .label("expected one of `tumble`, `hop`, `session`, `cumulate`, `slide`, `rows` or `global` in here")
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
            ("slide", "lateness") => problem.help("rows that are behind are refused: give them more time with the source's `out-of-orderness`"),
            ("slide", "mode" | "trigger") => problem.help("each row has one result, when the watermark reaches its time: leave it out"),
            (_, "lateness") => problem.help("no row is too late for them: leave `lateness` out"),
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
        "cumulate" => cumulate(section, d),
        "rows" => {
            let count = section.whole("rows", d)?.value;
            let count = u32::try_from(count).expect("the key's range was checked");
            Some(WindowKind::Rows { count })
        }
        "global" => global(section, d),
        "slide" => Some(WindowKind::Slide {
            range: section.duration("slide", d)?.value,
        }),
        _ => Some(WindowKind::Session {
            gap: section.duration("session", d)?.value,
        }),
    }
}

fn global(section: &Section<'_>, d: &mut Diagnostics) -> Option<WindowKind> {
    let global = section.bool("global", d)?;
    if !global.value {
        d.error(
            &global.span,
            format!("{} does not say which windows", section.title),
        )
        .label("expected `global = true`")
        .help("for example `window = { tumble = \"1h\" }`");
        return None;
    }
    Some(WindowKind::Global)
}

/// Size, step and offset of windows that share panes.
fn stepped(
    section: &Section<'_>,
    kind: &str,
    help: &str,
    d: &mut Diagnostics,
) -> Option<(Spanned<i64>, Spanned<i64>, i64)> {
    let size = section.duration(kind, d);
    let offset = section.duration("offset", d);
    if !section.has("step") {
        let span = section.place(kind);
        d.error(&span, format!("{} has no `step`", section.title))
            .label("expected a step beside the size of the windows")
            .help(help);
        return None;
    }
    let step = section.duration("step", d)?;
    Some((size?, step, offset?.value))
}

fn hop(section: &Section<'_>, d: &mut Diagnostics) -> Option<WindowKind> {
    let help = "say how often a window starts, as in `{ hop = \"10m\", step = \"1m\" }`";
    let (size, step, offset) = stepped(section, "hop", help, d)?;
    warn_of_gaps(&size, &step, d);
    Some(WindowKind::Hop {
        size: size.value,
        step: step.value,
        offset,
    })
}

fn cumulate(section: &Section<'_>, d: &mut Diagnostics) -> Option<WindowKind> {
    let help = "say how often a window ends, as in `{ cumulate = \"1d\", step = \"1h\" }`";
    let (size, step, offset) = stepped(section, "cumulate", help, d)?;
    if size.value % step.value != 0 {
        d.error(&step.span, "the size is no multiple of the step")
            .label(format!("{} does not divide", show_duration(step.value)))
            .also(
                &size.span,
                format!("{} into equal parts", show_duration(size.value)),
            )
            .help("choose a step that does, as in `{ cumulate = \"1d\", step = \"1h\" }`");
        return None;
    }
    Some(WindowKind::Cumulate {
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
