//! Accumulators of a window operator: one row per slot, in columns, in the layout that crosses the boundary.
//!
//! The window operator numbers the slots (`tidemill_core::window::Slot`) and says when one is fresh. Calls read many slots
//! at once ([`Accumulators::gather`]) and write them back ([`Accumulators::scatter`]).

use tidemill_core::window::Slot;
use tidemill_wasm::Table;

use super::store::Store;

use crate::checkpoint::restored::Damaged;

/// The accumulators of one operator on one worker.
pub struct Accumulators {
    columns: Vec<Store>,
    fresh: Table,
    slots: usize,
}

impl Accumulators {
    /// No slots yet; `fresh` is the one row that the function's `create` gave.
    pub fn new(fresh: Table) -> Self {
        let columns = fresh.columns.iter().map(Store::like).collect();
        Self {
            columns,
            fresh,
            slots: 0,
        }
    }

    /// The accumulator of no rows.
    pub fn fresh(&self) -> &Table {
        &self.fresh
    }

    /// Makes slots the accumulator of no rows.
    pub fn reset(&mut self, slots: &[Slot]) {
        let Some(&largest) = slots.iter().max() else {
            return;
        };
        let needed = largest as usize + 1;
        if needed > self.slots {
            self.slots = needed.next_power_of_two();
            self.columns
                .iter_mut()
                .for_each(|column| column.grow(self.slots));
        }
        for (store, fresh) in self.columns.iter_mut().zip(&self.fresh.columns) {
            store.fill(slots, fresh);
        }
    }

    /// The accumulators of these slots, one row each.
    pub fn gather(&self, slots: &[Slot]) -> Table {
        let columns = self
            .columns
            .iter()
            .map(|store| store.gather(slots))
            .collect();
        Table {
            rows: slots.len() as u32,
            columns,
        }
    }

    /// Makes slots what stands in these rows of a table that was kept.
    ///
    /// # Errors
    /// If the table has not the columns of these accumulators, or not these rows.
    pub fn restore(
        &mut self,
        slots: &[Slot],
        (kept, rows): (&Table, &[u32]),
    ) -> Result<(), Damaged> {
        if slots.is_empty() {
            return Ok(());
        }
        if rows.iter().any(|&row| row >= kept.rows) || !kept.is_like(&self.fresh) {
            return Err(Damaged);
        }
        self.reset(slots);
        self.scatter(slots, &kept.gather(rows));
        Ok(())
    }

    /// Writes one row to each of these slots.
    pub fn scatter(&mut self, slots: &[Slot], rows: &Table) {
        for (store, column) in self.columns.iter_mut().zip(&rows.columns) {
            store.scatter(slots, column);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemill_wasm::{Arena, Column, Values};

    fn words(values: &[i64], valid: Option<&[u8]>) -> Column {
        Column {
            values: Values::Words(values.to_vec()),
            valid: valid.map(<[u8]>::to_vec),
        }
    }

    fn texts(values: &[&str]) -> Column {
        let mut offsets = vec![0];
        let mut bytes = Vec::new();
        for value in values {
            bytes.extend_from_slice(value.as_bytes());
            offsets.push(bytes.len() as u32);
        }
        Column {
            values: Values::Arena(Arena { offsets, bytes }),
            valid: None,
        }
    }

    fn table(columns: Vec<Column>, rows: u32) -> Table {
        Table { rows, columns }
    }

    fn shown(table: &Table) -> String {
        format!("{table:?}")
    }

    #[test]
    fn what_is_written_is_read_and_a_reset_slot_is_fresh() {
        let fresh = table(vec![words(&[0], Some(&[0])), texts(&["-"])], 1);
        let mut accs = Accumulators::new(fresh.clone());
        accs.reset(&[0, 1, 5]);
        let rows = table(
            vec![words(&[7, 0], Some(&[1, 0])), texts(&["seven", ""])],
            2,
        );
        accs.scatter(&[5, 0], &rows);
        assert_eq!(shown(&accs.gather(&[5, 0])), shown(&rows));
        assert_eq!(shown(&accs.gather(&[1])), shown(&fresh));
        accs.scatter(&[1], &table(vec![words(&[3], None), texts(&["three"])], 1));
        let read = accs.gather(&[1, 0]);
        assert_eq!(
            format!("{:?}", read.columns[0]),
            format!("{:?}", words(&[3, 0], Some(&[1, 0])))
        );
        accs.reset(&[5]);
        assert_eq!(shown(&accs.gather(&[5])), shown(&fresh));
    }
}
