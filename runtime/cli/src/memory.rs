//! The allocator of the process.

/// The system's own allocator gives freed memory of many threads back late.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, in milliseconds.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Keeps freed memory for ten seconds before the system gets it back. Windows need memory in bursts, when they fire: by default
/// mimalloc gives it back after one, and the next burst has it zeroed by the system again (a tenth of all time).
#[expect(unsafe_code)]
pub fn keep_between_bursts() {
    // SAFETY: sets a number that the allocator reads; the option has this place in every version since 2.0.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 10_000) }
}
