//! Packs the SDK for Rust into the binary: `$OUT_DIR/sdk.rs` lists its files, as `tidemill new` unpacks them.
//!
//! The SDK's crates are members of this workspace and inherit from it; what is unpacked is a small workspace of its own, made
//! of the same tables. Its folder is named by version and content, so that no two SDKs ever share one.

// Cargo is told on standard output what a build script depends on.
#![allow(clippy::print_stdout)]

use std::env;
use std::fmt::Write;
use std::fs;
use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

fn main() {
    let here = env::var_os("CARGO_MANIFEST_DIR").expect("cargo says where");
    let root = Path::new(&here).join("../..");
    let root = root.canonicalize().expect("the checkout is there");
    let sdk = root.join("guest-sdk/rust");
    let mut files = vec![
        ("Cargo.toml".to_owned(), workspace(&root)),
        (
            "tidemill/Cargo.toml".to_owned(),
            read(&sdk.join("Cargo.toml")),
        ),
        (
            "tidemill/macros/Cargo.toml".to_owned(),
            read(&sdk.join("macros/Cargo.toml")),
        ),
    ];
    collect(&sdk.join("src"), "tidemill/src", "rs", &mut files);
    collect(
        &sdk.join("macros/src"),
        "tidemill/macros/src",
        "rs",
        &mut files,
    );
    collect(&root.join("wit"), "tidemill/wit", "wit", &mut files);
    files.sort();
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    fs::write(out.join("sdk.rs"), source(&files)).expect("the list is written");
}

/// A file's text; the build runs again when it changes.
fn read(path: &Path) -> String {
    println!("cargo::rerun-if-changed={}", path.display());
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Adds the files of a folder that end so, and those of its folders; none of a folder in which there are none.
fn collect(folder: &Path, to: &str, ending: &str, files: &mut Vec<(String, String)>) {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder).expect("a folder of the SDK") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name").to_string_lossy();
        let to = format!("{to}/{name}");
        // Beside the interface lie its fixtures and guests, which nobody needs who builds a module.
        if path.is_dir() && ending == "rs" {
            collect(&path, &to, ending, files);
        } else if path.extension().is_some_and(|found| found == ending) {
            files.push((to, read(&path)));
        }
    }
}

/// The manifest of the workspace that is unpacked: what the SDK's crates inherit.
fn workspace(root: &Path) -> String {
    let manifest: Table = read(&root.join("Cargo.toml"))
        .parse()
        .expect("the workspace's manifest");
    let own = |name: &str| manifest["workspace"][name].clone();
    let Value::Table(mut dependencies) = own("dependencies") else {
        panic!("the workspace's dependencies are a table");
    };
    // The workspace's own crates are not there.
    dependencies.retain(|_, dependency| dependency.get("path").is_none());
    let members = ["tidemill", "tidemill/macros"].map(Value::from).to_vec();
    let mut workspace = Table::new();
    workspace.insert("resolver".into(), own("resolver"));
    workspace.insert("members".into(), Value::Array(members));
    workspace.insert("package".into(), own("package"));
    workspace.insert("dependencies".into(), Value::Table(dependencies));
    workspace.insert("lints".into(), own("lints"));
    let mut file = Table::new();
    file.insert("workspace".into(), Value::Table(workspace));
    file.to_string()
}

/// The list in Rust, with a name for its content.
fn source(files: &[(String, String)]) -> String {
    let mut content = DefaultHasher::new();
    let mut list = String::new();
    for (name, text) in files {
        content.write(name.as_bytes());
        content.write(&[0]);
        content.write(text.as_bytes());
        content.write(&[0]);
        writeln!(list, "    ({name:?}, {text:?}),").expect("text grows");
    }
    format!(
        "/// A name for the content of all files.\npub const CONTENT: &str = \"{:016x}\";\n\n\
         /// The files: where they go, and their text.\npub static FILES: &[(&str, &str)] = &[\n{list}];\n",
        content.finish()
    )
}
