//! Accumulators of a window operator: one row per slot, in columns, in the layout that crosses the boundary.
//!
//! The window operator numbers the slots (`tidemill_core::window::Slot`) and says when one is fresh. Calls read many slots
//! at once ([`Accumulators::gather`]) and write them back ([`Accumulators::scatter`]).

use tidemill_core::window::Slot;
use tidemill_wasm::{Arena, Column, Table, Values};

use crate::checkpoint::restored::Damaged;

/// The accumulators of one operator on one worker.
pub struct Accumulators {
    columns: Vec<Store>,
    fresh: Table,
    slots: usize,
}

/// One column of all slots.
struct Store {
    values: StoredValues,
    /// Per slot 1 or 0, once a null was stored.
    valid: Option<Vec<u8>>,
}

enum StoredValues {
    Octets(Vec<u8>),
    Words(Vec<i64>),
    Floats(Vec<f64>),
    Arena(Vec<Box<[u8]>>),
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

impl Store {
    fn like(column: &Column) -> Self {
        let values = match column.values {
            Values::Octets(_) => StoredValues::Octets(Vec::new()),
            Values::Words(_) => StoredValues::Words(Vec::new()),
            Values::Floats(_) => StoredValues::Floats(Vec::new()),
            Values::Arena(_) => StoredValues::Arena(Vec::new()),
        };
        Self {
            values,
            valid: None,
        }
    }

    fn grow(&mut self, slots: usize) {
        match &mut self.values {
            StoredValues::Octets(v) => v.resize(slots, 0),
            StoredValues::Words(v) => v.resize(slots, 0),
            StoredValues::Floats(v) => v.resize(slots, 0.0),
            StoredValues::Arena(v) => v.resize(slots, Box::default()),
        }
        if let Some(valid) = &mut self.valid {
            valid.resize(slots, 1);
        }
    }

    fn len(&self) -> usize {
        match &self.values {
            StoredValues::Octets(v) => v.len(),
            StoredValues::Words(v) => v.len(),
            StoredValues::Floats(v) => v.len(),
            StoredValues::Arena(v) => v.len(),
        }
    }

    fn fill(&mut self, slots: &[Slot], fresh: &Column) {
        match (&mut self.values, &fresh.values) {
            (StoredValues::Octets(to), Values::Octets(from)) => fill(to, slots, from[0]),
            (StoredValues::Words(to), Values::Words(from)) => fill(to, slots, from[0]),
            (StoredValues::Floats(to), Values::Floats(from)) => fill(to, slots, from[0]),
            (StoredValues::Arena(to), Values::Arena(Arena { bytes, .. })) => {
                slots
                    .iter()
                    .for_each(|&slot| to[slot as usize] = bytes[..].into());
            }
            _ => unreachable!("an accumulator keeps its schema"),
        }
        let valid = fresh.valid.as_ref().map_or(1, |valid| valid[0]);
        if valid == 0 || self.valid.is_some() {
            fill(self.validity(), slots, valid);
        }
    }

    fn validity(&mut self) -> &mut Vec<u8> {
        let len = self.len();
        self.valid.get_or_insert_with(|| vec![1; len])
    }

    fn gather(&self, slots: &[Slot]) -> Column {
        let values = match &self.values {
            StoredValues::Octets(v) => Values::Octets(pick(v, slots)),
            StoredValues::Words(v) => Values::Words(pick(v, slots)),
            StoredValues::Floats(v) => Values::Floats(pick(v, slots)),
            StoredValues::Arena(v) => {
                let mut offsets = Vec::with_capacity(slots.len() + 1);
                let mut bytes = Vec::new();
                offsets.push(0);
                for &slot in slots {
                    bytes.extend_from_slice(&v[slot as usize]);
                    offsets.push(bytes.len() as u32);
                }
                Values::Arena(Arena { offsets, bytes })
            }
        };
        Column {
            values,
            valid: self.valid.as_ref().map(|valid| pick(valid, slots)),
        }
    }

    fn scatter(&mut self, slots: &[Slot], column: &Column) {
        match (&mut self.values, &column.values) {
            (StoredValues::Octets(to), Values::Octets(from)) => put(to, slots, from),
            (StoredValues::Words(to), Values::Words(from)) => put(to, slots, from),
            (StoredValues::Floats(to), Values::Floats(from)) => put(to, slots, from),
            (StoredValues::Arena(to), Values::Arena(Arena { offsets, bytes })) => {
                for (&slot, range) in slots.iter().zip(offsets.windows(2)) {
                    let value = &bytes[range[0] as usize..range[1] as usize];
                    if *to[slot as usize] != *value {
                        to[slot as usize] = value.into();
                    }
                }
            }
            _ => unreachable!("an accumulator keeps its schema"),
        }
        match (&column.valid, &mut self.valid) {
            (Some(from), _) => put(self.validity(), slots, from),
            (None, Some(to)) => fill(to, slots, 1),
            (None, None) => {}
        }
    }
}

fn fill<T: Copy>(to: &mut [T], slots: &[Slot], value: T) {
    slots.iter().for_each(|&slot| to[slot as usize] = value);
}

fn pick<T: Copy>(from: &[T], slots: &[Slot]) -> Vec<T> {
    slots.iter().map(|&slot| from[slot as usize]).collect()
}

fn put<T: Copy>(to: &mut [T], slots: &[Slot], from: &[T]) {
    slots
        .iter()
        .zip(from)
        .for_each(|(&slot, &value)| to[slot as usize] = value);
}

#[cfg(test)]
mod tests {
    use super::*;

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
