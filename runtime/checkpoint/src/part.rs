//! Data files: blocks of opaque bytes, framed so that every cut, flipped bit or exchange is recognised.
//!
//! ```text
//! header   "tidemill" | version u16 | length of name u16 | name | crc32c u32 of all before
//! block    1 u8       | length u32  | crc32c u32 of (block's number u64, 1, length, bytes) | bytes
//! end      2 u8       | 16 u32      | crc32c u32 of (blocks u64, 2, 16, bytes)             | blocks u64 | bytes of them u64
//! ```
//!
//! Numbers are little-endian. The name is the file's own: one that lies under another name is recognised. Frozen as version
//! 1: decisions/0018.

mod read;
mod write;

use serde::{Deserialize, Serialize};

use crate::names::Number;

pub use read::Blocks;
pub use write::PartWriter;

const MAGIC: &[u8; 8] = b"tidemill";
const VERSION: u16 = 1;
const BLOCK: u8 = 1;
const END: u8 = 2;
/// Kind, length and checksum.
const FRAME_BYTES: usize = 9;
const END_BYTES: u32 = 16;

/// A data file, as manifests name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Part {
    /// Its name, relative to the pipeline's folder.
    pub file: String,
    /// Its length, in bytes.
    pub bytes: u64,
    /// CRC-32C of all its bytes.
    #[serde(with = "hex")]
    pub crc32c: u32,
    /// The checkpoint that wrote it.
    pub written_by: Number,
    /// What it is for the operator: a slot's name, say.
    pub label: String,
    /// How it is to be read.
    pub form: Form,
    /// The first and the last key group of which it may hold something; all, if nothing is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_groups: Option<(u32, u32)>,
}

/// How a data file is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// By itself.
    Base,
    /// After those of its label that stand before it.
    Delta,
}

/// What a writer says of a data file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What it is for the operator.
    pub label: String,
    /// How it is to be read.
    pub form: Form,
    /// The first and the last key group of which it may hold something.
    pub key_groups: Option<(u32, u32)>,
}

fn crc_of_frame(number: u64, kind: u8, length: u32) -> u32 {
    let crc = crc32c::crc32c(&number.to_le_bytes());
    let crc = crc32c::crc32c_append(crc, &[kind]);
    crc32c::crc32c_append(crc, &length.to_le_bytes())
}

/// Checksums in JSON: eight lowercase digits.
pub(crate) mod hex {
    use serde::de::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(crc: &u32, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{crc:08x}"))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u32, D::Error> {
        let text = String::deserialize(deserializer)?;
        let crc = u32::from_str_radix(&text, 16).map_err(D::Error::custom)?;
        match format!("{crc:08x}") == text {
            true => Ok(crc),
            false => Err(D::Error::custom("a checksum is eight lowercase digits")),
        }
    }
}

#[cfg(test)]
mod tests;
