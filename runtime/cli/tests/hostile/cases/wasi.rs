//! Modules that abuse the virtual WASI.

use crate::case::{Case, Ends};
use crate::wat::{OUTCOME, Wat};

const BOTH: Ends = Ends::Without(2);

fn wasi(imports: &str, apply: &str) -> Vec<u8> {
    Wat {
        imports: imports.to_owned(),
        apply: format!("{apply} i32.const {OUTCOME}"),
        memory: "32",
        ..Wat::default()
    }
    .with_wasi()
}

const CLOCK: &str =
    r#"(import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))"#;
const STDOUT: &str = r#"
    (import "wasi:cli/stdout@0.2.0" "get-stdout" (func $stdout (result i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write"
      (func $write (param i32 i32 i32 i32)))
    (import "wasi:io/streams@0.2.0" "[method]output-stream.write-zeroes"
      (func $zeroes (param i32 i64 i32)))"#;

/// Hostile to the virtual WASI.
pub fn cases() -> Vec<Case> {
    let both = |name, bytes| Case::bytes(name, bytes).ends(BOTH);
    vec![
        both("wait-for-the-clock", || {
            wasi(
                CLOCK,
                "(loop (br_if 0 (i64.lt_u (call $now) (i64.const 1000000))))",
            )
        }),
        both("exit", || {
            let import = r#"(import "wasi:cli/exit@0.2.0" "exit" (func $exit (param i32)))"#;
            wasi(import, "(call $exit (i32.const 1))")
        }),
        both("stdout-without-end", || {
            wasi(
                STDOUT,
                "(local $out i32) (local.set $out (call $stdout))
                 (loop (call $write (local.get $out) (i32.const 0) (i32.const 0x10000) (i32.const 0x7100)) (br 0))",
            )
        }),
        Case::bytes("stdout-with-escapes", || {
            let write = "(i64.store (i32.const 0x7200) (i64.const 0x6d31335b1b4a325b))
                 (i32.store8 (i32.const 0x71ff) (i32.const 0x1b))
                 (call $write (call $stdout) (i32.const 0x71ff) (i32.const 9) (i32.const 0x7100))";
            wasi(STDOUT, write)
        })
        .ends(Ends::Well),
        both("zeroes-without-end", || {
            let zeroes = "(call $zeroes (call $stdout) (i64.const -1) (i32.const 0x7100))";
            wasi(STDOUT, zeroes)
        }),
        both("streams-without-end", || {
            wasi(STDOUT, "(loop (drop (call $stdout)) (br 0))")
        }),
        both("random-bytes-of-an-exabyte", || {
            let import = r#"(import "wasi:random/random@0.2.0" "get-random-bytes" (func $random (param i64 i32)))"#;
            wasi(
                import,
                "(call $random (i64.const 0x1000000000000000) (i32.const 0x7100))",
            )
        }),
    ]
}
