//! Numbers where the cursor stands.

use super::super::Misfit;
use super::super::number::Number;
use super::cursor::{Cursor, Syntax};
use super::digits;
use super::scan::Scan;

/// The powers of ten that the first eight digits of a number are worth when more follow.
const POWERS: [u64; 9] = [
    1,
    10,
    100,
    1_000,
    10_000,
    100_000,
    1_000_000,
    10_000_000,
    100_000_000,
];

impl<'a, S: Scan> Cursor<'a, S> {
    /// The integer whose sign or first digit is next: quickly where it has at most sixteen digits.
    #[inline(always)]
    pub fn integer(&mut self) -> Result<Result<i64, Misfit>, Syntax> {
        let negative = self.peek() == b'-';
        let first = self.at + usize::from(negative);
        let (mut count, mut number) = digits::leading(self.eight(first));
        if count == 8 {
            let (more, low) = digits::leading(self.eight(first + 8));
            count += more;
            number = number * POWERS[more] + low;
        }
        let zero = self.text[first] == b'0' && (count > 1 || negative);
        let after = self.text[first + count];
        if count == 0 || count == 16 || zero || matches!(after, b'.' | b'e' | b'E') {
            return Ok(self.number()?.integer());
        }
        self.at = first + count;
        let number = number as i64;
        Ok(Ok(if negative { -number } else { number }))
    }

    /// Steps over a number whose sign or first digit is next.
    #[inline(always)]
    pub fn skip_number(&mut self) -> Result<(), Syntax> {
        let (count, _) = digits::leading(self.eight(self.at));
        let zero = self.peek() == b'0' && count > 1;
        let after = self.text[self.at + count];
        if count == 0 || count == 8 || zero || matches!(after, b'.' | b'e' | b'E') {
            return self.number().map(|_| ());
        }
        self.at += count;
        Ok(())
    }

    #[inline(always)]
    fn eight(&self, at: usize) -> [u8; 8] {
        let bytes = self.text[at..].first_chunk::<8>();
        // A line is followed by more than this (see `Line`).
        *bytes.unwrap_or(&[0; 8])
    }

    /// Steps over a number whose sign or first digit is next, and says all about it.
    #[inline(never)]
    pub fn number(&mut self) -> Result<Number<'a>, Syntax> {
        let start = self.at;
        let negative = self.peek() == b'-';
        self.at += usize::from(negative);
        let first = self.at;
        let mut digits = self.digits(0);
        let mut count = self.at - first;
        if count == 0 || (count > 1 && self.text[first] == b'0') {
            return self.bad_number(first, count);
        }
        let mut exponent = 0_i32;
        let mut whole = true;
        if self.peek() == b'.' {
            self.at += 1;
            let point = self.at;
            digits = self.digits(digits);
            let fraction = self.at - point;
            if fraction == 0 {
                return self.expected("a digit after the point");
            }
            count += fraction;
            exponent = -i32::try_from(fraction).unwrap_or(i32::MAX);
            whole = false;
        }
        if matches!(self.peek(), b'e' | b'E') {
            exponent = exponent.saturating_add(self.exponent()?);
            whole = false;
        }
        let text = &self.text[start..self.at];
        Ok(Number {
            text,
            negative,
            digits,
            count,
            exponent,
            whole,
        })
    }

    #[cold]
    fn bad_number<T>(&mut self, first: usize, count: usize) -> Result<T, Syntax> {
        if count == 0 {
            return self.expected("a digit");
        }
        self.at = first;
        self.expected("no zero before other digits")
    }

    /// Steps over digits, which follow `number`; wraps where they are more than 19.
    #[inline(always)]
    fn digits(&mut self, mut number: u64) -> u64 {
        // What stands at the end is no digit.
        while let digit @ 0..=9 = self.peek().wrapping_sub(b'0') {
            number = number.wrapping_mul(10).wrapping_add(u64::from(digit));
            self.at += 1;
        }
        number
    }

    fn exponent(&mut self) -> Result<i32, Syntax> {
        self.at += 1;
        let negative = self.peek() == b'-';
        if matches!(self.peek(), b'-' | b'+') {
            self.at += 1;
        }
        let first = self.at;
        let mut exponent = 0_i32;
        while let digit @ b'0'..=b'9' = self.peek() {
            exponent = exponent
                .saturating_mul(10)
                .saturating_add(i32::from(digit - b'0'));
            self.at += 1;
        }
        if self.at == first {
            return self.expected("a digit of the exponent");
        }
        Ok(if negative { -exponent } else { exponent })
    }
}
