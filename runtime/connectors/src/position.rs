//! Where a split is to be read on: what a checkpoint keeps of a source.
//!
//! A position is asked for between two reads and stands for everything that they have given so far. Rows and bad rows from
//! a position on are the same, however many are read at once and whoever reads them. It is written as JSON by who keeps it,
//! and read by later versions: fields may be added, with a default, and none may change its meaning.

use std::io::{self, Read, Seek, SeekFrom};

use serde::{Deserialize, Serialize};

/// Where a split is to be read on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "kebab-case")]
pub enum Position {
    /// In a file.
    File(FilePosition),
    /// In rows that are made up: the number of the next one, which is the number of rows where all have been given.
    Generated {
        /// The number of the next row.
        next: u64,
        /// Whether there is none.
        finished: bool,
    },
    /// In a partition of Kafka.
    Record(RecordPosition),
    /// In a stream, such as standard input or a pipe, that gives nothing twice: it cannot be read on by another process.
    Stream {
        /// Whether all of it has been read.
        finished: bool,
    },
}

/// Where a partition of Kafka is to be read on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct RecordPosition {
    /// The offset of the next record.
    pub next: i64,
    /// The offset before which reading ends, if it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<i64>,
    /// The id of its topic, where brokers have ids: a topic that was made again has another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

impl RecordPosition {
    /// Whether everything has been given.
    pub(crate) fn is_finished(&self) -> bool {
        self.end.is_some_and(|end| self.next >= end)
    }

    /// Nothing is left before this offset.
    pub(crate) fn has_come_to(&mut self, offset: i64) {
        let end = self.end.unwrap_or(i64::MAX);
        self.next = self.next.max(offset.min(end));
    }
}

/// Where a file is to be read on. All begins at the file's beginning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct FilePosition {
    /// The offset of the next byte, after decompression.
    pub byte: u64,
    /// Its line, from 1.
    pub line: u64,
    /// Whether it stands in the rest of a line that was too long, which is passed over.
    #[serde(default, skip_serializing_if = "is_false")]
    pub within_line: bool,
    /// Whether the header of CSV has been read.
    #[serde(default, skip_serializing_if = "is_false")]
    pub header_read: bool,
    /// Whether the file has been read to its end, and is not followed.
    #[serde(default, skip_serializing_if = "is_false")]
    pub finished: bool,
    /// Whether everything that was there has been given.
    #[serde(default, skip_serializing_if = "is_false")]
    pub caught_up: bool,
    /// Which file it is; none before it was opened, and while a successor is waited for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<Fingerprint>,
    /// Files that stood at its place before and have been read to their ends, where they could be found again.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Fingerprint>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

impl Default for FilePosition {
    fn default() -> Self {
        Self {
            byte: 0,
            line: 1,
            within_line: false,
            header_read: false,
            finished: false,
            caught_up: false,
            file: None,
            earlier: Vec::new(),
        }
    }
}

impl Position {
    /// The offset of the next record, of a partition of Kafka.
    pub fn next_record(&self) -> Option<i64> {
        match self {
            Self::Record(at) => Some(at.next),
            _ => None,
        }
    }

    /// Whether everything of the split has been given.
    pub fn is_finished(&self) -> bool {
        match self {
            Self::File(at) => at.finished,
            Self::Record(at) => at.is_finished(),
            Self::Generated { finished, .. } | Self::Stream { finished } => *finished,
        }
    }
}

/// So much of a file's beginning tells it from others (`position-head`).
const HEAD: u64 = 1024;

/// So much before the end of what was read does (`position-tail`).
const TAIL: u64 = 256;

/// What tells a file, of which some was read, from any other: bytes of it as they stand there, before any decompression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Fingerprint {
    /// Its number in its file system, which finds it again under another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inode: Option<u64>,
    /// So many bytes were read: the file is at least as long.
    pub read: u64,
    /// CRC-32C of the first bytes read, at most 1,024.
    pub head: u32,
    /// CRC-32C of the last bytes read, at most 256.
    pub tail: u32,
}

/// What a file is, held against a [`Fingerprint`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Likeness {
    /// The same, and of that length.
    Same(u64),
    /// Shorter than what was read of it.
    Shorter(u64),
    /// Another one.
    Other,
}

impl Fingerprint {
    /// Whether a file may be the one that this is of.
    pub(crate) fn holds_for(&self, file: &mut (impl Read + Seek)) -> io::Result<Likeness> {
        let length = file.seek(SeekFrom::End(0))?;
        if length < self.read {
            return Ok(Likeness::Shorter(length));
        }
        let (head, tail) = (self.read.min(HEAD), self.read.min(TAIL));
        let same = crc32c::crc32c(&bytes(file, 0, head)?) == self.head
            && crc32c::crc32c(&bytes(file, self.read - tail, tail)?) == self.tail;
        Ok(if same {
            Likeness::Same(length)
        } else {
            Likeness::Other
        })
    }
}

fn bytes(file: &mut (impl Read + Seek), from: u64, len: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(from))?;
    let mut bytes = Vec::with_capacity(len as usize);
    file.take(len).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The fingerprint of bytes that are read one after the other.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    print: Fingerprint,
    /// The last bytes, fewer than [`TAIL`] only where no more were read.
    last: Vec<u8>,
}

impl Seen {
    /// Nothing was read.
    pub fn nothing(inode: Option<u64>) -> Self {
        Self {
            print: Fingerprint {
                inode,
                read: 0,
                head: 0,
                tail: 0,
            },
            last: Vec::new(),
        }
    }

    /// What stands in a file before this byte was read. The file's own place is lost.
    pub fn before(
        read: u64,
        inode: Option<u64>,
        file: &mut (impl Read + Seek),
    ) -> io::Result<Self> {
        let mut seen = Self::nothing(inode);
        seen.print.read = read;
        seen.print.head = crc32c::crc32c(&bytes(file, 0, read.min(HEAD))?);
        seen.last = bytes(file, read - read.min(TAIL), read.min(TAIL))?;
        seen.print.tail = crc32c::crc32c(&seen.last);
        Ok(seen)
    }

    /// Some more was read.
    pub fn take(&mut self, bytes: &[u8]) {
        let missing = HEAD.saturating_sub(self.print.read).min(bytes.len() as u64);
        self.print.head = crc32c::crc32c_append(self.print.head, &bytes[..missing as usize]);
        self.print.read += bytes.len() as u64;
        let tail = TAIL as usize;
        if bytes.len() >= tail {
            self.last.clear();
        } else {
            let spare = (self.last.len() + bytes.len()).saturating_sub(tail);
            self.last.drain(..spare);
        }
        self.last
            .extend_from_slice(&bytes[bytes.len().saturating_sub(tail)..]);
        self.print.tail = crc32c::crc32c(&self.last);
    }

    /// The fingerprint so far.
    pub fn print(&self) -> Fingerprint {
        self.print
    }
}
