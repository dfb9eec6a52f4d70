//! A place in a line of JSON, and the grammar (RFC 8259) from there on.

use std::marker::PhantomData;

use super::line::Line;
use super::scan::Scan;
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
pub struct Cursor<'a, S> {
    /// The line, which is valid UTF-8, and what follows it (see [`Line`]).
    pub text: &'a [u8],
    /// The next byte; never beyond the newline.
    pub at: usize,
    /// How many bytes are looked at at a time.
    pub scan: PhantomData<S>,
}

impl<'a, S: Scan> Cursor<'a, S> {
    /// The beginning of a line.
    #[inline(always)]
    pub fn new(line: Line<'a>) -> Self {
        Self {
            text: line.text(),
            at: 0,
            scan: PhantomData,
        }
    }

    /// The next byte; at the end the newline.
    #[inline(always)]
    pub fn peek(&self) -> u8 {
        self.text[self.at]
    }

    /// The next byte that is not blank; 0 at the end, which stands nowhere in JSON outside strings.
    #[inline(always)]
    pub fn next_mark(&mut self) -> u8 {
        let byte = self.peek();
        if byte > b' ' {
            return byte;
        }
        self.next_mark_behind_blanks()
    }

    #[inline(never)]
    fn next_mark_behind_blanks(&mut self) -> u8 {
        loop {
            match self.peek() {
                b' ' | b'\t' | b'\r' => self.at += 1,
                b'\n' => return 0,
                byte => return byte,
            }
        }
    }

    /// Whether the line has nothing more, blanks apart.
    pub fn is_at_end(&mut self) -> bool {
        self.next_mark();
        self.peek() == b'\n'
    }

    /// The error of not finding something here.
    #[cold]
    pub fn expected<T>(&self, what: &'static str) -> Result<T, Syntax> {
        Err(Syntax { at: self.at, what })
    }

    /// Steps over a literal.
    #[inline(always)]
    pub fn literal(&mut self, word: &'static str) -> Result<(), Syntax> {
        if self.text[self.at..].starts_with(word.as_bytes()) {
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
        self.at = S::string_end(self.text, start);
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
            match self.peek() {
                b'"' => {
                    self.at += 1;
                    return Ok(Quoted {
                        start,
                        end: self.at - 1,
                        escaped,
                    });
                }
                b'\\' => self.escape()?,
                b'\n' => return self.expected("the end of a string"),
                _ => return self.expected("no control character in a string"),
            }
            escaped = true;
            self.at = S::string_end(self.text, self.at);
        }
    }

    fn escape(&mut self) -> Result<(), Syntax> {
        self.at += 1;
        match self.peek() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                let digits = self.text.get(self.at + 1..self.at + 5);
                if !digits.is_some_and(|d| d.iter().all(u8::is_ascii_hexdigit)) {
                    return self.expected("four hexadecimal digits after \\u");
                }
                self.at += 5;
            }
            _ => return self.expected("an escape sequence"),
        }
        Ok(())
    }

    /// Steps over any value, whose first byte is next.
    #[inline(always)]
    pub fn skip(&mut self, first: u8, depth: usize) -> Result<(), Syntax> {
        match first {
            b'"' => self.string().map(|_| ()),
            b'-' | b'0'..=b'9' => self.skip_number(),
            b'n' => self.literal("null"),
            _ => self.skip_value(depth),
        }
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
            b'-' | b'0'..=b'9' => self.skip_number().map(|()| None),
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
