//! Sixteen bytes in a register.

use std::arch::x86_64::{
    __m128i, _mm_and_si128, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8,
    _mm_or_si128, _mm_set1_epi8,
};

use super::{Head, Scan, bytewise};

/// For every x86-64.
pub struct Sse2;

impl Scan for Sse2 {
    #[inline(always)]
    fn string_end(text: &[u8], from: usize) -> usize {
        let mut at = from;
        while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk::<32>()) {
            let found = specials(block, 0) | specials(block, 16) << 16;
            if found != 0 {
                return at + found.trailing_zeros() as usize;
            }
            at += 32;
        }
        bytewise(text, at)
    }

    #[inline(always)]
    fn begins(text: &[u8; 32], head: &Head) -> bool {
        // SAFETY: SSE2 is part of x86-64, and each sixteen bytes read are of an array of 32.
        unsafe {
            let load = |of: &[u8; 32], at| _mm_loadu_si128(of.as_ptr().add(at).cast::<__m128i>());
            let equal = |at| {
                let wanted = _mm_and_si128(load(text, at), load(&head.mask.0, at));
                _mm_cmpeq_epi8(wanted, load(&head.bytes.0, at))
            };
            _mm_movemask_epi8(_mm_and_si128(equal(0), equal(16))) == 0xFFFF
        }
    }
}

/// One bit per byte of sixteen.
#[inline(always)]
fn specials(block: &[u8; 32], at: usize) -> u32 {
    assert!(at <= 16, "sixteen bytes of a block");
    // SAFETY: SSE2 is part of x86-64, and the sixteen bytes read are of `block`.
    unsafe {
        let bytes = _mm_loadu_si128(block.as_ptr().add(at).cast::<__m128i>());
        let quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'"' as i8));
        let backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8(b'\\' as i8));
        let control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1F)), bytes);
        _mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quote, backslash), control)) as u32
    }
}
