//! Files that do not change while they are read, compressed or not: told by their first bytes.

use std::fs::File;
use std::io::{Cursor, ErrorKind, Read};
use std::path::{Path, PathBuf};

use super::{Fill, Input};
use crate::ConnectorError;

const GZIP: [u8; 2] = [0x1F, 0x8B];
const ZSTD: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// A file being read.
pub struct Reader {
    path: PathBuf,
    bytes: Box<dyn Read + Send>,
    /// How the file is compressed, for messages.
    compression: Option<&'static str>,
}

impl Reader {
    /// Opens a file: gzip (with all its members) and zstd are told from their first bytes.
    pub fn open(path: &Path) -> Result<Self, ConnectorError> {
        let reading = |error| ConnectorError::reading(path, error);
        let file = File::open(path).map_err(reading)?;
        if file.metadata().map_err(reading)?.is_dir() {
            let message = format!("{} is a folder, not a file", path.display());
            return Err(ConnectorError::Configuration(message));
        }
        Self::of(file, path.to_owned()).map_err(reading)
    }

    /// Reads on from a reader, which may be compressed like a file.
    ///
    /// # Errors
    /// If its first bytes cannot be read.
    pub fn over(reader: impl Read + Send + 'static) -> Result<Self, ConnectorError> {
        let path = PathBuf::from("a reader");
        Self::of(reader, path.clone()).map_err(|error| ConnectorError::reading(&path, error))
    }

    fn of(mut reader: impl Read + Send + 'static, path: PathBuf) -> std::io::Result<Self> {
        let mut first = Vec::with_capacity(ZSTD.len());
        (&mut reader)
            .take(ZSTD.len() as u64)
            .read_to_end(&mut first)?;
        let gzip = first.starts_with(&GZIP);
        let zstd = first.starts_with(&ZSTD);
        let whole = Cursor::new(first).chain(reader);
        let (bytes, compression): (Box<dyn Read + Send>, _) = if gzip {
            (
                Box::new(flate2::read::MultiGzDecoder::new(whole)),
                Some("gzip"),
            )
        } else if zstd {
            let decoder = zstd::stream::read::Decoder::new(whole)?;
            (Box::new(decoder), Some("zstd"))
        } else {
            (Box::new(whole), None)
        };
        Ok(Self {
            path,
            bytes,
            compression,
        })
    }
}

impl Input for Reader {
    fn fill(&mut self, space: &mut [u8]) -> Result<Fill, ConnectorError> {
        loop {
            match (self.bytes.read(space), self.compression) {
                (Ok(0), _) => return Ok(Fill::End),
                (Ok(len), _) => return Ok(Fill::Bytes(len)),
                (Err(error), _) if error.kind() == ErrorKind::Interrupted => {}
                (Err(error), Some(compression)) => {
                    return Ok(Fill::Broken(match error.kind() {
                        ErrorKind::UnexpectedEof => {
                            format!("the {compression} file ends too early")
                        }
                        _ => format!("the {compression} file is damaged: {error}"),
                    }));
                }
                (Err(error), None) => return Err(ConnectorError::reading(&self.path, error)),
            }
        }
    }
}
