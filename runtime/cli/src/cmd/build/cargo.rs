//! Modules that are Rust crates.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow, bail};
use serde_json::Value;

use super::Job;
use crate::error::Failure;
use crate::sdk::{self, Settled};
use crate::talk::Talk;

/// What modules in Rust are built for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Builds a crate and copies its module to where it belongs.
pub fn build(job: &Job<'_>, talk: &Talk) -> Result<(), Failure> {
    need_target(&job.source)?;
    if sdk::settle(&job.source)? == Settled::Now {
        talk.line(format!(
            "module {}: its .cargo/config.toml now points to the SDK of this command, version {}",
            job.name,
            sdk::VERSION
        ));
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--release", "--target", TARGET]);
    talk.line(format!(
        "module {}: cargo build --release --target {TARGET} (in {})",
        job.name,
        job.source.display()
    ));
    cargo.arg("--message-format=json-render-diagnostics");
    let said = run(cargo, &job.source)?;
    let built = module(&said, &job.source)
        .map_err(|error| Failure::wrong(error.context(format!("module {}", job.name))))?;
    put(&built, &job.file)?;
    Ok(())
}

/// Refuses at once what cargo would only refuse with an error about a missing `core`.
fn need_target(source: &Path) -> Result<(), Failure> {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(source)
        .output();
    let Ok(asked) = asked else {
        return Err(
            Failure::from(anyhow!("there is no Rust toolchain: `rustc` cannot be run"))
                .hint("install it from https://rustup.rs"),
        );
    };
    let folder = PathBuf::from(String::from_utf8_lossy(&asked.stdout).trim());
    if asked.status.success() && !folder.is_dir() {
        return Err(
            Failure::from(anyhow!("Rust's target {TARGET} is not installed"))
                .hint(format!("rustup target add {TARGET}")),
        );
    }
    Ok(())
}

/// Runs cargo; gives its messages. What it says to people goes to standard error.
fn run(mut cargo: Command, source: &Path) -> Result<String, Failure> {
    let mut child = cargo
        .current_dir(source)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| {
            Failure::from(anyhow!("cargo cannot be run: {e}"))
                .hint("install Rust from https://rustup.rs")
        })?;
    let mut said = String::new();
    if let Some(stdout) = child.stdout.take() {
        BufReader::new(stdout)
            .read_to_string(&mut said)
            .context("cargo's messages")?;
    }
    let status = child.wait().context("cargo was lost")?;
    if status.success() {
        return Ok(said);
    }
    let error = anyhow!("cargo build failed in {} ({status})", source.display());
    Err(Failure::from(error).hint(match crates_are_there(source) {
        true => "what is wrong stands above; `tidemill doctor` looks at the toolchain",
        false => {
            "crates that it depends on have never been downloaded on this machine: with a network, \
             `cargo fetch` there gets them once and for all"
        }
    }))
}

/// Whether cargo has all crates without a network.
fn crates_are_there(source: &Path) -> bool {
    let asked = Command::new("cargo")
        .args(["fetch", "--offline", "--quiet", "--target", TARGET])
        .current_dir(source)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}

/// The module that the crate in this folder became.
fn module(messages: &str, source: &Path) -> anyhow::Result<PathBuf> {
    let manifest = source.join("Cargo.toml");
    let mut modules: Vec<(bool, PathBuf)> = Vec::new();
    for line in messages.as_bytes().lines() {
        let message: Value = serde_json::from_str(&line?).unwrap_or_default();
        if message["reason"] != "compiler-artifact" {
            continue;
        }
        let own = message["manifest_path"]
            .as_str()
            .is_some_and(|path| Path::new(path) == manifest);
        let files = message["filenames"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str);
        let wasm = files.filter(|file| file.ends_with(".wasm"));
        modules.extend(wasm.map(|file| (own, PathBuf::from(file))));
    }
    // A crate of a workspace is built alone; the workspace's own folder builds all of them.
    let own: Vec<&PathBuf> = modules
        .iter()
        .filter(|(own, _)| *own)
        .map(|(_, file)| file)
        .collect();
    let all: Vec<&PathBuf> = modules.iter().map(|(_, file)| file).collect();
    match if own.is_empty() { all } else { own }.as_slice() {
        [one] => Ok((*one).clone()),
        [] => bail!(
            "{} builds no module: its [lib] must have crate-type = [\"cdylib\", \"rlib\"]",
            manifest.display()
        ),
        several => bail!(
            "{} builds several modules, and one is wanted: name the folder of one crate as `source`: {}",
            manifest.display(),
            several
                .iter()
                .map(|file| file.display().to_string())
                .collect::<Vec<_>>()
                .join(", ")
        ),
    }
}

/// Puts a file to a place in one step, so that no run ever sees half of it.
fn put(from: &Path, to: &Path) -> anyhow::Result<()> {
    let beside = to.with_extension(format!("{}.tmp", std::process::id()));
    let failed = || format!("cannot write {}", to.display());
    std::fs::copy(from, &beside).with_context(failed)?;
    std::fs::rename(&beside, to).with_context(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn artifact(manifest: &str, files: &[&str]) -> String {
        let message = serde_json::json!({
            "reason": "compiler-artifact", "manifest_path": manifest, "filenames": files,
        });
        format!("{message}\n")
    }

    #[test]
    fn the_crates_own_module_is_taken() {
        let messages = artifact("/other/Cargo.toml", &["/t/other.wasm"])
            + "what a build script printed\n"
            + &artifact("/mine/Cargo.toml", &["/t/libmine.rlib", "/t/mine.wasm"]);
        assert_eq!(
            module(&messages, Path::new("/mine")).unwrap(),
            Path::new("/t/mine.wasm")
        );
    }

    #[test]
    fn no_module_and_several_are_refused() {
        let none = artifact("/mine/Cargo.toml", &["/t/libmine.rlib"]);
        let error = module(&none, Path::new("/mine")).unwrap_err().to_string();
        assert!(error.contains("crate-type"), "{error}");
        let two = artifact("/w/a/Cargo.toml", &["/t/a.wasm"])
            + &artifact("/w/b/Cargo.toml", &["/t/b.wasm"]);
        let error = module(&two, Path::new("/w")).unwrap_err().to_string();
        assert!(error.contains("/t/a.wasm, /t/b.wasm"), "{error}");
    }
}
