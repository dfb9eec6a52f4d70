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
    format!(
        "| `{}` | {} | {default} | `{}` |",
        key.name,
        key.kind.words(),
        key.example
    )
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
        let rows = rest
            .trim_start()
            .lines()
            .skip(2)
            .take_while(|line| line.starts_with('|'));
        tables.push((name, rows.collect()));
    }
    tables
}

/// The document with types, defaults and examples written anew.
fn renewed(text: &str) -> String {
    let mut out = String::new();
    let mut shape: Option<&Shape> = None;
    for line in text.lines() {
        if let Some(name) = line
            .strip_prefix("<!-- keys: ")
            .and_then(|l| l.strip_suffix(" -->"))
        {
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
            assert!(
                line.starts_with(&expected),
                "{}: expected\n{expected}\nfound\n{line}",
                shape.name
            );
            assert!(line.len() > expected.len() + 4, "no meaning: {line}");
        }
    }
    assert_eq!(
        tables.len(),
        SHAPES.len(),
        "tables of unknown things: {names:?}"
    );
}

#[test]
fn keys_of_later_versions_are_named() {
    let text = std::fs::read_to_string(document()).expect("docs/pipeline.md");
    for shape in SHAPES {
        for key in shape.keys.iter().filter(|key| !is_built(key)) {
            let mut lines = text
                .lines()
                .filter(|line| line.starts_with("Not in this version"));
            let name = format!("`{}`", key.name);
            assert!(
                lines.any(|line| line.contains(&name)),
                "{name} of {}",
                shape.name
            );
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
            assert!(
                checked.diagnostics.is_empty(),
                "{}",
                checked.diagnostics.render(false)
            );
        }
    }
    assert!(whole > 0);
}

/// A file in sections that has one of each thing, for a key to be set in.
struct File {
    top: String,
    module: String,
    source: String,
    operator: String,
    sink: String,
}

const CONNECTORS: [&str; 5] = ["files", "stdin", "kafka", "nexmark", "datagen"];
const TARGETS: [&str; 5] = ["stdout", "file", "folder", "kafka", "blackhole"];
const TIMED: &str = "event-time = \"paid_at\"\nwatermark = \"monotonic\"\n";

impl File {
    fn new() -> Self {
        let columns = "account = \"text\", paid_at = \"time\", total_amount = \"text\"";
        Self {
            top: "name = \"x\"\n".to_owned(),
            module: "[modules.m]\nfile = \"m.wasm\"\n".to_owned(),
            source: format!("[sources.lines]\nstdin = {{}}\ncolumns = {{ {columns} }}\n"),
            operator: "[operators.large]\ninput = \"lines\"\nfunction = \"m.wasm/f\"\n".to_owned(),
            sink: "[sinks.out]\ninput = \"large\"\nblackhole = {}\n".to_owned(),
        }
    }

    fn text(&self) -> String {
        [
            &self.top,
            &self.module,
            &self.source,
            &self.operator,
            &self.sink,
        ]
        .map(String::as_str)
        .join("\n")
    }

    /// Sets a key of a source, with what it needs beside it.
    fn set_source(&mut self, name: &str, line: &str) {
        if CONNECTORS.contains(&name) {
            remove(&mut self.source, &["stdin"]);
        }
        if name == "nexmark" {
            remove(&mut self.source, &["columns"]);
        }
        remove(&mut self.source, &[name]);
        self.source += line;
        self.source += match name {
            "delimiter" => "format = \"csv\"\n",
            "failures" => "on-failure = \"skip\"\n",
            "max-jump" | "max-drift" => TIMED,
            _ => "",
        };
    }

    /// Gives the source another connector, or columns.
    fn replace_source(&mut self, without: &[&str], with: &str) {
        remove(&mut self.source, without);
        self.source += with;
    }

    /// Has the source read Avro, with what says where its schema is.
    fn read_avro(&mut self, line: &str) {
        let kafka = "kafka = { brokers = \"a:1\", topics = \"t\" }\nformat = \"avro\"\n";
        self.replace_source(&["stdin", "format"], &format!("{kafka}{line}"));
    }

    /// Has the sink write Avro, with what says where its schema is.
    fn write_avro(&mut self, line: &str) {
        remove(&mut self.sink, &TARGETS);
        remove(&mut self.sink, &["format"]);
        self.sink += "kafka = { brokers = \"a:1\", topic = \"t\" }\nformat = \"avro\"\n";
        self.sink += line;
    }

    fn set_operator(&mut self, name: &str, line: &str) {
        remove(&mut self.operator, &[name]);
        self.operator += line;
        match name {
            "null-key" => self.operator += "key = \"account\"\n",
            "failures" => self.operator += "on-failure = \"skip\"\n",
            "input" => self.source = self.source.replace("sources.lines", "sources.payments"),
            "function" => self.module = self.module.replace("modules.m", "modules.fraud"),
            "window" => self.source += TIMED,
            "combine" | "rows-limit" => {
                self.operator += "window = { tumble = \"1h\" }\n";
                self.source += TIMED;
            }
            _ => {}
        }
    }

    fn set_sink(&mut self, name: &str, line: &str) {
        let others: &[&str] = if TARGETS.contains(&name) {
            &TARGETS
        } else {
            &[]
        };
        remove(&mut self.sink, others);
        remove(&mut self.sink, &[name]);
        self.sink += line;
        if name == "format" {
            self.sink = self.sink.replace("blackhole", "stdout");
        }
        if name == "input" {
            self.source = self.source.replace("sources.lines", "sources.payments");
            self.operator = self
                .operator
                .replace("large", "velocity")
                .replace("lines", "payments");
        }
    }
}

/// Removes the lines of keys.
fn remove(text: &mut String, names: &[&str]) {
    let is = |line: &&str| {
        names
            .iter()
            .any(|name| line.starts_with(&format!("{name} =")))
    };
    *text = text
        .lines()
        .filter(|line| !is(line))
        .map(|line| format!("{line}\n"))
        .collect();
}

/// What a column needs beside a setting.
fn column_type(setting: &str) -> &'static str {
    match setting {
        "type" => "",
        "length" | "one-of" => ", type = \"text\"",
        "start" | "step" | "jitter" => ", type = \"time\"",
        _ => ", type = \"integer?\"",
    }
}

/// The other keys of `bursts`.
fn other_bursts(setting: &str) -> String {
    let all = [("keys", 1000), ("rows", 1), ("groups", 10)];
    let others = all.into_iter().filter(|(name, _)| *name != setting);
    others
        .map(|(name, value)| format!(", {name} = {value}"))
        .collect()
}

/// What Kafka needs beside a setting.
fn beside(setting: &str, topics: &str) -> String {
    let brokers = if setting == "brokers" {
        ""
    } else {
        ", brokers = \"a:1\""
    };
    let topics = match setting {
        "topics" | "pattern" | "topic" | "topic-column" => String::new(),
        _ => format!(", {topics} = \"t\""),
    };
    format!("{brokers}{topics}")
}

/// What a window needs beside a setting.
fn window_kind(setting: &str) -> &'static str {
    match setting {
        "tumble" | "session" | "slide" | "rows" | "global" => "",
        "hop" | "cumulate" => ", step = \"1m\"",
        "step" => ", hop = \"10m\"",
        _ => ", tumble = \"1h\"",
    }
}

/// A file in which a key is set to a value, with what the value needs around it; nothing for the groups of tables.
fn around(shape: &Shape, key: &Key, value: &str) -> Option<String> {
    let name = key.name;
    let line = format!("{name} = {value}\n");
    let inline = |more: &str| format!("{{ {}{more} }}", line.trim());
    let path = if name == "path" { "" } else { ", path = \"x\"" };
    let mut file = File::new();
    match shape.name {
        "pipeline" if matches!(key.kind, Kind::Named(_)) => return None,
        "pipeline" => {
            remove(&mut file.top, &[name]);
            file.top += &line;
        }
        "checkpoints" => file.top += &format!("checkpoints = {}\n", inline("")),
        "state" => {
            let held = match name {
                "backend" => "",
                _ => ", backend = \"rocksdb\"",
            };
            file.top += &format!("state = {}\n", inline(held));
        }
        "module" => {
            remove(&mut file.module, &[name]);
            file.module += &line;
        }
        "secret" => file.top += &format!("secrets = {{ password = {} }}\n", inline("")),
        "limits" => file.module += &format!("limits = {}\n", inline("")),
        "source" if matches!(name, "schema" | "registry") => file.read_avro(&line),
        "source" if name == "message" => {
            file.read_avro(&format!("schema = \"a.proto\"\n{line}"));
            file.source = file.source.replace("\"avro\"", "\"protobuf\"");
        }
        "source" => file.set_source(name, &line),
        "sink" if matches!(name, "schema" | "registry") => file.write_avro(&line),
        "sink" if name == "message" => {
            file.write_avro(&format!("schema = \"a.proto\"\n{line}"));
            file.sink = file.sink.replace("\"avro\"", "\"protobuf\"");
        }
        "sink registry" => {
            let url = if name == "url" {
                ""
            } else {
                ", url = \"http://a\""
            };
            file.write_avro(&format!("registry = {}\n", inline(url)));
        }
        "registry" => {
            let url = match name {
                "url" => "",
                _ => ", url = \"http://r:1\"",
            };
            file.read_avro(&format!("registry = {}\n", inline(url)));
        }
        "watermark" => {
            let function = if name == "function" {
                ""
            } else {
                ", function = \"m/f\""
            };
            file.set_source("watermark", &format!("watermark = {}\n", inline(function)));
            file.module = file.module.replace("modules.m", "modules.fraud")
                + "[modules.m]\nfile = \"m.wasm\"\n";
        }
        "files" => file.replace_source(&["stdin"], &format!("files = {}\n", inline(path))),
        "kafka source" => {
            let kafka = format!("kafka = {}\n", inline(&beside(name, "topics")));
            file.replace_source(&["stdin"], &kafka);
        }
        "kafka sink" => {
            let kafka = format!("kafka = {}\n", inline(&beside(name, "topic")));
            file.set_sink("kafka", &kafka);
        }
        "nexmark" => {
            file.replace_source(
                &["stdin", "columns"],
                &format!("nexmark = {}\n", inline("")),
            );
        }
        "datagen" => file.replace_source(&["stdin"], &format!("datagen = {}\n", inline(""))),
        "column" => {
            let more = match name {
                "type" => "",
                "from" => ", type = \"text\"",
                _ => ", type = \"time\"",
            };
            let columns = format!("columns = {{ account = {} }}\n", inline(more));
            file.replace_source(&["columns"], &columns);
            if name == "from" {
                let kafka = "kafka = { brokers = \"a:1\", topics = \"t\" }\n";
                file.replace_source(&["stdin"], kafka);
            }
        }
        "generated column" | "bursts" => {
            let column = match shape.name {
                "bursts" => format!(
                    "{{ type = \"integer\", bursts = {} }}",
                    inline(&other_bursts(name))
                ),
                _ => inline(column_type(name)),
            };
            let with = format!("datagen = {{}}\ncolumns = {{ account = {column} }}\n");
            file.replace_source(&["stdin", "columns"], &with);
        }
        "operator" => file.set_operator(name, &line),
        "window" => file.set_operator(
            "window",
            &format!("window = {}\n", inline(window_kind(name))),
        ),
        "trigger" => {
            let every = if name == "time" {
                ", every = \"10s\""
            } else {
                ""
            };
            let window = format!("{{ tumble = \"1h\", trigger = [{}] }}", inline(every));
            file.set_operator("window", &format!("window = {window}\n"));
        }
        "keep" => {
            let window = format!("{{ tumble = \"1h\", keep = {} }}", inline(""));
            file.set_operator("window", &format!("window = {window}\n"));
        }
        "failures" => file.set_operator("failures", &format!("failures = {}\n", inline(""))),
        "sink" => file.set_sink(name, &line),
        "file" | "folder" => {
            file.set_sink(shape.name, &format!("{} = {}\n", shape.name, inline(path)))
        }
        other => panic!("a new kind of table: {other}"),
    }
    let mut text = file.text();
    if value.contains("dead-letter") {
        text += "[sinks.bad]\ninput = [\"lines.failed\", \"large.failed\"]\nfile = \"bad.jsonl\"\n";
    }
    Some(text)
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
                let Some(text) = around(shape, key, value) else {
                    continue;
                };
                if let Err(report) = parse(&text, Path::new("x.toml")) {
                    panic!(
                        "`{} = {value}` of {}:\n{report}\n{text}",
                        key.name, shape.name
                    );
                }
            }
        }
    }
}
