//! Compiles `aim/aim.c` into a library that a process is given before its own, with the C compiler that a build needs anyway.

use std::env;
use std::path::PathBuf;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=aim/aim.c");
    let compiler = env::var_os("CC").unwrap_or_else(|| "cc".into());
    let library = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where")).join("aim.so");
    let flags = [
        "-shared", "-fPIC", "-O2", "-Wall", "-Wextra", "-Werror", "-o",
    ];
    let compiled = Command::new(&compiler)
        .args(flags)
        .arg(&library)
        .args(["aim/aim.c", "-ldl"])
        .status();
    let compiled = compiled.unwrap_or_else(|e| panic!("{}: {e}", compiler.display()));
    assert!(compiled.success(), "aim/aim.c: {compiled}");
}
