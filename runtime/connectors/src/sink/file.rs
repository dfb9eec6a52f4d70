//! A file that appears whole: written under a hidden name beside its place, put there by renaming.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::ConnectorError;

/// So much is gathered before it is written.
const GATHER: usize = 256 * 1024;

/// A file being written.
pub(super) struct Pending {
    place: PathBuf,
    hidden: PathBuf,
    file: File,
    gathered: Vec<u8>,
    /// How many bytes have been given, gathered or written.
    pub bytes: u64,
    placed: bool,
}

impl Pending {
    /// Starts a file that is to stand at `place`, in a folder that is made if it is not there.
    pub fn create(place: &Path) -> Result<Self, ConnectorError> {
        let Some(name) = place.file_name() else {
            let message = format!("`{}` names no file", place.display());
            return Err(ConnectorError::Configuration(message));
        };
        if place.is_dir() {
            let message = format!(
                "{} is a folder; a file is to be written there",
                place.display()
            );
            return Err(ConnectorError::Configuration(message));
        }
        if let Some(folder) = place.parent() {
            std::fs::create_dir_all(folder).map_err(|e| ConnectorError::writing(place, e))?;
        }
        let hidden = place.with_file_name(format!(".{}.pending", name.to_string_lossy()));
        let file = File::create(&hidden).map_err(|e| ConnectorError::writing(place, e))?;
        let place = place.to_owned();
        Ok(Self {
            place,
            hidden,
            file,
            gathered: Vec::new(),
            bytes: 0,
            placed: false,
        })
    }

    /// Adds bytes.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectorError> {
        self.bytes += bytes.len() as u64;
        self.gathered.extend_from_slice(bytes);
        if self.gathered.len() >= GATHER {
            self.flush()
        } else {
            Ok(())
        }
    }

    /// Writes what has been gathered.
    pub fn flush(&mut self) -> Result<(), ConnectorError> {
        let written = self.file.write_all(&self.gathered);
        self.gathered.clear();
        written.map_err(|error| ConnectorError::writing(&self.place, error))
    }

    /// Makes it durable and puts it in its place, over what may be there.
    pub fn place(mut self) -> Result<(), ConnectorError> {
        self.flush()?;
        let placed = self
            .file
            .sync_all()
            .and_then(|()| std::fs::rename(&self.hidden, &self.place));
        placed.map_err(|error| ConnectorError::writing(&self.place, error))?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.placed {
            // What is not whole is nobody's; a failure to remove it changes nothing.
            let _ = std::fs::remove_file(&self.hidden);
        }
    }
}
