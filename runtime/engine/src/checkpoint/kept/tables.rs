//! Rows as they are written: in physical columns.

use serde::{Deserialize, Serialize};
use tidemill_wasm::{Arena, Column, Table, Values};

use super::{END_BYTES, packed};

/// Rows without time, in physical columns.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct TableKept {
    /// How many.
    pub rows: u32,
    /// The columns.
    pub columns: Vec<ColumnKept>,
}

impl TableKept {
    pub(super) fn about_bytes(&self) -> usize {
        let column = |column: &ColumnKept| {
            let values = match &column.values {
                ValuesKept::Octets(v) => v.len(),
                ValuesKept::Words(v) => size_of_val(&v[..]),
                ValuesKept::Floats(v) => size_of_val(&v[..]),
                ValuesKept::Arena { offsets, bytes } => bytes.len() + offsets.len() * END_BYTES,
            };
            // Its own kind and width, and lengths.
            values + column.valid.as_ref().map_or(0, Vec::len) + 32
        };
        self.columns.iter().map(column).sum()
    }
}

/// One column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ColumnKept {
    values: ValuesKept,
    #[serde(with = "packed::optional")]
    valid: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum ValuesKept {
    Octets(#[serde(with = "packed")] Vec<u8>),
    Words(#[serde(with = "packed::words")] Vec<i64>),
    Floats(#[serde(with = "packed")] Vec<f64>),
    Arena {
        #[serde(with = "packed::ends")]
        offsets: Vec<u32>,
        #[serde(with = "packed")]
        bytes: Vec<u8>,
    },
}

impl From<Table> for TableKept {
    fn from(table: Table) -> Self {
        let column = |column: Column| ColumnKept {
            values: match column.values {
                Values::Octets(v) => ValuesKept::Octets(v),
                Values::Words(v) => ValuesKept::Words(v),
                Values::Floats(v) => ValuesKept::Floats(v),
                Values::Arena(Arena { offsets, bytes }) => ValuesKept::Arena { offsets, bytes },
            },
            valid: column.valid,
        };
        Self {
            rows: table.rows,
            columns: table.columns.into_iter().map(column).collect(),
        }
    }
}

impl From<TableKept> for Table {
    fn from(table: TableKept) -> Self {
        let column = |column: ColumnKept| Column {
            values: match column.values {
                ValuesKept::Octets(v) => Values::Octets(v),
                ValuesKept::Words(v) => Values::Words(v),
                ValuesKept::Floats(v) => Values::Floats(v),
                ValuesKept::Arena { offsets, bytes } => Values::Arena(Arena { offsets, bytes }),
            },
            valid: column.valid,
        };
        Self {
            rows: table.rows,
            columns: table.columns.into_iter().map(column).collect(),
        }
    }
}
