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

    /// The smallest number from this one on.
    pub fn from(&self, key: KeyId) -> Option<KeyId> {
        let first = key as usize / 64;
        let begun = self.0.get(first)? & (u64::MAX << (key % 64));
        if begun != 0 {
            return Some((first * 64) as KeyId + begun.trailing_zeros());
        }
        let rest = self.0[first + 1..].iter().enumerate();
        let (word, bits) = rest.into_iter().find(|(_, bits)| **bits != 0)?;
        Some(((first + 1 + word) * 64) as KeyId + bits.trailing_zeros())
    }
}
