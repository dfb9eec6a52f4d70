//! Rows that fail leave no trace, are counted, and go where their operator's policy says.

mod support;

use support::input::{self, COLUMNS, Row, Shape};
use support::spec::Spec;
use support::{Bench, How, Rows, totals};
use tidemill_engine::EngineError;

const OUT_OF_ORDERNESS: i64 = 100;

const HOWS: [How; 4] = [
    How {
        batch_rows: 1,
        workers: 1,
    },
    How {
        batch_rows: 5,
        workers: 1,
    },
    How {
        batch_rows: 4096,
        workers: 1,
    },
    How {
        batch_rows: 64,
        workers: 2,
    },
];

const SPECS: [(&str, Spec); 6] = [
    ("tumble", Spec::tumble(1000).lateness(300)),
    ("hop", Spec::hop(1000, 300)),
    ("hop-late", Spec::hop(900, 200).lateness(700).discarding()),
    ("session", Spec::session(150)),
    ("session-late", Spec::session(120).lateness(600)),
    (
        "session-sent",
        Spec::session(100).lateness(600).discarding(),
    ),
];

/// One source, and a sink for each of these outputs.
fn pipeline(source: &str, operators: &str, outputs: &[&str]) -> String {
    let mut text = format!(
        "[sources.rows]\nfiles = \"in-*.jsonl\"\nevent-time = \"at\"\n\
         out-of-orderness = \"{OUT_OF_ORDERNESS}us\"\n{source}\n{COLUMNS}\n{operators}\n"
    );
    for output in outputs {
        let name = output.replace('.', "-port-");
        text += &format!("[sinks.to-{name}]\ninput = \"{output}\"\nfile = \"{output}.jsonl\"\n");
    }
    text
}

fn window(name: &str, input: &str, function: &str, spec: Spec) -> String {
    let spec = spec.toml();
    format!(
        "[operators.{name}]\ninput = \"{input}\"\nkey = \"key\"\nfunction = \"kinds/{function}\"\nwindow = {spec}\n\
         on-failure = \"{}\"\n",
        if input == "rows" {
            "dead-letter"
        } else {
            "fail"
        }
    )
}

const SHAPE: Shape = Shape {
    seed: 1,
    rows: 250,
    splits: 1,
    keys: 2,
    from: 500_000,
    step: 30,
    disorder: 2500,
    bad: 6,
};

/// With `function`, marked rows fail; behind `unmarked`, they were never there.
fn failed_rows_leave_no_trace(function: &str) {
    let mut operators =
        "[operators.good]\ninput = \"rows\"\nfunction = \"kinds/unmarked\"\n".to_owned();
    let mut outputs = Vec::new();
    for (name, spec) in SPECS {
        operators += &window(name, "rows", function, spec);
        operators += &window(&format!("{name}-without"), "good", function, spec);
        let ports = ["", ".late", ".failed", "-without", "-without.late"];
        outputs.extend(ports.map(|port| format!("{name}{port}")));
    }
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let bench = Bench::new(&pipeline("", &operators, &outputs));
    for shape in [
        SHAPE,
        Shape {
            seed: 2,
            keys: 9,
            bad: 2,
            ..SHAPE
        },
    ] {
        let shape = shape.of_this_run();
        let rows = shape.make();
        input::write(&bench, &rows);
        let bad = rows[0].iter().filter(|row| row.bad).count();
        for how in HOWS {
            let summary = bench.run(how);
            for (name, _) in SPECS {
                let about = format!("{function}, {name}, {how:?}, {shape:?}");
                let read = |port: &str| bench.read(&format!("{name}{port}"));
                let results = read("").by_key(&["key"]);
                assert_eq!(results, read("-without").by_key(&["key"]), "{about}");
                let (late, bad_late) = parted(&read(".late"));
                let late_without = read("-without.late").by_key(&["key"]);
                assert_eq!(late.by_key(&["key"]), late_without, "{about}");
                let failed = read(".failed");
                assert_eq!(failed.len() + bad_late.len(), bad, "{about}");
                assert_eq!(
                    totals(&summary, name).failed,
                    failed.len() as u64,
                    "{about}"
                );
                in_order(&failed, &about);
                assert!(failed.len() > 1, "{about}");
            }
        }
    }
}

/// Those that are not marked as bad, and those that are.
fn parted(rows: &Rows) -> (Rows, Rows) {
    let (bad, good) = rows
        .0
        .iter()
        .cloned()
        .partition(|line| line.contains("\"bad\":true"));
    (Rows(good), Rows(bad))
}

/// Each key's failed rows come in the order in which they were read, and only marked ones do.
fn in_order(failed: &Rows, about: &str) {
    for (key, lines) in failed.by_key(&["key"]) {
        let positions = Rows(lines.clone()).integers("position");
        assert!(positions.is_sorted(), "key {key}: {positions:?}, {about}");
        let saw = lines.iter().find(|line| line.contains("saw-a-bad-row"));
        assert_eq!(saw, None, "{about}");
    }
}

#[test]
fn rows_that_fail_by_value_leave_no_trace() {
    failed_rows_leave_no_trace("fail-after-change");
}

#[test]
fn rows_that_trap_leave_no_trace() {
    failed_rows_leave_no_trace("trap-after-change");
}

/// Bad rows at the beginning, in the middle and at the end of a batch, each of which would have changed which sessions
/// there are.
#[test]
fn sessions_are_as_if_failed_rows_were_never_there() {
    let rows = [
        Row::new("opens", 0).bad(),
        Row::new("extends", 0),
        Row::new("merges", 0),
        Row::new("bridges", 0).bad(),
        Row::new("bridges", 100),
        Row::new("bridges", 200).bad(),
        Row::new("merges", 200),
        Row::new("merges", 100).bad(),
        Row::new("extends", 90).bad(),
        Row::new("merges", 301),
        Row::new("extends", 150),
        Row::new("opens", 250),
        Row::new("closes", 320).bad(),
    ];
    let operators = window("session", "rows", "fail-after-change", Spec::session(100))
        + &window("trapped", "rows", "trap-after-change", Spec::session(100));
    let outputs = ["session", "trapped", "session.failed", "trapped.failed"];
    let bench = Bench::new(&pipeline("", &operators, &outputs));
    input::write(&bench, &[rows.to_vec()]);
    let expected = [
        ("bridges", 100, 1),
        ("extends", 0, 1),
        ("extends", 150, 1),
        ("merges", 0, 1),
        ("merges", 200, 1),
        ("merges", 301, 1),
        ("opens", 250, 1),
    ];
    for (batch_rows, workers) in [(1, 1), (2, 1), (3, 2), (12, 1), (5, 2)] {
        bench.run(How::new(batch_rows, workers));
        for name in ["session", "trapped"] {
            let session = |row: serde_json::Value| {
                let key = row["key"].as_str().expect("a key").to_owned();
                (
                    key,
                    row["sum"].as_i64().expect("a sum"),
                    row["firing_number"].as_i64(),
                )
            };
            let mut found: Vec<_> = bench.read(name).values().into_iter().map(session).collect();
            found.sort();
            let wanted: Vec<_> = expected
                .map(|(key, sum, number)| (key.to_owned(), sum, Some(number)))
                .into();
            assert_eq!(
                found, wanted,
                "{name} in batches of {batch_rows} on {workers}"
            );
            assert_eq!(bench.read(&format!("{name}.failed")).len(), 6);
        }
    }
}

#[test]
fn every_row_is_given_filtered_or_failed() {
    let operators = "[operators.sifted]\ninput = \"rows\"\nfunction = \"kinds/sift\"\nconfig = { drop = 3 }\n\
                     on-failure = \"dead-letter\"\n";
    let outputs = ["rows.failed", "sifted", "sifted.failed"];
    let bench = Bench::new(&pipeline(
        "on-failure = \"dead-letter\"",
        operators,
        &outputs,
    ));
    let splits = Shape { splits: 3, ..SHAPE }.make();
    let bad_lines = 7;
    for (n, rows) in splits.iter().enumerate() {
        let mut text = input::lines(rows);
        if n == 0 {
            text = "{\n".repeat(bad_lines) + &text;
        }
        bench.write(&format!("in-{n}.jsonl"), &text);
    }
    let all: Vec<&Row> = splits.iter().flatten().collect();
    let bad = all.iter().filter(|row| row.bad).count() as u64;
    let dropped = all
        .iter()
        .filter(|row| !row.bad && row.value % 3 == 0)
        .count() as u64;
    let rows = all.len() as u64;
    for how in HOWS {
        let summary = bench.run(how);
        let source = totals(&summary, "rows");
        let taken = (source.rows_in, source.rows_out, source.failed);
        assert_eq!(
            taken,
            (rows + bad_lines as u64, rows, bad_lines as u64),
            "{how:?}"
        );
        let sifted = totals(&summary, "sifted");
        assert_eq!(
            (sifted.rows_in, sifted.filtered, sifted.failed),
            (rows, dropped, bad),
            "{how:?}"
        );
        assert_eq!(sifted.rows_out, rows - dropped - bad, "{how:?}");
        let written = outputs.map(|output| bench.read(output).len() as u64);
        assert_eq!(written, [bad_lines as u64, sifted.rows_out, bad], "{how:?}");
    }
}

/// What a run ends with if that many rows may fail.
fn with_threshold(most: u64, how: How) -> Result<u64, String> {
    let operators = format!(
        "[operators.sifted]\ninput = \"rows\"\nfunction = \"kinds/sift\"\nconfig = {{ drop = 1000 }}\n\
         on-failure = \"skip\"\nfailures = {{ most = {most} }}\n"
    );
    let bench = Bench::new(&pipeline("", &operators, &["sifted"]));
    let rows = |n: i64| {
        (0..50)
            .map(move |i| Row::new("k", n + i))
            .collect::<Vec<_>>()
    };
    let mut splits = vec![rows(1), rows(100), rows(200)];
    splits[0][3].bad = true;
    splits[1][0].bad = true;
    splits[2][49].bad = true;
    input::write(&bench, &splits);
    match bench.start(how).wait() {
        Ok(summary) => Ok(totals(&summary, "sifted").failed),
        Err(EngineError::Row(stopped)) => {
            assert_eq!(stopped.row.operator, "sifted");
            Err(stopped.threshold.expect("a threshold was passed"))
        }
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn the_threshold_is_that_of_all_workers() {
    for how in HOWS {
        assert_eq!(with_threshold(3, how), Ok(3), "{how:?}");
        let told = "sifted: 3 rows failed, more than its threshold of 2".to_owned();
        assert_eq!(with_threshold(2, how), Err(told), "{how:?}");
        let told = "sifted: 1 rows failed, more than its threshold of 0".to_owned();
        assert_eq!(with_threshold(0, how), Err(told), "{how:?}");
    }
}
