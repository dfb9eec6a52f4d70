//! The window that a result belongs to.

use crate::Timestamp;
use crate::bindings::tidemill::operator::outcome::Firings;

/// What `finish` is told of the firing of a window. The same is in the result's columns
/// `window_start`, `window_end`, `firing`, `firing_number` and `firing_last`.
///
/// The default is of use in tests: a window from 0 to 0, fired on time, for the first and last
/// time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Where the window starts, inclusive; [`Timestamp::MIN`] for a window without a start.
    pub start: Timestamp,
    /// Where the window ends, exclusive; [`Timestamp::MAX`] for a window without an end.
    pub end: Timestamp,
    /// Why the window fires.
    pub firing: Firing,
    /// The number of this firing of this window, from 1.
    pub firing_number: u32,
    /// Whether nothing can follow for this window.
    pub firing_last: bool,
}

/// Why a window fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Firing {
    /// Before the window's end.
    Early,
    /// At the window's end.
    #[default]
    OnTime,
    /// After the on-time firing, because a row came that belongs to the window.
    Correction,
}

impl Default for Window {
    fn default() -> Self {
        Self {
            start: Timestamp::default(),
            end: Timestamp::default(),
            firing: Firing::OnTime,
            firing_number: 1,
            firing_last: true,
        }
    }
}

/// The windows of a call's firings, in their order.
///
/// # Errors
/// The host sent fewer than `count`.
pub(crate) fn windows(
    firings: &Firings,
    count: usize,
) -> Result<impl Iterator<Item = Window>, String> {
    let lists = (
        firings.starts.get(..count),
        firings.ends.get(..count),
        firings.moments.get(..count),
        firings.numbers.get(..count),
        firings.last.get(..count),
    );
    let (Some(starts), Some(ends), Some(moments), Some(numbers), Some(last)) = lists else {
        return Err("the host sent fewer firings than keys".to_owned());
    };
    let bounds = starts.iter().zip(ends);
    let told = moments.iter().zip(numbers).zip(last);
    let window = |((&start, &end), ((&moment, &number), &last))| Window {
        start: Timestamp::from_micros(start),
        end: Timestamp::from_micros(end),
        firing: match moment {
            0 => Firing::Early,
            1 => Firing::OnTime,
            _ => Firing::Correction,
        },
        firing_number: number,
        firing_last: last != 0,
    };
    Ok(bounds.zip(told).map(window))
}
