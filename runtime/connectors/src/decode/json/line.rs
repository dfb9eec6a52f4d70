//! A line with what the decoder may read behind it.
//!
//! Blocks of bytes are loaded at any place of a line, also over its end, and whatever steps through
//! it stops by itself there: a line is followed by a newline, which stands in none (a carriage
//! return before it is a blank of the line), and that by so many bytes of anything that no load
//! leaves the slice. Of what stands behind the newline nothing decides.

use std::ops::Range;

/// So many bytes can be read from any place of a line on, its newline included.
pub const PADDING: usize = 128;

/// A line, followed by a newline and `PADDING`.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    text: &'a [u8],
}

impl<'a> Line<'a> {
    /// The line at a range of a buffer, if what must follow it does.
    #[inline]
    pub fn within(buffer: &'a [u8], range: &Range<usize>) -> Option<Self> {
        let behind = &buffer[range.end..];
        let ended = matches!(behind, [b'\n', ..] | [b'\r', b'\n', ..]);
        (ended && behind.len() > PADDING).then(|| Self {
            text: &buffer[range.start..],
        })
    }

    /// The line that begins a text, wherever it ends: there is a newline, and `PADDING` behind.
    #[inline(always)]
    pub fn ahead(text: &'a [u8]) -> Self {
        Self { text }
    }

    /// A line copied to where what must follow it does.
    pub fn copied(line: &[u8], space: &'a mut Vec<u8>) -> Self {
        space.clear();
        space.extend_from_slice(line);
        space.push(b'\n');
        space.resize(line.len() + 1 + PADDING, 0);
        Self { text: space }
    }

    /// The line and what follows it.
    #[inline(always)]
    pub fn text(&self) -> &'a [u8] {
        self.text
    }
}
