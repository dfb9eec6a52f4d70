//! Where Tidemill keeps what it can make again.

use std::env;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use tidemill_wasm::{Compiler, Host, HostConfig};

use crate::error::Failure;

/// The cache folder: `$TIDEMILL_CACHE`, `$XDG_CACHE_HOME/tidemill` or `~/.cache/tidemill`.
pub fn cache() -> Result<PathBuf, Failure> {
    let set = |name: &str| {
        env::var_os(name)
            .filter(|value| !value.is_empty())
            .map(PathBuf::from)
    };
    let absolute = |path: &PathBuf| path.is_absolute();
    set("TIDEMILL_CACHE")
        // A relative one is invalid and to be ignored, says the XDG specification.
        .or_else(|| Some(set("XDG_CACHE_HOME").filter(absolute)?.join("tidemill")))
        .or_else(|| Some(set("HOME")?.join(".cache/tidemill")))
        .ok_or_else(|| {
            Failure::wrong(anyhow!("no cache folder is known")).hint("set TIDEMILL_CACHE, or HOME")
        })
}

/// The folder of compiled modules.
pub fn modules(cache: &Path) -> PathBuf {
    cache.join("modules")
}

/// The folder of unpacked SDKs.
pub fn sdk(cache: &Path) -> PathBuf {
    cache.join("sdk")
}

/// The host for modules, whose compiling child is this executable.
pub fn host() -> Result<Host, Failure> {
    let exe = env::current_exe().context("this executable's own path is not known")?;
    let cache = modules(&cache()?);
    let compiler = Compiler::Child(exe);
    Host::new(HostConfig { cache, compiler })
        .map_err(|e| Failure::from(e).hint("TIDEMILL_CACHE names another folder"))
}
