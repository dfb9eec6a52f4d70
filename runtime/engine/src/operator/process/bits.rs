//! A set of numbers of keys, a bit for each.

use tidemill_core::window::KeyId;

/// A set of numbers of keys.
#[derive(Clone, Default)]
pub struct Bits(Vec<u64>);

impl Bits {
    /// All numbers below this.
    pub fn all(numbers: usize) -> Self {
        let mut words = vec![u64::MAX; numbers / 64];
        if !numbers.is_multiple_of(64) {
            words.push((1 << (numbers % 64)) - 1);
        }
        Self(words)
    }

    /// Puts a number in.
    #[inline]
    pub fn set(&mut self, key: KeyId) {
        let word = key as usize / 64;
        if word >= self.0.len() {
            self.0.resize((word + 1).next_power_of_two(), 0);
        }
        self.0[word] |= 1 << (key % 64);
    }

    /// Takes a number out; whether it was there.
    #[inline]
    pub fn clear(&mut self, key: KeyId) -> bool {
        let Some(word) = self.0.get_mut(key as usize / 64) else {
            return false;
        };
        let bit = 1 << (key % 64);
        let there = *word & bit != 0;
        *word &= !bit;
        there
    }

    /// Puts in all that another set has.
    pub fn add(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// The largest number below this one.
    pub fn below(&self, key: KeyId) -> Option<KeyId> {
        let end = (key as usize).min(self.0.len() * 64);
        let (word, more) = (end / 64, end % 64);
        let of = |word: usize, bits: u64| (word * 64) as KeyId + bits.ilog2();
        let begun = match more {
            0 => 0,
            _ => self.0[word] & ((1 << more) - 1),
        };
        if begun != 0 {
            return Some(of(word, begun));
        }
        let word = self.0[..word].iter().rposition(|bits| *bits != 0)?;
        Some(of(word, self.0[word]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_from_the_largest_on() {
        let mut bits = Bits::default();
        let keys = [0, 1, 63, 64, 130, 191];
        keys.iter().for_each(|&key| bits.set(key));
        let mut found = Vec::new();
        let mut hand = KeyId::MAX;
        while let Some(key) = bits.below(hand) {
            found.push(key);
            hand = key;
        }
        found.reverse();
        assert_eq!(found, keys);
        assert_eq!(bits.below(191), Some(130));
        assert_eq!(bits.below(0), None);
        assert_eq!(Bits::all(70).below(KeyId::MAX), Some(69));
        assert_eq!(Bits::default().below(9), None);
    }
}
