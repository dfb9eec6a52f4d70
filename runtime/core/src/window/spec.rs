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
    /// One window for all rows of a key.
    Global,
    /// The next so many rows of a key, in arrival order.
    Rows {
        /// How many.
        count: u32,
    },
    /// For each row, the rows of its key in the time before it. Fires at the rows' times alone, takes no row that is behind.
    Slide {
        /// How long before.
        range: i64,
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
    /// The full content, after taking the result before it back.
    Retract,
}

/// When a window fires beside its end (Windows 7).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Triggers {
    /// Whenever W passes the window's start and so many microseconds more, and again.
    pub every: Option<i64>,
    /// Whenever the clock passes a multiple of so many microseconds.
    pub every_of_clock: Option<i64>,
    /// With so many rows since it did so last.
    pub every_rows: Option<u32>,
    /// With each row.
    pub each_row: bool,
    /// Nothing fires at the end.
    pub only: bool,
}

impl Triggers {
    /// Windows fire at their end, and again for rows that come later.
    pub const AT_END: Self = Self {
        every: None,
        every_of_clock: None,
        every_rows: None,
        each_row: false,
        only: false,
    };
}

/// Which of a window's rows a function sees (Windows 7, eviction).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All.
    All,
    /// So many, the newest by event time; of rows of one time, those that arrived last.
    Newest(u32),
    /// Those at most so many microseconds before the largest time.
    Within(i64),
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
    /// When it fires beside its end.
    pub triggers: Triggers,
    /// Which rows are stored for the function, if it does not take them one by one into an accumulator.
    pub stored: Option<Keep>,
}

impl WindowSpec {
    /// Windows that fire at their end, take no row after it, and keep accumulators.
    pub const fn new(kind: WindowKind) -> Self {
        Self {
            kind,
            lateness: 0,
            mode: Mode::Accumulating,
            triggers: Triggers::AT_END,
            stored: None,
        }
    }

    /// Whether windows fire at their end and for late rows alone, from accumulators, and never take a result back: the
    /// usual case, and the fast one.
    pub fn is_plain(&self) -> bool {
        let plain_kind = !matches!(self.kind, WindowKind::Global | WindowKind::Rows { .. });
        plain_kind
            && self.triggers == Triggers::AT_END
            && self.stored.is_none()
            && self.mode != Mode::Retract
    }
}
