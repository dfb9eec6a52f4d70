//! Files under hidden names, to be put in their places by renaming.
//!
//! Nothing is done to the file system while rows are taken: they are gathered, and written before the next ones are. So what
//! failed can be tried again, and takes no row twice.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::effects::Effects;
use crate::ConnectorError;

/// So much is gathered before it is written.
const GATHER: usize = 256 * 1024;

/// A file being written.
pub(super) struct Writing {
    effects: Arc<dyn Effects>,
    path: PathBuf,
    /// Made when something is first written.
    file: Option<Arc<File>>,
    gathered: Vec<u8>,
    written: u64,
    /// CRC-32C of what was written.
    crc: u32,
}

impl Writing {
    /// A file to be written at this path.
    pub fn new(path: PathBuf, effects: Arc<dyn Effects>) -> Self {
        Self {
            effects,
            path,
            file: None,
            gathered: Vec::new(),
            written: 0,
            crc: 0,
        }
    }

    /// Where bytes are added.
    pub fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.gathered
    }

    /// Writes what has been gathered, if it is much.
    pub fn settle(&mut self) -> Result<(), ConnectorError> {
        match self.gathered.len() {
            ..GATHER => Ok(()),
            _ => self.flush(),
        }
    }

    /// Writes what has been gathered. After an error it is as before, but for what stands behind its end.
    pub fn flush(&mut self) -> Result<(), ConnectorError> {
        let writing = |error| ConnectorError::writing(&self.path, error);
        let file = match &self.file {
            Some(file) => file,
            None => {
                let file = self.effects.create(&self.path).map_err(writing)?;
                self.file.insert(Arc::new(file))
            }
        };
        if !self.gathered.is_empty() {
            let written = self.effects.write_at(file, &self.gathered, self.written);
            written.map_err(writing)?;
            self.written += self.gathered.len() as u64;
            self.crc = crc32c::crc32c_append(self.crc, &self.gathered);
            self.gathered.clear();
        }
        Ok(())
    }

    /// How many bytes it has, gathered or written.
    pub fn bytes(&self) -> u64 {
        self.written + self.gathered.len() as u64
    }

    /// The file with what was written to it: how many bytes, and their CRC-32C. None before the first flush.
    pub fn written(&self) -> Option<(Arc<File>, u64, u32)> {
        let file = self.file.clone()?;
        Some((file, self.written, self.crc))
    }
}

/// A file that appears whole or not at all: it is removed unless it was put in its place.
pub(super) struct Whole {
    writing: Writing,
    place: PathBuf,
    placed: bool,
}

impl Whole {
    /// Starts a file that is to stand at `place`, in a folder that is made if it is not there.
    pub fn create(place: &Path, effects: Arc<dyn Effects>) -> Result<Self, ConnectorError> {
        let (folder, name) = folder_and_name(place)?;
        effects
            .create_folder(&folder)
            .map_err(|e| ConnectorError::writing(place, e))?;
        let mut writing = Writing::new(folder.join(format!(".{name}.pending")), effects);
        writing.flush()?;
        Ok(Self {
            writing,
            place: place.to_owned(),
            placed: false,
        })
    }

    /// What is written to it.
    pub fn writing(&mut self) -> &mut Writing {
        &mut self.writing
    }

    /// Makes it durable and puts it in its place, over what may be there.
    pub fn place(mut self) -> Result<(), ConnectorError> {
        self.writing.flush()?;
        let effects = &self.writing.effects;
        let placed = match &self.writing.file {
            Some(file) => effects.sync(file),
            None => Ok(()),
        };
        placed
            .and_then(|()| effects.rename(&self.writing.path, &self.place))
            .map_err(|error| ConnectorError::writing(&self.place, error))?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        if !self.placed {
            // What is not whole is nobody's; a failure to remove it changes nothing.
            let _ = self.writing.effects.remove(&self.writing.path);
        }
    }
}

/// The folder of a place for a file, and the file's name.
pub(super) fn folder_and_name(place: &Path) -> Result<(PathBuf, String), ConnectorError> {
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
    let folder = match place.parent() {
        Some(folder) if folder != Path::new("") => folder.to_owned(),
        _ => PathBuf::from("."),
    };
    Ok((folder, name.to_string_lossy().into_owned()))
}
