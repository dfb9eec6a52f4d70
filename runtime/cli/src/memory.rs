//! The allocator of the process.

use std::time::Duration;

/// The system's own allocator gives freed memory of many threads back late.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// `mi_option_purge_delay` of mimalloc.h, in milliseconds.
const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;

/// Keeps freed memory for ten seconds before the system gets it back, unless it is counted. Windows need memory in bursts, when they fire: by default
/// mimalloc gives it back after one, and the next burst has it zeroed by the system again (a tenth of all time).
pub fn keep_between_bursts() {
    set_purge_delay(10_000);
}

/// Keeps freed memory for a tenth of a second only: where a pipeline says how much the process may take, what columns have
/// outgrown would be a fifth of it.
#[expect(unsafe_code)]
pub fn keep_briefly() {
    set_purge_delay(100);
    // What is to go in ten seconds would hold up what is freed until then.
    // SAFETY: any thread may call it at any time.
    unsafe { libmimalloc_sys::mi_collect(true) }
}

#[expect(unsafe_code)]
fn set_purge_delay(milliseconds: std::ffi::c_long) {
    // SAFETY: sets a number that the allocator reads; the option has this place in every version since 2.0.
    unsafe { libmimalloc_sys::mi_option_set(PURGE_DELAY, milliseconds) }
}

/// How often it is looked for memory that the system gets back.
const LOOK: Duration = Duration::from_secs(1);

/// Gives memory back that was free for long enough, from now on. By itself the allocator looks for it only where it is asked for
/// large pieces: what tables have left behind as they grew would stay for as long as they do not grow again, as much again as they take.
///
/// # Errors
/// If there can be no thread for it.
#[expect(unsafe_code)]
pub fn give_back_in_time() -> std::io::Result<()> {
    let look = || loop {
        std::thread::sleep(LOOK);
        // SAFETY: any thread may call it at any time.
        unsafe { libmimalloc_sys::mi_collect(false) }
    };
    let thread = std::thread::Builder::new().name("memory".to_owned());
    thread.spawn(look).map(|_| ())
}
