//! Windows that store rows, because their function is given rows or sees only some of them (semantics, Windows 7, eviction):
//! carrying out their plans.
//!
//! Rows are kept in columns, once however many windows they are in ([`crate::state::RowStore`]). What is called at a firing
//! differs: [`kept`] adds the rows up with an aggregate, [`whole`] hands them to a function of kind window.

pub mod kept;
pub mod whole;

use arrow_array::ArrayRef;
use tidemill_core::window::RowId;
use tidemill_wasm::{CallError, RowsIn};

use crate::state::RowStore;
use crate::state::rows::{Full, Gathered};

/// Why a plan cannot be carried out.
pub enum Halt {
    /// A call cannot be served at all.
    Call(CallError),
    /// There are more rows than may be kept.
    Full(Full),
}

impl From<CallError> for Halt {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl From<Full> for Halt {
    fn from(full: Full) -> Self {
        Self::Full(full)
    }
}

/// Where rows are stored, and how a function wants them.
pub struct Stored {
    /// The rows, with the function's input columns.
    pub rows: RowStore,
    /// Those columns, as indices of the batch's.
    pub inputs: Vec<usize>,
    /// Whether the function wants stamps.
    pub with_stamps: bool,
}

impl Stored {
    /// Rows that take at most `limit` bytes, for a function.
    pub fn new(inputs: Vec<usize>, with_stamps: bool, limit: usize) -> Self {
        Self {
            rows: RowStore::new(inputs.clone(), limit),
            inputs,
            with_stamps,
        }
    }

    /// How many of these, from the first, fit into one call: at most so many rows, and texts of [`TEXT_BYTES_PER_CALL`];
    /// one at least.
    fn fitting<'a>(&self, contents: impl Iterator<Item = &'a [RowId]>, most_rows: usize) -> usize {
        let (mut rows, mut bytes) = (0, 0);
        let fits = |ids: &&[RowId]| {
            rows += ids.len();
            if rows <= most_rows {
                bytes += self.rows.text_bytes(ids.iter());
            }
            rows <= most_rows && bytes <= TEXT_BYTES_PER_CALL
        };
        contents.take_while(fits).count().max(1)
    }

    fn rows_in<'a>(&self, rows: &'a Gathered) -> RowsIn<'a> {
        let columns: &[ArrayRef] = &rows.columns;
        RowsIn {
            len: rows.times.len(),
            times: &rows.times,
            stamps: self.with_stamps.then_some(&rows.stamps[..]),
            changes: rows.changes.as_deref(),
            columns,
        }
    }
}

/// How many bytes the texts of one call's stored rows take, unless one firing or row has more.
const TEXT_BYTES_PER_CALL: usize = 32 << 20;
