//! Scenario files: `tests/scenarios/core/*.scenario`. Their words are described in `tests/scenarios/README.md`; their form is
//! that of all scenarios (crate `tidemill-scenario`).
//!
//! `UPDATE=1 cargo test -p tidemill-core` writes what comes out into the files.
#![expect(
    clippy::disallowed_methods,
    reason = "tests read and write scenario files"
)]

use std::fmt::Write;
use std::path::{Path, PathBuf};

use serde_json::Value;
use tidemill_core::time;
use tidemill_core::window::{Keep, Mode, WindowKind, WindowSpec};
use tidemill_scenario::{Line, Scenario, difference};

use crate::aggregate::Aggregate;
use crate::machine::{Came, Change, Fired, Machine, TestRow};

/// The head of a scenario: `operator tumble 2s lateness 1s count by k`.
struct Head {
    spec: WindowSpec,
    aggregate: Aggregate,
    keyed: bool,
    /// Whether results show their stamp and W.
    stamps: bool,
}

#[test]
fn all() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/scenarios/core");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("scenarios")
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|e| e == "scenario"));
    paths.sort();
    assert!(!paths.is_empty(), "there are scenarios");
    let update = std::env::var("UPDATE").is_ok_and(|value| value == "1");
    let wrong: Vec<String> = paths
        .iter()
        .filter_map(|path| check(path, update))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs a file; what is wrong with it, if anything is.
fn check(path: &Path, update: bool) -> Option<String> {
    let text = std::fs::read_to_string(path).unwrap();
    let came = run(&text, usize::MAX);
    let single = run(&text, 1);
    assert_eq!(
        by_key(&came),
        by_key(&single),
        "{}: in batches of one row",
        path.display()
    );
    if came == text {
        return None;
    }
    if update {
        std::fs::write(path, came).unwrap();
        return None;
    }
    let difference = difference::of_texts(&text, &came);
    let place = path.display();
    Some(format!(
        "{place}\n{difference}hint: UPDATE=1 writes what comes"
    ))
}

/// The lines of a step in an order that batches do not change: a key's own lines keep theirs.
fn by_key(text: &str) -> Vec<Vec<String>> {
    let key = |line: &String| {
        let row = line.split_once(' ').map_or("", |(_, row)| row);
        let late = line.starts_with("window.late");
        (
            late,
            serde_json::from_str::<Value>(row)
                .ok()
                .map(|row| row["k"].to_string()),
        )
    };
    text.split("\n\n")
        .map(|step| {
            let mut lines: Vec<String> = step.lines().map(str::to_owned).collect();
            lines.sort_by_key(key);
            lines
        })
        .collect()
}

/// The text of a scenario with what came out in place of what should.
fn run(text: &str, batch: usize) -> String {
    let scenario: Scenario<'_> = tidemill_scenario::parse(text)
        .unwrap_or_else(|m| panic!("line {}: {}; {}", m.line(text), m.title, m.help));
    let head = parse_head(scenario.head().last().expect("a head line").text);
    let mut machine = Machine::new(head.spec, head.aggregate);
    let mut watermark = time::MIN;
    let came: Vec<Vec<String>> = scenario
        .steps
        .iter()
        .map(|step| {
            let mut out = String::new();
            let rows: Vec<Line<'_>> = step.rows().collect();
            let done = (step.directive, &rows[..]);
            run_step(done, &head, &mut machine, (&mut watermark, batch), &mut out);
            out.lines().map(str::to_owned).collect()
        })
        .collect();
    scenario.with(&came)
}

fn run_step(
    (directive, rows): (Line<'_>, &[Line<'_>]),
    head: &Head,
    machine: &mut Machine,
    (watermark, batch): (&mut i64, usize),
    out: &mut String,
) {
    let words: Vec<&str> = directive.text.split_whitespace().collect();
    match words[..] {
        ["rows"] => {
            let rows: Vec<TestRow> = rows
                .iter()
                .map(|line| row(*line, head.keyed, *watermark))
                .collect();
            for chunk in rows.chunks(batch.min(rows.len().max(1))) {
                show(&machine.take(chunk, &[]), chunk, head, out);
            }
        }
        ["watermark", w] => {
            *watermark = (*watermark).max(w.parse().expect("a number of microseconds"));
            show(&machine.advance(*watermark), &[], head, out);
        }
        ["clock", now] => show(&machine.clock(duration(now)), &[], head, out),
        ["end"] => {
            *watermark = time::MAX;
            show(&machine.advance(time::MAX), &[], head, out);
            machine.check_empty();
        }
        ["counters"] => {
            let c = machine.counters;
            let late = format!(
                "\"late\":{},\"behind_accepted\":{}",
                c.late, c.behind_accepted
            );
            let rest = format!(
                "\"in_gaps\":{},\"windows_missed\":{}",
                c.in_gaps, c.windows_missed
            );
            let never = match c.never_sent {
                0 => String::new(),
                rows => format!(",\"never_sent\":{rows}"),
            };
            _ = writeln!(out, "counters {{{late},{rest}{never}}}");
        }
        _ => panic!(
            "line {}: no such directive: {:?}",
            directive.number, directive.text
        ),
    }
}

fn parse_head(line: &str) -> Head {
    let mut words = line.split_whitespace();
    assert_eq!(
        words.next(),
        Some("operator"),
        "the head begins with `operator`: {line}"
    );
    let kind = words.next().expect("a kind of window");
    let size = match kind {
        "global" => 0,
        "rows" => words.next().expect("a number").parse().expect("a number"),
        _ => duration(words.next().expect("a size")),
    };
    let (mut step, mut offset, mut aggregate) = (size, 0, None);
    let (mut keyed, mut stamps) = (false, false);
    let mut spec = WindowSpec::new(WindowKind::Global);
    while let Some(word) = words.next() {
        let mut next = || {
            words
                .next()
                .unwrap_or_else(|| panic!("{word} of what? {line}"))
        };
        match word {
            "step" => step = duration(next()),
            "offset" => offset = duration(next()),
            "lateness" => spec.lateness = duration(next()),
            "mode" => spec.mode = mode(next()),
            "every" => spec.triggers.every = Some(duration(next())),
            "every-of-clock" => spec.triggers.every_of_clock = Some(duration(next())),
            "every-rows" => spec.triggers.every_rows = Some(next().parse().expect("a number")),
            "on-each-row" => spec.triggers.each_row = true,
            "only" => spec.triggers.only = true,
            "stored" => spec.stored = Some(Keep::All),
            "newest" => spec.stored = Some(Keep::Newest(next().parse().expect("a number"))),
            "within" => spec.stored = Some(Keep::Within(duration(next()))),
            "by" => keyed = next() == "k",
            "show" => stamps = next() == "stamps",
            word => aggregate = Some(Aggregate::parse(word).expect(word)),
        }
    }
    spec.kind = match kind {
        "tumble" => WindowKind::Tumble { size, offset },
        "hop" => WindowKind::Hop { size, step, offset },
        "cumulate" => WindowKind::Cumulate { size, step, offset },
        "session" => WindowKind::Session { gap: size },
        "global" => WindowKind::Global,
        "slide" => WindowKind::Slide { range: size },
        "rows" => WindowKind::Rows { count: size as u32 },
        kind => panic!("no such kind of window: {kind}"),
    };
    Head {
        spec,
        aggregate: aggregate.expect("an aggregate"),
        keyed,
        stamps,
    }
}

fn mode(word: &str) -> Mode {
    match word {
        "accumulating" => Mode::Accumulating,
        "discarding" => Mode::Discarding,
        "retract" => Mode::Retract,
        word => panic!("no such mode: {word}"),
    }
}

/// Microseconds of `2s`, `10m`, `-1us`.
fn duration(text: &str) -> i64 {
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit = match &text[digits.len()..] {
        "us" => 1,
        "ms" => 1_000,
        "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        "d" => 86_400_000_000,
        unit => panic!("no such unit of time: {unit} in {text}"),
    };
    digits.parse::<i64>().expect(text) * unit
}

fn row(line: Line<'_>, keyed: bool, watermark: i64) -> TestRow {
    let row: Value = serde_json::from_str(line.text)
        .unwrap_or_else(|e| panic!("line {}: {e}: {}", line.number, line.text));
    let number = |name: &str| row.get(name).map(|v| v.as_i64().expect("a whole number"));
    let key = if keyed {
        row["k"].as_str().unwrap_or_default().to_owned()
    } else {
        String::new()
    };
    TestRow {
        key,
        time: number("time").expect("a time"),
        value: number("v").unwrap_or(0),
        stamp: number("stamp").unwrap_or(watermark),
        w: number("w").unwrap_or(watermark),
    }
}

fn show(came: &Came, rows: &[TestRow], head: &Head, out: &mut String) {
    came.fired
        .iter()
        .for_each(|fired| show_result(fired, head, out));
    for &late in &came.late {
        let TestRow {
            key, time, value, ..
        } = &rows[late];
        let key = show_key(key, head);
        _ = writeln!(out, "window.late {{{key}\"time\":{time},\"v\":{value}}}");
    }
}

fn show_result(fired: &Fired, head: &Head, out: &mut String) {
    let Fired {
        key,
        change,
        firing,
        value,
    } = fired;
    out.push_str("window {");
    if head.spec.mode == Mode::Retract {
        _ = write!(out, "\"change\":\"{}\",", word(*change));
    }
    out.push_str(&show_key(key, head));
    let (start, end, moment) = (firing.start, firing.end, firing.moment.name());
    _ = write!(
        out,
        "\"window_start\":{start},\"window_end\":{end},\"firing\":\"{moment}\""
    );
    let (number, last) = (firing.number, firing.last);
    _ = write!(out, ",\"firing_number\":{number},\"firing_last\":{last}");
    if head.stamps {
        _ = write!(out, ",\"stamp\":{},\"w\":{}", firing.stamp, firing.w);
    }
    _ = writeln!(out, ",\"{}\":{value}}}", head.aggregate.name());
}

fn word(change: Change) -> &'static str {
    match change {
        Change::Insert => "insert",
        Change::UpdateBefore => "update-before",
        Change::UpdateAfter => "update-after",
        Change::Delete => "delete",
    }
}

fn show_key(key: &str, head: &Head) -> String {
    match key {
        _ if !head.keyed => String::new(),
        "" => "\"k\":null,".to_owned(),
        key => format!("\"k\":\"{key}\","),
    }
}
