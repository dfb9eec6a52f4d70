//! The form of every small object: one line of JSON with a header before and a checksum behind.
//!
//! ```text
//! {"tidemill":"manifest","version":1,"body":{…},"crc32c":"1a2b3c4d"}
//! ```
//!
//! The checksum is CRC-32C of all bytes before `,"crc32c"`, in eight lowercase digits. The header, the checksum and their
//! places are the same in every version, for ever: decisions/0018.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::damage::Why;

/// Bytes of `,"crc32c":"1a2b3c4d"}` and the end of the line.
const TAIL_BYTES: usize = 22;
const TAIL_BEGIN: &[u8] = b",\"crc32c\":\"";
const TAIL_END: &[u8] = b"\"}\n";

/// What an object is, and what it says.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Envelope<'a> {
    #[serde(rename = "tidemill")]
    pub(crate) kind: &'a str,
    pub(crate) version: u64,
    #[serde(borrow)]
    body: &'a RawValue,
    #[serde(rename = "crc32c")]
    _crc32c: &'a str,
}

/// The bytes of an object and the checksum in them.
pub(crate) fn encode(
    kind: &str,
    version: u64,
    body: &impl Serialize,
) -> Result<(Vec<u8>, u32), String> {
    let body = serde_json::to_string(body)
        .map_err(|e| format!("a {kind} cannot be written as JSON: {e}"))?;
    let mut text =
        format!("{{\"tidemill\":\"{kind}\",\"version\":{version},\"body\":{body}").into_bytes();
    let crc32c = crc32c::crc32c(&text);
    text.extend_from_slice(TAIL_BEGIN);
    text.extend_from_slice(format!("{crc32c:08x}").as_bytes());
    text.extend_from_slice(TAIL_END);
    Ok((text, crc32c))
}

/// Checks an object's bytes and reads its header; the checksum beside it.
pub(crate) fn open(bytes: &[u8]) -> Result<(Envelope<'_>, u32), Why> {
    let covered = bytes.len().checked_sub(TAIL_BYTES).ok_or(Why::Truncated)?;
    let (covered, tail) = bytes.split_at(covered);
    let digits = tail
        .strip_prefix(TAIL_BEGIN)
        .and_then(|tail| tail.strip_suffix(TAIL_END))
        .ok_or(Why::Truncated)?;
    let crc32c = crc32c::crc32c(covered);
    if digits != format!("{crc32c:08x}").as_bytes() {
        return Err(Why::Checksum {
            of: "the whole object",
            at: 0,
        });
    }
    let envelope = serde_json::from_slice(bytes).map_err(form)?;
    Ok((envelope, crc32c))
}

impl Envelope<'_> {
    /// Reads the body of an object of this kind, in this version.
    pub(crate) fn body<T: DeserializeOwned>(&self, version: u64) -> Result<T, Why> {
        if self.version != version {
            return Err(Why::Version {
                found: self.version,
                newest: version,
            });
        }
        serde_json::from_str(self.body.get()).map_err(form)
    }
}

fn form(error: serde_json::Error) -> Why {
    Why::Form(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(bytes: &[u8]) -> Result<Vec<u32>, Why> {
        let (envelope, _) = open(bytes)?;
        assert_eq!(envelope.kind, "test");
        envelope.body(3)
    }

    #[test]
    fn every_cut_and_every_flipped_bit_is_recognised() {
        let (bytes, crc32c) = encode("test", 3, &vec![1, 2, 3]).unwrap();
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert_eq!(
            text,
            format!(
                "{{\"tidemill\":\"test\",\"version\":3,\"body\":[1,2,3],\"crc32c\":\"{crc32c:08x}\"}}\n"
            )
        );
        assert_eq!(body(&bytes), Ok(vec![1, 2, 3]));
        for cut in 0..bytes.len() {
            assert!(body(&bytes[..cut]).is_err(), "cut at {cut}");
        }
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(body(&flipped).is_err(), "bit {bit}");
        }
        let mut longer = bytes.clone();
        longer.push(b'\n');
        assert!(body(&longer).is_err());
    }

    #[test]
    fn other_versions_are_refused_by_number() {
        let (bytes, _) = encode("test", 4, &vec![1]).unwrap();
        let refused = body(&bytes);
        assert_eq!(
            refused,
            Err(Why::Version {
                found: 4,
                newest: 3
            })
        );
    }
}
