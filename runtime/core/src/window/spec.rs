//! What a window is, as a pipeline file says it. All lengths in microseconds.

/// Which rows a window takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WindowKind {
    /// Windows of one size, end to end.
    Tumble {
        /// Length of a window.
        size: i64,
        /// What window starts are counted from.
        offset: i64,
    },
    /// Windows of one size that start every `step`; a step larger than the size leaves gaps.
    Hop {
        /// Length of a window.
        size: i64,
        /// From one start to the next.
        step: i64,
        /// What window starts are counted from.
        offset: i64,
    },
    /// Windows that begin together every `size` and end one `step` after the other.
    Cumulate {
        /// Length of the longest window, a multiple of `step`.
        size: i64,
        /// From one end to the next.
        step: i64,
        /// What window starts are counted from.
        offset: i64,
    },
    /// Rows no further apart than `gap`.
    Session {
        /// The silence that ends a session.
        gap: i64,
    },
}

/// What a window that fires again gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// The full content.
    #[default]
    Accumulating,
    /// What was not yet sent.
    Discarding,
}

/// A window of a pipeline file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WindowSpec {
    /// Which rows it takes.
    pub kind: WindowKind,
    /// How long past its end a window still takes rows.
    pub lateness: i64,
    /// What a window that fires again gives.
    pub mode: Mode,
}
