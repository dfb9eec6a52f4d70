//! How `datagen` makes a column: which settings each type has.

use tidemill_rows::LogicalType;
use tidemill_rows::time_text::parse_rfc3339;

use crate::diagnostics::Diagnostics;
use crate::model::Generator;
use crate::nearest::list;
use crate::section::Section;
use crate::tree::{Value, quoted};

/// Every setting of a generator.
const SETTINGS: [&str; 9] =
    ["min", "max", "sequence", "share", "length", "one-of", "start", "step", "jitter"];

/// The settings that a type has.
fn settings(ty: LogicalType) -> &'static [&'static str] {
    match ty {
        LogicalType::Bool => &["share"],
        LogicalType::Integer => &["min", "max", "sequence"],
        LogicalType::Float => &["min", "max"],
        LogicalType::Text => &["length", "one-of"],
        LogicalType::Bytes => &["length"],
        LogicalType::Time => &["start", "step", "jitter"],
    }
}

/// Reports settings of generators where rows are decoded.
pub(super) fn refuse_all(table: &Section<'_>, d: &mut Diagnostics) {
    for entry in table.chosen(&SETTINGS) {
        d.error(&entry.key.span, format!("`{}` of {} has no effect", entry.key, table.title))
            .label("it is for `datagen`, which makes values up")
            .help("leave it out");
    }
}

/// Reads how a column of a type is made.
pub(super) fn read(table: &Section<'_>, ty: LogicalType, d: &mut Diagnostics) -> Option<Generator> {
    let allowed = settings(ty);
    for entry in table.chosen(&SETTINGS) {
        if !allowed.contains(&entry.key.value.as_str()) {
            d.error(&entry.key.span, format!("`{}` of {} has no effect", entry.key, table.title))
                .label(format!("the type is \"{ty}\""))
                .help(format!("settings for {ty}: {}", list(allowed.iter().copied(), "and")));
        }
    }
    match ty {
        LogicalType::Bool => share(table, d),
        LogicalType::Integer => integer(table, d),
        LogicalType::Float => float(table, d),
        LogicalType::Text if table.has("one-of") => one_of(table, d),
        LogicalType::Text | LogicalType::Bytes => {
            let length = table.whole("length", d)?;
            Some(Generator::Letters { length: length.value as u32 })
        }
        LogicalType::Time => clock(table, d),
    }
}

fn share(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    let share = table.number("share", d)?;
    if (0.0..=1.0).contains(&share.value) {
        return Some(Generator::Chance { share: share.value });
    }
    d.error(&share.span, format!("`share` of {} is no share", table.title))
        .label(format!("expected a number from 0 to 1, found {}", share.value));
    None
}

fn integer(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    if table.has("sequence") {
        for entry in table.chosen(&["min", "max"]) {
            d.error(&entry.key.span, format!("`{}` of {} has no effect", entry.key, table.title))
                .label("beside `sequence`, which counts rows")
                .help("leave one of them out");
        }
        return Some(Generator::Sequence { start: table.whole("sequence", d)?.value });
    }
    let bound = |name, otherwise, d: &mut Diagnostics| match table.entry(name) {
        None => Some(otherwise),
        Some(entry) => match entry.node.value {
            Value::Integer(number) => Some(number),
            _ => table.refuse(name, &entry.node, d),
        },
    };
    let (min, max) = (bound("min", 0, d), bound("max", 99_999, d));
    let (min, max) = (min?, max?);
    (min <= max).then_some(Generator::IntegerRange { min, max }).or_else(|| empty_range(table, d))
}

fn float(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    let min = if table.has("min") { table.number("min", d)?.value } else { 0.0 };
    let max = if table.has("max") { table.number("max", d)?.value } else { 1.0 };
    let fits = min < max && (max - min).is_finite();
    fits.then_some(Generator::FloatRange { min, max }).or_else(|| empty_range(table, d))
}

fn empty_range(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    let name = if table.has("min") { "min" } else { "max" };
    d.error(&table.place(name), format!("no number is in the range of {}", table.title))
        .label("expected `min` below `max`")
        .help("for example `{ type = \"integer\", min = 1, max = 6 }`");
    None
}

fn one_of(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    if let Some(entry) = table.entry("length") {
        d.error(&entry.key.span, format!("`length` of {} has no effect", table.title))
            .label("beside `one-of`")
            .help("leave one of them out");
    }
    let texts = table.texts("one-of", d).into_iter().map(|text| text.value).collect();
    Some(Generator::OneOf { texts })
}

fn clock(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    let start = table.text("start", d)?;
    let (step, jitter) = (table.duration("step", d), table.duration("jitter", d));
    let Ok(micros) = parse_rfc3339(start.value.as_bytes()) else {
        d.error(&start.span, format!("`start` of {} is not a time", table.title))
            .label(format!("expected a time by RFC 3339, found {}", quoted(&start.value)))
            .help("for example `start = \"2013-01-01T00:00:00Z\"`");
        return None;
    };
    Some(Generator::Clock { start: micros, step: step?.value, jitter: jitter?.value })
}
