//! What methods may return: a value or a `Result` of it, and where rows are made, one, an `Option`
//! or a `Vec`.

use crate::output::Output;
use crate::record::{Bare, Record};
use crate::{Failure, Timestamp};

/// What `filter` may return.
#[diagnostic::on_unimplemented(
    message = "`filter` cannot return `{Self}`",
    label = "write `bool` or `Result<bool, Failure>`"
)]
pub trait Verdict {
    /// Whether the row goes on.
    fn verdict(self) -> Result<bool, Failure>;
}

impl Verdict for bool {
    #[inline(always)]
    fn verdict(self) -> Result<bool, Failure> {
        Ok(self)
    }
}

impl Verdict for Result<bool, Failure> {
    #[inline(always)]
    fn verdict(self) -> Result<bool, Failure> {
        self
    }
}

/// What `add`, `merge` and `flat_map` may return.
#[diagnostic::on_unimplemented(
    message = "this method cannot return `{Self}`",
    label = "return nothing or `Result<(), Failure>`"
)]
pub trait Done {
    /// Whether a call can fail, so that what it changes must be kept first.
    const FALLIBLE: bool;

    /// Whether it worked.
    fn done(self) -> Result<(), Failure>;
}

impl Done for () {
    const FALLIBLE: bool = false;

    #[inline(always)]
    fn done(self) -> Result<(), Failure> {
        Ok(())
    }
}

impl Done for Result<(), Failure> {
    const FALLIBLE: bool = true;

    #[inline(always)]
    fn done(self) -> Result<(), Failure> {
        self
    }
}

/// What `map` may return.
#[diagnostic::on_unimplemented(
    message = "`map` cannot return `{Self}`",
    label = "write `T`, `Option<T>`, `Result<T, Failure>` or `Result<Option<T>, Failure>`",
    note = "T is a struct with #[derive(Record)], `Extended<…>` of one, or `Same`"
)]
pub trait Mapped {
    /// The rows that it makes.
    type Row: Record;

    /// The row, if there is one.
    fn mapped(self) -> Result<Option<Self::Row>, Failure>;
}

impl<T: Record> Mapped for T {
    type Row = T;

    #[inline(always)]
    fn mapped(self) -> Result<Option<T>, Failure> {
        Ok(Some(self))
    }
}

impl<T: Record> Mapped for Option<T> {
    type Row = T;

    #[inline(always)]
    fn mapped(self) -> Result<Option<T>, Failure> {
        Ok(self)
    }
}

impl<T: Record> Mapped for Result<T, Failure> {
    type Row = T;

    #[inline(always)]
    fn mapped(self) -> Result<Option<T>, Failure> {
        self.map(Some)
    }
}

impl<T: Record> Mapped for Result<Option<T>, Failure> {
    type Row = T;

    #[inline(always)]
    fn mapped(self) -> Result<Option<T>, Failure> {
        self
    }
}

/// What `finish`, and `apply` of kind window, may return.
#[diagnostic::on_unimplemented(
    message = "a window's result cannot be `{Self}`",
    label = "write `T`, `Option<T>`, `Vec<T>` or a `Result` of one with `Failure`",
    note = "T is a struct with #[derive(Record)], of columns alone: without #[record(event_time)] and #[record(change)]"
)]
pub trait Finished {
    /// The rows that it makes.
    type Row: Bare;

    /// Gives the rows to `out`.
    fn finished(self, out: &mut Output<Self::Row>) -> Result<(), Failure>;
}

impl<T: Bare> Finished for T {
    type Row = T;

    #[inline(always)]
    fn finished(self, out: &mut Output<T>) -> Result<(), Failure> {
        out.push(self);
        Ok(())
    }
}

impl<T: Bare> Finished for Option<T> {
    type Row = T;

    #[inline(always)]
    fn finished(self, out: &mut Output<T>) -> Result<(), Failure> {
        if let Some(row) = self {
            out.push(row);
        }
        Ok(())
    }
}

impl<T: Bare> Finished for Vec<T> {
    type Row = T;

    #[inline(always)]
    fn finished(self, out: &mut Output<T>) -> Result<(), Failure> {
        self.into_iter().for_each(|row| out.push(row));
        Ok(())
    }
}

/// What `observe` may return.
#[diagnostic::on_unimplemented(
    message = "`observe` cannot return `{Self}`",
    label = "write `Timestamp`, `Option<Timestamp>` or a `Result` of one with `Failure`"
)]
pub trait Marked {
    /// Whether a call can fail, so that the state must be kept first.
    const FALLIBLE: bool;

    /// How far event time has come, if the row says so.
    fn marked(self) -> Result<Option<Timestamp>, Failure>;
}

impl Marked for Timestamp {
    const FALLIBLE: bool = false;

    #[inline(always)]
    fn marked(self) -> Result<Option<Timestamp>, Failure> {
        Ok(Some(self))
    }
}

impl Marked for Option<Timestamp> {
    const FALLIBLE: bool = false;

    #[inline(always)]
    fn marked(self) -> Result<Option<Timestamp>, Failure> {
        Ok(self)
    }
}

impl<M: Marked> Marked for Result<M, Failure> {
    const FALLIBLE: bool = true;

    #[inline(always)]
    fn marked(self) -> Result<Option<Timestamp>, Failure> {
        self?.marked()
    }
}

impl<F: Finished> Finished for Result<F, Failure> {
    type Row = F::Row;

    #[inline(always)]
    fn finished(self, out: &mut Output<F::Row>) -> Result<(), Failure> {
        self?.finished(out)
    }
}
