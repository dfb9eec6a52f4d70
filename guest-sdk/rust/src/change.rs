//! What rows do to others.

use crate::value::FixedWriter;

/// What a row does to the table that rows make up.
///
/// ```
/// use tidemill::prelude::*;
///
/// #[derive(Record)]
/// struct Payment {
///     amount: Option<f64>,        // null in a row that deletes: it has no value
///     #[record(change)]
///     change: Change,
/// }
///
/// #[derive(Record, Default)]
/// struct Known { payments: i64 }
///
/// /// How many payments there are that have not been deleted.
/// #[derive(Config)]
/// struct Standing;
///
/// #[aggregate]
/// impl Standing {
///     fn add(&self, known: &mut Known, payment: Payment) {
///         known.payments += if payment.change.adds() { 1 } else { -1 };
///     }
///
///     fn merge(&self, known: &mut Known, other: Known) {
///         known.payments += other.payments;
///     }
///
///     fn finish(&self, _window: Window, known: &Known) -> Known {
///         Known { payments: known.payments }
///     }
/// }
///
/// let mut known = Known::default();
/// Standing.add(&mut known, Payment { amount: Some(5.0), change: Change::Insert });
/// Standing.add(&mut known, Payment { amount: None, change: Change::Delete });
/// assert_eq!(known.payments, 0);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Change {
    /// It is there from now on.
    #[default]
    Insert = 0,
    /// It was there, as it says, and one that replaces it follows.
    UpdateBefore = 1,
    /// It replaces the one before.
    UpdateAfter = 2,
    /// It is not there any more.
    Delete = 3,
}

impl Change {
    /// Whether the row is there from now on: [`Insert`](Self::Insert) or
    /// [`UpdateAfter`](Self::UpdateAfter). The others take one back.
    pub const fn adds(self) -> bool {
        matches!(self, Self::Insert | Self::UpdateAfter)
    }

    /// As the interface says it.
    #[doc(hidden)]
    pub const fn byte(self) -> u8 {
        self as u8
    }

    const fn of(byte: u8) -> Self {
        match byte {
            0 => Self::Insert,
            1 => Self::UpdateBefore,
            2 => Self::UpdateAfter,
            _ => Self::Delete,
        }
    }
}

/// What each row of a call does, resolved. Of a call whose rows are all inserts the host says nothing.
#[derive(Clone, Copy)]
pub struct Changes<'b>(Option<&'b [u8]>);

impl<'b> Changes<'b> {
    /// Those of so many rows.
    ///
    /// # Errors
    /// There are fewer than rows.
    pub(crate) fn open(changes: Option<&'b [u8]>, rows: usize) -> Result<Self, String> {
        match changes.map(|changes| changes.get(..rows)) {
            None => Ok(Self(None)),
            Some(Some(changes)) => Ok(Self(Some(changes))),
            Some(None) => Err("the host sent fewer changes than rows".to_owned()),
        }
    }

    /// Those of rows that were written so far.
    pub fn view(writer: &'b FixedWriter<u8>) -> Self {
        Self(Some(writer.list()))
    }

    /// What row `row` does.
    ///
    /// # Safety
    /// `row` is below the number of rows that this was opened with.
    #[inline(always)]
    pub unsafe fn read(self, row: usize) -> Change {
        match self.0 {
            None => Change::Insert,
            // SAFETY: the caller's: there are as many changes as rows.
            Some(changes) => Change::of(unsafe { *changes.get_unchecked(row) }),
        }
    }
}
