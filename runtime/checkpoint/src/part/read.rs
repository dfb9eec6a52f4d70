//! Reads a data file that lies whole in memory, and checks every byte of it before it gives out any.

use bytes::{Buf, Bytes};

use super::{BLOCK, END, END_BYTES, FRAME_BYTES, MAGIC, Part, VERSION, crc_of_frame};
use crate::damage::Why;

/// The blocks of a data file that was found whole.
#[derive(Debug, Clone)]
pub struct Blocks {
    blocks: std::vec::IntoIter<Bytes>,
}

impl Blocks {
    /// Checks a file against what its manifest says of it.
    pub(crate) fn check(part: &Part, bytes: Bytes) -> Result<Self, Why> {
        if bytes.len() as u64 != part.bytes {
            return Err(Why::Length {
                expected: part.bytes,
                found: bytes.len() as u64,
            });
        }
        let crc32c = crc32c::crc32c(&bytes);
        let blocks = read(&part.file, bytes)?;
        if crc32c != part.crc32c {
            return Err(Why::Checksum {
                of: "the whole file",
                at: 0,
            });
        }
        Ok(Self {
            blocks: blocks.into_iter(),
        })
    }

    /// All blocks, one behind the other.
    pub fn concat(self) -> Vec<u8> {
        self.blocks.as_slice().concat()
    }
}

impl Iterator for Blocks {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        self.blocks.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.blocks.size_hint()
    }
}

impl ExactSizeIterator for Blocks {}

/// Reads a file that must have been written under this name.
pub(super) fn read(name: &str, bytes: Bytes) -> Result<Vec<Bytes>, Why> {
    let mut reader = Reader {
        bytes,
        at: 0,
        blocks: Vec::new(),
        payload_bytes: 0,
    };
    reader.header(name)?;
    while reader.frame()? {}
    match reader.bytes.is_empty() {
        true => Ok(reader.blocks),
        false => Err(Why::Trailing),
    }
}

struct Reader {
    /// What has not been read yet.
    bytes: Bytes,
    /// How much has.
    at: u64,
    blocks: Vec<Bytes>,
    payload_bytes: u64,
}

impl Reader {
    fn take(&mut self, length: usize) -> Result<Bytes, Why> {
        if self.bytes.len() < length {
            return Err(Why::Truncated);
        }
        self.at += length as u64;
        Ok(self.bytes.split_to(length))
    }

    fn header(&mut self, name: &str) -> Result<(), Why> {
        let whole = self.bytes.clone();
        let mut fixed = self.take(MAGIC.len() + 4)?;
        if fixed.split_to(MAGIC.len()) != MAGIC[..] {
            return Err(Why::Form("it is no data file of tidemill".to_owned()));
        }
        let version = fixed.get_u16_le();
        let length = fixed.get_u16_le();
        if version != VERSION {
            return Err(Why::Version {
                found: version.into(),
                newest: VERSION.into(),
            });
        }
        let found = self.take(length.into())?;
        let covered = &whole[..self.at as usize];
        if self.take(4)?.get_u32_le() != crc32c::crc32c(covered) {
            return Err(Why::Checksum {
                of: "the header",
                at: 0,
            });
        }
        if found != name.as_bytes() {
            return Err(Why::Other {
                expected: name.to_owned(),
                found: String::from_utf8_lossy(&found).into_owned(),
            });
        }
        Ok(())
    }

    /// Reads a block; whether another follows.
    fn frame(&mut self) -> Result<bool, Why> {
        let at = self.at;
        let mut frame = self.take(FRAME_BYTES)?;
        let kind = frame.get_u8();
        let length = frame.get_u32_le();
        let expected = frame.get_u32_le();
        let bytes = self.take(length as usize)?;
        let crc = crc_of_frame(self.blocks.len() as u64, kind, length);
        if crc32c::crc32c_append(crc, &bytes) != expected {
            return Err(Why::Checksum { of: "a block", at });
        }
        match kind {
            BLOCK => {
                self.payload_bytes += u64::from(length);
                self.blocks.push(bytes);
                Ok(true)
            }
            END if length == END_BYTES => self.end(bytes),
            _ => Err(Why::Form(format!(
                "a block of kind {kind} and {length} bytes"
            ))),
        }
    }

    fn end(&self, mut bytes: Bytes) -> Result<bool, Why> {
        let blocks = bytes.get_u64_le();
        let payload_bytes = bytes.get_u64_le();
        match blocks == self.blocks.len() as u64 && payload_bytes == self.payload_bytes {
            true => Ok(false),
            false => Err(Why::Form(
                "its end counts other blocks than it has".to_owned(),
            )),
        }
    }
}
