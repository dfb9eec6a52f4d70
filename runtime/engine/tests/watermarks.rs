//! Watermarks of sources whose files end (`docs/semantics.md`, Rows 2, Watermarks 4): rows too far ahead, lateness as it was
//! measured, watermarks that a function makes.

mod support;

use support::followed::{SECOND, rows, source, sums};
use support::{Bench, How, totals};

/// Rows 2: a row too far ahead of its split is a bad row and moves nothing.
#[test]
fn a_jump_is_a_bad_row() {
    let text = source(
        "rows",
        "\"a.jsonl\"",
        "max-jump = \"1h\"\non-failure = \"dead-letter\"",
    );
    let text = text.replace("follow = true", "follow = false")
        + &sums("\"rows\"", "")
        + "[sinks.bad]\ninput = \"rows.failed\"\nfile = \"bad.jsonl\"\n";
    let bench = Bench::new(&text);
    let seconds = [0, 3, 9_999_999, 5, 3606, 3605, 7206, 7205];
    bench.write("a.jsonl", &rows(seconds.into_iter()));
    for how in [How::new(1, 1), How::new(3, 1), How::new(4096, 2)] {
        let summary = bench.run(how);
        let source = totals(&summary, "rows");
        assert_eq!(
            (source.rows_in, source.rows_out, source.failed),
            (8, 5, 3),
            "{how:?}"
        );
        assert_eq!(totals(&summary, "sums").late, 0);
        let bad = bench.read("bad").values();
        let times: Vec<&str> = bad
            .iter()
            .map(|row| row["time"].as_str().expect("text"))
            .collect();
        let expected = [
            "1970-04-26T17:46:39Z",
            "1970-01-01T01:00:06Z",
            "1970-01-01T02:00:06Z",
        ];
        assert_eq!(times, expected, "{how:?}");
        let message = bad[0]["message"].as_str().expect("text");
        assert!(message.contains("than `max-jump` allows"), "{message}");
    }
}

/// Lateness as it was measured keeps what it says, whatever the batches and workers.
#[test]
fn lateness_is_measured() {
    let text = source("rows", "[\"a.jsonl\", \"b.jsonl\"]", "");
    let text = text.replace("follow = true", "follow = false") + &sums("\"rows\"", "");
    let bench = Bench::new(&text);
    bench.write("a.jsonl", &rows([10, 3, 9, 20].into_iter()));
    bench.write("b.jsonl", &rows([100, 101, 99].into_iter()));
    for how in [How::new(1, 1), How::new(3, 2), How::new(4096, 1)] {
        let running = bench.start(how);
        let metrics = running.metrics();
        running.wait().expect("a good end");
        let lateness = metrics.lateness(0).expect("it was measured");
        assert_eq!(
            (lateness.rows(), lateness.most()),
            (7, 7 * SECOND),
            "{how:?}"
        );
        let all_but_one = lateness.all_but_one_in(7);
        assert!(
            (2 * SECOND..2_070_000).contains(&all_but_one),
            "{all_but_one}"
        );
        assert_eq!(metrics.held(0), None, "nobody holds what has ended");
    }
}

/// A source of a file that ends, of which a function makes the watermark.
fn by_function(function: &str) -> String {
    source("rows", "\"a.jsonl\"", "on-failure = \"dead-letter\"")
        .replace(
            "out-of-orderness = \"0s\"",
            &format!("watermark = {function}"),
        )
        .replace("follow = true", "follow = false")
        + &sums("\"rows\"", "")
        + "[sinks.late]\ninput = \"sums.late\"\nfile = \"late.jsonl\"\n\
           [sinks.bad]\ninput = \"rows.failed\"\nfile = \"bad.jsonl\"\n"
}

/// Watermarks 4: a function says how far time has come, which only raises the watermark; what it cannot take is a bad row.
#[test]
fn a_function_makes_the_watermark() {
    let bench = Bench::new(&by_function("{ function = \"kinds/punctuated\" }"));
    // Second and value: 0 says that time has come to its second, 13 is refused.
    let rows = [
        (5, 1),
        (25, 1),
        (3, 1),
        (90, 13),
        (20, 0),
        (4, 1),
        (26, 1),
        (14, 0),
        (20, 1),
        (27, 1),
    ];
    let line = |(second, value): (i64, i64)| {
        let at = second * 1000;
        format!("{{\"key\":\"k\",\"at\":{at},\"value\":{value}}}\n")
    };
    bench.write("a.jsonl", &rows.into_iter().map(line).collect::<String>());
    for how in [How::new(1, 1), How::new(3, 2), How::new(4096, 1)] {
        let summary = bench.run(how);
        let source = totals(&summary, "rows");
        let counts = (source.rows_in, source.rows_out, source.failed);
        assert_eq!(counts, (10, 9, 1), "{how:?}");
        let late = bench.read("late").values();
        let times: Vec<&str> = late
            .iter()
            .map(|row| row["at"].as_str().expect("text"))
            .collect();
        let expected = ["1970-01-01T00:00:04Z", "1970-01-01T00:00:14Z"];
        assert_eq!(times, expected, "{how:?}");
        assert_eq!(totals(&summary, "sums").behind, 1, "20 after 20 was said");
        let bad = bench.read("bad").values();
        let fields = ["operator", "function", "reason"].map(|field| bad[0][field].clone());
        assert_eq!(fields, ["rows", "punctuated", "invalid"]);
    }
}

/// A function with state that does what `out-of-orderness` does gives what that gives, whatever the batches.
#[test]
fn a_function_with_state_does_as_well() {
    let function = "{ function = \"kinds/tolerant\", config = { tolerance = 7_000_000 } }";
    let own = by_function(function);
    let built_in = own.replace(
        &format!("watermark = {function}"),
        "out-of-orderness = \"7s\"",
    );
    let seconds = (0..400i64).map(|i| i * 3 + [0, -9, 4, -31, 2, -6, -7][i as usize % 7]);
    let rows = rows(seconds.map(|second| second + 50));
    let mut came = Vec::new();
    for (text, how) in [
        (&built_in, How::new(64, 1)),
        (&own, How::new(1, 1)),
        (&own, How::new(7, 2)),
        (&own, How::new(4096, 1)),
    ] {
        let bench = Bench::new(text);
        bench.write("a.jsonl", &rows);
        let summary = bench.run(how);
        assert!(totals(&summary, "sums").late > 50, "{how:?}");
        came.push((bench.read("out"), bench.read("late")));
    }
    let first = came[0].clone();
    assert!(came.iter().all(|other| *other == first), "{came:#?}");
}
