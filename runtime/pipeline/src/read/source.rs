//! Sources.

use std::path::Path;

use super::operator::twice;
use super::{Named, column, connector, failure, operator, values};
use crate::diagnostics::Diagnostics;
use crate::keys::WATERMARK;
use crate::model::{
    Connector, EventTime, Format, Module, Source, Strategy, UnknownFields, WatermarkFunction,
    WhenIdle,
};
use crate::place::Spanned;
use crate::section::Section;
use crate::tree::{Entry, Node, Value, quoted};

/// The longest line that may be asked for.
const LARGEST_LINE: u64 = 256 << 20;

/// A row of a live source further ahead of the clock than this is a bad row, unless the file says otherwise.
const MAX_AHEAD: i64 = 86_400_000_000;

/// Reads `[sources.<name>]`; says whether its connector and its columns are those of the file.
pub(super) fn read(
    named: &Named<'_>,
    modules: &mut Vec<Module>,
    folder: &Path,
    d: &mut Diagnostics,
) -> (Source, bool) {
    let section = &named.section;
    let connector = connector::read(section, d);
    let format = section.word("format", d);
    let delimiter = delimiter(section, format.as_ref(), d);
    let of = (format.as_ref(), connector.as_ref());
    let schema = values::of_source(section, of, folder, d);
    let before = d.errors();
    let columns = column::read(section, connector.as_ref(), format.as_ref(), d);
    let own = matches!(&connector, Some(c) if matches!(c.value, Connector::Nexmark(_)));
    let sound = d.errors() == before && (own || !columns.is_empty());
    let event_time = match (event_time(section, d), connector.as_ref().map(|c| &c.value)) {
        (EventTime::Unstated, Some(Connector::Nexmark(_))) => EventTime::Own,
        (event_time, _) => event_time,
    };
    let strategy = strategy(section, &event_time, d);
    let watermark = watermark_function(section, modules, folder, d);
    let idle_timeout = section.duration_or_none("idle-timeout", d);
    let when_idle = section.word("when-idle", d);
    let max_ahead = section.duration_or_none("max-ahead", d);
    let max_jump = section.duration_or_none("max-jump", d).flatten();
    let max_drift = section.duration_or_none("max-drift", d).flatten();
    if max_jump.is_some() {
        needs_own_times(section, &event_time, d);
    }
    if max_drift.is_some() {
        needs_watermark(section, &strategy, d);
    }
    let unknown_fields = section.word("unknown-fields", d);
    let line_limit = line_limit(section, d);
    let failure = failure::read(section, d);
    if let Some(connector) = &connector {
        check_applies(section, connector, d);
    }
    let none = section.span.clone();
    let connector = connector.unwrap_or(Spanned::new(Connector::Stdin, none.clone()));
    let live = connector.value.is_live();
    let source = Source {
        name: named.name.clone(),
        format: format.unwrap_or(Spanned::new(Format::Json, none.clone())),
        schema,
        delimiter: delimiter.unwrap_or(b','),
        line_limit: line_limit.unwrap_or(Spanned::new(LARGEST_LINE, none.clone())),
        unknown_fields: unknown_fields.unwrap_or(Spanned::new(UnknownFields::Ignore, none.clone())),
        columns,
        event_time,
        strategy,
        watermark,
        idle_timeout: idle_timeout.flatten(),
        when_idle: when_idle.unwrap_or(Spanned::new(WhenIdle::Hold, none)),
        max_ahead: max_ahead.unwrap_or(live.then_some(MAX_AHEAD)),
        max_jump,
        max_drift,
        failure,
        connector,
    };
    (source, sound)
}

/// The clock makes no jump that a row could be blamed for.
fn needs_own_times(section: &Section<'_>, event_time: &EventTime, d: &mut Diagnostics) {
    if matches!(event_time, EventTime::Ingestion | EventTime::Unstated) {
        d.error(
            &section.place("max-jump"),
            format!("`max-jump` of {} has no effect", section.title),
        )
        .label("expected with an `event-time`: here it is the clock of reading")
        .help("leave it out, or name the column that says when things happened");
    }
}

/// Who is ahead of whom, watermarks say.
fn needs_watermark(section: &Section<'_>, strategy: &Spanned<Strategy>, d: &mut Diagnostics) {
    // What cannot be read stands nowhere, and has been reported.
    if strategy.value == Strategy::None && strategy.span != (0..0) {
        d.error(
            &section.place("max-drift"),
            format!("`max-drift` of {} has no effect", section.title),
        )
        .label("expected with a watermark: without one no split is ahead of another")
        .help("say how far rows may come out of order, as in `out-of-orderness = \"30s\"`");
    }
}

/// What only means something where bytes are decoded.
const OF_DECODED: [&str; 7] = [
    "format",
    "schema",
    "message",
    "registry",
    "delimiter",
    "line-limit",
    "unknown-fields",
];

fn check_applies(section: &Section<'_>, connector: &Spanned<Connector>, d: &mut Diagnostics) {
    if connector.value.is_decoded() {
        return;
    }
    for entry in section.chosen(&OF_DECODED) {
        let key = &entry.key;
        d.error(
            &key.span,
            format!("`{key}` of {} has no effect", section.title),
        )
        .label(format!(
            "`{}` makes rows, nothing is decoded",
            connector.value.name()
        ))
        .help(format!("leave `{key}` out"));
    }
}

fn delimiter(
    section: &Section<'_>,
    format: Option<&Spanned<Format>>,
    d: &mut Diagnostics,
) -> Option<u8> {
    let text = section.text("delimiter", d)?;
    let given = section.has("delimiter");
    if given && format.is_some_and(|format| format.value != Format::Csv) {
        d.error(
            &text.span,
            format!("`delimiter` of {} has no effect", section.title),
        )
        .label("only CSV has a delimiter")
        .help("leave it out, or write `format = \"csv\"`");
    }
    match text.value.as_bytes() {
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
        _ => {
            d.error(
                &text.span,
                format!("`delimiter` of {} is not a delimiter", section.title),
            )
            .label(format!(
                "expected one ASCII character, no quote or newline, found {}",
                quoted(&text.value)
            ))
            .help("for example `delimiter = \";\"`, or `\"\\t\"` for tabs");
            None
        }
    }
}

fn line_limit(section: &Section<'_>, d: &mut Diagnostics) -> Option<Spanned<u64>> {
    let limit = section.size("line-limit", d)?;
    if limit.value > LARGEST_LINE {
        d.error(
            &limit.span,
            format!("`line-limit` of {} is too large", section.title),
        )
        .label("expected at most \"256MiB\"")
        .help("a row is held in memory whole, and a batch of rows beside it");
        return None;
    }
    Some(limit)
}

fn event_time(section: &Section<'_>, d: &mut Diagnostics) -> EventTime {
    let columns = section.texts("event-time", d);
    twice(&columns, &format!("`event-time` of {}", section.title), d);
    let time = section.entry("time");
    if let Some(entry) = time {
        if matches!(&entry.node.value, Value::Text(text) if text == "processing") {
            d.error(
                &entry.node.span,
                format!("`time = \"processing\"` of {} is misplaced", section.title),
            )
            .label("expected \"ingestion\": a source reads its clock when it reads a row")
            .help("write `time = \"ingestion\"`");
            return EventTime::Ingestion;
        }
        section.one_of("time", &["ingestion"], d);
    }
    match (section.entry("event-time"), time) {
        (Some(event_time), Some(time)) => {
            d.error(
                &time.key.span,
                format!("{} has two event times", section.title),
            )
            .label("the clock of reading here")
            .also(&event_time.key.span, "columns of the row here")
            .help("leave one of them out");
            EventTime::Ingestion
        }
        (Some(_), None) => EventTime::Columns(columns),
        (None, Some(_)) => EventTime::Ingestion,
        (None, None) if section.has_any(&["event-time", "time"]) => EventTime::Ingestion,
        (None, None) => EventTime::Unstated,
    }
}

fn strategy(
    section: &Section<'_>,
    event_time: &EventTime,
    d: &mut Diagnostics,
) -> Spanned<Strategy> {
    let (order, word) = (
        section.entry("out-of-orderness"),
        section.entry("watermark"),
    );
    if let (Some(order), Some(word)) = (order, word) {
        d.error(
            &word.key.span,
            format!("{} has two watermarks", section.title),
        )
        .label("one strategy here")
        .also(&order.key.span, "and another here")
        .help("leave one of them out: `watermark = \"monotonic\"` is `out-of-orderness = \"0s\"`");
    }
    // Where something is wrong, the strategy stands in a place of its own: it is not missing.
    let unreadable = Spanned::new(Strategy::None, 0..0);
    if order.is_some() {
        let micros = section.duration("out-of-orderness", d);
        return micros.map_or(unreadable, |micros| micros.map(Strategy::OutOfOrderness));
    }
    match word {
        Some(word) => watermark(section, &word.node, d).unwrap_or(unreadable),
        None if section.has_any(&["out-of-orderness", "watermark"]) => unreadable,
        None => {
            let ingestion = matches!(event_time, EventTime::Ingestion);
            let default = if ingestion {
                Strategy::OutOfOrderness(0)
            } else {
                Strategy::None
            };
            Spanned::new(default, section.span.clone())
        }
    }
}

fn watermark(section: &Section<'_>, node: &Node, d: &mut Diagnostics) -> Option<Spanned<Strategy>> {
    match &node.value {
        Value::Table(_) => return Some(Spanned::new(Strategy::Custom, node.span.clone())),
        Value::Text(text) if text == "custom" => {
            d.error(
                &node.span,
                format!("`watermark` of {} needs a function", section.title),
            )
            .label("expected the function that says how far event time has come")
            .help("as in `watermark = { function = \"fraud/progress\" }`");
            return None;
        }
        _ => {}
    }
    let word = section.one_of("watermark", &["monotonic", "none"], d)?;
    Some(word.map(|word| match word.as_str() {
        "none" => Strategy::None,
        _ => Strategy::OutOfOrderness(0),
    }))
}

fn watermark_function(
    section: &Section<'_>,
    modules: &mut Vec<Module>,
    folder: &Path,
    d: &mut Diagnostics,
) -> Option<WatermarkFunction> {
    let is_table = |entry: &&Entry| matches!(entry.node.value, Value::Table(_));
    section.entry("watermark").filter(is_table)?;
    let table = section.table("watermark", &WATERMARK, d)?;
    Some(WatermarkFunction {
        function: operator::function(&table, modules, folder, d),
        rename: operator::rename(&table, d),
        config: operator::config(&table, d),
    })
}
