//! The SDK for Rust that this binary carries, and the crates that build with it.
//!
//! The crate `tidemill` is in no registry yet. So its sources are in this binary; they are unpacked into the cache folder, by
//! version and content, and a project's `.cargo/config.toml` says that `tidemill` is found there. That file holds a path of
//! this machine: it is no part of the project, and is made again wherever it is missing or points to another SDK.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context;
use toml::Table;

use crate::error::Failure;
use crate::folders;

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The SDK's version, which is the binary's own.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// How a file begins that this module wrote and may write again.
const MARK: &str = "# Written by `tidemill`";

/// Unpacks the SDK, unless it is there, and gives the folder of the crate `tidemill`.
///
/// # Errors
/// If the cache folder cannot be written.
pub fn unpack() -> Result<PathBuf, Failure> {
    let folder = folders::sdk(&folders::cache()?).join(format!("{VERSION}-{CONTENT}"));
    for (name, text) in FILES {
        let path = folder.join(name);
        // A file that is as it should be keeps its time: nothing is built again because of it.
        if fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        put(&path, text).map_err(|error| {
            Failure::from(error).hint("TIDEMILL_CACHE names another folder for what Tidemill keeps")
        })?;
    }
    Ok(folder.join("tidemill"))
}

/// Writes a file whole: another process may unpack the same SDK at the same time.
fn put(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let folder = path.parent().with_context(failed)?;
    fs::create_dir_all(folder).with_context(failed)?;
    let beside = path.with_extension(format!("{}.tmp", std::process::id()));
    fs::write(&beside, text).with_context(failed)?;
    fs::rename(&beside, path).with_context(failed)
}

/// How a crate stands to the SDK.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It does not want `tidemill` from a registry, or says itself where that is.
    Alone,
    /// Its `.cargo/config.toml` pointed to this binary's SDK already.
    Before,
    /// Now it does.
    Now,
}

/// Points a crate that wants `tidemill` from the registry to this binary's SDK.
///
/// # Errors
/// If the SDK cannot be unpacked or the crate's `.cargo/config.toml` cannot be written.
pub fn settle(project: &Path) -> Result<Settled, Failure> {
    if !wants_registry(project) {
        return Ok(Settled::Alone);
    }
    let path = project.join(".cargo/config.toml");
    let found = fs::read_to_string(&path).ok();
    if found.as_ref().is_some_and(|text| !text.starts_with(MARK)) {
        return Ok(Settled::Alone);
    }
    let wanted = config(&unpack()?);
    if found.as_ref() == Some(&wanted) {
        return Ok(Settled::Before);
    }
    put(&path, &wanted)?;
    Ok(Settled::Now)
}

/// Whether a crate depends on a version of `tidemill`, rather than on a folder or a repository.
fn wants_registry(project: &Path) -> bool {
    let manifest = fs::read_to_string(project.join("Cargo.toml")).unwrap_or_default();
    let manifest: Table = manifest.parse().unwrap_or_default();
    let dependency = manifest
        .get("dependencies")
        .and_then(|all| all.get("tidemill"));
    let Some(dependency) = dependency else {
        return false;
    };
    let elsewhere = ["path", "git", "registry", "workspace"];
    elsewhere.iter().all(|key| dependency.get(key).is_none())
}

/// The text of a project's `.cargo/config.toml`.
pub fn config(tidemill: &Path) -> String {
    let mut place = Table::new();
    place.insert("path".into(), tidemill.display().to_string().into());
    format!(
        "{MARK} for this machine; `tidemill build` writes it again where it is missing or another SDK is wanted.\n\
         # The SDK is in no registry yet: the `tidemill` command carries its sources and has unpacked them there.\n\
         [patch.crates-io.tidemill]\n{place}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_that_a_module_is_built_from_is_carried() {
        let names: Vec<&str> = FILES.iter().map(|(name, _)| *name).collect();
        for name in [
            "Cargo.toml",
            "tidemill/Cargo.toml",
            "tidemill/src/lib.rs",
            "tidemill/src/value/arena.rs",
            "tidemill/macros/Cargo.toml",
            "tidemill/macros/src/lib.rs",
            "tidemill/wit/worlds.wit",
        ] {
            assert!(names.contains(&name), "{name} is missing in {names:?}");
        }
        assert!(
            names.iter().all(|name| !name.contains("guests")),
            "{names:?}"
        );
    }

    #[test]
    fn a_crate_is_pointed_to_the_sdk_only_where_it_wants_a_version() {
        let cases = [
            ("[dependencies]\ntidemill = \"0.1\"", true),
            (
                "[dependencies]\ntidemill = { version = \"0.1\", features = [\"encoded\"] }",
                true,
            ),
            ("[dependencies]\ntidemill = { path = \"../sdk\" }", false),
            ("[dependencies]\nserde = \"1\"", false),
            ("", false),
            ("no TOML", false),
        ];
        for (manifest, expected) in cases {
            let folder = tempfile::tempdir().expect("a folder");
            fs::write(folder.path().join("Cargo.toml"), manifest).expect("a manifest");
            assert_eq!(wants_registry(folder.path()), expected, "{manifest}");
        }
    }

    #[test]
    fn a_configuration_of_the_authors_own_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let own = "[build]\njobs = 1\n";
        fs::create_dir(folder.path().join(".cargo")).expect("a folder");
        fs::write(folder.path().join(".cargo/config.toml"), own).expect("a file");
        fs::write(
            folder.path().join("Cargo.toml"),
            "[dependencies]\ntidemill = \"0.1\"",
        )
        .expect("a manifest");
        assert_eq!(
            settle(folder.path()).expect("it is settled"),
            Settled::Alone
        );
        let left = fs::read_to_string(folder.path().join(".cargo/config.toml"));
        assert_eq!(left.expect("it is there"), own);
    }
}
