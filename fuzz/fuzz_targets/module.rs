//! Modules: whatever a file holds, loading it ends with a module or an error.
#![no_main]

use std::sync::LazyLock;
use std::time::Duration;

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tidemill_wasm::{Compiler, Host, HostConfig, Limits};

static HOST: LazyLock<(Host, TempDir)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let host = Host::new(HostConfig {
        cache: folder.path().join("cache"),
        compiler: Compiler::InProcess,
    });
    (host.expect("a host"), folder)
});

fuzz_target!(|bytes: &[u8]| {
    let (host, folder) = &*HOST;
    let file = folder.path().join("module.wasm");
    std::fs::write(&file, bytes).expect("the module is written");
    let limits = Limits {
        deadline: Duration::from_millis(50),
        ..Limits::default()
    };
    if let Err(error) = host.load(&file, &limits) {
        assert!(!error.to_string().is_empty());
    }
    // Compiled code of modules that nobody asks for again.
    drop(std::fs::remove_dir_all(folder.path().join("cache")));
    drop(std::fs::create_dir(folder.path().join("cache")));
});
