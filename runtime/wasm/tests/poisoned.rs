//! A cache of compiled modules in which somebody meddled: what is not the module's own machine code is never run.

mod support;

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use support::guest;
use tempfile::TempDir;
use tidemill_wasm::{Compiler, Host, HostConfig, Limits};

struct Cache(TempDir);

impl Cache {
    fn new() -> Self {
        Self(TempDir::new().unwrap())
    }

    /// Loads a guest with a host of its own, and gives the name of its first function.
    fn load(&self, name: &str) -> String {
        let host = Host::new(HostConfig {
            cache: self.path().to_owned(),
            compiler: Compiler::InProcess,
        });
        let module = host.unwrap().load(&guest(name), &Limits::default());
        module.unwrap().description().functions[0].name.clone()
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn entries(&self, suffix: &str) -> Vec<PathBuf> {
        let files = fs::read_dir(self.path()).unwrap();
        let files = files.map(|entry| entry.unwrap().path());
        files
            .filter(|file| file.extension().is_some_and(|e| e == suffix))
            .collect()
    }
}

fn inode(file: &Path) -> u64 {
    fs::symlink_metadata(file).unwrap().ino()
}

#[test]
fn an_entry_put_in_another_ones_place_is_made_again() {
    let cache = Cache::new();
    assert_eq!(cache.load("plain_guest"), "read");
    let [plain] = cache.entries("code").try_into().unwrap();
    let other = cache.load("sdk_guest");
    let sdk = cache
        .entries("code")
        .into_iter()
        .find(|file| *file != plain);
    let sdk = sdk.unwrap();
    fs::copy(&plain, &sdk).unwrap();
    fs::copy(plain.with_extension("sum"), sdk.with_extension("sum")).unwrap();
    assert_eq!(cache.load("sdk_guest"), other);
    assert_ne!(fs::read(&plain).unwrap(), fs::read(&sdk).unwrap());
}

#[test]
fn a_link_is_not_followed() {
    for suffix in ["code", "sum"] {
        let cache = Cache::new();
        cache.load("plain_guest");
        let [entry] = cache.entries(suffix).try_into().unwrap();
        let elsewhere = cache.path().join("elsewhere");
        fs::rename(&entry, &elsewhere).unwrap();
        symlink(&elsewhere, &entry).unwrap();
        let before = fs::read(&elsewhere).unwrap();
        assert_eq!(cache.load("plain_guest"), "read");
        assert!(
            !fs::symlink_metadata(&entry).unwrap().is_symlink(),
            "{suffix}"
        );
        assert_eq!(
            fs::read(&elsewhere).unwrap(),
            before,
            "nothing is written through it"
        );
    }
}

#[test]
fn what_others_may_write_is_made_again() {
    let cache = Cache::new();
    cache.load("plain_guest");
    let [code] = cache.entries("code").try_into().unwrap();
    assert_eq!(fs::metadata(&code).unwrap().mode() & 0o777, 0o600);
    let made = inode(&code);
    cache.load("plain_guest");
    assert_eq!(inode(&code), made, "it is good as it is");
    fs::set_permissions(&code, fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(cache.path(), fs::Permissions::from_mode(0o777)).unwrap();
    cache.load("plain_guest");
    assert_ne!(inode(&code), made);
    assert_eq!(fs::metadata(&code).unwrap().mode() & 0o777, 0o600);
    assert_eq!(fs::metadata(cache.path()).unwrap().mode() & 0o777, 0o700);
}

#[test]
fn a_folder_in_an_entrys_place_is_an_error_that_names_the_cache() {
    let cache = Cache::new();
    cache.load("plain_guest");
    let [code] = cache.entries("code").try_into().unwrap();
    fs::remove_file(&code).unwrap();
    fs::create_dir(&code).unwrap();
    let host = Host::new(HostConfig {
        cache: cache.path().to_owned(),
        compiler: Compiler::InProcess,
    });
    let error = host
        .unwrap()
        .load(&guest("plain_guest"), &Limits::default());
    let text = error.unwrap_err().to_string();
    assert!(text.contains("its cache entry cannot be written"), "{text}");
    assert!(cache.entries("tmp").is_empty());
}
