//! What a trap of a function takes the host.

use std::env;

/// Says by what errors take backtraces, if not by [`RUST_BACKTRACE`](std::backtrace).
const OF_ERRORS: &str = "RUST_LIB_BACKTRACE";

/// A function that traps is no fault of the host's, whose own backtrace tells nobody anything: none is taken for each bad row
/// where `RUST_BACKTRACE` asks for those of panics.
#[expect(unsafe_code)]
pub fn without_backtraces_of_the_host() {
    if env::var_os(OF_ERRORS).is_none() {
        // SAFETY: this is the first thing that the process does; nobody else reads its environment yet.
        unsafe { env::set_var(OF_ERRORS, "0") }
    }
}
