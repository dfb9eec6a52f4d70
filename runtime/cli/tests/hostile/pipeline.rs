//! Folders with a pipeline, the binary in them, and the guests that cargo builds.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use tempfile::TempDir;

/// A folder of files for one run.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, bytes: impl AsRef<[u8]>) {
        fs::write(self.path(name), bytes).expect("the file is written");
    }

    pub fn link(&self, name: &str, to: &Path) {
        symlink(to, self.path(name)).expect("the link is made");
    }

    /// The text of a file; nothing if it is not there.
    pub fn read(&self, name: &str) -> String {
        let bytes = fs::read(self.path(name)).unwrap_or_default();
        String::from_utf8(bytes).expect("what is written is text")
    }

    /// The binary in this folder.
    pub fn tidemill(&self, args: &[&str]) -> Command {
        let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("hostile-cache");
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidemill"));
        command
            .args(args)
            .env("TIDEMILL_CACHE", cache)
            .current_dir(self.0.path())
            .stdin(Stdio::null());
        command
    }
}

/// The guest without an SDK, of `tests/guests/plain`.
pub fn plain_guest() -> PathBuf {
    static GUESTS: LazyLock<PathBuf> = LazyLock::new(|| {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests");
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--release", "--quiet"])
            .args(["--target", "wasm32-unknown-unknown"])
            .current_dir(workspace)
            .env("CARGO_TARGET_DIR", &target)
            .env_remove("RUSTFLAGS")
            .status()
            .expect("cargo runs");
        assert!(status.success(), "the guests do not build");
        target.join("wasm32-unknown-unknown/release")
    });
    GUESTS.join("plain_guest.wasm")
}
