//! Threads that work for splits and clients, and end with them.

/// Starts a thread of this name.
///
/// # Panics
/// If the system has no room for one more.
pub(crate) fn start(name: &str, run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().name(name.to_owned());
    thread
        .spawn(run)
        .unwrap_or_else(|e| panic!("a thread could not be started: {e}"));
}
