//! Finding the hot keys of a share by a look at a few of its rows: some ten nanoseconds a look, however many rows there are.

use arrow_array::Array;
use smallvec::SmallVec;
use tidemill_rows::key;

use super::Keys;

/// How many rows are looked at.
const SAMPLE: usize = 64;
/// A key is hot that so many of the rows looked at have: a sixteenth of them.
const HOT: usize = 4;
/// How many keys are hot at most: those that are looked for in every row.
const MOST: usize = 8;

/// The hot keys of a share.
#[derive(Debug, Default)]
pub(super) struct HotKeys {
    /// A row that has it, and the hottest first.
    rows: SmallVec<[u32; MOST]>,
    /// Integer keys themselves, in the same order.
    integers: SmallVec<[i64; MOST]>,
    sample: Vec<(u64, u32)>,
}

impl HotKeys {
    /// Looks for the hot keys of a share. Whether there are any.
    pub(super) fn find(&mut self, share: &[u32], keys: Keys<'_>) -> bool {
        self.rows.clear();
        self.integers.clear();
        if let Keys::One = keys {
            self.rows.push(share[0]);
            return true;
        }
        self.look_at(share, keys);
        self.sample.sort_unstable();
        let mut found: SmallVec<[(usize, u32); MOST]> = self
            .sample
            .chunk_by(|a, b| a.0 == b.0)
            .filter(|alike| alike.len() >= HOT)
            .map(|alike| (alike.len(), alike[0].1))
            .collect();
        found.sort_unstable_by_key(|&(rows, _)| std::cmp::Reverse(rows));
        found.truncate(MOST);
        self.rows.extend(found.iter().map(|&(_, row)| row));
        if let Keys::Integers(values) = keys {
            let value = |row: &u32| values[*row as usize];
            self.integers.extend(self.rows.iter().map(value));
        }
        !self.rows.is_empty()
    }

    /// Takes a sample, evenly spread: what stands for the key, and the row.
    fn look_at(&mut self, share: &[u32], keys: Keys<'_>) {
        let looks = share.len().min(SAMPLE);
        let place = |n: usize| share[n * share.len() / looks];
        let rows = (0..looks).map(place);
        self.sample.clear();
        match keys {
            Keys::One => {}
            Keys::Integers(values) => {
                let stands_for = |row: u32| (values[row as usize] as u64, row);
                self.sample.extend(rows.map(stands_for));
            }
            Keys::Encoded(encoded, _) => {
                let stands_for = |row: u32| (key::hash(encoded.get(row as usize)), row);
                self.sample.extend(rows.map(stands_for));
            }
        }
    }

    /// Which hot key a row has, if one. A key with a null in it is none: the receiver may want to pass such rows over.
    #[inline]
    pub(super) fn of(&self, row: u32, keys: Keys<'_>) -> Option<u32> {
        let found = match keys {
            Keys::One => Some(0),
            Keys::Integers(values) => {
                let value = values[row as usize];
                self.integers.iter().position(|&hot| hot == value)
            }
            Keys::Encoded(encoded, columns) => {
                let key = encoded.get(row as usize);
                let is_it = |&hot: &u32| encoded.get(hot as usize) == key;
                let found = self.rows.iter().position(is_it)?;
                let null = columns.iter().any(|column| column.is_null(row as usize));
                (!null).then_some(found)
            }
        };
        found.map(|hot| hot as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type KeyOf<'a> = &'a dyn Fn(i64) -> i64;

    #[test]
    fn keys_of_a_sixteenth_of_the_rows_are_hot() {
        let cases: [(KeyOf<'_>, &[i64]); 4] = [
            (&|row| row, &[]),
            (&|row| if row % 10 == 3 { row } else { 7 }, &[7]),
            (&|row| if row < 900 { -1 } else { row % 2 }, &[-1, 0, 1]),
            (&|row| row / 30, &[]),
        ];
        for (n, (key, expected)) in cases.iter().enumerate() {
            let values: Vec<i64> = (0..1900).map(key).collect();
            let share: Vec<u32> = (0..1900).collect();
            let keys = Keys::Integers(&values);
            let mut hot = HotKeys::default();
            assert_eq!(hot.find(&share, keys), !expected.is_empty(), "case {n}");
            let mut found: Vec<i64> = hot.integers.to_vec();
            found.sort_unstable();
            assert_eq!(found, *expected, "case {n}");
            for &row in &share {
                let of = hot
                    .of(row, keys)
                    .map(|hot_key| hot.integers[hot_key as usize]);
                let value = values[row as usize];
                assert_eq!(of, expected.contains(&value).then_some(value), "row {row}");
            }
        }
    }
}
