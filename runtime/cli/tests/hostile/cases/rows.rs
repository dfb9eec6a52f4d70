//! Functions that are hostile to one row, or to all: the guest `tests/guests/plain`, whose configuration says how.

use crate::case::{Case, Ends};

/// For what would meet the limit on memory before another one.
const BOMB: &str = ", memory = \"512MiB\"";

/// Transforms: exactly the row whose `n` is 13 fails, unless said otherwise.
pub fn transforms() -> Vec<Case> {
    let mut cases = takers();
    cases.extend(talkers());
    cases.extend(columns());
    cases.extend(outcomes());
    cases
}

fn row(name: &'static str, how: &str) -> Case {
    Case::row(name, "hostile", how)
}

fn worse(name: &'static str, how: &str) -> Case {
    Case::row(name, "worse", how)
}

/// What takes more than there is, or traps.
fn takers() -> Vec<Case> {
    vec![
        row("endless-loop", "loop"),
        worse("endless-arithmetic", "compute-forever"),
        row("endless-recursion", "recurse"),
        row("recursion-with-tiny-frames", "recurse-deep"),
        row("memory-bomb", "memory").deadline("2s"),
        worse("memory-by-the-page", "grow-forever").deadline("2s"),
        worse("all-memory-taken", "grow-and-go-on").ends(Ends::Well),
        row("huge-output", "bad-huge").limits(BOMB).deadline("2s"),
        row("more-rows-than-allowed", "bad-rows"),
        row("trap", "unreachable"),
        worse("divide-by-zero", "divide"),
        worse("read-beyond-memory", "read-far"),
        row("panic", "trap"),
        row("trap-on-every-row", "trap-all").ends(Ends::Without(40)),
    ]
}

/// What says more than anybody reads, or fails rows.
fn talkers() -> Vec<Case> {
    vec![
        worse("panic-of-a-megabyte", "panic-1mb"),
        worse("panic-with-escapes", "panic-escapes"),
        worse("log-without-end", "log-forever"),
        row("log-of-100000-lines", "log").ends(Ends::Well),
        worse("log-line-of-10-megabytes", "log-one-huge").ends(Ends::Well),
        worse("log-with-escapes", "log-escapes").ends(Ends::Well),
        worse("log-that-looks-like-ours", "log-forges").ends(Ends::Well),
        worse("ten-million-failures", "fail-10m"),
        worse("failures-beyond-returned", "fail-1m")
            .limits(BOMB)
            .deadline("2s"),
        worse("failure-with-escapes", "fail-escapes"),
        worse("failure-of-megabytes", "fail-long"),
        worse("failure-twice", "fail-same-row"),
        worse("failure-fatal", "fail-fatal").ends(Ends::Stopped),
        worse("failure-retry", "fail-retry"),
        row("failure-of-no-row", "bad-failure-row"),
        row("failure-severity-9", "bad-severity"),
        row("failed-and-emitted", "bad-failed-and-emitted"),
        row("call-refused", "refuse").ends(Ends::Stopped),
    ]
}

/// Wrong columns.
fn columns() -> Vec<Case> {
    vec![
        row("column-too-long", "bad-length"),
        row("offsets-too-few", "bad-offsets-short"),
        row("offsets-not-from-0", "bad-offsets-first"),
        row("offsets-not-to-the-end", "bad-offsets-last"),
        row("offsets-backwards", "offsets-descend").ends(Ends::Without(40)),
        row("invalid-utf-8", "bad-utf8"),
        row("character-cut-in-two", "utf8-cut").ends(Ends::Well),
        row("bool-of-2", "bad-bool"),
        row("valid-of-7", "bad-valid"),
        worse("valid-of-200", "valid-200"),
        worse("valid-too-long", "valid-long"),
        row("null-where-none-may-be", "bad-null"),
        worse("value-under-null", "time-under-null"),
        row("layout-of-another-type", "bad-layout"),
        row("column-missing", "bad-columns"),
        worse("column-more", "column-more"),
        row("input-that-is-not-there", "bad-input"),
        worse("input-far-out", "column-far"),
        row("input-of-another-type", "bad-input-type"),
    ]
}

/// Wrong outcomes.
fn outcomes() -> Vec<Case> {
    vec![
        row("origin-out-of-range", "bad-origins-range"),
        worse("origin-nowhere", "origins-nowhere"),
        worse("origins-backwards", "origins-backwards").ends(Ends::Well),
        worse("origins-thrice", "origins-thrice").ends(Ends::Well),
        row("origin-twice-where-same", "bad-same-twice"),
        worse("side-with-columns", "side-columns"),
        worse("side-twice", "side-twice"),
        worse("a-million-targets", "targets-many").deadline("2s"),
        row("target-that-is-not-there", "bad-target"),
        row("times-too-few", "bad-times-length"),
        row("time-last-of-i64", "bad-time"),
        worse("time-first-of-i64", "time-first"),
        worse("event-time-first-of-i64", "times-first"),
        worse("event-time-last-of-i64", "times-last"),
        row("change-of-4", "bad-changes"),
        worse("change-of-200", "changes-200"),
        worse("nan-and-infinity", "each-nan").ends(Ends::Well),
        worse("state-in-globals", "each-remembers").ends(Ends::Well),
        row("config-refused", "refuse-config").ends(Ends::Refused),
        row("config-panics", "trap-config").ends(Ends::Refused),
    ]
}

/// Aggregates: sessions of two seconds that the odd rows join to one.
pub fn aggregates() -> Vec<Case> {
    let sum = Case::sum;
    vec![
        sum("loop-in-create", "create-loops").ends(Ends::Stopped),
        sum("panic-in-create", "create-panics").ends(Ends::Stopped),
        sum("create-without-a-column", "create-columns").ends(Ends::Stopped),
        sum("create-with-null", "create-null").ends(Ends::Stopped),
        sum("create-of-four-billion-rows", "create-rows").ends(Ends::Stopped),
        sum("loop-in-accumulate", "add-loops"),
        sum("panic-in-accumulate", "add-panics"),
        sum("accumulator-of-a-gigabyte", "add-1gb"),
        sum("accumulator-beyond-returned", "add-80mb")
            .limits(BOMB)
            .deadline("2s"),
        sum("accumulators-more", "accs-more"),
        sum("accumulators-of-four-billion-rows", "accs-rows"),
        sum("accumulators-without-a-column", "accs-columns"),
        sum("accumulators-of-another-layout", "accs-layout"),
        sum("marked-without-marks", "marked-more"),
        sum("accumulate-failure-of-no-row", "failure-far"),
        sum("clean-that-is-not", "clean-lies"),
        sum("nan-in-an-accumulator", "add-nan").ends(Ends::Well),
        sum("loop-in-merge", "merge-loops").ends(Ends::Without(19)),
        sum("panic-in-merge", "merge-panics").ends(Ends::Without(19)),
        sum("merge-that-drops", "merge-drops").ends(Ends::Without(19)),
        sum("merge-with-marks", "merge-marks").ends(Ends::Without(19)),
        sum("loop-in-finish", "finish-loops"),
        sum("panic-in-finish", "finish-panics"),
        sum("finish-of-no-firing", "finish-far"),
        sum("finish-with-times", "finish-times"),
        sum("finish-with-changes", "finish-changes"),
        sum("finish-with-a-wrong-key", "finish-input"),
    ]
}
