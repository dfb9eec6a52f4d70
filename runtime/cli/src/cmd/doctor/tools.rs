//! Toolchains: Rust's, and what modules in C and Python are built with.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Finding, Need, Trouble};
use crate::cmd::build::TARGET;

/// The oldest Rust that the SDK builds with.
const OLDEST_RUST: (u32, u32) = (1, 95);
const INSTALL_RUST: &str = "curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";
/// Where Debian's wasi-libc puts its library.
const WASI_LIBC: &str = "/usr/lib/wasm32-wasi/libc.a";
/// Where `make -C wit/guests` installs it, below the home folder.
const COMPONENTIZE: &str = ".cache/tidemill";

/// What is found of them.
pub fn look() -> Vec<Finding> {
    let (required, c) = (Need::Required, Need::For("C"));
    let python = Need::For("Python");
    let finding = |what, needed, found| Finding {
        what,
        needed,
        found,
    };
    vec![
        finding("rustup", required, tool("rustup", INSTALL_RUST)),
        finding("cargo", required, tool("cargo", INSTALL_RUST)),
        finding("rustc", required, rustc()),
        finding(TARGET, required, target()),
        finding("cc", required, tool("cc", "apt-get install gcc libc6-dev")),
        finding("clang", c, tool("clang", "apt-get install clang")),
        finding("wasm-ld", c, tool("wasm-ld", "apt-get install lld")),
        finding("wasi-libc", c, wasi_libc()),
        finding("wasm builtins", c, builtins()),
        finding(
            "python3",
            python,
            tool("python3", "apt-get install python3 python3-venv"),
        ),
        finding("componentize-py", python, componentize()),
    ]
}

/// What a tool prints, if it can be run and succeeds.
fn ask(program: &Path, args: &[&str]) -> Result<String, String> {
    let output = Command::new(program).args(args).output();
    let output = output.map_err(|e| match e.kind() {
        std::io::ErrorKind::NotFound => "not on the PATH".to_owned(),
        _ => e.to_string(),
    })?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    } else {
        let said = String::from_utf8_lossy(&output.stderr);
        Err(said.lines().next().unwrap_or("it failed").to_owned())
    }
}

/// A tool, by the first line of its version.
pub(super) fn tool(name: &str, mend: &str) -> Result<String, Trouble> {
    let version = ask(Path::new(name), &["--version"]).map_err(|why| Trouble::new(why, mend))?;
    Ok(version.lines().next().unwrap_or_default().to_owned())
}

fn rustc() -> Result<String, Trouble> {
    let (major, minor) = OLDEST_RUST;
    let mend = format!("rustup toolchain install {major}.{minor}.0");
    let version = tool("rustc", &mend)?;
    if release(&version).is_some_and(|release| release >= OLDEST_RUST) {
        return Ok(version);
    }
    let why = format!("{version} is too old: the SDK needs {major}.{minor}.0");
    Err(Trouble::new(
        why,
        format!("{mend} && rustup default {major}.{minor}.0"),
    ))
}

/// Major and minor of `rustc 1.95.0 (…)`.
fn release(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version
        .split(' ')
        .nth(1)?
        .split('.')
        .map(|n| n.parse::<u32>().ok());
    Some((numbers.next()??, numbers.next()??))
}

fn target() -> Result<String, Trouble> {
    let mend = format!("rustup target add {TARGET}");
    let asked = ask(
        Path::new("rustc"),
        &["--print", "target-libdir", "--target", TARGET],
    );
    let folder = asked.map_err(|why| Trouble::new(why, &mend))?;
    match Path::new(&folder).is_dir() {
        true => Ok("installed".to_owned()),
        false => Err(Trouble::new("not installed for the active toolchain", mend)),
    }
}

fn wasi_libc() -> Result<String, Trouble> {
    match Path::new(WASI_LIBC).is_file() {
        true => Ok(WASI_LIBC.to_owned()),
        false => Err(Trouble::new(
            format!("no {WASI_LIBC}"),
            "apt-get install wasi-libc",
        )),
    }
}

/// What clang links every module for WASI with.
fn builtins() -> Result<String, Trouble> {
    let args = ["--target=wasm32-wasi", "--print-libgcc-file-name"];
    let mend = "apt-get install libclang-rt-14-dev-wasm32";
    let file = ask(Path::new("clang"), &args)
        .map_err(|why| Trouble::new(format!("clang: {why}"), "apt-get install clang"))?;
    match Path::new(&file).is_file() {
        true => Ok(file),
        false => Err(Trouble::new(format!("no {file}"), mend)),
    }
}

fn componentize() -> Result<String, Trouble> {
    let on_path = ask(Path::new("componentize-py"), &["--version"]);
    on_path
        .or_else(|_| installed().and_then(|tool| ask(&tool, &["--version"])))
        .map_err(|why| {
            Trouble::new(
                why,
                "python3 -m venv py && py/bin/pip install componentize-py",
            )
        })
}

/// The one that building the guests of the tree has installed.
fn installed() -> Result<PathBuf, String> {
    let none = || "not on the PATH".to_owned();
    let home = std::env::var_os("HOME").ok_or_else(none)?;
    let entries = std::fs::read_dir(Path::new(&home).join(COMPONENTIZE)).map_err(|_| none())?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.to_string_lossy().contains("componentize-py"))
        .map(|path| path.join("bin/componentize-py"))
        .find(|tool| tool.is_file())
        .ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_told_from_versions() {
        assert_eq!(release("rustc 1.95.0 (abc 2026-04-01)"), Some((1, 95)));
        assert_eq!(release("rustc 1.97.0-nightly (abc)"), Some((1, 97)));
        assert_eq!(release("gcc"), None);
    }
}
