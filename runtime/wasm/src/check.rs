//! The one check of everything that a guest returned, before anything trusts it.
//!
//! One file per thing checked. Each check gives the text of what was wrong, without the place; whoever calls it puts the
//! place in front ("target 0, column amount: …"). Loops over values gather one flag and look for the offender only if it
//! is set, so that the compiler can vectorise them.

mod column;
mod output;
mod process;
mod tables;

pub(crate) use column::column;
pub(crate) use output::{Expected, failures, output};
pub(crate) use process::{Returned, processed};
pub(crate) use tables::{accumulated, table, watermarks};
