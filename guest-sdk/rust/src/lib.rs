//! Write functions for the Tidemill stream processor.

pub mod log;
#[doc(hidden)]
pub mod native;

mod failure;
mod timestamp;
mod window;

mod output;
mod record;

mod config;
mod function;
mod module;

mod aggregate;
mod answer;
mod describe;
mod transform;
mod value;

#[doc(hidden)]
pub mod bindings;

pub use config::Config;
pub use failure::{Failure, Severity};
pub use function::Function;
pub use output::{Extended, Output, Same, Sides};
pub use record::Record;
pub use timestamp::Timestamp;
pub use window::{Firing, Window};

pub use tidemill_macros::{Config, Record, Sides, aggregate, transform};

/// What an author imports: `use tidemill::prelude::*;`
pub mod prelude {
    pub use crate::{
        Config, Extended, Failure, Firing, Output, Record, Same, Sides, Timestamp, Window, aggregate, log, transform,
    };
}

/// What the macros' code calls.
#[doc(hidden)]
pub mod __private {
    pub use crate::aggregate::{accumulate, create, decode, finish, merge};
    pub use crate::answer::{Done, Finished, Mapped, Verdict};
    pub use crate::bindings::exports::tidemill::operator::aggregate::Accumulated;
    pub use crate::bindings::tidemill::operator::columns::{Batch, Table};
    pub use crate::bindings::tidemill::operator::outcome::{Emitted, Firing as WireFiring, Output as Outcome};
    pub use crate::config::json::Object;
    pub use crate::config::{ConfigField, ConfigValue, describe_fields, parse, take};
    pub use crate::describe::{begin, member};
    pub use crate::module::{Entry, Module, entry};
    pub use crate::output::{NoKey, NoSides, Side, describe_output};
    pub use crate::record::{
        Accumulator, ColumnOf, FromRow, Made, Record, Rows, Shape, Untimed, column, describe_columns,
    };
    pub use crate::transform::{filter, flat_map, map};
    #[cfg(feature = "encoded")]
    pub use crate::value::encoded::Encoded;
    pub use crate::value::{FixedWriter, ReadValue, Value, Writer};
}
