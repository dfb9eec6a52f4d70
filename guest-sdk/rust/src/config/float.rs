//! Decimal digits to the nearest float.
//!
//! The standard library's parser is fast and brings 16 kB of code and tables into a module. A
//! configuration has a handful of floats, so this one is small: exact in one step where it can be,
//! and by long division of big numbers otherwise.

use std::cmp::Ordering;

/// More digits than this are refused: no configuration needs them.
const MOST_DIGITS: usize = 800;

/// The float nearest to a JSON number, ties to even. `None` if it is no number, or beyond the
/// largest float.
pub fn parse(number: &[u8]) -> Option<f64> {
    let (negative, number) = match number {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, number),
    };
    let exponent_at = number.iter().position(|byte| matches!(byte, b'e' | b'E'));
    let (mantissa, exponent) = match exponent_at {
        Some(at) => (number.get(..at)?, integer(number.get(at + 1..)?)?),
        None => (number, 0),
    };
    let point = mantissa.iter().position(|&byte| byte == b'.');
    let fraction = point.map_or(0, |at| mantissa.len() - at - 1);
    if mantissa.len() > MOST_DIGITS || mantissa.len() == usize::from(point.is_some()) {
        return None;
    }
    let mut digits = Big(Vec::new());
    for (at, byte) in mantissa.iter().enumerate() {
        match byte {
            b'0'..=b'9' => digits.multiply_add(10, u32::from(byte - b'0')),
            _ if Some(at) == point => {}
            _ => return None,
        }
    }
    let float = nearest(digits, exponent - fraction as i32)?;
    Some(if negative { -float } else { float })
}

/// A small whole number with a sign; what is beyond any float's exponent is cut.
fn integer(digits: &[u8]) -> Option<i32> {
    let (sign, digits) = match digits {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        _ => (1, digits),
    };
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |number: i32, digit| match digit {
        b'0'..=b'9' => Some((number * 10 + sign * i32::from(digit - b'0')).clamp(-99_999, 99_999)),
        _ => None,
    })
}

/// `digits` times ten to the power of `exponent`.
fn nearest(digits: Big, exponent: i32) -> Option<f64> {
    if digits.bits() == 0 || exponent < -400 - MOST_DIGITS as i32 {
        return Some(0.0);
    }
    if exponent > 400 {
        return None;
    }
    if digits.bits() <= 53 && exponent.abs() <= 22 {
        // Both are exact as floats, and so is the power: one rounding is the right one.
        let power = (0..exponent.abs()).fold(1.0, |power, _| power * 10.0);
        let digits = digits.low() as f64;
        return Some(if exponent < 0 {
            digits / power
        } else {
            digits * power
        });
    }
    let (mut above, mut below) = (digits, Big(vec![1]));
    for _ in 0..exponent.unsigned_abs() {
        if exponent < 0 {
            below.multiply_add(10, 0)
        } else {
            above.multiply_add(10, 0)
        }
    }
    divide(above, below)
}

/// `above / below`, rounded once: a quotient of 54 bits or more, of which the last ones and the
/// rest decide.
fn divide(mut above: Big, mut below: Big) -> Option<f64> {
    /// The smallest float is two to the power of -1074; one more bit decides how it is rounded.
    const MOST_SHIFT: i32 = 1075;
    let shift = (55 - (above.bits() as i32 - below.bits() as i32)).min(MOST_SHIFT);
    if shift >= 0 {
        above.shift_left(shift as usize)
    } else {
        below.shift_left(-shift as usize)
    }
    let mut quotient = 0_u64;
    for bit in (0..57).rev() {
        let mut part = Big(below.0.clone());
        part.shift_left(bit);
        if above.compare(&part) != Ordering::Less {
            above.subtract(&part);
            quotient |= 1 << bit;
        }
    }
    // 53 bits are kept, fewer below the smallest normal float.
    let spare =
        (64 - quotient.leading_zeros() as i32 - 53).max(if shift == MOST_SHIFT { 1 } else { 0 });
    let (kept, cut) = (quotient >> spare, quotient & ((1 << spare) - 1));
    let half = 1_u64 << (spare - 1);
    let up = cut > half || (cut == half && (above.bits() > 0 || kept & 1 == 1));
    let float = scale((kept + u64::from(up)) as f64, spare - shift);
    float.is_finite().then_some(float)
}

/// A whole number of at most 53 bits times a power of two, where the product needs no rounding.
fn scale(number: f64, power: i32) -> f64 {
    let of_two = |power: i32| f64::from_bits(((power + 1023) as u64) << 52);
    match power {
        ..-1022 => number * of_two(-1022) * of_two((power + 1022).max(-1022)),
        1024.. => f64::INFINITY,
        _ => number * of_two(power),
    }
}

/// A whole number, its lowest 32 bits first, without zeros at the end.
struct Big(Vec<u32>);

impl Big {
    fn bits(&self) -> usize {
        self.0
            .last()
            .map_or(0, |last| self.0.len() * 32 - last.leading_zeros() as usize)
    }

    /// The lowest 64 bits.
    fn low(&self) -> u64 {
        let part = |at: usize| u64::from(self.0.get(at).copied().unwrap_or(0));
        part(1) << 32 | part(0)
    }

    fn multiply_add(&mut self, factor: u32, add: u32) {
        let mut carry = u64::from(add);
        for part in &mut self.0 {
            carry += u64::from(*part) * u64::from(factor);
            *part = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.0.push(carry as u32);
        }
    }

    fn shift_left(&mut self, bits: usize) {
        for _ in 0..bits % 32 {
            self.multiply_add(2, 0);
        }
        let mut shifted = vec![0; bits / 32];
        shifted.extend_from_slice(&self.0);
        self.0 = shifted;
    }

    fn compare(&self, other: &Self) -> Ordering {
        let lengths = self.0.len().cmp(&other.0.len());
        lengths.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Takes `other` away, which is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (at, part) in self.0.iter_mut().enumerate() {
            let (less, first) = part.overflowing_sub(other.0.get(at).copied().unwrap_or(0));
            let (less, second) = less.overflowing_sub(u32::from(borrow));
            (*part, borrow) = (less, first || second);
        }
        while self.0.last() == Some(&0) {
            self.0.pop();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: &str) {
        let expected = number.parse::<f64>().ok().filter(|float| float.is_finite());
        let found = parse(number.as_bytes());
        assert_eq!(
            found.map(f64::to_bits),
            expected.map(f64::to_bits),
            "{number}"
        );
    }

    #[test]
    fn agrees_with_the_standard_library() {
        let numbers = [
            "0",
            "-0",
            "0.0",
            "1",
            "-1.5",
            "10000.0",
            "1e22",
            "1e23",
            "0.1",
            "1e-7",
            "123456789012345678901234567890",
            "9007199254740993",
            "9007199254740992.5",
            "1.7976931348623157e308",
            "1.7976931348623159e308",
            "1e309",
            "2.2250738585072014e-308",
            "2.2250738585072011e-308",
            "4.9e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "1e-400",
            "0e999999",
            "1e-999999",
            "3.0e0",
            "1E+2",
            "0.000000000000000000001",
        ];
        numbers.into_iter().for_each(check);
    }

    /// Bits of a fixed sequence: every exponent, written as short as it can be, and with all
    /// digits.
    #[test]
    fn reads_back_any_float() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..3_000 {
            bits = bits
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let float = f64::from_bits(bits);
            if float.is_finite() {
                check(&format!("{float:e}"));
                check(&format!("{float:.25e}"));
                check(&format!(
                    "{:e}",
                    f64::from_bits(bits & 0x800f_ffff_ffff_ffff)
                ));
            }
        }
    }

    #[test]
    fn refuses_what_is_no_number() {
        for number in ["", "-", ".", "1e", "1e+", "1.2.3", "e5", "1x", "--1"] {
            assert_eq!(parse(number.as_bytes()), None, "{number}");
        }
    }
}
