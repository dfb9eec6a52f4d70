//! Lines for people, in the operator's log.
//!
//! ```
//! use tidemill::log;
//!
//! let amount = 12.5;
//! log::info!("a payment of {amount}");
//! ```
//!
//! Lines have a limit of length, and a call one of lines; what is beyond is cut and counted by the
//! host. On the author's own machine lines go to standard error.

pub use crate::{__debug as debug, __error as error, __info as info, __warn as warn};

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something is wrong.
    Error,
    /// Something may be wrong.
    Warn,
    /// What one may want to know.
    Info,
    /// What one wants to know when looking for a mistake.
    Debug,
}

/// Writes one line. The macros of this module are shorter.
pub fn write(level: Level, line: std::fmt::Arguments<'_>) {
    match line.as_str() {
        Some(line) => hand_over(level, line),
        None => hand_over(level, &line.to_string()),
    }
}

#[cfg(target_arch = "wasm32")]
fn hand_over(level: Level, line: &str) {
    crate::bindings::tidemill::operator::log::write(level as u8, line);
}

#[cfg(not(target_arch = "wasm32"))]
fn hand_over(level: Level, line: &str) {
    #[expect(
        clippy::print_stderr,
        reason = "a test run shows this with the test that wrote it"
    )]
    {
        eprintln!("{level:?}: {line}");
    }
}

/// From now on a panic says where and why before it traps: the host shows that with the bad row.
pub(crate) fn on_panic() {
    #[cfg(target_arch = "wasm32")]
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(|place| (place.file(), place.line()));
        let (file, line) = place.unwrap_or(("an unknown place", 0));
        let why = panic.payload_as_str().unwrap_or("for an unknown reason");
        hand_over(Level::Error, &format!("panicked at {file}:{line}: {why}"));
    }));
}

/// Writes a line of level error, with the arguments of [`format!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __error {
    ($($line:tt)+) => {
        $crate::log::write($crate::log::Level::Error, ::core::format_args!($($line)+))
    };
}

/// Writes a line of level warn, with the arguments of [`format!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __warn {
    ($($line:tt)+) => {
        $crate::log::write($crate::log::Level::Warn, ::core::format_args!($($line)+))
    };
}

/// Writes a line of level info, with the arguments of [`format!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __info {
    ($($line:tt)+) => {
        $crate::log::write($crate::log::Level::Info, ::core::format_args!($($line)+))
    };
}

/// Writes a line of level debug, with the arguments of [`format!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __debug {
    ($($line:tt)+) => {
        $crate::log::write($crate::log::Level::Debug, ::core::format_args!($($line)+))
    };
}
