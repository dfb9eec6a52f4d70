//! `tidemill build`. (Rust crates: every example is built by it.)

use crate::support::{Folder, kinds};

fn pipeline(source: &str) -> String {
    format!(
        "name = \"p\"\n[modules.m]\nfile = \"out/m.wasm\"\n{source}\n[sources.s]\nstdin = {{}}\n\
         columns = {{ value = \"integer\" }}\n[operators.o]\ninput = \"s\"\nfunction = \"m/trapping\"\n\
         config = {{ at = 0 }}\n[sinks.b]\ninput = \"o\"\nblackhole = {{}}\n"
    )
}

#[test]
fn a_makefile_makes_the_file() {
    let makefile = format!("$(OUT)/%.wasm:\n\tcp {} $@\n", kinds());
    let text = pipeline("source = \"c\"");
    let folder = Folder::with(&[("pipeline.toml", &text), ("c/Makefile", &makefile)]);
    folder
        .run(&["build"])
        .expect(0)
        .says(&["module m: make OUT=", "built out/m.wasm", "trapping"]);
    folder.run(&["check"]).expect(0);
}

#[test]
fn what_make_cannot_is_said() {
    let text = pipeline("source = \"c\"");
    let folder = Folder::with(&[
        ("pipeline.toml", &text),
        ("c/Makefile", "%.wasm:\n\tfalse\n"),
    ]);
    folder
        .run(&["build"])
        .expect(1)
        .says(&["make failed", "hint: "]);
    folder.write("c/Makefile", "%.wasm:\n\ttrue\n");
    folder
        .run(&["build"])
        .expect(2)
        .says(&["m.wasm is not there", "$(OUT)/<name>.wasm"]);
    folder.write("c/Makefile", "%.wasm:\n\techo no >$@\n");
    folder
        .run(&["build"])
        .expect(2)
        .says(&["it is not WebAssembly"]);
}

#[test]
fn a_folder_without_a_toolchain_is_refused() {
    let folder = Folder::with(&[
        ("pipeline.toml", &pipeline("source = \"c\"")),
        ("c/x.py", ""),
    ]);
    folder
        .run(&["build"])
        .expect(2)
        .says(&["neither Cargo.toml nor Makefile", "hint: "]);
    folder.write("pipeline.toml", &pipeline("source = \"d\""));
    folder
        .run(&["build"])
        .expect(2)
        .says(&["module m", "d cannot be read"]);
}

#[test]
fn a_crate_that_is_no_module_is_refused() {
    let manifest = "[package]\nname = \"c\"\nedition = \"2024\"\n[workspace]\n";
    let files = [("c/Cargo.toml", manifest), ("c/src/lib.rs", "")];
    let folder = Folder::with(&files);
    folder.write("pipeline.toml", &pipeline("source = \"c\""));
    folder
        .run(&["build"])
        .expect(2)
        .says(&["crate-type = [\"cdylib\", \"rlib\"]"]);
    folder.write("c/src/lib.rs", "this is no Rust");
    folder
        .run(&["build"])
        .expect(1)
        .says(&["cargo build failed", "hint: "]);
}

#[test]
fn nothing_to_build_is_said() {
    let folder = Folder::with(&[("pipeline.toml", &pipeline(""))]);
    folder.run(&["build"]).expect(0).says(&["nothing to build"]);
}
