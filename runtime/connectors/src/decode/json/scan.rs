//! Looking at many bytes at a time: for the end of a string, and for something expected.
//!
//! Three ways that do the same: 32 bytes in a register (AVX2, where the processor has it), sixteen
//! (SSE2, which every x86-64 has), eight within an ordinary register (everywhere). All that can run
//! are tested.

#[cfg(target_arch = "x86_64")]
mod avx2;
mod portable;
#[cfg(target_arch = "x86_64")]
mod sse2;

#[cfg(target_arch = "x86_64")]
pub use self::avx2::Avx2;
pub use self::portable::Portable;
#[cfg(target_arch = "x86_64")]
pub use self::sse2::Sse2;

/// What every processor of this kind can do.
#[cfg(target_arch = "x86_64")]
pub type Base = Sse2;
/// What every processor of this kind can do.
#[cfg(not(target_arch = "x86_64"))]
pub type Base = Portable;

/// A way to look at many bytes.
pub trait Scan {
    /// The index, from `from` on, of the first byte that is a quotation mark, a backslash or a
    /// control character; the length if there is none.
    fn string_end(text: &[u8], from: usize) -> usize;

    /// The same, in a way that is good for strings of about a hundred bytes.
    #[inline(always)]
    fn long_string_end(text: &[u8], from: usize) -> usize {
        Self::string_end(text, from)
    }

    /// Whether a text begins with a head.
    fn begins(text: &[u8; 32], head: &Head) -> bool;
}

/// The first bytes of something that is looked for.
#[derive(Clone, Copy, Debug)]
pub struct Head {
    bytes: Aligned,
    /// 0xFF where a byte counts.
    mask: Aligned,
}

/// Bytes that can be loaded into a register at once.
#[derive(Clone, Copy, Debug)]
#[repr(align(32))]
struct Aligned([u8; 32]);

impl Head {
    /// So many bytes it has at most.
    pub const LEN: usize = 32;

    /// The first of these bytes.
    pub fn new(bytes: &[u8]) -> Self {
        let mut head = Self {
            bytes: Aligned([0; 32]),
            mask: Aligned([0; 32]),
        };
        for (i, &byte) in bytes.iter().take(Self::LEN).enumerate() {
            (head.bytes.0[i], head.mask.0[i]) = (byte, 0xFF);
        }
        head
    }
}

/// Byte by byte: for what is left at the end of a slice.
#[cold]
fn bytewise(text: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < text.len() && !matches!(text[at], b'"' | b'\\' | 0..0x20) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way that this processor has.
    fn string_ends(text: &[u8], from: usize) -> Vec<usize> {
        let mut ends = vec![
            Portable::string_end(text, from),
            Base::string_end(text, from),
        ];
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            ends.push(Avx2::string_end(text, from));
            ends.push(Avx2::long_string_end(text, from));
        }
        ends
    }

    fn all_begin(text: &[u8; 32], head: &Head) -> Vec<bool> {
        let mut found = vec![Portable::begins(text, head), Base::begins(text, head)];
        #[cfg(target_arch = "x86_64")]
        if std::is_x86_feature_detected!("avx2") {
            found.push(Avx2::begins(text, head));
        }
        found
    }

    fn check(text: &[u8], from: usize) {
        let expected = bytewise(text, from);
        for end in string_ends(text, from) {
            assert_eq!(end, expected, "{text:?} from {from}");
        }
    }

    #[test]
    fn finds_the_same_byte_as_the_plain_loop_wherever_it_stands() {
        for special in 0..=255_u8 {
            for len in [1, 7, 8, 31, 32, 33, 63, 64, 65, 100, 127, 128, 129, 200] {
                for place in 0..len {
                    let mut text = vec![[b'x', b'\xC3', 0x7F, b'!', b'['][place % 5]; len];
                    text[place] = special;
                    check(&text, 0);
                    check(&text, place / 2);
                    check(&text, place);
                }
            }
        }
    }

    #[test]
    fn finds_the_first_of_many() {
        let text: Vec<u8> = (0..=255).rev().chain(0..=255).collect();
        (0..=text.len()).for_each(|from| check(&text, from));
    }

    #[test]
    fn a_head_is_compared_in_its_own_bytes_alone() {
        let text: [u8; 32] = std::array::from_fn(|i| i as u8);
        for len in 0..=32 {
            let head = Head::new(&text[..len]);
            assert_eq!(
                all_begin(&text, &head),
                vec![true; all_begin(&text, &head).len()]
            );
            for changed in 0..32 {
                let mut other = text;
                other[changed] ^= 0x80;
                for begins in all_begin(&other, &head) {
                    assert_eq!(begins, changed >= len);
                }
            }
        }
    }
}
