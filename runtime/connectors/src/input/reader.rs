//! The bytes of a file, decompressed: gzip (with all its members) and zstd are told from their first bytes.
//!
//! Compressed files are decompressed in blocks of one size from their beginning, whoever asks for how much: so a damaged
//! place is met behind the same byte each time.

use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

use super::follow::Followed;
use super::known::identity;
use super::{Fill, Input};
use crate::ConnectorError;
use crate::position::{Fingerprint, Seen};

const GZIP: &[u8] = &[0x1F, 0x8B];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];

/// So much is decompressed at a time.
const BLOCK: usize = 64 * 1024;

/// Where bytes come from.
enum From {
    File(File),
    Followed(Followed),
    /// What gives its bytes once: a pipe, a reader.
    Stream(Box<dyn Read + Send>),
}

/// Bytes as they stand in a file.
struct Raw {
    from: From,
    /// What was read of a file.
    seen: Option<Seen>,
    /// The first bytes, which were looked at before they are read.
    first: Vec<u8>,
}

impl Raw {
    fn new(from: From) -> std::io::Result<Self> {
        let metadata = match &from {
            From::File(file) => Some(file.metadata()?),
            From::Followed(followed) => Some(followed.file.metadata()?),
            From::Stream(_) => None,
        };
        let nothing = |metadata| Seen::nothing(identity(&metadata).map(|(_, inode)| inode));
        Ok(Self {
            from,
            seen: metadata.map(nothing),
            first: Vec::new(),
        })
    }

    /// Looks whether the file is compressed; would block where too little is there to see it.
    fn compression(&mut self) -> std::io::Result<Option<&'static [u8]>> {
        loop {
            let first = self.first.as_slice();
            if let Some(whole) = [GZIP, ZSTD]
                .into_iter()
                .find(|magic| first.starts_with(magic))
            {
                return Ok(Some(whole));
            }
            if ![GZIP, ZSTD].iter().any(|magic| magic.starts_with(first)) {
                return Ok(None);
            }
            let mut next = [0; 1];
            match self.read_on(&mut next) {
                Ok(0) => return Ok(None),
                Ok(_) => self.first.push(next[0]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Goes on at a byte of a file.
    fn seek(&mut self, byte: u64) -> std::io::Result<()> {
        self.first.clear();
        let inode = self.seen.as_ref().and_then(|seen| seen.print().inode);
        let mut file = match &self.from {
            From::File(file) => file,
            From::Followed(followed) => {
                followed.at(byte);
                &*followed.file
            }
            From::Stream(_) => return Err(ErrorKind::NotSeekable.into()),
        };
        self.seen = Some(Seen::before(byte, inode, &mut file)?);
        file.seek(SeekFrom::Start(byte)).map(drop)
    }

    fn read_on(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        let len = match &mut self.from {
            From::File(file) => file.read(space),
            From::Followed(followed) => followed.read(space),
            From::Stream(stream) => stream.read(space),
        }?;
        if let Some(seen) = &mut self.seen {
            seen.take(&space[..len]);
        }
        Ok(len)
    }
}

impl Read for Raw {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        if self.first.is_empty() {
            return self.read_on(space);
        }
        let len = self.first.len().min(space.len());
        space[..len].copy_from_slice(&self.first[..len]);
        self.first.drain(..len);
        Ok(len)
    }
}

/// Raw bytes, and what is made of them.
enum Bytes {
    /// Nothing has been read. There is none only while it is decided what they are.
    Unknown(Option<Raw>),
    Plain(Raw),
    Gzip(Blocks<MultiGzDecoder<Raw>>),
    Zstd(Blocks<zstd::stream::read::Decoder<'static, BufReader<Raw>>>),
}

/// What is decompressed, block by block.
struct Blocks<D> {
    decoder: D,
    block: Vec<u8>,
    taken: usize,
}

impl<D: Read> Blocks<D> {
    fn new(decoder: D) -> Self {
        Self {
            decoder,
            block: Vec::with_capacity(BLOCK),
            taken: 0,
        }
    }
}

impl<D: Read> Read for Blocks<D> {
    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        if self.taken == self.block.len() {
            self.taken = 0;
            self.block.resize(BLOCK, 0);
            let read = self.decoder.read(&mut self.block);
            self.block.truncate(*read.as_ref().unwrap_or(&0));
            read?;
        }
        let len = space.len().min(self.block.len() - self.taken);
        space[..len].copy_from_slice(&self.block[self.taken..self.taken + len]);
        self.taken += len;
        Ok(len)
    }
}

/// A file being read.
pub struct Reader {
    path: PathBuf,
    bytes: Bytes,
    /// So many bytes have been given.
    given: u64,
}

impl Reader {
    /// Opens a file that does not change while it is read.
    pub fn open(path: &Path) -> Result<Self, ConnectorError> {
        let reading = |error| ConnectorError::reading(path, error);
        let file = File::open(path).map_err(reading)?;
        let metadata = file.metadata().map_err(reading)?;
        if metadata.is_dir() {
            let message = format!("{} is a folder, not a file", path.display());
            return Err(ConnectorError::Configuration(message));
        }
        let from = if metadata.is_file() {
            From::File(file)
        } else {
            From::Stream(Box::new(file))
        };
        Self::of(from, path)
    }

    /// Reads a file that grows.
    pub(crate) fn follow(file: Followed, path: &Path) -> Result<Self, ConnectorError> {
        Self::of(From::Followed(file), path)
    }

    /// Reads on from a reader, which may be compressed like a file.
    ///
    /// # Errors
    /// None: what cannot be read is said when it is read.
    pub fn over(reader: impl Read + Send + 'static) -> Result<Self, ConnectorError> {
        Self::of(From::Stream(Box::new(reader)), Path::new("a reader"))
    }

    fn of(from: From, path: &Path) -> Result<Self, ConnectorError> {
        let raw = Raw::new(from).map_err(|error| ConnectorError::reading(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            bytes: Bytes::Unknown(Some(raw)),
            given: 0,
        })
    }

    fn raw(&self) -> Option<&Raw> {
        match &self.bytes {
            Bytes::Unknown(raw) => raw.as_ref(),
            Bytes::Plain(raw) => Some(raw),
            Bytes::Gzip(blocks) => Some(blocks.decoder.get_ref()),
            Bytes::Zstd(blocks) => Some(blocks.decoder.get_ref().get_ref()),
        }
    }

    /// Sees what the bytes are, if it is not known yet.
    fn decide(&mut self) -> std::io::Result<()> {
        let Bytes::Unknown(raw) = &mut self.bytes else {
            return Ok(());
        };
        let Some(bytes) = raw else { return Ok(()) };
        let compression = bytes.compression()?;
        let Some(bytes) = raw.take() else {
            return Ok(());
        };
        self.bytes = match compression {
            Some(GZIP) => Bytes::Gzip(Blocks::new(MultiGzDecoder::new(bytes))),
            Some(_) => Bytes::Zstd(Blocks::new(zstd::stream::read::Decoder::new(bytes)?)),
            None => Bytes::Plain(bytes),
        };
        Ok(())
    }

    fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
        self.decide()?;
        match &mut self.bytes {
            Bytes::Plain(raw) => raw.read(space),
            Bytes::Gzip(blocks) => blocks.read(space),
            Bytes::Zstd(blocks) => blocks.read(space),
            Bytes::Unknown(_) => Ok(0),
        }
    }

    fn compression(&self) -> Option<&'static str> {
        match &self.bytes {
            Bytes::Gzip(_) => Some("gzip"),
            Bytes::Zstd(_) => Some("zstd"),
            Bytes::Plain(_) | Bytes::Unknown(_) => None,
        }
    }

    fn failed(&self, error: std::io::Error) -> Result<Fill, ConnectorError> {
        let error = match error.downcast::<ConnectorError>() {
            Ok(said) => return Err(said),
            Err(error) => error,
        };
        match self.compression() {
            Some(compression) if error.raw_os_error().is_none() => {
                Ok(Fill::Broken(match error.kind() {
                    ErrorKind::UnexpectedEof => format!("the {compression} file ends too early"),
                    _ => format!("the {compression} file is damaged: {error}"),
                }))
            }
            _ => Err(ConnectorError::reading(&self.path, error)),
        }
    }
}

impl Input for Reader {
    fn fill(&mut self, space: &mut [u8]) -> Result<Fill, ConnectorError> {
        loop {
            match self.read(space) {
                Ok(0) => return Ok(Fill::End),
                Ok(len) => {
                    self.given += len as u64;
                    return Ok(Fill::Bytes(len));
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Fill::Pending),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return self.failed(error),
            }
        }
    }

    fn skip_to(&mut self, byte: u64) -> Result<(), ConnectorError> {
        let decided = self.decide();
        decided.map_err(|error| ConnectorError::reading(&self.path, error))?;
        if let Bytes::Plain(raw) = &mut self.bytes
            && raw.seen.is_some()
        {
            self.given = byte;
            let sought = raw.seek(byte);
            return sought.map_err(|error| ConnectorError::reading(&self.path, error));
        }
        let mut space = vec![0; BLOCK];
        while self.given < byte {
            let most = usize::try_from(byte - self.given)
                .unwrap_or(BLOCK)
                .min(BLOCK);
            match self.fill(&mut space[..most])? {
                Fill::Bytes(_) => {}
                Fill::Pending | Fill::End | Fill::Broken(_) => {
                    return Err(ConnectorError::Changed(format!(
                        "{} is not what it was: byte {byte} was read of it, and now it ends at byte {}",
                        self.path.display(),
                        self.given
                    )));
                }
            }
        }
        Ok(())
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        let seen = self.raw()?.seen.as_ref()?;
        Some(seen.print())
    }
}
