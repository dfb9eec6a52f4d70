//! Loading: what is refused, with which words; the cache; core modules and components.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use support::{guest, host};
use tempfile::TempDir;
use tidemill_wasm::{Compiler, Host, HostConfig, Limits, Module};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

const DESCRIBE: &str =
    r#"{"interface": "0.1.0", "functions": [{"name": "f", "kind": "transform"}]}"#;

/// A core module of the world `transform-module` whose `describe` gives a text; `extra` goes into it.
fn core(describe: &str, extra: &str) -> String {
    let data: String = describe
        .bytes()
        .map(|byte| format!("\\{byte:02x}"))
        .collect();
    let len: String = (describe.len() as u32)
        .to_le_bytes()
        .map(|byte| format!("\\{byte:02x}"))
        .concat();
    format!(
        r#"(module {extra}
          (memory (export "memory") 2)
          (data (i32.const 8) "\10\00\00\00{len}")
          (data (i32.const 16) "{data}")
          (func (export "tidemill:operator/setup@0.1.0#describe") (result i32) i32.const 8)
          (func (export "tidemill:operator/setup@0.1.0#configure") (param i32 i32 i32) (result i32) i32.const 0)
          (func (export "tidemill:operator/transform@0.1.0#apply")
            (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32) unreachable)
          (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 0x8000))"#
    )
}

/// The core module with the interface's types attached, as `wit-bindgen` leaves them.
fn embed(text: &str) -> Vec<u8> {
    let mut module = wat::parse_str(text).unwrap();
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(&wit).unwrap();
    let world = resolve
        .select_world(&[package], Some("transform-module"))
        .unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    module
}

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self {
            folder: TempDir::new().unwrap(),
        }
    }

    fn host(&self) -> Host {
        let cache = self.cache();
        Host::new(HostConfig {
            cache,
            compiler: Compiler::InProcess,
        })
        .unwrap()
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn write(&self, bytes: impl AsRef<[u8]>) -> PathBuf {
        let file = self.folder.path().join("m.wasm");
        fs::write(&file, bytes).unwrap();
        file
    }

    fn load(&self, bytes: impl AsRef<[u8]>) -> Result<Module, String> {
        self.load_with(bytes, &Limits::default())
    }

    fn load_with(&self, bytes: impl AsRef<[u8]>, limits: &Limits) -> Result<Module, String> {
        let file = self.write(bytes);
        let prefix = format!("module {}: ", file.display());
        self.host().load(&file, limits).map_err(|e| {
            let text = e.to_string();
            text.strip_prefix(&prefix)
                .unwrap_or_else(|| panic!("no file in {text}"))
                .to_owned()
        })
    }
}

fn refused(bytes: impl AsRef<[u8]>) -> String {
    Bench::new().load(bytes).unwrap_err()
}

#[test]
fn a_core_module_and_its_component_are_one() {
    let core = embed(&core(DESCRIBE, ""));
    let component = ComponentEncoder::default()
        .module(&core)
        .unwrap()
        .encode()
        .unwrap();
    for bytes in [&core, &component] {
        let module = Bench::new().load(bytes).unwrap();
        assert_eq!(module.description().functions[0].name, "f");
        assert!(!module.wants_wasi());
        assert!(
            module
                .exports()
                .contains(&"tidemill:operator/setup@0.1.0".to_owned())
        );
    }
}

#[test]
fn what_is_not_wasm_is_named() {
    let hint = "; name the .wasm file that a build for wasm32-unknown-unknown left";
    assert_eq!(
        refused(b""),
        format!("it is not WebAssembly: it is empty{hint}")
    );
    let elf = refused(b"\x7fELF\x02\x01");
    assert_eq!(
        elf,
        format!("it is not WebAssembly: it is a native ELF file{hint}")
    );
    let text = refused("(module)");
    assert!(
        text.contains("it is WebAssembly text, which has to be assembled first"),
        "{text}"
    );
    let other = refused(b"PK\x03\x04....");
    assert_eq!(
        other,
        format!("it is not WebAssembly: it begins with [50, 4b, 03, 04]{hint}")
    );
    let damaged = refused(b"\0asm\x01\0\0\0\xff\xff");
    assert!(
        damaged.starts_with("it is damaged WebAssembly: "),
        "{damaged}"
    );
}

#[test]
fn a_missing_export_is_named() {
    let bare = refused(wat::parse_str("(module)").unwrap());
    assert!(
        bare.starts_with(
            "it is no Tidemill module: the export tidemill:operator/setup@0.1.0 is missing (it exports no \
             interface at all)"
        ),
        "{bare}"
    );
    let describe = DESCRIBE.replace(
        "\"transform\"",
        "\"aggregate\", \"accumulator\": [], \"output\": {\"new\": []}",
    );
    assert_eq!(
        refused(embed(&core(&describe, ""))),
        "describe names function f of kind aggregate, but the export tidemill:operator/aggregate@0.1.0 is missing"
    );
}

#[test]
fn an_extra_import_is_named() {
    let env = refused(embed(&core(
        DESCRIBE,
        r#"(import "env" "now" (func (result i64)))"#,
    )));
    assert_eq!(
        env,
        "it imports from \"env\": some function of its own was left undefined by the linker (a module \
         may import tidemill:operator/log@0.1.0, tidemill:operator/state@0.1.0 and WASI 0.2.x)"
    );
    let http = r#"(component (import "wasi:http/types@0.2.0" (instance)))"#;
    assert_eq!(
        refused(wat::parse_str(http).unwrap()),
        "it imports wasi:http/types@0.2.0, which is not granted to it: a module may import \
         tidemill:operator/log@0.1.0, tidemill:operator/state@0.1.0 and WASI 0.2.x"
    );
    let old = r#"(module (import "wasi_snapshot_preview1" "fd_write" (func)))"#;
    assert!(refused(wat::parse_str(old).unwrap()).contains("build it for wasm32-unknown-unknown"));
}

#[test]
fn another_version_is_named() {
    let text = core(DESCRIBE, "").replace("setup@0.1.0", "setup@0.7.0");
    let error = refused(wat::parse_str(text).unwrap());
    assert!(
        error.starts_with(
            "it is built against tidemill:operator/setup@0.7.0, this host serves \
             tidemill:operator/setup@0.1.0: build the module again with an SDK for 0.1.0"
        ),
        "{error}"
    );
    let says = DESCRIBE.replace("0.1.0", "0.9.0");
    let error = refused(embed(&core(&says, "")));
    assert_eq!(
        error,
        "describe says interface \"0.9.0\", this host serves \"0.1.0\""
    );
}

#[test]
fn a_core_module_without_types_is_named() {
    let error = refused(wat::parse_str(core(DESCRIBE, "")).unwrap());
    assert!(
        error.starts_with("the core module cannot be made a component: "),
        "{error}"
    );
    assert!(
        error.contains("with bindings that wit-bindgen made"),
        "{error}"
    );
}

#[test]
fn a_module_that_is_invalid_is_named() {
    let text = core(DESCRIBE, "(func (result i32) i64.const 1)");
    assert!(wat::parse_str(&text).is_ok());
    let error = refused(embed(&text));
    assert!(error.contains("type mismatch"), "{error}");
}

#[test]
fn sizes_are_limited() {
    let limits = Limits {
        module_bytes: 100,
        ..Limits::default()
    };
    let error = Bench::new().load_with([0; 1000], &limits).unwrap_err();
    assert!(error.starts_with("its file has 1000B, more than the limit module-size (100B)"));
    let limits = Limits {
        describe_bytes: 10,
        ..Limits::default()
    };
    let error = Bench::new()
        .load_with(embed(&core(DESCRIBE, "")), &limits)
        .unwrap_err();
    assert!(
        error.ends_with("more than the limit describe-size (10B)"),
        "{error}"
    );
    let limits = Limits {
        memory_bytes: 65536,
        ..Limits::default()
    };
    let error = Bench::new()
        .load_with(embed(&core(DESCRIBE, "")), &limits)
        .unwrap_err();
    assert!(
        error.starts_with(
            "it cannot be started: it needs more memory than the limit memory (64KiB)"
        ),
        "{error}"
    );
}

#[test]
fn a_start_that_never_ends_meets_the_deadline() {
    let extra = "(func $s (loop br 0)) (start $s)";
    let limits = Limits {
        deadline: std::time::Duration::from_millis(50),
        ..Limits::default()
    };
    let error = Bench::new()
        .load_with(embed(&core(DESCRIBE, extra)), &limits)
        .unwrap_err();
    assert!(
        error.starts_with(
            "it cannot be started: the call took longer than the limit deadline (50ms of CPU time)"
        ),
        "{error}"
    );
}

#[test]
fn a_describe_that_traps_is_named() {
    let text = core(DESCRIBE, "").replace("(result i32) i32.const 8)", "(result i32) unreachable)");
    let error = refused(embed(&text));
    assert!(
        error.starts_with("describe failed: it trapped: "),
        "{error}"
    );
}

#[test]
fn compiled_modules_are_cached_by_content() {
    let bench = Bench::new();
    let bytes = embed(&core(DESCRIBE, ""));
    bench.load(&bytes).unwrap();
    let entries = |suffix: &str| -> Vec<PathBuf> {
        let files = fs::read_dir(bench.cache())
            .unwrap()
            .map(|entry| entry.unwrap().path());
        files
            .filter(|file| file.extension().is_some_and(|e| e == suffix))
            .collect()
    };
    let [code] = entries("code").try_into().unwrap();
    let made = fs::metadata(&code).unwrap().modified().unwrap();
    bench.load(&bytes).unwrap();
    assert_eq!(
        fs::metadata(&code).unwrap().modified().unwrap(),
        made,
        "it was not made again"
    );
    assert_eq!(
        fs::metadata(bench.cache()).unwrap().permissions().mode() & 0o777,
        0o700
    );

    // Another module is another entry; a damaged entry is made again.
    bench
        .load(embed(&core(&DESCRIBE.replace("\"f\"", "\"g\""), "")))
        .unwrap();
    assert_eq!(entries("code").len(), 2);
    let mut damaged = fs::read(&code).unwrap();
    let whole = damaged.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 1;
    fs::write(&code, damaged).unwrap();
    bench.load(&bytes).unwrap();
    assert_eq!(fs::read(&code).unwrap().len(), whole.len());
    fs::write(&code, &whole[..100]).unwrap();
    bench.load(&bytes).unwrap();
    for sum in entries("sum") {
        fs::remove_file(sum).unwrap();
    }
    bench.load(&bytes).unwrap();
    assert!(entries("tmp").is_empty());
}

#[test]
fn a_cached_module_starts_at_once() {
    let host = host();
    let file = guest("plain_guest");
    host.load(&file, &Limits::default()).unwrap();
    let time = |_| {
        let start = Instant::now();
        host.load(&file, &Limits::default()).unwrap();
        start.elapsed()
    };
    // The fastest of some: others use this machine too.
    let took = (0..9).map(time).min().unwrap();
    assert!(took.as_millis() < 150, "{took:?}");
}

#[test]
fn a_missing_file_is_named() {
    let error = host()
        .load(Path::new("no/such.wasm"), &Limits::default())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("module no/such.wasm: it cannot be read: No such file")
    );
}
