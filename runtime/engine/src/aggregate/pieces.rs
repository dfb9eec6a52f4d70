//! Accumulators of firings, collected from several places and put into the order of the firings.

use tidemill_wasm::{Arena, Column, Table, Values};

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
        const NOWHERE: (u32, u32) = (u32::MAX, 0);
        let mut places = vec![NOWHERE; firings];
        for (piece, list) in self.firings.iter().enumerate() {
            for &(firing, row) in list {
                places[firing as usize] = (piece as u32, row);
            }
        }
        assert!(!places.contains(&NOWHERE), "a firing sees no accumulator");
        let columns = (0..self.tables[0].columns.len())
            .map(|column| self.column(column, &places))
            .collect();
        Table {
            rows: firings as u32,
            columns,
        }
    }

    fn column(&self, column: usize, places: &[(u32, u32)]) -> Column {
        let of = |piece: u32| &self.tables[piece as usize].columns[column];
        let any_nulls = (0..self.tables.len() as u32).any(|piece| of(piece).valid.is_some());
        let valid = any_nulls.then(|| {
            let is_valid = |&(p, r): &(u32, u32)| of(p).valid.as_ref().map_or(1, |v| v[r as usize]);
            places.iter().map(is_valid).collect()
        });
        let values = match &of(0).values {
            Values::Octets(_) => Values::Octets(pick(places, |p, r| match &of(p).values {
                Values::Octets(v) => v[r],
                _ => unreachable!("pieces have one schema"),
            })),
            Values::Words(_) => Values::Words(pick(places, |p, r| match &of(p).values {
                Values::Words(v) => v[r],
                _ => unreachable!("pieces have one schema"),
            })),
            Values::Floats(_) => Values::Floats(pick(places, |p, r| match &of(p).values {
                Values::Floats(v) => v[r],
                _ => unreachable!("pieces have one schema"),
            })),
            Values::Arena(_) => self.arena(column, places),
        };
        Column { values, valid }
    }

    fn arena(&self, column: usize, places: &[(u32, u32)]) -> Values {
        let (mut all_offsets, mut all_bytes) = (vec![0], Vec::new());
        for &(piece, row) in places {
            match &self.tables[piece as usize].columns[column].values {
                Values::Arena(Arena { offsets, bytes }) => {
                    let (from, to) = (offsets[row as usize], offsets[row as usize + 1]);
                    all_bytes.extend_from_slice(&bytes[from as usize..to as usize]);
                    all_offsets.push(all_bytes.len() as u32);
                }
                _ => unreachable!("pieces have one schema"),
            }
        }
        Values::Arena(Arena {
            offsets: all_offsets,
            bytes: all_bytes,
        })
    }
}

fn pick<T>(places: &[(u32, u32)], value: impl Fn(u32, usize) -> T) -> Vec<T> {
    places
        .iter()
        .map(|&(piece, row)| value(piece, row as usize))
        .collect()
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
