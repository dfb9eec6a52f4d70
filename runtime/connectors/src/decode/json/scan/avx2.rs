//! 32 bytes in a register.

use std::arch::x86_64::{
    __m256i, _mm256_and_si256, _mm256_cmpeq_epi8, _mm256_lddqu_si256, _mm256_load_si256,
    _mm256_min_epu8, _mm256_movemask_epi8, _mm256_or_si256, _mm256_set1_epi8,
};

use super::{Head, Scan, bytewise};

/// For processors with AVX2: whoever uses it has asked whether this one has.
pub struct Avx2;

impl Scan for Avx2 {
    #[inline(always)]
    fn string_end(text: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
            let found = specials(block);
            if found != 0 {
                return at + found.trailing_zeros() as usize;
            }
            at += 32;
        }
        bytewise(text, at)
    }

    #[inline(always)]
    fn long_string_end(text: &[u8], from: usize) -> usize {
        let Some(block) = text.get(from..).and_then(|rest| rest.first_chunk::<128>()) else {
            return Self::string_end(text, from);
        };
        let low = specials_of_two(block, 0);
        let high = specials_of_two(block, 64);
        let (bits, base) = if low != 0 { (low, 0) } else { (high, 64) };
        if bits == 0 {
            return Self::string_end(text, from + 128);
        }
        from + base + bits.trailing_zeros() as usize
    }

    #[inline(always)]
    fn begins(text: &[u8; 32], head: &Head) -> bool {
        // SAFETY: the processor has AVX2, and all that is read are arrays of 32 bytes, aligned but
        // for the text.
        unsafe {
            let text = _mm256_lddqu_si256(text.as_ptr().cast::<__m256i>());
            let mask = _mm256_load_si256(head.mask.0.as_ptr().cast::<__m256i>());
            let bytes = _mm256_load_si256(head.bytes.0.as_ptr().cast::<__m256i>());
            _mm256_movemask_epi8(_mm256_cmpeq_epi8(_mm256_and_si256(text, mask), bytes)) == -1
        }
    }
}

/// One bit per byte.
#[inline(always)]
fn specials(block: &[u8; 32]) -> u32 {
    // SAFETY: the processor has AVX2, and what is read is an array of 32 bytes.
    unsafe {
        let bytes = _mm256_lddqu_si256(block.as_ptr().cast::<__m256i>());
        let quote = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'"' as i8));
        let backslash = _mm256_cmpeq_epi8(bytes, _mm256_set1_epi8(b'\\' as i8));
        let control = _mm256_cmpeq_epi8(_mm256_min_epu8(bytes, _mm256_set1_epi8(0x1F)), bytes);
        _mm256_movemask_epi8(_mm256_or_si256(_mm256_or_si256(quote, backslash), control)) as u32
    }
}

/// One bit per byte of 64.
#[inline(always)]
fn specials_of_two(block: &[u8; 128], at: usize) -> u64 {
    let first = block.get(at..).and_then(|rest| rest.first_chunk::<32>());
    let second = block
        .get(at + 32..)
        .and_then(|rest| rest.first_chunk::<32>());
    match (first, second) {
        (Some(first), Some(second)) => {
            u64::from(specials(first)) | u64::from(specials(second)) << 32
        }
        _ => 0,
    }
}
