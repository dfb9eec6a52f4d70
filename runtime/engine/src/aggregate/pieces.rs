//! Accumulators of firings, collected from several places and put into the order of the firings.

use tidemill_wasm::Table;

/// Accumulators gathered at several moments of a plan, each for some firings.
#[derive(Default)]
pub struct Pieces {
    tables: Vec<Table>,
    /// Per piece, which row of it each firing sees.
    firings: Vec<Vec<(u32, u32)>>,
}

impl Pieces {
    /// Adds a piece whose row i is what firing `firings[i]` sees.
    pub fn add(&mut self, table: Table, firings: impl Iterator<Item = u32>) {
        let firings: Vec<(u32, u32)> = firings.zip(0..).collect();
        self.add_rows(table, firings);
    }

    /// Adds a piece of which firing f sees row r, for each (f, r).
    pub fn add_rows(&mut self, table: Table, firings: Vec<(u32, u32)>) {
        if !firings.is_empty() {
            self.tables.push(table);
            self.firings.push(firings);
        }
    }

    /// One row per firing, in the order of the firings.
    ///
    /// # Panics
    /// If a firing is in no piece, or there is none.
    pub fn in_order(mut self, firings: usize) -> Table {
        if self.tables.len() == 1 && is_identity(&self.firings[0], firings) {
            return self.tables.remove(0);
        }
        const NOWHERE: (usize, usize) = (usize::MAX, 0);
        let mut places = vec![NOWHERE; firings];
        for (piece, list) in self.firings.iter().enumerate() {
            for &(firing, row) in list {
                places[firing as usize] = (piece, row as usize);
            }
        }
        assert!(!places.contains(&NOWHERE), "a firing sees no accumulator");
        let tables: Vec<&Table> = self.tables.iter().collect();
        Table::interleave(&tables, &places)
    }
}

fn is_identity(list: &[(u32, u32)], firings: usize) -> bool {
    list.len() == firings
        && list
            .iter()
            .enumerate()
            .all(|(i, &(f, r))| (f, r) == (i as u32, i as u32))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tidemill_wasm::{Column, Values};

    #[test]
    fn rows_come_in_the_order_of_the_firings() {
        let words = |v: &[i64]| Table {
            rows: v.len() as u32,
            columns: vec![Column {
                values: Values::Words(v.to_vec()),
                valid: None,
            }],
        };
        let mut pieces = Pieces::default();
        pieces.add(words(&[10, 12]), [0, 2].into_iter());
        pieces.add_rows(words(&[99, 11]), vec![(1, 1), (3, 1)]);
        let expected = words(&[10, 11, 12, 11]);
        assert_eq!(format!("{:?}", pieces.in_order(4)), format!("{expected:?}"));
    }
}
