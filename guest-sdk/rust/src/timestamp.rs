//! Event time.

/// A point in time: microseconds since 1970-01-01T00:00:00Z. The column type is `time`.
///
/// ```
/// use tidemill::Timestamp;
///
/// let start = Timestamp::from_millis(1_000);
/// assert_eq!(start.micros(), 1_000_000);
/// assert_eq!(Timestamp::from_micros(1_500_000).micros_since(start), 500_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Before everything: the start of a window that has none.
    pub const MIN: Self = Self(i64::MIN);
    /// After everything: the end of a window that has none.
    pub const MAX: Self = Self(i64::MAX);

    /// The point in time this many microseconds after 1970-01-01T00:00:00Z.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The point in time this many milliseconds after 1970-01-01T00:00:00Z; what lies outside the
    /// range becomes its end.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis.saturating_mul(1_000))
    }

    /// The point in time this many seconds after 1970-01-01T00:00:00Z; what lies outside the range
    /// becomes its end.
    pub const fn from_seconds(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1_000_000))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole milliseconds since 1970-01-01T00:00:00Z, rounded towards the past.
    pub const fn millis(self) -> i64 {
        self.0.div_euclid(1_000)
    }

    /// Microseconds from `earlier` to this; negative if `earlier` is later. What does not fit
    /// becomes the largest or smallest number.
    pub const fn micros_since(self, earlier: Self) -> i64 {
        self.0.saturating_sub(earlier.0)
    }

    /// This many microseconds later; stays within the range.
    pub const fn plus_micros(self, micros: i64) -> Self {
        Self(self.0.saturating_add(micros))
    }
}
