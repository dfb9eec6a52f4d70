//! How `datagen` makes a column: which settings each type has.

use tidemill_rows::LogicalType;
use tidemill_rows::time_text::parse_rfc3339;

use crate::diagnostics::Diagnostics;
use crate::keys::BURSTS;
use crate::model::Generator;
use crate::nearest::list;
use crate::place::Spanned;
use crate::section::Section;
use crate::tree::{Value, quoted};

/// Every setting of a generator.
const SETTINGS: [&str; 10] = [
    "min", "max", "hot", "sequence", "bursts", "length", "one-of", "start", "step", "jitter",
];

/// The settings that a type has.
fn settings(ty: LogicalType) -> &'static [&'static str] {
    match ty {
        LogicalType::Bool | LogicalType::Bytes => &[],
        LogicalType::Integer => &["min", "max", "hot", "sequence", "bursts"],
        LogicalType::Float => &["min", "max"],
        LogicalType::Text => &["length", "one-of"],
        LogicalType::Time => &["start", "step", "jitter"],
    }
}

/// Reads how a column of a type is made.
pub(super) fn read(table: &Section<'_>, ty: LogicalType, d: &mut Diagnostics) -> Option<Generator> {
    let allowed = settings(ty);
    for entry in table.chosen(&SETTINGS) {
        if !allowed.contains(&entry.key.value.as_str()) {
            d.error(
                &entry.key.span,
                format!("`{}` of {} has no effect", entry.key, table.title),
            )
            .label(format!("the type is \"{ty}\""))
            .help(format!(
                "settings for {ty}: {}",
                list(allowed.iter().copied(), "and")
            ));
        }
    }
    match ty {
        LogicalType::Bool => Some(Generator::Bools),
        LogicalType::Integer => integer(table, d),
        LogicalType::Float => float(table, d),
        LogicalType::Text if table.has("one-of") => one_of(table, d),
        LogicalType::Text => Some(Generator::Letters {
            length: table.whole("length", d)?.value as u32,
        }),
        LogicalType::Time => clock(table, d),
        LogicalType::Bytes => {
            d.error(
                &table.place("type"),
                format!("{} cannot be made up", table.title),
            )
            .label("`datagen` makes no bytes")
            .help("use a text");
            None
        }
    }
}

/// The share of nulls.
pub(super) fn nulls(table: &Section<'_>, nullable: bool, d: &mut Diagnostics) -> Option<f64> {
    let share = share(
        table,
        "nulls",
        "`nulls = 0.1` makes every tenth value null",
        d,
    )?;
    if share.value > 0.0 && !nullable {
        d.error(&share.span, format!("{} may not be null", table.title))
            .label("nulls are asked for here")
            .also(&table.place("type"), "but not allowed here")
            .help("write a `?` behind the type");
    }
    Some(share.value)
}

/// A share of the rows.
fn share(table: &Section<'_>, name: &str, help: &str, d: &mut Diagnostics) -> Option<Spanned<f64>> {
    let share = table.number(name, d)?;
    if (0.0..=1.0).contains(&share.value) {
        return Some(share);
    }
    let value = share.value;
    d.error(
        &share.span,
        format!("`{name}` of {} is no share", table.title),
    )
    .label(format!("expected a number from 0 to 1, found {value}"))
    .help(help);
    None
}

fn integer(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    let chosen = table.chosen(&["sequence", "bursts", "min", "max", "hot"]);
    if let Some(first) = chosen
        .iter()
        .find(|e| ["sequence", "bursts"].contains(&e.key.value.as_str()))
    {
        for other in chosen.iter().filter(|entry| entry.key != first.key) {
            d.error(
                &other.key.span,
                format!("`{}` of {} has no effect", other.key, table.title),
            )
            .label(format!("beside `{}`, which says every value", first.key))
            .help("leave one of them out");
        }
        return match first.key.value.as_str() {
            "bursts" => bursts(table, d),
            _ => Some(Generator::Sequence {
                start: table.whole("sequence", d)?.value,
            }),
        };
    }
    let bound = |name, otherwise, d: &mut Diagnostics| match table.entry(name) {
        None => Some(otherwise),
        Some(entry) => match entry.node.value {
            Value::Integer(number) => Some(number),
            _ => table.refuse(name, &entry.node, d),
        },
    };
    let (min, max) = (bound("min", 0, d), bound("max", 99_999, d));
    let help = "`hot = 0.9` gives nine of ten rows the smallest value";
    let hot = share(table, "hot", help, d);
    let (min, max, hot) = (min?, max?, hot?.value);
    let generator = match hot {
        0.0 => Generator::IntegerRange { min, max },
        hot => Generator::HotInteger { min, max, hot },
    };
    (min <= max)
        .then_some(generator)
        .or_else(|| empty_range(table, d))
}

fn bursts(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    let settings = table.table("bursts", &BURSTS, d)?;
    let (keys, rows) = (settings.whole("keys", d), settings.whole("rows", d));
    let groups = settings.whole("groups", d)?.map(i64::unsigned_abs);
    let keys = keys?.map(i64::unsigned_abs);
    if keys.value % groups.value != 0 {
        d.error(
            &groups.span,
            format!("the groups of {} are not equal", settings.title),
        )
        .label("expected a divisor of the number of keys")
        .also(&keys.span, "the keys")
        .help("for example `{ keys = 1000, rows = 20, groups = 10 }`");
        return None;
    }
    Some(Generator::Bursts {
        keys: keys.value,
        rows: rows?.value.unsigned_abs(),
        groups: groups.value,
    })
}

fn float(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    let min = if table.has("min") {
        table.number("min", d)?.value
    } else {
        0.0
    };
    let max = if table.has("max") {
        table.number("max", d)?.value
    } else {
        1.0
    };
    let fits = min < max && (max - min).is_finite();
    fits.then_some(Generator::FloatRange { min, max })
        .or_else(|| empty_range(table, d))
}

fn empty_range(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    let name = if table.has("min") { "min" } else { "max" };
    d.error(
        &table.place(name),
        format!("no number is in the range of {}", table.title),
    )
    .label("expected `min` below `max`")
    .help("for example `{ type = \"integer\", min = 1, max = 6 }`");
    None
}

fn one_of(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    if let Some(entry) = table.entry("length") {
        d.error(
            &entry.key.span,
            format!("`length` of {} has no effect", table.title),
        )
        .label("beside `one-of`")
        .help("leave one of them out");
    }
    let texts = table
        .texts("one-of", d)
        .into_iter()
        .map(|text| text.value)
        .collect();
    Some(Generator::OneOf { texts })
}

fn clock(table: &Section<'_>, d: &mut Diagnostics) -> Option<Generator> {
    let start = moment(table, "start", d);
    let (step, jitter) = (table.duration("step", d), table.duration("jitter", d));
    Some(Generator::Clock {
        start: start?.value,
        step: step?.value,
        jitter: jitter?.value,
    })
}

/// A time by RFC 3339, in microseconds since the Unix epoch.
pub(super) fn moment(table: &Section<'_>, name: &str, d: &mut Diagnostics) -> Option<Spanned<i64>> {
    let text = table.text(name, d)?;
    match parse_rfc3339(text.value.as_bytes()) {
        Ok(micros) => Some(Spanned::new(micros, text.span)),
        Err(_) => {
            d.error(
                &text.span,
                format!("`{name}` of {} is not a time", table.title),
            )
            .label(format!(
                "expected a time by RFC 3339, found {}",
                quoted(&text.value)
            ))
            .help(format!("for example `{name} = \"2013-01-01T00:00:00Z\"`"));
            None
        }
    }
}
