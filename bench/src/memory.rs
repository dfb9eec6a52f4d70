//! The allocator, set as the `tidemill` command sets it: what is measured here is what runs there.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, in milliseconds.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Keeps freed memory for ten seconds before the system gets it back, as the command does.
pub fn keep_between_bursts() {
    // SAFETY: sets a number that the allocator reads; the option has this place in every version since 2.0.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 10_000) }
}
