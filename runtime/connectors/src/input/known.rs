//! Which files of a followed source are read or have been, whatever they are called by now: one that is only renamed is not
//! read again.
//!
//! A file that is held open keeps its number in its file system. One that was let go is known by what was read of it too:
//! its number may belong to a new file by then.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use crate::position::{Fingerprint, Likeness};

/// What a file is, whatever its name: its file system and its number there.
pub(crate) type Identity = (u64, u64);

/// What a file is, where the system says it.
#[cfg(unix)]
pub(crate) fn identity(metadata: &Metadata) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    Some((metadata.dev(), metadata.ino()))
}

/// What a file is: not known here.
#[cfg(not(unix))]
pub(crate) fn identity(_: &Metadata) -> Option<Identity> {
    None
}

/// The files of a source that are known; shared by those who read them and who looks for new ones.
#[derive(Clone, Default)]
pub(crate) struct Known(Arc<Mutex<BTreeMap<Identity, Option<Fingerprint>>>>);

impl Known {
    /// A file is read, and held open until it is let go.
    pub fn hold(&self, identity: Option<Identity>) {
        if let Some(identity) = identity {
            self.with(|files| files.insert(identity, None));
        }
    }

    /// A file that was read to its end is let go.
    pub fn let_go(&self, identity: Option<Identity>, print: Fingerprint) {
        if let Some(identity) = identity {
            self.with(|files| files.insert(identity, Some(print)));
        }
    }

    /// Whether what stands at a path is known; if not, it is from now on, as one that is read.
    pub fn meet(&self, path: &Path) -> bool {
        let Some(identity) = path.metadata().ok().as_ref().and_then(identity) else {
            return false;
        };
        let known = self.with(|files| files.get(&identity).copied());
        let same = match known {
            None => false,
            Some(None) => true,
            Some(Some(print)) => is_of(&print, path),
        };
        if !same {
            self.hold(Some(identity));
        }
        same
    }

    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<Identity, Option<Fingerprint>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether that is the fingerprint of what stands at a path.
pub(crate) fn is_of(print: &Fingerprint, path: &Path) -> bool {
    let likeness = File::open(path).and_then(|mut file| print.holds_for(&mut file));
    matches!(likeness, Ok(Likeness::Same(_)))
}
