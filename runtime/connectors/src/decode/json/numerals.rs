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

/// The whole number of less than sixteen digits, without a sign, that a text begins with, and how many they are. What follows
/// it is at hand.
#[inline(always)]
pub fn short(text: &[u8]) -> Option<(usize, i64)> {
    let (mut count, mut number) = digits::leading(eight(text));
    if count == 8 {
        let (more, low) = digits::leading(eight(&text[8..]));
        count += more;
        number = number * POWERS[more] + low;
    }
    let zero = text[0] == b'0' && count > 1;
    let fraction = matches!(text[count], b'.' | b'e' | b'E');
    let good = count != 0 && count != 16 && !zero && !fraction;
    good.then_some((count, number as i64))
}

#[inline(always)]
fn eight(text: &[u8]) -> [u8; 8] {
    // A line is followed by more than this (see `Line`).
    *text.first_chunk::<8>().unwrap_or(&[0; 8])
}

impl<'a, S: Scan> Cursor<'a, S> {
    /// The integer whose sign or first digit is next.
    #[inline]
    pub fn integer(&mut self) -> Result<Result<i64, Misfit>, Syntax> {
        match short(&self.text[self.at..]) {
            Some((len, number)) => {
                self.at += len;
                Ok(Ok(number))
            }
            None => Ok(self.number()?.integer()),
        }
    }

    /// Steps over a number whose sign or first digit is next.
    #[inline]
    pub fn skip_number(&mut self) -> Result<(), Syntax> {
        match short(&self.text[self.at..]) {
            Some((len, _)) => self.at += len,
            None => drop(self.number()?),
        }
        Ok(())
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
