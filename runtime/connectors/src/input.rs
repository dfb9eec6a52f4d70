//! Bytes that rows are made of: from files (plain, gzip, zstd), from files that grow, from standard
//! input.

pub mod files;
pub mod finder;
pub mod follow;
mod reader;
pub mod records;
mod sample;
pub mod stdin;
pub mod text;
mod text_split;

use crate::ConnectorError;

pub(crate) use text_split::TextSplit;

/// Something that bytes come from, in order.
pub(crate) trait Input: Send {
    /// Puts the next bytes at the start of `space`, which is not empty.
    fn fill(&mut self, space: &mut [u8]) -> Result<Fill, ConnectorError>;
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
