//! What a sink has written and not published: what a checkpoint keeps of it, so that a crash loses none of it.
//!
//! Rows are written to *segments*, files under hidden names beside their place. A *part* is what is published as one file:
//! one segment, or several where the process was begun anew in between, or where a format cannot be added to. It is written
//! as JSON by who keeps it, and read by later versions: fields may be added, with a default, and none may change its meaning.

use serde::{Deserialize, Serialize};

/// What one worker has written to a sink at a cut and not published.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Pending {
    /// Its parts, the oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// Rows that are published together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Part {
    /// Its own name: the incarnation that began it, its worker and a number.
    pub id: String,
    /// The name that it gets with this checkpoint, beside its segments; none while it is open. What several parts are to be
    /// called becomes one file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish: Option<String>,
    /// When it was begun, in milliseconds since the Unix epoch.
    pub begun_ms: i64,
    /// Where its rows are, in order.
    pub segments: Vec<Segment>,
}

/// A file of rows, up to a length.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Segment {
    /// Its hidden name.
    pub file: String,
    /// So many of its bytes count; what stands behind them does not.
    pub bytes: u64,
    /// So many bytes at its beginning are a header.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub head: u64,
    /// So many rows.
    pub rows: u64,
    /// CRC-32C of the bytes that count.
    pub crc: u32,
    /// Whether an older incarnation left it, which may not have ended: it is copied, never put in a place itself.
    #[serde(default, skip_serializing_if = "is_false")]
    pub left: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !value
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(value: &u64) -> bool {
    *value == 0
}

impl Part {
    /// How many rows it has.
    pub fn rows(&self) -> u64 {
        self.segments.iter().map(|segment| segment.rows).sum()
    }

    /// How many bytes its segments have.
    pub fn bytes(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }
}

/// The moment at which the rows of a checkpoint end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The checkpoint's number, after which the parts are called that it publishes.
    pub checkpoint: u64,
    /// What ends with them.
    pub ending: Ending,
}

/// What ends with the rows of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Nothing: open parts take more rows.
    Nothing,
    /// Parts, so that nothing of them is pending afterwards. A single file takes more rows.
    Parts,
    /// Everything: it is the last one.
    Everything,
}
