//! Modules that are hostile at the boundary itself: in `cabi_realloc`, in what `apply` returns, in post-return. Every row
//! is bad, so there are two.

use crate::case::{Case, Ends};
use crate::wat::{OUTCOME, Wat, words};

const BOTH: Ends = Ends::Without(2);
/// What the host calls to put a list into the guest.
fn realloc(body: &'static str) -> Vec<u8> {
    let realloc = body;
    // The configuration's text comes by the same way: only lists of numbers and records are treated badly.
    Wat {
        realloc,
        ..Wat::default()
    }
    .bytes()
}

fn apply(body: &str) -> Vec<u8> {
    Wat {
        apply: body.to_owned(),
        memory: "128",
        ..Wat::default()
    }
    .bytes()
}

/// `apply` with an outcome that lies in memory from the start.
fn outcome(numbers: &[u32], more: &str) -> Vec<u8> {
    let place = words(numbers);
    Wat {
        extra: format!("(data (i32.const {OUTCOME}) \"{place}\") {more}"),
        memory: "128",
        ..Wat::default()
    }
    .bytes()
}

/// Hostile to the call.
pub fn calls() -> Vec<Case> {
    let both = |name, bytes| Case::bytes(name, bytes).ends(BOTH);
    let stopped = |name, bytes| Case::bytes(name, bytes).ends(Ends::Stopped);
    // Alignment 1 is a text's: the configuration. Whatever else comes belongs to rows.
    vec![
        both("loop-in-realloc", || {
            realloc(
                "(if (i32.gt_u (local.get 2) (i32.const 1)) (then (loop (br 0)))) i32.const 0x8000",
            )
        }),
        both("trap-in-realloc", || {
            realloc(
                "(if (i32.gt_u (local.get 2) (i32.const 1)) (then unreachable)) i32.const 0x8000",
            )
        }),
        both("realloc-misaligned", || {
            realloc(
                "(select (i32.const 0x8001) (i32.const 0x8000) (i32.gt_u (local.get 2) (i32.const 1)))",
            )
        }),
        both("realloc-out-of-bounds", || {
            realloc(
                "(select (i32.const -16) (i32.const 0x8000) (i32.gt_u (local.get 2) (i32.const 1)))",
            )
        }),
        both("realloc-across-the-end", || {
            realloc(
                "(select (i32.const 0x20000) (i32.const 0x8000) (i32.gt_u (local.get 2) (i32.const 1)))",
            )
        }),
        Case::bytes("realloc-null", || realloc("i32.const 0")).ends(Ends::Well),
        Case::bytes("realloc-overlapping", || realloc("i32.const 0x8000")).ends(Ends::Well),
        both("realloc-takes-all-memory", || {
            realloc(
                "(if (i32.gt_u (local.get 2) (i32.const 1)) (then
                   (loop (br_if 0 (i32.ne (memory.grow (i32.const 1)) (i32.const -1)))) unreachable))
                 i32.const 0x8000",
            )
        }),
        both("recursion-in-realloc", || {
            let body =
                "(if (i32.gt_u (local.get 2) (i32.const 1)) (then (call $deep))) i32.const 0x8000";
            Wat {
                realloc: body,
                extra: "(func $deep (call $deep) (call $deep))".to_owned(),
                ..Wat::default()
            }
            .bytes()
        }),
        both("loop-in-post-return", || post_return("(loop (br 0))")),
        both("trap-in-post-return", || post_return("unreachable")),
        both("exponential-calls", || {
            let mut extra = "(func $f0 (drop (i32.const 1)))".to_owned();
            for n in 1..64 {
                extra += &format!("(func $f{n} (call $f{}) (call $f{}))", n - 1, n - 1);
            }
            Wat {
                apply: format!("(call $f63) i32.const {OUTCOME}"),
                extra,
                ..Wat::default()
            }
            .bytes()
        }),
        both("loop-of-bulk-copies", || {
            apply(
                "(loop (memory.copy (i32.const 0x20000) (i32.const 0x400000) (i32.const 0x3e0000)) (br 0)) unreachable",
            )
        }),
        stopped("names-with-escapes", || {
            Wat {
                apply: "(call $boom) unreachable".to_owned(),
                extra: r#"(func $boom (@name "\1b[2J\1b]0;owned\07") unreachable)"#.to_owned(),
                ..Wat::default()
            }
            .bytes()
        }),
        stopped("name-of-90-kilobytes", || {
            Wat {
                apply: "(call $boom) unreachable".to_owned(),
                extra: format!("(func $boom (@name {:?}) unreachable)", "n".repeat(90_000)),
                ..Wat::default()
            }
            .bytes()
        }),
        Case::bytes("refusal-with-escapes", || {
            outcome(
                &[1, 0x7100, 8],
                "(data (i32.const 0x7100) \"\\1b[2J\\1b]0;\")",
            )
        })
        .ends(Ends::Stopped),
    ]
}

fn post_return(body: &str) -> Vec<u8> {
    let extra = format!(
        "(func (export \"cabi_post_tidemill:operator/transform@0.1.0#apply\") (param i32) {body})"
    );
    Wat {
        extra,
        ..Wat::default()
    }
    .bytes()
}

/// Hostile in what comes back.
pub fn returns() -> Vec<Case> {
    let both = |name, bytes| Case::bytes(name, bytes).ends(BOTH);
    vec![
        both("returned-out-of-bounds", || apply("i32.const -16")),
        both("returned-misaligned", || apply("i32.const 0x7001")),
        both("returned-case-7", || outcome(&[7], "")),
        both("returned-list-of-four-billion", || {
            outcome(&[0, 8, u32::MAX], "")
        }),
        both("returned-list-out-of-bounds", || {
            outcome(&[0, 0x7ffff0, 1000], "")
        }),
        both("returned-list-misaligned", || outcome(&[0, 0x7001, 1], "")),
        both("returned-text-not-utf-8", || {
            // One failure of row 0: its code is one byte, 0xff.
            let failure = words(&[0, 0, 0x7200, 1, 0x7200, 0]);
            outcome(
                &[0, 0, 0, 0x7100, 1],
                &format!(
                    "(data (i32.const 0x7100) \"{failure}\") (data (i32.const 0x7200) \"\\ff\")"
                ),
            )
        }),
        both("returned-text-with-surrogate", || {
            let failure = words(&[0, 0, 0x7200, 3, 0x7200, 0]);
            outcome(
                &[0, 0, 0, 0x7100, 1],
                &format!(
                    "(data (i32.const 0x7100) \"{failure}\") (data (i32.const 0x7200) \"\\ed\\a0\\80\")"
                ),
            )
        }),
        // 100,000 entries that all name the same million origins: 400 GB, if the host copied them.
        both("same-list-a-hundred-thousand-times", || {
            apply(
                "(local $at i32)
                 (local.set $at (i32.const 0x400000))
                 (loop
                   (i32.store offset=4 (local.get $at) (i32.const 0x10000))
                   (i32.store offset=8 (local.get $at) (i32.const 1000000))
                   (local.set $at (i32.add (local.get $at) (i32.const 44)))
                   (br_if 0 (i32.lt_u (local.get $at) (i32.const 0x7fff00))))
                 (i32.store offset=4 (i32.const 0x7000) (i32.const 0x400000))
                 (i32.store offset=8 (i32.const 0x7000) (i32.const 95000))
                 i32.const 0x7000",
            )
        }),
    ]
}
