//! The virtual WASI: a clock that stands still, a fixed stream of randomness, both counted.

mod support;

use std::path::Path;

use support::host;
use tidemill_wasm::{Limits, Module, RowsIn, Settings};
use wit_component::{StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const DESCRIBE: &str =
    r#"{"interface": "0.1.0", "functions": [{"name": "f", "kind": "transform"}]}"#;
const WASI: &str = "
    package wasi:clocks@0.2.0;
    interface monotonic-clock { now: func() -> u64; }
";
const RANDOM: &str = "
    package wasi:random@0.2.0;
    interface random { get-random-u64: func() -> u64; }
";
const WORLD: &str = "
    package test:wasi;
    world impure {
        import wasi:clocks/monotonic-clock@0.2.0;
        import wasi:random/random@0.2.0;
        include tidemill:operator/transform-module@0.1.0;
    }
";

/// Each call asks the clock twice, traps if it moved, and logs a letter that it drew.
fn module() -> Module {
    let data: String = DESCRIBE
        .bytes()
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let len: String = (DESCRIBE.len() as u32)
        .to_le_bytes()
        .map(|byte| format!("\\{byte:02x}"))
        .concat();
    let text = format!(
        r#"(module
          (import "wasi:clocks/monotonic-clock@0.2.0" "now" (func $now (result i64)))
          (import "wasi:random/random@0.2.0" "get-random-u64" (func $random (result i64)))
          (import "tidemill:operator/log@0.1.0" "write" (func $log (param i32 i32 i32)))
          (memory (export "memory") 2)
          (data (i32.const 8) "\10\00\00\00{len}")
          (data (i32.const 16) "{data}")
          (func (export "tidemill:operator/setup@0.1.0#describe") (result i32) i32.const 8)
          (func (export "tidemill:operator/setup@0.1.0#configure") (param i32 i32 i32) (result i32)
            call $random drop i32.const 0x7000)
          (func (export "tidemill:operator/transform@0.1.0#apply")
            (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
            (if (i64.ne (call $now) (call $now)) (then unreachable))
            (i64.store (i32.const 0x6000)
              (i64.add (i64.const 97) (i64.rem_u (call $random) (i64.const 26))))
            (call $log (i32.const 2) (i32.const 0x6000) (i32.const 1))
            i32.const 0x7000)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0x8000))"#
    );
    let mut bytes = wat::parse_str(text).unwrap();
    let mut resolve = Resolve::default();
    resolve.push_str("clocks.wit", WASI).unwrap();
    resolve.push_str("random.wit", RANDOM).unwrap();
    resolve
        .push_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit"))
        .unwrap();
    let package = resolve.push_str("world.wit", WORLD).unwrap();
    let world = resolve.select_world(&[package], Some("impure")).unwrap();
    embed_component_metadata(&mut bytes, &resolve, world, StringEncoding::UTF8).unwrap();
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("impure.wasm");
    std::fs::write(&file, bytes).unwrap();
    host().load(&file, &Limits::default()).unwrap()
}

#[test]
fn clock_and_randomness_are_virtual_and_counted() {
    let module = module();
    assert!(module.wants_wasi());
    let settings = Settings {
        function: 0,
        config: "{}".into(),
        limits: Limits::default(),
        operator: "test".into(),
    };
    let rows = RowsIn {
        len: 1,
        times: &[0],
        stamps: None,
        changes: None,
        columns: &[],
    };
    let drawn = || {
        let mut function = module.transform(settings.clone()).unwrap();
        for _ in 0..5 {
            let outcome = function.apply(&rows).unwrap();
            assert!(outcome.failed.is_empty(), "{:?}", outcome.failed);
        }
        let notes = function.take_notes();
        assert_eq!(
            (notes.clock_calls, notes.random_calls),
            (10, 5),
            "configure does not count"
        );
        let letters: String = function
            .take_log()
            .into_iter()
            .map(|line| line.text)
            .collect();
        assert_eq!(letters.len(), 5);
        letters
    };
    assert_eq!(drawn(), drawn(), "each instance draws the same");
}
