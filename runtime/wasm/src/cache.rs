//! Compiled modules by content: one file of machine code per module and engine, with a checksum beside it.
//!
//! ```text
//! <sha256 of the module>-<hash of engine and configuration>.code      machine code
//! <sha256 of the module>-<hash of engine and configuration>.sum       its checksum (xxh3), written last
//! ```
//!
//! Files are made under a temporary name and renamed. The folder is the user's alone (mode 0700): machine code is
//! loaded from nowhere else. An entry whose checksum is missing or wrong is made again.

use std::fs;
use std::hash::{Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The place of one compiled module.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    code: PathBuf,
}

/// The SHA-256 of a module, in hexadecimal.
pub(crate) fn content_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl Entry {
    /// The entry in `folder` for the module with this content hash.
    pub fn new(folder: &Path, hash: &str, engine: &Engine) -> Self {
        let mut hasher = Xxh3::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Self {
            code: folder.join(format!("{hash}-{:016x}.code", hasher.finish())),
        }
    }

    /// The entry at a path: what the compiling child is told.
    pub fn at(code: PathBuf) -> Self {
        Self { code }
    }

    /// Where the machine code is.
    pub fn path(&self) -> &Path {
        &self.code
    }

    /// The compiled module, if it is there and whole.
    pub fn load(&self, engine: &Engine) -> Option<Component> {
        let sum = fs::read_to_string(self.sum()).ok()?;
        let code = fs::read(&self.code).ok()?;
        if sum.trim() != checksum(&code) {
            return None;
        }
        drop(code);
        // SAFETY: the file is machine code that this host's own compiler wrote: it lies in a folder that only this user
        // may enter or write, under a name made of the module's content and the engine's configuration, and it is whole.
        unsafe { Component::deserialize_file(engine, &self.code) }.ok()
    }

    /// Writes machine code. The checksum goes last, so that an entry without one is unfinished.
    pub fn store(&self, code: &[u8]) -> io::Result<()> {
        put(&self.code, code)?;
        put(&self.sum(), checksum(code).as_bytes())
    }

    fn sum(&self) -> PathBuf {
        self.code.with_extension("sum")
    }
}

fn checksum(code: &[u8]) -> String {
    format!("{:016x}", xxh3_64(code))
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // One name per writer: two threads may compile the same module at once.
    static WRITERS: AtomicU64 = AtomicU64::new(0);
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{writer}.tmp", std::process::id()));
    fs::write(&temporary, bytes)?;
    fs::rename(&temporary, path).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

/// Makes the cache folder, for its owner alone.
///
/// # Errors
/// If it cannot be made, or belongs to someone else.
pub(crate) fn prepare(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let meta = fs::metadata(folder)?;
    if meta.uid() != rustix::process::geteuid().as_raw() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "it belongs to another user, who could put code there: name another folder",
        ));
    }
    if meta.mode() & 0o077 != 0 {
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}
