//! The compiling child: this test binary is its own child, so it has a `main` of its own.

mod support;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use support::guest;
use tempfile::TempDir;
use tidemill_wasm::{Compiler, Host, HostConfig, Limits, compile_child_main};

type Test = (&'static str, fn());

fn main() -> ExitCode {
    let mut args = std::env::args_os().skip(1);
    if args.next().is_some_and(|first| first == "compile-module") {
        return compile_child_main(args);
    }
    let tests: [Test; 4] = [
        ("a_child_compiles", a_child_compiles),
        (
            "what_the_child_says_is_passed_on",
            what_the_child_says_is_passed_on,
        ),
        ("compile_memory_is_limited", compile_memory_is_limited),
        (
            "a_child_that_cannot_be_started_is_named",
            a_child_that_cannot_be_started_is_named,
        ),
    ];
    for (_, test) in tests {
        test();
    }
    ExitCode::SUCCESS
}

fn host(folder: &TempDir, exe: PathBuf) -> Host {
    let cache = folder.path().join("cache");
    Host::new(HostConfig {
        cache,
        compiler: Compiler::Child(exe),
    })
    .unwrap()
}

fn this() -> PathBuf {
    std::env::current_exe().unwrap()
}

fn a_child_compiles() {
    let folder = TempDir::new().unwrap();
    let module = host(&folder, this())
        .load(&guest("plain_guest"), &Limits::default())
        .unwrap();
    let functions = &module.description().functions;
    assert!(functions.iter().any(|f| f.name == "read-and-return"));
    // The second host finds it: no child is needed.
    host(&folder, "/no/such/program".into())
        .load(&guest("plain_guest"), &Limits::default())
        .unwrap();
}

fn what_the_child_says_is_passed_on() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("m.wasm");
    let text = r#"(module (func (export "tidemill:operator/setup@0.1.0#describe")))"#;
    std::fs::write(&file, wat::parse_str(text).unwrap()).unwrap();
    let error = host(&folder, this())
        .load(&file, &Limits::default())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the core module cannot be made a component: "),
        "{error}"
    );
}

fn compile_memory_is_limited() {
    let folder = TempDir::new().unwrap();
    let limits = Limits {
        compile_memory_bytes: 24 << 20,
        ..Limits::default()
    };
    let error = host(&folder, this())
        .load(&guest("plain_guest"), &limits)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("compiling it takes more memory than the limit compile-memory (24MiB)"),
        "{error}"
    );
}

fn a_child_that_cannot_be_started_is_named() {
    let folder = TempDir::new().unwrap();
    let limits = Limits {
        compile_cpu: Duration::from_secs(5),
        ..Limits::default()
    };
    let error = host(&folder, "/no/such/program".into())
        .load(&guest("plain_guest"), &limits)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("the compiling process cannot be started: No such file"),
        "{error}"
    );
}
