//! Write functions for the Tidemill stream processor: mappers, filters, aggregates. You write plain
//! Rust about one row; the host reads the data, keeps the state, tells the time and calls the
//! function, compiled to WebAssembly, in a sandbox.
//!
//! ```
//! use tidemill::prelude::*;
//!
//! /// A payment, as far as this function looks at it.
//! #[derive(Record)]
//! struct Payment {
//!     amount: f64,
//! }
//!
//! /// What was spent on one account within one window.
//! #[derive(Record, Default, Clone)]
//! struct Spent {
//!     total: f64,
//!     payments: i64,
//! }
//!
//! /// Alerts above `limit`.
//! #[derive(Config)]
//! struct Velocity {
//!     limit: f64,
//! }
//!
//! #[aggregate]
//! impl Velocity {
//!     fn add(&self, spent: &mut Spent, payment: Payment) {
//!         spent.total += payment.amount;
//!         spent.payments += 1;
//!     }
//!
//!     fn merge(&self, spent: &mut Spent, other: Spent) {
//!         spent.total += other.total;
//!         spent.payments += other.payments;
//!     }
//!
//!     fn finish(&self, _window: Window, spent: &Spent) -> Option<Spent> {
//!         (spent.total > self.limit).then(|| spent.clone())
//!     }
//! }
//!
//! tidemill::module!(Velocity);
//!
//! // A unit test: methods stay plain methods, and there is no Wasm on your machine.
//! let (velocity, mut spent) = (Velocity { limit: 10.0 }, Spent::default());
//! velocity.add(&mut spent, Payment { amount: 7.0 });
//! assert!(velocity.finish(Window::default(), &spent).is_none());
//! velocity.add(&mut spent, Payment { amount: 7.0 });
//! assert_eq!(velocity.finish(Window::default(), &spent).unwrap().payments, 2);
//! ```
//!
//! The crate is a library of two types, `cdylib` for the host and `rlib` for `cargo test`:
//!
//! ```toml
//! [lib]
//! crate-type = ["cdylib", "rlib"]
//!
//! [dependencies]
//! tidemill = "0.1"
//!
//! [profile.release]       # fast and small, with the names of functions for reports of bad rows
//! opt-level = 3
//! lto = true
//! codegen-units = 1
//! strip = "debuginfo"
//! ```
//!
//! `tidemill build` compiles it, or `cargo build --release --target wasm32-unknown-unknown`. In a
//! pipeline file the function is the type's name in kebab-case: `function = "fraud.wasm/velocity"`,
//! with `config = { limit = 10_000.0 }`.
//!
//! # What there is
//!
//! * [`#[derive(Record)]`](trait@Record): a struct is a row, its fields are columns; texts are
//!   borrowed from the batch.
//! * [`#[transform]`](macro@transform): `filter`, `map` or `flat_map`; [`Extended`] adds columns,
//!   [`Sides`] are further outputs.
//! * [`#[aggregate]`](macro@aggregate): `add`, `merge` and `finish`, with an accumulator per key
//!   and [`Window`].
//! * [`#[window]`](macro@window): `apply`, with all rows of a window at once.
//! * [`#[process]`](macro@process): `on_row` and `on_timer`, the rows of a key one after the other,
//!   with [`State`] and [`Timers`] of the key's own; `Harness` moves time in a unit test.
//! * [`#[watermark]`](macro@watermark): `observe`, a source's own rule for how far time has come.
//! * [`#[derive(Config)]`](trait@Config): the fields of the function's own struct are its
//!   configuration.
//! * [`Change`]: what a row does to others, for functions that take rows that delete.
//! * [`Failure`]: what a method returns for a row that it cannot serve. [`log`]: lines for people.
//! * [`module!`]: names the functions that the module offers.
//!
//! # What a function may rely on
//!
//! A call is pure: the same rows and accumulators give the same result. A row that fails, by a
//! [`Failure`] or by a panic, has changed nothing. Which rows share a call is chance, so methods
//! take `&self`: what has to be remembered is in the accumulator. There are no files, no network,
//! no clock and no threads.

pub mod log;
#[doc(hidden)]
pub mod native;

mod change;
mod failure;
mod timestamp;
mod window;

mod output;
mod process;
mod record;

mod config;
mod function;
mod module;

mod aggregate;
#[cfg(any(test, all(target_arch = "wasm32", feature = "allocator")))]
mod allocator;
mod answer;
mod describe;
mod transform;
mod value;
mod watermark;
mod whole;

#[doc(hidden)]
pub mod bindings;

pub use change::Change;
pub use config::Config;
pub use failure::{Failure, Severity};
pub use function::Function;
pub use output::{Extended, Output, Same, Sides};
#[cfg(not(target_arch = "wasm32"))]
pub use process::harness::{Harness, HarnessKey};
pub use process::{Fired, List, Map, State, Timer, Timers, Value};
pub use record::Record;
pub use timestamp::Timestamp;
pub use window::{Firing, Window};

pub use tidemill_macros::{Config, Record, Sides, State, Timers, aggregate, process, transform};

/// All rows of a window at once:
///
/// ```
/// use tidemill::prelude::*;
///
/// #[derive(Record)]
/// struct Payment {
///     amount: f64,
/// }
///
/// #[derive(Record, Debug, PartialEq)]
/// struct Median {
///     median: f64,
/// }
///
/// #[derive(Config)]
/// struct MedianAmount;
///
/// #[window]
/// impl MedianAmount {
///     fn apply(&self, _window: Window, payments: &[Payment]) -> Option<Median> {
///         let mut amounts: Vec<f64> = payments.iter().map(|payment| payment.amount).collect();
///         amounts.sort_by(f64::total_cmp);
///         amounts.get(amounts.len() / 2).map(|&median| Median { median })
///     }
/// }
///
/// tidemill::module!(MedianAmount);
///
/// // A unit test: rows are a slice of your struct.
/// let payments = [3.0, 1.0, 2.0].map(|amount| Payment { amount });
/// let median = MedianAmount.apply(Window::default(), &payments);
/// assert_eq!(median, Some(Median { median: 2.0 }));
/// ```
pub use tidemill_macros::window;

/// A source's own rule for how far event time has come:
///
/// ```
/// use tidemill::prelude::*;
///
/// #[derive(Record)]
/// struct Reading<'a> {
///     kind: &'a str,
///     #[record(event_time)]
///     at: Timestamp,
/// }
///
/// /// Time has come as far as the sender says so.
/// #[derive(Config)]
/// struct Punctuated;
///
/// #[watermark]
/// impl Punctuated {
///     fn observe(&self, reading: Reading) -> Option<Timestamp> {
///         (reading.kind == "complete").then_some(reading.at)
///     }
/// }
///
/// tidemill::module!(Punctuated);
///
/// let at = Timestamp::from_seconds(10);
/// assert_eq!(Punctuated.observe(Reading { kind: "value", at }), None);
/// assert_eq!(Punctuated.observe(Reading { kind: "complete", at }), Some(at));
/// ```
pub use tidemill_macros::watermark;

/// What an author imports: `use tidemill::prelude::*;`
pub mod prelude {
    pub use crate::{
        Change, Config, Extended, Failure, Fired, Firing, List, Map, Output, Record, Same, Sides,
        State, Timer, Timers, Timestamp, Value, Window, aggregate, log, process, transform,
        watermark, window,
    };
}

/// What the macros' code calls.
#[doc(hidden)]
pub mod __private {
    pub use crate::aggregate::{accumulate, create, decode, finish, merge};
    pub use crate::answer::{Done, Finished, Mapped, Marked, Verdict};
    pub use crate::bindings::exports::tidemill::operator::aggregate::Accumulated;
    pub use crate::bindings::exports::tidemill::operator::process::{Due, Held, Processed};
    pub use crate::bindings::exports::tidemill::operator::watermark::Observed;
    pub use crate::bindings::tidemill::operator::columns::{Batch, Table};
    pub use crate::bindings::tidemill::operator::outcome::{Emitted, Firings, Output as Outcome};
    pub use crate::change::Changes as RowChanges;
    pub use crate::config::json::Object;
    pub use crate::config::{ConfigField, ConfigValue, describe_fields, parse, take};
    pub use crate::describe::{begin, member};
    pub use crate::function::Parts;
    pub use crate::module::{Entry, Module, entry};
    pub use crate::output::{NoKey, NoSides, Side, describe_output, made_by_timers};
    pub use crate::process::{
        At, Changes, Opening, Slot, SlotOf, Spec, Timed, TimerOf, describe_slots, describe_timers,
        on_rows, on_timers,
    };
    pub use crate::record::{
        Accumulator, Bare, ColumnOf, FromRow, Made, Record, Rows, Shape, column, describe_columns,
        describe_input,
    };
    pub use crate::transform::{filter, flat_map, map};
    #[cfg(feature = "encoded")]
    pub use crate::value::encoded::Encoded;
    pub use crate::value::{FixedWriter, ReadValue, Value, Writer};
    pub use crate::watermark::{NoState, observe};
    pub use crate::whole::{Fired, apply as apply_window, apply_out as apply_window_out, rows};
}
