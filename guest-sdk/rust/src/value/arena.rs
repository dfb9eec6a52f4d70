//! Text and bytes: values of any length, end to end in one arena.

use std::ptr;

use super::{Plain, ReadValue, Value, Writer};
use crate::bindings::tidemill::operator::columns::{Arena, Column, Values};

/// What one value is expected to need, so that short texts do not make the arena grow step by step.
const EXPECTED_BYTES: usize = 16;

/// A column of texts or byte strings, resolved: one more offset than rows.
#[derive(Clone, Copy)]
pub struct ArenaReader<'b> {
    offsets: &'b [u32],
    bytes: &'b [u8],
}

impl<'b> ArenaReader<'b> {
    fn open(column: &'b Column, rows: usize) -> Option<Self> {
        match &column.values {
            Values::Arena(Arena { offsets, bytes }) => Some(Self {
                offsets: offsets.get(..=rows)?,
                bytes,
            }),
            _ => None,
        }
    }

    /// # Safety
    /// There are at least `row + 2` offsets.
    #[inline(always)]
    unsafe fn bytes(self, row: usize) -> &'b [u8] {
        // SAFETY: the caller's.
        let (start, end) = unsafe {
            (
                *self.offsets.get_unchecked(row) as usize,
                *self.offsets.get_unchecked(row + 1) as usize,
            )
        };
        match self.bytes.get(start..end) {
            Some(bytes) => bytes,
            None => broken(),
        }
    }
}

#[cold]
#[inline(never)]
fn broken() -> ! {
    panic!("the host sent a column of texts or bytes whose offsets do not fit its bytes");
}

/// A column of texts or byte strings that is being made.
pub struct ArenaWriter {
    offsets: Vec<u32>,
    bytes: Vec<u8>,
}

impl ArenaWriter {
    #[inline(always)]
    fn push(&mut self, bytes: &[u8]) {
        append(&mut self.bytes, bytes);
        self.offsets.push(self.bytes.len() as u32);
    }

    fn view(&self) -> ArenaReader<'_> {
        ArenaReader {
            offsets: &self.offsets,
            bytes: &self.bytes,
        }
    }
}

impl Writer for ArenaWriter {
    fn with_rows(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self {
            offsets,
            bytes: Vec::with_capacity(rows * EXPECTED_BYTES),
        }
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.bytes.truncate(self.offsets[rows] as usize);
    }

    fn finish(self) -> Column {
        let Self { offsets, bytes } = self;
        Column {
            values: Values::Arena(Arena { offsets, bytes }),
            valid: None,
        }
    }
}

macro_rules! arena {
    ($value:ty, $lifetime:lifetime, [$($static:tt)*], $name:literal, |$bytes:ident| $read:expr) => {
        impl $($static)* Value for $value {
            const TYPE: &'static str = $name;
            type Writer = ArenaWriter;

            #[inline(always)]
            fn write(&self, writer: &mut Self::Writer) {
                writer.push(self.as_ref());
            }
        }

        impl $($static)* Plain for $value {
            const NULLABLE: &'static str = concat!($name, "?");

            #[inline(always)]
            fn write_empty(writer: &mut Self::Writer) {
                writer.push(&[]);
            }
        }

        impl<$lifetime> ReadValue<$lifetime> for $value {
            type Reader = ArenaReader<$lifetime>;

            fn open(column: &$lifetime Column, rows: usize) -> Option<Self::Reader> {
                ArenaReader::open(column, rows)
            }

            fn view(writer: &$lifetime Self::Writer) -> Self::Reader {
                writer.view()
            }

            #[inline(always)]
            unsafe fn read(reader: Self::Reader, row: usize) -> Self {
                // SAFETY: the caller's: `open` has checked that there is one more offset than rows.
                let $bytes = unsafe { reader.bytes(row) };
                $read
            }
        }
    };
}

/// Appends bytes: most values are short, and a call into the engine to copy 20 bytes costs more
/// than three words.
#[inline(always)]
fn append(list: &mut Vec<u8>, bytes: &[u8]) {
    let (before, count) = (list.len(), bytes.len());
    list.reserve(count);
    // SAFETY: there is room for `count` bytes behind `before`, `bytes` has as many, and they cannot
    // overlap, since one is borrowed and the other mutably. `copy_short` writes all of them.
    unsafe {
        let (from, to) = (bytes.as_ptr(), list.as_mut_ptr().add(before));
        match count {
            0..=32 => copy_short(from, to, count),
            _ => ptr::copy_nonoverlapping(from, to, count),
        }
        list.set_len(before + count);
    }
}

/// Copies at most 32 bytes, in words from both ends that may meet in the middle.
///
/// # Safety
/// `from` can be read and `to` be written for `count` bytes, and they do not overlap.
#[inline(always)]
unsafe fn copy_short(from: *const u8, to: *mut u8, count: usize) {
    /// # Safety
    /// As for `copy_short`, for the size of `W` from `at`.
    #[inline(always)]
    unsafe fn word<W: Copy>(from: *const u8, to: *mut u8, at: usize) {
        // SAFETY: the caller's.
        unsafe {
            to.add(at)
                .cast::<W>()
                .write_unaligned(from.add(at).cast::<W>().read_unaligned())
        }
    }
    // SAFETY: every word lies within `count` bytes.
    unsafe {
        if count > 16 {
            word::<u64>(from, to, 0);
            word::<u64>(from, to, 8);
            word::<u64>(from, to, count - 16);
            word::<u64>(from, to, count - 8);
        } else if count >= 8 {
            word::<u64>(from, to, 0);
            word::<u64>(from, to, count - 8);
        } else if count >= 4 {
            word::<u32>(from, to, 0);
            word::<u32>(from, to, count - 4);
        } else if count > 0 {
            word::<u8>(from, to, 0);
            word::<u8>(from, to, count / 2);
            word::<u8>(from, to, count - 1);
        }
    }
}

/// A text that was checked where it was made.
#[inline(always)]
fn text(bytes: &[u8]) -> &str {
    // SAFETY: the interface says that every value of a column of logical type text is UTF-8 by
    // itself. The host checks it, and an `ArenaWriter` of texts only ever takes texts.
    unsafe { str::from_utf8_unchecked(bytes) }
}

arena!(&'b str, 'b, [<'b>], "text", |bytes| text(bytes));
arena!(String, 'b, [], "text", |bytes| text(bytes).to_owned());
arena!(&'b [u8], 'b, [<'b>], "bytes", |bytes| bytes);
arena!(Vec<u8>, 'b, [], "bytes", |bytes| bytes.to_vec());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_length_come_back() {
        let all: Vec<u8> = (0..200).collect();
        let mut writer = ArenaWriter::with_rows(0);
        (0..200).for_each(|length| writer.push(&all[..length]));
        writer.truncate(150);
        for length in 0..150 {
            // SAFETY: 150 values are left.
            assert_eq!(unsafe { writer.view().bytes(length) }, &all[..length]);
        }
        assert_eq!(writer.bytes.len(), (0..150).sum());
    }
}
