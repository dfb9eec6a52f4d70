//! What fires a window: semantics, Windows 7.

use tidemill_core::window::{Triggers, WindowKind};

use crate::diagnostics::Diagnostics;
use crate::keys::TRIGGER;
use crate::place::Span;
use crate::section::Section;
use crate::tree::{Node, Value};

/// One trigger of the list.
enum Trigger {
    AtEnd,
    EachRow,
    Every(i64),
    EveryOfClock(i64),
    EveryRows(u32),
}

/// Reads `trigger` of a window of a kind, if that is known.
pub(super) fn read(
    window: &Section<'_>,
    kind: Option<WindowKind>,
    d: &mut Diagnostics,
) -> Option<Triggers> {
    let Some(entry) = window.entry("trigger") else {
        return Some(Triggers::AT_END);
    };
    let items = match &entry.node.value {
        Value::List(items) if !items.is_empty() => items,
        _ => return window.refuse("trigger", &entry.node, d),
    };
    let mut triggers = Triggers {
        only: true,
        ..Triggers::AT_END
    };
    let mut all = true;
    for item in items {
        let Some(trigger) = one(window, item, d) else {
            all = false;
            continue;
        };
        if !set(&mut triggers, &trigger) {
            twice(&item.span, d);
            all = false;
        }
        if let (Trigger::Every(_), Some(WindowKind::Rows { .. })) = (&trigger, kind) {
            d.error(&item.span, "windows of rows have no ticks of event time")
                .label("they begin and end with a row, not at a time")
                .help("fire with every so many rows, `{ every-rows = 5 }`, or by the clock, `{ every = \"10s\", time = \"processing\" }`");
            all = false;
        }
    }
    all.then_some(triggers)
}

fn one(window: &Section<'_>, item: &Node, d: &mut Diagnostics) -> Option<Trigger> {
    match &item.value {
        Value::Text(word) if word == "at-end" => Some(Trigger::AtEnd),
        Value::Text(word) if word == "on-each-row" => Some(Trigger::EachRow),
        Value::Table(entries) => {
            let title = format!("`trigger` of {}", window.title);
            let place = (entries.as_slice(), item.span.clone());
            table(&Section::open(&TRIGGER, title, place, d), d)
        }
        _ => window.refuse("trigger", item, d),
    }
}

fn table(section: &Section<'_>, d: &mut Diagnostics) -> Option<Trigger> {
    let time = section.one_of("time", &["event", "processing"], d);
    match (section.has("every"), section.has("every-rows")) {
        (true, false) => {
            let every = section.duration("every", d)?.value;
            match time?.value.as_str() {
                "processing" => Some(Trigger::EveryOfClock(every)),
                _ => Some(Trigger::Every(every)),
            }
        }
        (false, true) if section.has("time") => {
            d.error(&section.place("time"), "`every-rows` has no `time`")
                .label("rows are counted, whatever the time")
                .help("leave `time` out");
            None
        }
        (false, true) => {
            let rows = section.whole("every-rows", d)?.value;
            let rows = u32::try_from(rows).expect("the key's range was checked");
            Some(Trigger::EveryRows(rows))
        }
        (both, _) => {
            if both || !section.has_any(&["every", "every-rows"]) {
                let found = if both {
                    "both are here"
                } else {
                    "neither is here"
                };
                d.error(
                    &section.span,
                    format!("{} is not one trigger", section.title),
                )
                .label(format!("expected `every` or `every-rows`: {found}"))
                .help(
                    "for example `trigger = [\"at-end\", { every = \"10s\" }, { every-rows = 5 }]`",
                );
            }
            None
        }
    }
}

/// Adds a trigger; false if there is one of its kind already.
fn set(triggers: &mut Triggers, trigger: &Trigger) -> bool {
    match *trigger {
        Trigger::AtEnd => std::mem::replace(&mut triggers.only, false),
        Trigger::EachRow => !std::mem::replace(&mut triggers.each_row, true),
        Trigger::Every(time) => triggers.every.replace(time).is_none(),
        Trigger::EveryOfClock(time) => triggers.every_of_clock.replace(time).is_none(),
        Trigger::EveryRows(rows) => triggers.every_rows.replace(rows).is_none(),
    }
}

fn twice(span: &Span, d: &mut Diagnostics) {
    d.error(span, "a window has two triggers of one kind")
        .label("a second time here")
        .help("leave one of them out");
}
