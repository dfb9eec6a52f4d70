//! From rows to key numbers.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use arrow_array::{Array, ArrayRef, BooleanArray, Int64Array};
use arrow_schema::FieldRef;
use tidemill_core::window::KeyId;
use tidemill_rows::key::{self, EncodedKeys};
use tidemill_rows::{Batch, LogicalType, RecordBatch, Schema, json};

use crate::state::key_table::{EncodedTable, IntegerTable, KeyTable};

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
    /// The keys for which something is kept.
    pub table: KeyTable,
}

impl Keying {
    /// Keys by these columns of the input, which have these fields; none at all for an unkeyed operator.
    pub fn new(columns: Vec<usize>, fields: Vec<FieldRef>) -> Self {
        let table = match fields.as_slice() {
            [only] if *only.data_type() == LogicalType::Integer.arrow() && !only.is_nullable() => {
                KeyTable::Integers(IntegerTable::default())
            }
            _ => KeyTable::Encoded(EncodedTable::default()),
        };
        Self {
            columns,
            fields,
            encoded: EncodedKeys::default(),
            table,
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
        match &mut self.table {
            KeyTable::Integers(table) => {
                let values = batch
                    .columns
                    .column(self.columns[0])
                    .as_primitive::<Int64Type>();
                table.number(values.values(), keys);
            }
            KeyTable::Encoded(table) if self.columns.is_empty() => {
                let unkeyed = table.number(&[]);
                keys.resize(rows, unkeyed);
            }
            KeyTable::Encoded(table) => {
                let columns: Vec<ArrayRef> = self
                    .columns
                    .iter()
                    .map(|&i| batch.columns.column(i).clone())
                    .collect();
                self.encoded.encode(&columns, rows);
                keys.extend((0..rows).map(|row| table.number(self.encoded.get(row))));
            }
        }
    }

    /// The key columns of a batch.
    pub fn columns_in(&self, batch: &Batch) -> Vec<ArrayRef> {
        let column = |&i: &usize| batch.columns.column(i).clone();
        self.columns.iter().map(column).collect()
    }

    /// An encoded key as JSON.
    ///
    /// # Panics
    /// If it is none of these columns.
    pub fn as_json(&self, encoded: &[u8]) -> String {
        let columns = key::decode(&self.fields, std::iter::once(encoded));
        let rows = RecordBatch::try_new(Arc::new(Schema::new(self.fields.clone())), columns);
        json::row(&rows.expect("key columns are as the key's fields say"), 0)
    }

    /// The fields of the key columns.
    pub fn fields(&self) -> &[FieldRef] {
        &self.fields
    }

    /// The key columns of these keys.
    pub fn columns_of(&self, keys: impl Iterator<Item = KeyId>) -> Vec<ArrayRef> {
        match &self.table {
            KeyTable::Integers(table) => {
                vec![Arc::new(Int64Array::from_iter_values(
                    keys.map(|id| table.value(id)),
                ))]
            }
            KeyTable::Encoded(table) => key::decode(&self.fields, keys.map(|id| table.bytes(id))),
        }
    }
}
