//! The busiest keys of an operator, of a sample of its rows: Space-Saving (Metwally, Agrawal, El Abbadi, 2005), with what a
//! place took over from the key before it left out, so that no key is said to have more rows than it has in the sample.
//!
//! A look costs some tens of nanoseconds; looks become rarer as rows go by, to one in [`RAREST`], so a row costs next to
//! nothing.

use arrow_array::ArrayRef;
use tidemill_rows::{Batch, key};

use crate::combine::Partials;
use crate::operator::keying::Keying;

/// How many keys are watched at a time.
const PLACES: usize = 32;
/// One row in so many is looked at, in the end.
const RAREST: u64 = 512;
/// How many looks there are before they become rarer, and so how little one look counts for.
const OFTEN: u64 = 2048;
/// How many keys are told.
pub const TOLD: usize = 8;

/// The rows of one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRows {
    /// The key as JSON.
    pub key: String,
    /// About how many rows have it.
    pub rows: u64,
}

/// Watches for busy keys.
#[derive(Debug, Default)]
pub struct Busiest {
    places: Vec<Place>,
    /// How many rows have gone by.
    seen: u64,
    /// How many more go by before the next look.
    until: u64,
    random: u64,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Place {
    key: Vec<u8>,
    rows: u64,
    /// Of these, how many may have been others': what the key before had.
    taken_over: u64,
}

impl Busiest {
    /// Looks at some rows of a batch.
    pub fn see(&mut self, keying: &Keying, batch: &Batch) {
        let rows = batch.len() as u64;
        if self.until >= rows {
            self.until -= rows;
            self.seen += rows;
            return;
        }
        let columns = keying.columns_in(batch);
        if columns.is_empty() {
            return;
        }
        let mut at = self.until;
        while at < rows {
            let apart = (self.seen / OFTEN).clamp(1, RAREST);
            self.look(&columns, at as usize, apart);
            at += self.step(apart);
        }
        self.until = at - rows;
        self.seen += rows;
    }

    /// Counts all rows that partials are made of.
    pub fn see_partials(&mut self, keying: &Keying, partials: &Partials) {
        let columns = keying.columns_in(&partials.rows);
        if columns.is_empty() {
            return;
        }
        for (row, &rows) in partials.counts.iter().enumerate() {
            self.look(&columns, row, rows);
            self.seen += rows;
        }
    }

    /// From one look to the next: at random, so that no pattern of the input hides a key; `apart` on average.
    fn step(&mut self, apart: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 32)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        1 + (mixed >> 33) % (2 * apart - 1)
    }

    /// A row stands for so many.
    fn look(&mut self, columns: &[ArrayRef], row: usize, rows: u64) {
        let mut key = std::mem::take(&mut self.scratch);
        key.clear();
        key::encode_row(columns, row, &mut key);
        self.count(&key, rows);
        self.scratch = key;
    }

    fn count(&mut self, key: &[u8], rows: u64) {
        if let Some(place) = self.places.iter_mut().find(|place| place.key == key) {
            place.rows += rows;
        } else if self.places.len() < PLACES {
            self.places.push(Place {
                key: key.to_vec(),
                rows,
                taken_over: 0,
            });
        } else {
            let least = self.places.iter_mut().min_by_key(|place| place.rows);
            let place = least.expect("there are places");
            place.taken_over = place.rows;
            place.rows += rows;
            place.key.clear();
            place.key.extend_from_slice(key);
        }
    }

    /// The busiest first.
    pub fn shares(&self, keying: &Keying) -> Vec<KeyRows> {
        let rows = |place: &Place| place.rows - place.taken_over;
        let mut places: Vec<&Place> = self.places.iter().collect();
        places.sort_by(|a, b| rows(b).cmp(&rows(a)).then_with(|| a.key.cmp(&b.key)));
        places.truncate(TOLD);
        let told = |place: &&Place| KeyRows {
            key: keying.as_json(&place.key),
            rows: rows(place),
        };
        places.iter().map(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(busiest: &Busiest) -> Vec<(u8, u64)> {
        let of = |place: &Place| (place.key[0], place.rows - place.taken_over);
        let mut found: Vec<(u8, u64)> = busiest.places.iter().map(of).collect();
        found.sort_by_key(|&(key, rows)| (std::cmp::Reverse(rows), key));
        found
    }

    #[test]
    fn a_busy_key_is_found_among_many() {
        let mut busiest = Busiest::default();
        for n in 0..10_000_u64 {
            busiest.count(&[(n % 200) as u8 + 50], 1);
            if n % 4 == 0 {
                busiest.count(&[7], 3);
            }
        }
        let found = found(&busiest);
        assert_eq!(found[0], (7, 7500));
        assert!(found[1].1 < 100, "{found:?}");
    }

    #[test]
    fn looks_are_as_far_apart_as_said_on_average() {
        let mut busiest = Busiest::default();
        for apart in [1, 2, 100] {
            let sum: u64 = (0..10_000).map(|_| busiest.step(apart)).sum();
            let average = sum as f64 / 10_000.0;
            assert!(
                (average / apart as f64 - 1.0).abs() < 0.05,
                "{apart}: {average}"
            );
        }
    }
}
