//! A place in a line of JSON, and the grammar (RFC 8259) from there on.

use super::super::number::Number;
use super::scan;
use crate::format::DEPTH_LIMIT;

/// What is wrong with a line, and at which of its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Syntax {
    /// The byte, from 0.
    pub at: usize,
    /// What was expected there.
    pub what: &'static str,
}

/// What nesting beyond [`DEPTH_LIMIT`] is called.
pub const TOO_DEEP: &str = "no more than 128 levels of nesting";

/// A string's place in the line, without its quotation marks.
#[derive(Clone, Copy, Debug)]
pub struct Quoted {
    /// Its first byte.
    pub start: usize,
    /// The byte behind its last.
    pub end: usize,
    /// Whether it has escapes.
    pub escaped: bool,
}

/// A place in a line.
pub struct Cursor<'a> {
    /// The line, which is valid UTF-8.
    pub row: &'a [u8],
    /// The next byte.
    pub at: usize,
}

impl<'a> Cursor<'a> {
    /// The next byte; 0 at the end, which stands nowhere in JSON outside strings.
    #[inline(always)]
    pub fn peek(&self) -> u8 {
        if self.at < self.row.len() {
            self.row[self.at]
        } else {
            0
        }
    }

    /// The next byte that is not blank.
    #[inline(always)]
    pub fn next_mark(&mut self) -> u8 {
        loop {
            let byte = self.peek();
            if byte > b' ' || !matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
                return byte;
            }
            self.at += 1;
        }
    }

    /// The error of not finding something here.
    #[cold]
    pub fn expected<T>(&self, what: &'static str) -> Result<T, Syntax> {
        Err(Syntax { at: self.at, what })
    }

    /// Steps over a literal.
    #[inline(always)]
    pub fn literal(&mut self, word: &'static str) -> Result<(), Syntax> {
        if self.row[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            self.expected("a value")
        }
    }

    /// Steps over a string whose quotation mark is next. Escapes are checked for their form only.
    #[inline(always)]
    pub fn string(&mut self) -> Result<Quoted, Syntax> {
        let start = self.at + 1;
        self.at = scan::string_end(self.row, start);
        if self.peek() == b'"' {
            self.at += 1;
            return Ok(Quoted {
                start,
                end: self.at - 1,
                escaped: false,
            });
        }
        self.string_with_escapes(start)
    }

    #[inline(never)]
    fn string_with_escapes(&mut self, start: usize) -> Result<Quoted, Syntax> {
        let mut escaped = false;
        loop {
            match self.row.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Quoted {
                        start,
                        end: self.at - 1,
                        escaped,
                    });
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return self.expected("no control character in a string"),
                None => return self.expected("the end of a string"),
            }
            escaped = true;
            self.at = scan::string_end(self.row, self.at);
        }
    }

    fn escape(&mut self) -> Result<(), Syntax> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                let digits = self.row.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) {
                    return self.expected("four hexadecimal digits after \\u");
                }
                self.at += 5;
            }
            _ => return self.expected("an escape sequence"),
        }
        Ok(())
    }

    /// Steps over a number whose sign or first digit is next.
    #[inline]
    pub fn number(&mut self) -> Result<Number<'a>, Syntax> {
        let start = self.at;
        let negative = self.peek() == b'-';
        self.at += usize::from(negative);
        let first = self.at;
        let mut digits = self.digits(0);
        let mut count = self.at - first;
        if count == 0 || (count > 1 && self.row[first] == b'0') {
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
        let text = &self.row[start..self.at];
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
        while let Some(byte) = self.row.get(self.at) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
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

    /// Steps over any value, which stands `depth` levels deep. Only the grammar is checked.
    pub fn skip_value(&mut self, depth: usize) -> Result<(), Syntax> {
        // One bit per level that this value opens, the lowest for the innermost: 1 for an object.
        let mut levels: u128 = 0;
        let mut open = 0;
        loop {
            if let Some(object) = self.skip_start(depth + open)? {
                levels = levels << 1 | u128::from(object);
                open += 1;
                continue;
            }
            loop {
                if open == 0 {
                    return Ok(());
                }
                let object = levels & 1 == 1;
                match self.next_mark() {
                    b',' => {
                        self.at += 1;
                        if object {
                            self.skip_key()?;
                        }
                        break;
                    }
                    b'}' if object => self.at += 1,
                    b']' if !object => self.at += 1,
                    _ if object => return self.expected("`,` or `}`"),
                    _ => return self.expected("`,` or `]`"),
                }
                levels >>= 1;
                open -= 1;
            }
        }
    }

    /// Steps over a scalar or an empty object or array (`None`), or into an object (`true`) or
    /// array with something in it.
    #[inline]
    fn skip_start(&mut self, depth: usize) -> Result<Option<bool>, Syntax> {
        match self.next_mark() {
            b'"' => self.string().map(|_| None),
            b'-' | b'0'..=b'9' => self.number().map(|_| None),
            b'n' => self.literal("null").map(|()| None),
            b't' => self.literal("true").map(|()| None),
            b'f' => self.literal("false").map(|()| None),
            b'{' | b'[' if depth >= DEPTH_LIMIT => self.expected(TOO_DEEP),
            b'{' => {
                self.at += 1;
                if self.next_mark() == b'}' {
                    self.at += 1;
                    return Ok(None);
                }
                self.skip_key().map(|()| Some(true))
            }
            b'[' => {
                self.at += 1;
                if self.next_mark() == b']' {
                    self.at += 1;
                    return Ok(None);
                }
                Ok(Some(false))
            }
            _ => self.expected("a value"),
        }
    }

    fn skip_key(&mut self) -> Result<(), Syntax> {
        self.key().map(|_| ())
    }

    /// Steps over a field's name and the colon.
    pub fn key(&mut self) -> Result<Quoted, Syntax> {
        if self.next_mark() != b'"' {
            return self.expected("a field's name in quotation marks");
        }
        let name = self.string()?;
        if self.next_mark() != b':' {
            return self.expected("`:`");
        }
        self.at += 1;
        Ok(name)
    }
}
