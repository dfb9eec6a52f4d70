//! Modules that are hostile before any row is read: in their bytes, or when they start.

use crate::case::{Case, Ends};
use crate::wat::{Wat, core, leb, section, sleb, typed};

fn extra(text: impl Into<String>) -> Vec<u8> {
    Wat {
        extra: text.into(),
        ..Wat::default()
    }
    .bytes()
}

/// Hostile in its bytes or its start.
pub fn bytes() -> Vec<Case> {
    let mut cases = outsides();
    cases.extend(insides());
    cases.extend(bombs());
    cases
}

fn outsides() -> Vec<Case> {
    vec![
        Case::bytes("empty-file", Vec::new),
        Case::bytes("not-wasm", || b"PK\x03\x04 not this".to_vec()),
        Case::bytes("native-program", || b"\x7fELF\x02\x01\x01".to_vec()),
        Case::bytes("text-of-a-module", || b"(module)".to_vec()),
        Case::bytes("cut-short", || {
            let bytes = Wat::default().bytes();
            bytes[..bytes.len() / 2].to_vec()
        }),
        Case::bytes("section-beyond-the-end", || {
            [&b"\0asm\x01\0\0\0\x01"[..], &leb(u64::from(u32::MAX))].concat()
        }),
        Case::bytes("wrong-type-inside", || {
            extra("(func (result i32) i64.const 1)")
        }),
        Case::bytes("missing-export", || b"\0asm\x01\0\0\0".to_vec()),
        Case::bytes("missing-kind", || {
            let text = Wat::default()
                .text()
                .replace("transform@0.1.0#apply\"", "supply\"");
            typed(&text, "transform-module")
        }),
        Case::bytes("wrong-version", || {
            let text = Wat::default().text().replace("setup@0.1.0", "setup@0.7.0");
            wat::parse_str(text).expect("the text is WebAssembly")
        }),
        Case::bytes("without-types", || {
            wat::parse_str(Wat::default().text()).expect("the text is WebAssembly")
        }),
        Case::bytes("extra-import", || {
            wat::parse_str(r#"(component (import "wasi:http/types@0.2.0" (instance)))"#)
                .expect("the text is WebAssembly")
        }),
        Case::bytes("import-with-escapes", || {
            wat::parse_str(r#"(module (import "\1b[2J\1b]0;owned\07" "f" (func)))"#)
                .expect("the text is WebAssembly")
        }),
        Case::bytes("import-of-90-kilobytes", || {
            let name = "i".repeat(90_000);
            wat::parse_str(format!(r#"(module (import "{name}" "f" (func)))"#))
                .expect("the text is WebAssembly")
        }),
        Case::bytes("a-million-imports", || {
            let mut imports = leb(1_000_000);
            imports.extend([0, 0, 0, 0].repeat(1_000_000));
            [
                &b"\0asm\x01\0\0\0"[..],
                &section(1, b"\x01\x60\0\0"),
                &section(2, &imports),
            ]
            .concat()
        }),
    ]
}

fn insides() -> Vec<Case> {
    vec![
        Case::bytes("loop-in-start", || extra("(func $s (loop (br 0))) (start $s)")),
        Case::bytes("trap-in-start", || extra("(func $s unreachable) (start $s)")),
        Case::bytes("loop-in-configure", || {
            Wat {
                configure: "(loop (br 0)) unreachable",
                ..Wat::default()
            }
            .bytes()
        }),
        Case::bytes("memory-of-4-gigabytes", || {
            Wat {
                memory: "65536",
                ..Wat::default()
            }
            .bytes()
        }),
        Case::bytes("memory-of-64-bits", || extra("(memory i64 1)")),
        Case::bytes("memory-shared", || extra("(memory 1 1 shared)")),
        Case::bytes("a-hundred-memories", || extra("(memory 1)".repeat(99))),
        Case::bytes("memories-of-a-gigabyte-together", || extra("(memory 2048)".repeat(8))),
        Case::bytes("table-of-a-billion", || extra("(table 1000000000 funcref)")),
        Case::bytes("tables-of-a-billion-together", || extra("(table 10000000 funcref)".repeat(90))),
        Case::bytes("table-that-grows", || {
            Wat {
                extra: "(table $t 1 funcref)".to_owned(),
                apply: "(loop (br_if 0 (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
                        i32.const 0x7000"
                    .to_owned(),
                ..Wat::default()
            }
            .bytes()
        })
        .ends(Ends::Well),
        Case::bytes("exceptions", || extra("(tag $e) (func (throw $e))")),
        Case::bytes("garbage-collection", || {
            extra("(type $s (struct (field i32))) (func (drop (struct.new_default $s)))")
        }),
        Case::bytes("data-beyond-memory", || extra("(data (i32.const 0x7fffffff) \"far\")")),
        Case::bytes("component-in-component", || {
            let nested = section(4, b"\0asm\x0d\0\x01\0");
            [Wat::default().component(), nested].concat()
        })
        .ends(Ends::Well),
        Case::bytes("components-1000-deep", || [Wat::default().component(), nested(1000)].concat()),
        Case::bytes("types-nested-1000-deep", || {
            // list<u8>, then lists of the type before.
            let mut types = leb(1000);
            types.extend([0x70, 0x7d]);
            for before in 0..999u64 {
                types.push(0x70);
                types.extend(sleb(before));
            }
            component_types(&types)
        }),
        Case::bytes("type-of-a-billion-fields", || {
            // A record of two, then records of two of the record before: 2^40 fields.
            let mut types = leb(40);
            types.extend(b"\x72\x02\x01a\x7d\x01b\x7d");
            for before in 0..39u8 {
                types.extend([0x72, 0x02, 0x01, b'a', before, 0x01, b'b', before]);
            }
            component_types(&types)
        }),
    ]
}

/// Types in a component of their own, beside a good module: so their numbers begin at 0.
fn component_types(types: &[u8]) -> Vec<u8> {
    let inner = [&b"\0asm\x0d\0\x01\0"[..], &section(7, types)].concat();
    [Wat::default().component(), section(4, &inner)].concat()
}

/// A core module beside a good one, in its component.
fn beside(core: Vec<u8>) -> Vec<u8> {
    [Wat::default().component(), section(1, &core)].concat()
}

fn nested(levels: usize) -> Vec<u8> {
    let mut inner = b"\0asm\x0d\0\x01\0".to_vec();
    for _ in 1..levels {
        inner = [&b"\0asm\x0d\0\x01\0"[..], &section(4, &inner)].concat();
    }
    section(4, &inner)
}

fn bombs() -> Vec<Case> {
    vec![
        Case::bytes("module-of-50-megabytes", || {
            let padding = [&b"\x03pad"[..], &vec![0; 50 << 20]].concat();
            [Wat::default().bytes(), section(0, &padding)].concat()
        }),
        Case::bytes("a-hundred-thousand-functions", || {
            extra("(func)".repeat(100_000))
        })
        .ends(Ends::Well),
        Case::bytes("two-million-functions", || {
            let number = 2_000_000;
            let functions = [leb(number as u64), vec![0; number]].concat();
            let bodies = [leb(number as u64), b"\x02\0\x0b".repeat(number)].concat();
            let types = b"\x01\x60\0\0".to_vec();
            beside(core(&[(1, types), (3, functions), (10, bodies)]))
        }),
        Case::bytes("locals-of-four-billion", || {
            let types = b"\x01\x60\0\0".to_vec();
            let body = b"\x01\x08\x01\xff\xff\xff\xff\x0f\x7f\x0b".to_vec();
            beside(core(&[(1, types), (3, vec![1, 0]), (10, body)]))
        }),
        Case::bytes("compile-bomb", || compile_bomb(2000)).limits(", compile-time = \"1s\""),
        Case::bytes("compile-memory-bomb", || compile_bomb(200))
            .limits(", compile-memory = \"64MiB\""),
        Case::bytes("data-of-30-megabytes", || {
            // One segment that is put into memory at the start, again and again.
            let text = format!("(data (i32.const 0x10000) \"{}\")", "x".repeat(0xffff));
            extra(text.repeat(400))
        })
        .ends(Ends::Well),
    ]
}

/// Functions that are all arithmetic: each of 20 kB, and slow to compile for their size.
fn compile_bomb(functions: usize) -> Vec<u8> {
    let step = "i64.const 7 i64.mul local.get 0 i64.rotl local.get 0 i64.add ";
    let body = format!(
        "(func (param i64) (result i64) local.get 0 {})",
        step.repeat(500)
    );
    extra(body.repeat(functions))
}
