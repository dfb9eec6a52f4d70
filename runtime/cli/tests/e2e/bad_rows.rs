//! Bad rows of every sort, as data: `tests/bad-rows` says what is read and what must come of it.

use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::Value;
use toml::Table;

use crate::support::{Folder, kinds, root};

/// What became of the rows of one station.
#[derive(Debug, PartialEq)]
struct Account {
    rows_in: i64,
    out: i64,
    filtered: i64,
    failed: i64,
}

/// What was found or expected of a case.
#[derive(Debug, PartialEq)]
struct Outcome {
    rows: Account,
    kept: Account,
}

struct Case {
    name: String,
    table: Table,
}

impl Case {
    fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).expect("a case that can be read");
        let name = path.file_stem().expect("a name").to_string_lossy();
        Self {
            table: text.parse().unwrap_or_else(|e| panic!("{name}: {e}")),
            name: name.into_owned(),
        }
    }

    fn text(&self, key: &str) -> &str {
        self.table
            .get(key)
            .map_or("", |text| text.as_str().expect("a text"))
    }

    /// The bytes of the file.
    fn input(&self) -> Vec<u8> {
        let pieces = self.table["input"].as_array().expect("a list of pieces");
        let mut bytes = Vec::new();
        for piece in pieces {
            let raw = piece.get("raw").is_some();
            let piece = piece_of(piece);
            bytes.extend(match self.text("compress") {
                "gzip" if !raw => gzip(&piece),
                "zstd" if !raw => zstd::encode_all(&*piece, 3).expect("a frame"),
                _ => piece,
            });
        }
        let cut = self
            .table
            .get("cut")
            .map_or(0, |cut| cut.as_integer().expect("a number"));
        bytes.truncate(bytes.len() - cut as usize);
        bytes
    }

    fn pipeline(&self, file: &str) -> String {
        let template = fs::read_to_string(root().join("tests/bad-rows/payments.toml"));
        let filled = [
            ("FILE", file),
            ("FORMAT", self.text("format")),
            ("SOURCE", self.text("source")),
            ("COLUMNS", self.text("columns")),
            ("MODULE", kinds()),
        ];
        let template = template.expect("the pipeline is there");
        filled
            .iter()
            .fold(template, |text, (name, value)| text.replace(name, value))
    }

    fn expected(&self) -> Outcome {
        let number = |station: &str, key: &str| {
            let value = self.table["expected"][station].get(key);
            value.map_or(0, |value| value.as_integer().expect("a number"))
        };
        let account = |station, rows_in| Account {
            rows_in,
            out: number(station, "out"),
            filtered: number(station, "filtered"),
            failed: number(station, "failed"),
        };
        Outcome {
            rows: account("rows", number("rows", "in")),
            kept: account("kept", number("rows", "out")),
        }
    }

    fn letters(&self) -> Vec<&str> {
        let letters = self.table["expected"]["letters"].as_array();
        let letters = letters.expect("a list of letters").iter();
        letters
            .map(|letter| letter.as_str().expect("a text"))
            .collect()
    }

    /// Runs the case; what is wrong with it, if anything.
    fn fault(&self) -> Option<String> {
        let folder = Folder::new();
        let file = format!("rows.{}", self.text("format"));
        fs::write(folder.path().join(&file), self.input()).expect("the input is written");
        folder.write("pipeline.toml", &self.pipeline(&file));
        let ended = folder.run(&["run", "--format", "json"]).expect(0);
        let found = outcome(&ended.err);
        let letters = letters(&folder.read("bad.jsonl"));
        let good = found == self.expected()
            && found.rows.adds_up()
            && found.kept.adds_up()
            && folder.read("out.jsonl").lines().count() as i64 == found.kept.out
            && letters.len() == self.letters().len()
            && letters
                .iter()
                .zip(self.letters())
                .all(|(found, part)| is_of(found, part));
        (!good).then(|| format!("{}: found {found:#?}\nletters = {letters:#?}\n", self.name))
    }
}

impl Account {
    fn adds_up(&self) -> bool {
        self.rows_in == self.out + self.filtered + self.failed
    }
}

fn piece_of(piece: &toml::Value) -> Vec<u8> {
    let text = |key: &str| piece.get(key).and_then(toml::Value::as_str);
    if let Some(text) = piece.as_str().or(text("raw")) {
        return text.as_bytes().to_vec();
    }
    if let Some(hex) = text("hex") {
        let byte = |hex| u8::from_str_radix(hex, 16).expect("two hexadecimal digits");
        return hex.split(' ').map(byte).collect();
    }
    let times = piece["times"].as_integer().expect("a number");
    text("repeat")
        .expect("a text")
        .repeat(times as usize)
        .into_bytes()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    member.write_all(bytes).expect("memory takes it");
    member.finish().expect("a member")
}

/// What the last event on standard error says of the two stations.
fn outcome(events: &str) -> Outcome {
    let last = events.lines().last().expect("a summary");
    let summary: Value = serde_json::from_str(last).expect("an event is JSON");
    assert_eq!(summary["event"], "summary");
    let account = |name: &str| {
        let stations = summary["stations"].as_array().expect("stations");
        let own = stations.iter().find(|station| station["name"] == name);
        let figure = |key: &str| own.expect("the station")[key].as_i64().expect("a count");
        Account {
            rows_in: figure("rows_in"),
            out: figure("rows_out"),
            filtered: figure("filtered"),
            failed: figure("failed"),
        }
    };
    Outcome {
        rows: account("rows"),
        kept: account("kept"),
    }
}

/// The letters, of the source before those of the operator, as `byte <position>: <message>`.
fn letters(text: &str) -> Vec<String> {
    let mut letters: Vec<Value> = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("a letter is JSON"))
        .collect();
    letters.sort_by_key(|letter| letter["operator"] != "rows");
    let told = |letter: &Value| {
        let text = |key: &str| letter[key].as_str().unwrap_or_default().to_owned();
        format!(
            "byte {}: {}: {}",
            letter["position"],
            text("reason"),
            text("message")
        )
    };
    letters.iter().map(told).collect()
}

/// Whether a letter has all parts of an expected one.
fn is_of(letter: &str, expected: &str) -> bool {
    let mut rest = letter;
    expected
        .split(": ")
        .all(|part| match rest.split_once(part) {
            Some((_, behind)) => {
                rest = behind;
                true
            }
            None => false,
        })
}

#[test]
fn every_bad_row_is_counted_and_has_its_letter() {
    let folder = root().join("tests/bad-rows/cases");
    let entries = fs::read_dir(folder).expect("the cases are there");
    let mut paths: Vec<_> = entries.map(|entry| entry.expect("a case").path()).collect();
    paths.sort();
    assert!(paths.len() > 30, "{} cases", paths.len());
    let faults: Vec<String> = paths
        .iter()
        .filter_map(|path| Case::read(path).fault())
        .collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_figures_are_shown_and_add_up() {
    let case = Case::read(&root().join("tests/bad-rows/cases/truncated.toml"));
    let folder = Folder::new();
    fs::write(folder.path().join("rows.json"), case.input()).expect("the input is written");
    folder.write("pipeline.toml", &case.pipeline("rows.json"));
    folder
        .run(&["run"])
        .expect(0)
        .says(&["rows: 3 rows in = 2 out + 0 filtered + 1 failed"]);
}
