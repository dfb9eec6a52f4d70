//! The file system as sinks use it: the machine's own, but every act on it may fail, or be a process's last.
//!
//! The files are real ones, since sinks look at what is there in their own way; they lie in memory where the machine has a
//! folder for such. Nothing is made to outlast the machine, since only processes die here. So an act takes microseconds.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use tidemill_checkpoint::store::faults::Fate;
use tidemill_connectors::{Disk, Effects};

use crate::world::{Meets, Process, name};

/// See the module.
pub struct Files(pub Arc<Process>);

const TROUBLES: &[Meets] = &[
    Meets::Fate(Fate::CrashBefore),
    Meets::Fate(Fate::CrashAfter),
    Meets::Fate(Fate::Refused),
    Meets::Sleep,
];

impl Files {
    fn act<T>(&self, what: (&str, &Path), act: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        match self.meet(what) {
            Fate::Done | Fate::AnswerLost => act(),
            Fate::CrashAfter => {
                act()?;
                Err(io::Error::other("the process has died"))
            }
            Fate::CrashBefore => Err(io::Error::other("the process is dead")),
            Fate::Refused | Fate::Lost => Err(io::ErrorKind::StorageFull.into()),
        }
    }

    fn meet(&self, (what, path): (&str, &Path)) -> Fate {
        self.0.meet(&format!("{what} {}", name(path)), TROUBLES)
    }

    /// A reader looks at what has come to stand there.
    fn placed(&self, path: &Path) {
        self.0.world.look(|reader| reader.placed(path));
    }
}

impl Effects for Files {
    fn create_folder(&self, folder: &Path) -> io::Result<()> {
        self.act(("make folder", folder), || Disk.create_folder(folder))
    }

    fn create(&self, path: &Path) -> io::Result<File> {
        self.act(("create", path), || Disk.create(path))
    }

    /// Of a write in which a process dies some bytes may be there.
    fn write_at(&self, file: &File, bytes: &[u8], offset: u64) -> io::Result<()> {
        let what = format!("write {} bytes at {offset}", bytes.len());
        match self.meet((&what, Path::new(""))) {
            Fate::Done | Fate::AnswerLost => Disk.write_at(file, bytes, offset),
            fate => {
                if !matches!(fate, Fate::CrashBefore) {
                    let some = self.0.world.below(bytes.len() as u64 + 1);
                    Disk.write_at(file, &bytes[..some as usize], offset)?;
                }
                Err(io::ErrorKind::StorageFull.into())
            }
        }
    }

    fn sync(&self, _file: &File) -> io::Result<()> {
        self.act(("sync", Path::new("")), || Ok(()))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        self.act(("sync folder", folder), || Ok(()))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.act(("rename to", to), || {
            Disk.rename(from, to)?;
            self.placed(to);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.act(("remove", path), || {
            Disk.remove(path)?;
            self.0.world.look(|reader| reader.removed(path));
            Ok(())
        })
    }

    fn now_ms(&self) -> i64 {
        self.0.world.now_us() / 1000
    }
}
