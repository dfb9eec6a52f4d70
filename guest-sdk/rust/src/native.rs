//! Functions called on this machine, without Wasm, in the columns of the interface: for benches
//! that compare.
//!
//! ```
//! use tidemill::native::{Batch, Column, Values, configure};
//! use tidemill::prelude::*;
//! use tidemill::Function;
//!
//! #[derive(Record)]
//! struct Payment { amount: f64 }
//!
//! #[derive(Config)]
//! struct Large { at_least: f64 }
//!
//! #[transform]
//! impl Large {
//!     fn filter(&self, payment: Payment) -> bool {
//!         payment.amount >= self.at_least
//!     }
//! }
//!
//! let large = configure::<Large>(r#"{"at_least": 10.0}"#)?;
//! let amounts = Column { values: Values::Floats(vec![5.0, 20.0]), valid: None };
//! let (times, columns) = (vec![0, 0], vec![amounts]);
//! let rows = Batch { rows: 2, times, stamps: None, changes: None, columns };
//! assert_eq!(large.apply(&rows)?.emitted[0].origins, [1]);
//! # Ok::<(), String>(())
//! ```

use crate::Function;
use crate::module::entry;

pub use crate::bindings::exports::tidemill::operator::aggregate::Accumulated;
pub use crate::bindings::exports::tidemill::operator::process::{
    Due, Held, Kept, Listed, Mapped, Processed, Timed,
};
pub use crate::bindings::exports::tidemill::operator::watermark::Observed;
pub use crate::bindings::tidemill::operator::columns::{Arena, Batch, Column, Table, Values};
pub use crate::bindings::tidemill::operator::outcome::{
    Emitted, Failure, Firings, Output, Produced,
};

/// The function with this configuration, a JSON object. Its calls are those of [`Function`]; an
/// aggregate's own `merge` and `finish` hide those, so put it behind `Box<dyn Function>`.
///
/// # Errors
/// The configuration does not fit, with the name of the field.
pub fn configure<F: Function>(config: &str) -> Result<F, String> {
    F::configure(config)
}

/// What `describe` of a module with this function alone would say.
pub fn describe<F: Function>() -> String {
    crate::describe::module(&[entry::<F>()])
}
