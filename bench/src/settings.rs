//! The process, set as the `tidemill` command sets its own: what is measured here is what runs there.

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, in milliseconds.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Freed memory is kept for ten seconds before the system gets it back, and no errors take backtraces of the host.
pub fn as_the_command() {
    // SAFETY: sets a number that the allocator reads; the option has this place in every version since 2.0.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, 10_000) }
    // SAFETY: nobody else reads the environment yet.
    unsafe { std::env::set_var("RUST_LIB_BACKTRACE", "0") }
}
