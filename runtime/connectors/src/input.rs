//! Bytes that rows are made of: from files (plain, gzip, zstd), from files that grow, from standard
//! input.

pub mod files;
pub mod finder;
pub mod follow;
mod found;
mod known;
mod opening;
mod reader;
pub mod records;
mod resume;
mod sample;
pub mod stdin;
pub mod text;
mod text_split;

use crate::ConnectorError;
use crate::position::Fingerprint;

pub(crate) use text_split::TextSplit;

/// Something that bytes come from, in order.
pub(crate) trait Input: Send {
    /// Puts the next bytes at the start of `space`, which is not empty.
    fn fill(&mut self, space: &mut [u8]) -> Result<Fill, ConnectorError>;

    /// Goes on at this byte of what it gives. Of what is compressed it is one that has not been given yet.
    fn skip_to(&mut self, byte: u64) -> Result<(), ConnectorError>;

    /// Which file it is, as far as it was read; none where it is a stream that gives nothing twice.
    fn fingerprint(&self) -> Option<Fingerprint>;
}

/// What came of filling.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fill {
    /// So many bytes, at least one.
    Bytes(usize),
    /// Nothing now.
    Pending,
    /// Nothing any more.
    End,
    /// Nothing any more, and what came last is not whole: a compressed file cut short or damaged.
    Broken(String),
}
