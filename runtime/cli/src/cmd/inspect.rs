//! `tidemill inspect`: what a module exports, imports and needs.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, anyhow};
use serde_json::{Value, json};
use tidemill_rows::LogicalType;
use tidemill_wasm::{Clock, Function, Limits, Module, Output, SlotKind, StateSlot, TimerName};

use crate::args::Format;
use crate::error::Failure;
use crate::figures::bytes;
use crate::{folders, module_text};

/// Show what a module offers and needs
///
/// Loads the module as `run` would, within the default limits, and prints what it says of its functions: columns, key,
/// accumulator, outputs, configuration; what it imports, and what that lets it do.
#[derive(clap::Args, Debug)]
#[command(
    after_long_help = "Examples:\n  tidemill inspect fraud.wasm\n  tidemill inspect fraud.wasm --format json"
)]
pub struct Args {
    /// The module's file: a component, or a core module for wasm32-unknown-unknown
    module: PathBuf,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Shows a module.
pub fn inspect(args: &Args) -> Result<(), Failure> {
    if args.module.is_dir() {
        let error = anyhow!("{} is a folder", args.module.display());
        return Err(Failure::wrong(error).hint("name the .wasm file that `tidemill build` wrote"));
    }
    let module = folders::host()?.load(&args.module, &Limits::default())?;
    let size = std::fs::metadata(&args.module)
        .context("the module's file is gone")?
        .len();
    let text = match args.format {
        Format::Text => text(&module, size),
        Format::Json => format!("{:#}\n", json(&module, size)),
    };
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(())
}

fn form(module: &Module) -> &'static str {
    if module.is_core() {
        "core module, made a component when it is loaded"
    } else {
        "component"
    }
}

fn text(module: &Module, size: u64) -> String {
    let description = module.description();
    let sdk = description.sdk.as_deref().unwrap_or("no SDK");
    let head = [
        ("module", module.file().display().to_string()),
        ("sha256", module.hash().to_owned()),
        ("size", bytes(size)),
        ("form", form(module).to_owned()),
        (
            "built with",
            format!("interface {}, {sdk}", description.interface),
        ),
        ("exports", listed(module.exports())),
        ("imports", listed(module.imports())),
        ("may", module_text::may_do(module).to_owned()),
    ];
    let mut text = String::new();
    for (heading, value) in head {
        text.push_str(&format!("{heading:<11} {value}\n"));
    }
    for function in &description.functions {
        text.push_str(&format!("\n{} {}\n", function.kind.name(), function.name));
        for (heading, value) in module_text::about(function) {
            text.push_str(&format!("  {heading:<11} {value}\n"));
        }
    }
    text
}

/// A name a line, without what only belongs to another: `cabi_post_` frees what a call of the same name returned.
fn listed(names: &[String]) -> String {
    let names = names.iter().filter(|name| !name.starts_with("cabi_"));
    let names: Vec<&str> = names.map(String::as_str).collect();
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.join(&format!("\n{:12}", "")),
    }
}

fn json(module: &Module, size: u64) -> Value {
    let description = module.description();
    json!({
        "file": module.file().display().to_string(), "sha256": module.hash(), "bytes": size,
        "component": !module.is_core(), "interface": description.interface, "sdk": description.sdk,
        "exports": module.exports(), "imports": module.imports(),
        "virtual_wasi": module.wants_wasi(), "may": module_text::may_do(module),
        "functions": description.functions.iter().map(function).collect::<Vec<_>>(),
    })
}

fn function(function: &Function) -> Value {
    let config = |field: &tidemill_wasm::ConfigField| json!({ "name": field.name, "type": field.word(), "default": field.default });
    let sides = function.sides.iter();
    json!({
        "name": function.name, "kind": function.kind.name(), "doc": function.doc,
        "input": columns(&function.input), "stamps": function.stamps, "changes": function.changes,
        "key": columns(&function.key), "accumulator": columns(&function.accumulator),
        "state": columns(&function.state),
        "slots": function.slots.iter().map(slot).collect::<Vec<_>>(),
        "timers": function.timers.iter().map(timer).collect::<Vec<_>>(),
        "output": output(&function.output),
        "sides": sides.map(|s| json!({ "name": s.name, "output": output(&s.output) })).collect::<Vec<_>>(),
        "config": function.config.iter().map(config).collect::<Vec<_>>(),
        "combinable": function.combinable,
    })
}

/// In the form of `describe` (wit/describe.schema.json).
fn output(output: &Output) -> Value {
    match output {
        Output::Same => json!("same"),
        Output::Extended(fields) => json!({ "extended": columns(fields) }),
        Output::New(fields) => json!({ "new": columns(fields) }),
    }
}

fn slot(slot: &StateSlot) -> Value {
    let mut shown = json!({ "name": slot.name, "columns": columns(&slot.columns) });
    let kind = match &slot.kind {
        SlotKind::Value => "value",
        SlotKind::List { most } => {
            shown["most"] = json!(most);
            "list"
        }
        SlotKind::Map { key } => {
            shown["key"] = columns(key);
            "map"
        }
    };
    shown["kind"] = json!(kind);
    if let Some(ttl) = slot.ttl {
        shown["ttl"] = json!(ttl.micros);
        shown["clock"] = json!(clock(ttl.clock));
        if ttl.by_read {
            shown["touch"] = json!("read");
        }
    }
    shown
}

fn timer(timer: &TimerName) -> Value {
    json!({ "name": timer.name, "clock": clock(timer.clock) })
}

fn clock(clock: Clock) -> &'static str {
    match clock {
        Clock::Event => "event",
        Clock::Processing => "processing",
    }
}

fn columns(fields: &[arrow_schema::Field]) -> Value {
    fields
        .iter()
        .map(|f| json!({ "name": f.name(), "type": LogicalType::word(f) }))
        .collect()
}
