//! From rows to key numbers.

use arrow_array::{Array, ArrayRef, BooleanArray};
use arrow_schema::FieldRef;
use tidemill_core::window::KeyId;
use tidemill_rows::key::{self, EncodedKeys};
use tidemill_rows::{Batch, RecordBatch};

use crate::state::KeyTable;

/// What becomes of rows with a null in their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum NullKey {
    /// Null is a key like any other.
    #[default]
    Keep,
    /// The row is passed over and counted.
    Skip,
    /// The row fails.
    Fail,
}

/// The key of an operator: which columns, and the numbers of the keys for which something is kept.
pub struct Keying {
    columns: Vec<usize>,
    fields: Vec<FieldRef>,
    encoded: EncodedKeys,
    hashes: Vec<u64>,
    /// The keys for which something is kept.
    pub table: KeyTable,
}

impl Keying {
    /// Keys by these columns of the input, which have these fields; none at all for an unkeyed operator.
    pub fn new(columns: Vec<usize>, fields: Vec<FieldRef>) -> Self {
        Self {
            columns,
            fields,
            encoded: EncodedKeys::default(),
            hashes: Vec::new(),
            table: KeyTable::default(),
        }
    }

    /// Which rows have a null in their key, if any does.
    pub fn null_rows(&self, rows: &RecordBatch) -> Option<BooleanArray> {
        let with_nulls: Vec<&ArrayRef> = self
            .columns
            .iter()
            .map(|&i| rows.column(i))
            .filter(|column| column.null_count() > 0)
            .collect();
        if with_nulls.is_empty() {
            return None;
        }
        let is_null = |row| with_nulls.iter().any(|column| column.is_null(row));
        Some((0..rows.num_rows()).map(|row| Some(is_null(row))).collect())
    }

    /// Numbers the key of each row.
    pub fn number(&mut self, batch: &Batch, keys: &mut Vec<KeyId>) {
        keys.clear();
        let rows = batch.len();
        if self.columns.is_empty() {
            let unkeyed = self.table.number(0, &[]);
            keys.resize(rows, unkeyed);
            return;
        }
        let columns: Vec<ArrayRef> =
            self.columns.iter().map(|&i| batch.columns.column(i).clone()).collect();
        self.encoded.encode(&columns, rows);
        self.hashes.clear();
        self.hashes.extend((0..rows).map(|row| key::hash(self.encoded.get(row))));
        keys.extend((0..rows).map(|row| self.table.number(self.hashes[row], self.encoded.get(row))));
    }

    /// The fields of the key columns.
    pub fn fields(&self) -> &[FieldRef] {
        &self.fields
    }

    /// The key columns of these keys.
    pub fn columns_of(&self, keys: impl Iterator<Item = KeyId>) -> Vec<ArrayRef> {
        key::decode(&self.fields, keys.map(|id| self.table.bytes(id)))
    }
}
