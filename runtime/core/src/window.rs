//! Windows: which rows they take, when they fire, what is late.
//!
//! A [`WindowOperator`] decides and never acts. It is given rows' times and keys, or a new watermark, and answers with a
//! [`Plan`]: which accumulator each row goes to, which accumulators merge, what fires. The engine carries the plan out
//! against real accumulators and the guest's function, then says [`WindowOperator::commit`]; or, when rows failed,
//! [`WindowOperator::undo`], and asks again without them: a failed row leaves no trace.

mod combine;
pub mod plan;
pub mod saved;
pub mod seen;
pub mod spec;

mod family;
mod fixed;
mod keyed;
mod operator;
mod session;
mod slide;
mod slide_rows;
mod slots;
mod stored;
pub(crate) mod timers;
mod tracked;

pub use combine::Combining;
pub use operator::WindowOperator;
pub use plan::{
    Counters, Firing, KeyId, KeyOrder, Moment, Op, Plan, ResultId, RowId, Rows, Sent, Slot,
    TakenBack,
};
pub use saved::{Saved, Unreadable};
pub use spec::{Keep, Mode, Triggers, WindowKind, WindowSpec};
