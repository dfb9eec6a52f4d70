//! Random numbers that depend on a seed and a row's number alone, so that splits and workers can be
//! any.

/// SplitMix64 (Steele, Lea, Flood 2014): a stream of numbers from a 64-bit state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Random(u64);

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// The stream of a row, for one seed.
    #[inline(always)]
    pub fn of(seed: u64, row: u64) -> Self {
        Self(mix(seed).wrapping_add(mix(row ^ 0xA076_1D64_78BD_642F)))
    }

    /// Any 64 bits.
    #[inline(always)]
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        mix(self.0)
    }

    /// A number from 0 to `n` - 1, each as often as the others but for 1 in 2^64 / `n`.
    #[inline(always)]
    pub fn below(&mut self, n: u64) -> u64 {
        scale(self.next(), n)
    }

    /// A number from 0 up to 1, without 1.
    #[inline(always)]
    pub fn unit(&mut self) -> f64 {
        unit(self.next())
    }
}

/// The number of a row, from 64 bits of randomness.
#[inline(always)]
pub(crate) fn scale(bits: u64, n: u64) -> u64 {
    ((u128::from(bits) * u128::from(n)) >> 64) as u64
}

/// A double from 0 up to 1, without 1, from 64 bits of randomness.
#[inline(always)]
pub(crate) fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

/// SplitMix64's finaliser: every bit of the result depends on every bit given.
#[inline(always)]
pub(crate) fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}
