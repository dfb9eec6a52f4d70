//! What is said of modules: what they offer, and what they may do.

use tidemill_engine::plan::{explain_slot, explain_timer};
use tidemill_rows::LogicalType;
use tidemill_wasm::{ConfigField, Function, Kind, Module, Output};

/// The functions by kind: `aggregates departures, worst; transform board`.
pub fn offers(module: &Module) -> String {
    let functions = &module.description().functions;
    let of_kind = |kind: Kind| {
        let names: Vec<&str> = functions
            .iter()
            .filter(|f| f.kind == kind)
            .map(|f| f.name.as_str())
            .collect();
        match names.len() {
            0 => None,
            1 => Some(format!("{} {}", kind.name(), names[0])),
            _ => Some(format!("{} {}", plural(kind), names.join(", "))),
        }
    };
    let kinds: Vec<String> = Kind::ALL.into_iter().rev().filter_map(of_kind).collect();
    if kinds.is_empty() {
        "no functions".to_owned()
    } else {
        kinds.join("; ")
    }
}

fn plural(kind: Kind) -> String {
    let ending = if kind == Kind::Process { "es" } else { "s" };
    format!("{}{ending}", kind.name())
}

/// What its imports let it do.
pub fn may_do(module: &Module) -> &'static str {
    if module.wants_wasi() {
        "compute and log; the WASI it imports is virtual: no files, no network, a clock that stands still, \
         fixed randomness"
    } else if module.imports().iter().any(|name| name.contains("/log@")) {
        "compute and log, nothing else"
    } else {
        "compute, nothing else"
    }
}

/// Columns as people write them: `(account: text, amount: float?)`.
pub fn columns(fields: &[arrow_schema::Field]) -> String {
    let words: Vec<String> = fields
        .iter()
        .map(|f| format!("{}: {}", f.name(), LogicalType::word(f)))
        .collect();
    format!("({})", words.join(", "))
}

/// An output: `the input's row`, that and columns, or columns.
pub fn output(output: &Output) -> String {
    match output {
        Output::Same => "the input's row".to_owned(),
        Output::Extended(fields) => format!("the input's row and {}", columns(fields)),
        Output::New(fields) => columns(fields),
    }
}

/// A field of a configuration: `limit: float = 1.0`.
pub fn config(field: &ConfigField) -> String {
    match &field.default {
        Some(default) => format!("{}: {} = {default}", field.name, field.word()),
        None => format!("{}: {}", field.name, field.word()),
    }
}

/// What a function says of itself, by headings; what it does not have is left out.
pub fn about(function: &Function) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    lines.extend(
        function
            .doc
            .as_ref()
            .map(|doc| ("", doc.replace('\n', " "))),
    );
    lines.push(("takes", columns(&function.input)));
    if !function.key.is_empty() {
        lines.push(("key", columns(&function.key)));
    }
    if function.kind == Kind::Aggregate {
        lines.push(("accumulator", columns(&function.accumulator)));
    }
    let slots = function.slots.iter().map(explain_slot);
    lines.extend(slots.map(|slot| ("state", slot)));
    let timers = function.timers.iter().map(explain_timer);
    lines.extend(timers.map(|timer| ("timer", timer)));
    match function.kind {
        Kind::Watermark => lines.push(("state", columns(&function.state))),
        _ => lines.push(("gives", output(&function.output))),
    }
    for side in &function.sides {
        lines.push(("side", format!("{}: {}", side.name, output(&side.output))));
    }
    lines.extend(
        function
            .config
            .iter()
            .map(|field| ("config", config(field))),
    );
    let traits = [
        (function.stamps, "stamps: it is given the rows' stamps"),
        (
            function.changes,
            "changes: it takes rows that are not inserts",
        ),
        (
            function.combinable,
            "combinable: merging is exact in any order",
        ),
    ];
    lines.extend(
        traits
            .into_iter()
            .filter(|(has, _)| *has)
            .map(|(_, text)| ("is", text.to_owned())),
    );
    lines
}
