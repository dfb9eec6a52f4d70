//! Eight bytes within an ordinary register.

use super::{Head, Scan, bytewise};

/// For every processor.
pub struct Portable;

const LOW: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

impl Scan for Portable {
    #[inline(always)]
    fn string_end(text: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
            let bytes = u64::from_le_bytes(*block);
            let quotes = below(bytes ^ (LOW * u64::from(b'"')), 1);
            let backslashes = below(bytes ^ (LOW * u64::from(b'\\')), 1);
            let found = quotes | backslashes | below(bytes, 0x20);
            if found != 0 {
                return at + (found.trailing_zeros() / 8) as usize;
            }
            at += 8;
        }
        bytewise(text, at)
    }

    #[inline(always)]
    fn begins(text: &[u8; 32], head: &Head) -> bool {
        let halves = |bytes: &[u8; 32]| -> [u128; 2] {
            let half = |at| u128::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
            [half(0), half(16)]
        };
        let ([a, b], [c, d], [low, high]) =
            (halves(text), halves(&head.bytes.0), halves(&head.mask.0));
        ((a ^ c) & low) | ((b ^ d) & high) == 0
    }
}

/// The high bit of each byte that is below `limit`, at most 0x80: right up to the first of them,
/// behind which a borrow may set more.
#[inline(always)]
fn below(bytes: u64, limit: u8) -> u64 {
    bytes.wrapping_sub(LOW * u64::from(limit)) & !bytes & HIGH
}
