//! Looking for the end of a string, many bytes at a time.

/// The index, from `from` on, of the first byte that is a quotation mark, a backslash or a control
/// character; the length if there is none.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn string_end(row: &[u8], from: usize) -> usize {
    use std::arch::x86_64::{
        _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
        _mm_set1_epi8,
    };
    let mut at = from;
    while let Some(block) = row.get(at..at + 16) {
        // SAFETY: SSE2 is part of x86-64, and the sixteen bytes read are those of `block`.
        let found = unsafe {
            let bytes = _mm_loadu_si128(block.as_ptr().cast());
            let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
            let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
            let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
            _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control))
        };
        if found != 0 {
            return at + found.trailing_zeros() as usize;
        }
        at += 16;
    }
    string_end_bytewise(row, at)
}

/// The index, from `from` on, of the first byte that is a quotation mark, a backslash or a control
/// character; the length if there is none.
#[cfg(not(target_arch = "x86_64"))]
#[inline]
pub fn string_end(row: &[u8], from: usize) -> usize {
    string_end_bytewise(row, from)
}

#[inline]
fn string_end_bytewise(row: &[u8], from: usize) -> usize {
    let mut at = from;
    while at < row.len() && !matches!(row[at], b'"' | b'\\' | 0..0x20) {
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::{string_end, string_end_bytewise};

    #[test]
    fn finds_the_same_byte_as_the_plain_loop_wherever_it_stands() {
        for special in [b'"', b'\\', 0, 0x1F, b'\n', b' ', 0x7F, 0x80, 0xFF] {
            for len in 0..50 {
                for place in 0..len {
                    let mut row = vec![b'x'; len];
                    row[place] = special;
                    for from in 0..=len {
                        assert_eq!(string_end(&row, from), string_end_bytewise(&row, from));
                    }
                }
            }
        }
    }
}
