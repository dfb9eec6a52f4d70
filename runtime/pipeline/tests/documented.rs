//! `docs/pipeline.md` against the table of keys, and the table against itself. `UPDATE=1` writes types, defaults and examples
//! into the document; keys and meanings are written by hand.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tidemill_pipeline::keys::{Default, Key, Kind, SHAPES, Shape};
use tidemill_pipeline::parse;

fn document() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/pipeline.md")
}

/// The key's row up to its meaning.
fn row(key: &Key) -> String {
    let default = match key.default {
        Default::Required => "required".to_owned(),
        Default::Value(text) => format!("`{text}`"),
        Default::Said(words) => words.to_owned(),
    };
    format!("| `{}` | {} | {default} | `{}` |", key.name, key.kind.words(), key.example)
}

fn is_built(key: &&Key) -> bool {
    !matches!(key.kind, Kind::Later)
}

/// The name in a row of a table.
fn name_of(line: &str) -> Option<&str> {
    line.strip_prefix("| `")?.split('`').next()
}

/// The document's tables of keys: the shape's name and the rows.
fn tables(text: &str) -> Vec<(&str, Vec<&str>)> {
    let mut tables = Vec::new();
    for part in text.split("<!-- keys: ").skip(1) {
        let (name, rest) = part.split_once(" -->").expect("a closed comment");
        let rows = rest.trim_start().lines().skip(2).take_while(|line| line.starts_with('|'));
        tables.push((name, rows.collect()));
    }
    tables
}

/// The document with types, defaults and examples written anew.
fn renewed(text: &str) -> String {
    let mut out = String::new();
    let mut shape: Option<&Shape> = None;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("<!-- keys: ").and_then(|l| l.strip_suffix(" -->")) {
            shape = SHAPES.into_iter().find(|shape| shape.name == name);
        } else if !line.starts_with('|') {
            shape = None;
        }
        let key = shape.and_then(|shape| shape.key(name_of(line)?));
        match key {
            Some(key) => {
                let meaning = line.rsplit(" | ").next().expect("a meaning");
                let _ = writeln!(out, "{} {meaning}", row(key));
            }
            None => {
                let _ = writeln!(out, "{line}");
            }
        }
    }
    out
}

#[test]
fn every_key_is_documented_as_it_is() {
    let mut text = std::fs::read_to_string(document()).expect("docs/pipeline.md");
    if std::env::var_os("UPDATE").is_some() {
        text = renewed(&text);
        std::fs::write(document(), &text).expect("the document is written");
    }
    let tables = tables(&text);
    let names: Vec<&str> = tables.iter().map(|(name, _)| *name).collect();
    for shape in SHAPES {
        let table = tables.iter().find(|(name, _)| *name == shape.name);
        let (_, rows) = table.unwrap_or_else(|| panic!("no table of {} in {names:?}", shape.name));
        let built: Vec<&Key> = shape.keys.iter().filter(is_built).collect();
        let keys: Vec<&str> = built.iter().map(|key| key.name).collect();
        let documented: Vec<&str> = rows.iter().filter_map(|row| name_of(row)).collect();
        assert_eq!(documented, keys, "keys of {}", shape.name);
        for (key, line) in built.iter().zip(rows) {
            let expected = row(key);
            assert!(line.starts_with(&expected), "{}: expected\n{expected}\nfound\n{line}", shape.name);
            assert!(line.len() > expected.len() + 4, "no meaning: {line}");
        }
    }
    assert_eq!(tables.len(), SHAPES.len(), "tables of unknown things: {names:?}");
}

#[test]
fn keys_of_later_versions_are_named() {
    let text = std::fs::read_to_string(document()).expect("docs/pipeline.md");
    for shape in SHAPES {
        for key in shape.keys.iter().filter(|key| !is_built(key)) {
            let mut lines = text.lines().filter(|line| line.starts_with("Not in this version"));
            let name = format!("`{}`", key.name);
            assert!(lines.any(|line| line.contains(&name)), "{name} of {}", shape.name);
        }
    }
}

/// Every TOML example of the document that is a whole file is one without a problem.
#[test]
fn examples_are_right() {
    let text = std::fs::read_to_string(document()).expect("docs/pipeline.md");
    let mut whole = 0;
    for example in text.split("```toml\n").skip(1) {
        let example = example.split("```").next().expect("a closed example");
        if example.starts_with("name = ") {
            whole += 1;
            let checked = parse(example, Path::new("pipeline.toml"));
            let checked = checked.unwrap_or_else(|report| panic!("{report}"));
            assert!(checked.diagnostics.is_empty(), "{}", checked.diagnostics.render(false));
        }
    }
    assert!(whole > 0);
}

/// A file in which a key is set to a value, with what the value needs around it.
fn around(shape: &Shape, key: &Key, value: &str) -> String {
    let top = "name = \"x\"\n";
    let module = "[modules.m]\nfile = \"m.wasm\"\n";
    let source = "[sources.lines]\nstdin = {}\ncolumns = { account = \"text\", paid_at = \"time\", amount = \"text\", total_amount = \"text\" }\n";
    let operator = "[operators.large]\ninput = \"lines\"\nfunction = \"m.wasm/f\"\n";
    let sink = "[sinks.out]\ninput = \"large\"\nblackhole = {}\n";
    let bad = "[sinks.bad]\ninput = [\"lines.failed\", \"large.failed\"]\nfile = \"bad.jsonl\"\n";
    let line = format!("{} = {value}\n", key.name);
    let without = |text: &str, names: &[&str]| {
        let kept = text.lines().filter(|l| !names.iter().any(|n| l.starts_with(&format!("{n} ="))));
        kept.map(|line| format!("{line}\n")).collect::<String>()
    };
    let name = key.name;
    let (mut t, mut m, mut s, mut o, mut k) =
        (top.to_owned(), module.to_owned(), source.to_owned(), operator.to_owned(), sink.to_owned());
    let connectors = ["files", "stdin", "nexmark", "datagen"];
    let inline = |more: &str| format!("{{ {}{more} }}", line.trim());
    match shape.name {
        "pipeline" if ["modules", "sources", "operators", "sinks"].contains(&name) => return String::new(),
        "pipeline" => t = without(top, &[name]) + &line,
        "module" => m = without(module, &[name]) + &line,
        "limits" => m += &format!("limits = {}\n", inline("")),
        "source" => {
            if connectors.contains(&name) {
                s = without(&s, &["stdin"]);
            }
            s = without(&s, &[name]) + &line;
            s += match name {
                "delimiter" => "format = \"csv\"\n",
                "failures" => "on-failure = \"skip\"\n",
                _ => "",
            };
            if name == "nexmark" {
                s = without(&s, &["columns"]);
            }
        }
        "files" => {
            let more = if name == "path" { "" } else { ", path = \"x\"" };
            s = without(&s, &["stdin"]) + &format!("files = {}\n", inline(more));
        }
        "nexmark" => s = without(&s, &["stdin", "columns"]) + &format!("nexmark = {}\n", inline("")),
        "datagen" => s = without(&s, &["stdin"]) + &format!("datagen = {}\n", inline("")),
        "column" => {
            let more = if name == "type" { "" } else { ", type = \"time\"" };
            s = without(&s, &["columns"]) + &format!("columns = {{ account = {} }}\n", inline(more));
        }
        "generated column" | "bursts" => {
            let more = match name {
                "type" => "",
                "length" | "one-of" => ", type = \"text\"",
                "start" | "step" | "jitter" => ", type = \"time\"",
                _ => ", type = \"integer?\"",
            };
            let column = match (shape.name, name) {
                ("bursts", "keys") => "{ bursts = { keys = 1000, rows = 1, groups = 1 }, type = \"integer\" }".to_owned(),
                ("bursts", "rows") => "{ bursts = { rows = 20, keys = 1, groups = 1 }, type = \"integer\" }".to_owned(),
                ("bursts", _) => "{ bursts = { groups = 10, keys = 10, rows = 1 }, type = \"integer\" }".to_owned(),
                _ => inline(more),
            };
            s = without(&s, &["stdin", "columns"])
                + &format!("datagen = {{}}\ncolumns = {{ account = {column} }}\n");
        }
        "operator" => {
            o = without(&o, &[name]) + &line;
            o += match name {
                "null-key" => "key = \"account\"\n",
                "failures" => "on-failure = \"skip\"\n",
                _ => "",
            };
            if name == "input" {
                s = s.replace("sources.lines", "sources.payments");
            }
            if name == "function" {
                m = m.replace("modules.m", "modules.fraud");
            }
            if name == "window" {
                s += "event-time = \"paid_at\"\nwatermark = \"monotonic\"\n";
            }
        }
        "window" => {
            let more = match name {
                "tumble" | "session" => "",
                "hop" => ", step = \"1m\"",
                "step" => ", hop = \"10m\"",
                _ => ", tumble = \"1h\"",
            };
            o += &format!("window = {}\n", inline(more));
            s += "event-time = \"paid_at\"\nwatermark = \"monotonic\"\n";
        }
        "failures" => o += &format!("on-failure = \"skip\"\nfailures = {}\n", inline("")),
        "sink" => {
            let others = ["stdout", "file", "folder", "blackhole"];
            let drops: Vec<&str> = if others.contains(&name) { others.to_vec() } else { vec![name] };
            k = without(&k, &drops) + &line;
            if name == "format" {
                k = without(&k, &["blackhole"]) + "stdout = {}\n";
            }
            if name == "input" {
                s = s.replace("sources.lines", "sources.payments");
                o = o.replace("operators.large", "operators.velocity").replace("lines", "payments");
            }
        }
        "file" | "folder" => {
            let more = if name == "path" { "" } else { ", path = \"x\"" };
            k = without(&k, &["blackhole"]) + &format!("{} = {}\n", shape.name, inline(more));
        }
        other => panic!("a new kind of table: {other}"),
    }
    let dead_letters = if value.contains("dead-letter") { bad } else { "" };
    format!("{t}\n{m}\n{s}\n{o}\n{k}\n{dead_letters}")
}

/// Every key's example, and every default that is a value, is taken by the parser where it belongs.
#[test]
fn examples_and_defaults_are_taken() {
    for shape in SHAPES {
        for key in shape.keys.iter().filter(is_built) {
            let default = match key.default {
                Default::Value(text) => Some(text),
                _ => None,
            };
            for value in std::iter::once(key.example).chain(default) {
                let text = around(shape, key, value);
                if text.is_empty() {
                    continue;
                }
                if let Err(report) = parse(&text, Path::new("x.toml")) {
                    panic!("`{} = {value}` of {}:\n{report}\n{text}", key.name, shape.name);
                }
            }
        }
    }
}
