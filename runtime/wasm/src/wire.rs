//! The physical columns that cross the boundary, under their own names. They are the types that `bindgen!` makes of
//! `wit/columns.wit`, so that no value is moved from one struct to another on its way.
//!
//! Two families: `Column`, `Values`, `Arena`, `Table` own their lists (what a guest returned, accumulators that the
//! engine keeps); `ColumnRef`, `ValuesRef`, `ArenaRef`, `TableRef` borrow them (what a call is given).

pub use crate::bindings::tidemill::operator::columns::{
    ArenaParam as ArenaRef, ArenaResult as Arena, ColumnParam as ColumnRef, ColumnResult as Column,
    TableParam as TableRef, TableResult as Table, ValuesParam as ValuesRef, ValuesResult as Values,
};

pub(crate) use crate::bindings::exports::tidemill::operator::aggregate::Accumulated as WireAccumulated;
pub(crate) use crate::bindings::exports::tidemill::operator::process::{
    Due as DueRef, Held as HeldRef, Processed as WireProcessed,
};
pub use crate::bindings::exports::tidemill::operator::process::{Kept, Listed, Mapped, Timed};
pub(crate) use crate::bindings::exports::tidemill::operator::watermark::Observed as WireObserved;
pub(crate) use crate::bindings::tidemill::operator::columns::Batch as BatchRef;
pub(crate) use crate::bindings::tidemill::operator::outcome::{
    Emitted as WireEmitted, Failure as WireFailure, Firings as FiringsRef, Output as WireOutput,
    Produced as WireProduced,
};
