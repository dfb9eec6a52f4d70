//! Asking for memory before it is needed. Keys come in no order, so what is kept for them is rarely in a cache; asked for a
//! few keys ahead, it is there when its turn comes. Changes nothing but time.

/// How many keys ahead: about as many as memory answers in the time that one key takes.
pub const AHEAD: usize = 12;

/// Asks for the cache line that `what` begins in.
#[inline(always)]
pub fn line<T>(what: *const T) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a prefetch reads nothing; any address may be given.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(what.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = what;
}

/// Asks for the first `lines` cache lines of a list.
#[inline(always)]
pub fn list<T>(list: &[T], lines: usize) {
    let bytes = std::mem::size_of_val(list);
    for at in (0..bytes.min(lines * 64)).step_by(64) {
        line(list.as_ptr().cast::<u8>().wrapping_add(at));
    }
}
