//! Compiled modules by content: one file of machine code per module and engine, with a checksum beside it.
//!
//! ```text
//! <sha256 of the module>-<hash of engine and configuration>.code      machine code
//! <sha256 of the module>-<hash of engine and configuration>.sum       checksum (xxh3) of name and code, written last
//! ```
//!
//! Files are made under a temporary name and renamed. The folder is the user's alone (mode 0700): machine code is
//! loaded from nowhere else. An entry is made again whose checksum is missing or wrong (also one that was another
//! module's, since the name is part of the sum), that is a link, that another user owns, or that others may write.
//!
//! The checksum finds damage and mistakes. It is no signature: who can write as this user can run code as this user.

use std::fs::{self, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::fs::OFlags;
use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::Xxh3;

/// A checksum has 16 digits; what is longer is none.
const SUM_BYTES: u64 = 64;

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

    /// The compiled module, if it is there and whole; an error if it wants more than the engine gives an instance.
    pub fn load(&self, engine: &Engine) -> Option<wasmtime::Result<Component>> {
        let mut sum = String::new();
        let file = open_own(&self.sum())?;
        file.take(SUM_BYTES).read_to_string(&mut sum).ok()?;
        let whole = self.checksum(&mut open_own(&self.code)?).ok()?;
        if sum != whole {
            return None;
        }
        // SAFETY: the file is machine code that this host's own compiler wrote: it lies in a folder that only this user
        // may enter or write, under a name made of the module's content and the engine's configuration, it is a file
        // of this user that nobody else may write, and it is whole.
        Some(unsafe { Component::deserialize_file(engine, &self.code) })
    }

    /// Writes machine code. The checksum goes last, so that an entry without one is unfinished.
    pub fn store(&self, code: &[u8]) -> io::Result<()> {
        put(&self.code, code)?;
        put(&self.sum(), self.checksum(&mut &*code)?.as_bytes())
    }

    /// The checksum of the entry's name and its code.
    fn checksum(&self, code: &mut impl Read) -> io::Result<String> {
        let mut sum = Xxh3::new();
        let name = self.code.file_name().unwrap_or_default();
        sum.update(name.as_encoded_bytes());
        let mut block = vec![0; 1 << 16];
        loop {
            match code.read(&mut block)? {
                0 => return Ok(format!("{:016x}", sum.digest())),
                read => sum.update(&block[..read]),
            }
        }
    }

    fn sum(&self) -> PathBuf {
        self.code.with_extension("sum")
    }
}

/// Opens a file that is no link, this user's own, and not for others to write.
fn open_own(path: &Path) -> Option<File> {
    let flags = OFlags::NOFOLLOW.bits() as i32;
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(flags)
        .open(path)
        .ok()?;
    let meta = file.metadata().ok()?;
    let own = meta.uid() == rustix::process::geteuid().as_raw() && meta.mode() & 0o022 == 0;
    (meta.is_file() && own).then_some(file)
}

fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // One name per writer: two threads may compile the same module at once.
    static WRITERS: AtomicU64 = AtomicU64::new(0);
    let writer = WRITERS.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{writer}.tmp", std::process::id()));
    // One may be left of a process that had the same number and was ended while it wrote.
    let _ = fs::remove_file(&temporary);
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .and_then(|mut file| file.write_all(bytes))
        .and_then(|()| fs::rename(&temporary, path));
    written.inspect_err(|_| {
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
