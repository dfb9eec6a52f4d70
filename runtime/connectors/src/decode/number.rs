//! Numbers in decimal digits.

use super::Misfit;

/// A number as it stands in a row: its grammar is JSON's.
#[derive(Clone, Copy, Debug)]
pub struct Number<'a> {
    /// Its text.
    pub text: &'a [u8],
    /// Whether it has a minus sign.
    pub negative: bool,
    /// Its digits without the point, if they are at most 19.
    pub digits: u64,
    /// How many digits it has, leading zeros included.
    pub count: usize,
    /// By which power of ten the digits are to be multiplied.
    pub exponent: i32,
    /// Whether it has neither point nor exponent.
    pub whole: bool,
}

/// Nineteen digits always fit in 64 bits.
const DIGITS: usize = 19;

impl Number<'_> {
    /// The integer that it is. `-0` is none: it is a float's negative zero (as `serde_json` has
    /// it).
    #[inline]
    pub fn integer(&self) -> Result<i64, Misfit> {
        if !self.whole || (self.negative && self.digits == 0 && self.count == 1) {
            return Err(Misfit::NotWhole);
        }
        if self.count > DIGITS {
            return Err(Misfit::Range);
        }
        if self.negative {
            0_i64.checked_sub_unsigned(self.digits).ok_or(Misfit::Range)
        } else {
            i64::try_from(self.digits).map_err(|_| Misfit::Range)
        }
    }

    /// The double nearest to it.
    #[inline]
    pub fn float(&self) -> Result<f64, Misfit> {
        // Digits and power of ten are exact doubles, so one operation rounds once (Clinger's fast
        // path).
        if self.count <= DIGITS && self.digits <= 1 << 53 && self.exponent.unsigned_abs() <= 22 {
            let power = POWERS[self.exponent.unsigned_abs() as usize];
            let digits = self.digits as f64;
            let value = if self.exponent < 0 {
                digits / power
            } else {
                digits * power
            };
            return Ok(if self.negative { -value } else { value });
        }
        float_of_text(self.text)
    }
}

/// The double nearest to a number's text.
#[cold]
pub fn float_of_text(text: &[u8]) -> Result<f64, Misfit> {
    let text = std::str::from_utf8(text).map_err(|_| Misfit::Type)?;
    let value: f64 = text.parse().map_err(|_| Misfit::Type)?;
    if value.is_finite() {
        Ok(value)
    } else {
        Err(Misfit::Range)
    }
}

/// The powers of ten that are exact doubles.
const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];
