//! A reader of small JSON texts: a configuration is read once per instance, and a module should
//! stay small, so there is no parser of a library here. Numbers stay digits until a field wants
//! them.

/// A JSON value; inner objects do not occur in a configuration.
#[derive(Debug, PartialEq)]
pub enum Json<'a> {
    /// `null`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// The digits of a number.
    Number(&'a str),
    /// A text.
    Text(String),
    /// A list.
    List(Vec<Json<'a>>),
}

/// A JSON object: names and values, in order.
pub struct Object<'a>(Vec<(String, Json<'a>)>);

impl<'a> Object<'a> {
    /// Takes the value with this name out.
    pub fn take(&mut self, name: &str) -> Option<Json<'a>> {
        let index = self.0.iter().position(|(each, _)| each == name)?;
        Some(self.0.remove(index).1)
    }

    /// The name of a value that nobody took.
    pub fn first_name(&self) -> Option<&str> {
        self.0.first().map(|(name, _)| name.as_str())
    }
}

/// Reads an object.
///
/// # Errors
/// It is not a JSON object of values without inner objects.
pub fn object(text: &str) -> Result<Object<'_>, String> {
    let mut reader = Reader { text, at: 0 };
    let members = reader.object();
    match members {
        Some(members) if reader.at_end() => Ok(Object(members)),
        _ => Err(reader.error()),
    }
}

/// Reads a value.
///
/// # Errors
/// It is not a JSON value without inner objects.
pub fn value(text: &str) -> Result<Json<'_>, String> {
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0);
    match value {
        Some(value) if reader.at_end() => Ok(value),
        _ => Err(reader.error()),
    }
}

/// Lists in lists beyond this depth are refused.
const DEPTH: usize = 8;

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self) -> String {
        let place = self.at.to_string();
        crate::describe::joined(&[
            "the configuration is not a JSON object of values, at byte ",
            &place,
        ])
    }

    fn at_end(&mut self) -> bool {
        self.peek().is_none()
    }

    /// The next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        while matches!(
            self.text.as_bytes().get(self.at),
            Some(b' ' | b'\t' | b'\r' | b'\n')
        ) {
            self.at += 1;
        }
        self.text.as_bytes().get(self.at).copied()
    }

    /// Goes past this text, if it is next.
    fn eat(&mut self, text: &str) -> bool {
        self.peek();
        let found = self.text.get(self.at..self.at + text.len()) == Some(text);
        self.at += if found { text.len() } else { 0 };
        found
    }

    /// Items between commas up to `end`; the opening bracket is behind us.
    fn items<T>(&mut self, end: &str, item: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let mut items = Vec::new();
        if self.eat(end) {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(end) {
                return Some(items);
            }
            self.eat(",").then_some(())?;
        }
    }

    fn object(&mut self) -> Option<Vec<(String, Json<'a>)>> {
        self.eat("{").then_some(())?;
        self.items("}", |reader| {
            reader.eat("\"").then_some(())?;
            let name = reader.string()?;
            reader.eat(":").then_some(())?;
            Some((name, reader.value(0)?))
        })
    }

    fn value(&mut self, depth: usize) -> Option<Json<'a>> {
        match self.peek()? {
            b'n' => self.eat("null").then_some(Json::Null),
            b't' => self.eat("true").then_some(Json::Bool(true)),
            b'f' => self.eat("false").then_some(Json::Bool(false)),
            b'"' => {
                self.at += 1;
                self.string().map(Json::Text)
            }
            b'[' if depth < DEPTH => {
                self.at += 1;
                self.items("]", |reader| reader.value(depth + 1))
                    .map(Json::List)
            }
            b'-' | b'0'..=b'9' => self.number(),
            _ => None,
        }
    }

    fn number(&mut self) -> Option<Json<'a>> {
        let part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E');
        let start = self.skip(part);
        self.text.get(start..self.at).map(Json::Number)
    }

    /// Goes past bytes for which `which` holds; gives back where they start.
    fn skip(&mut self, which: impl Fn(&u8) -> bool) -> usize {
        let start = self.at;
        while self.text.as_bytes().get(self.at).is_some_and(&which) {
            self.at += 1;
        }
        start
    }

    /// The rest of a string; the opening quote is behind us.
    fn string(&mut self) -> Option<String> {
        let mut string = String::new();
        loop {
            let start = self.skip(|&byte| byte != b'"' && byte != b'\\');
            string += self.text.get(start..self.at)?;
            let end = *self.text.as_bytes().get(self.at)?;
            self.at += 1;
            if end == b'"' {
                return Some(string);
            }
            string.push(self.escape()?);
        }
    }

    /// What follows a backslash.
    fn escape(&mut self) -> Option<char> {
        let escape = *self.text.as_bytes().get(self.at)?;
        self.at += 1;
        Some(match escape {
            b'"' | b'\\' | b'/' => escape as char,
            b'b' => '\x08',
            b'f' => '\x0c',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.code_point(),
            _ => {
                self.at -= 1;
                return None;
            }
        })
    }

    /// What follows `\u`: one unit, or a pair of surrogates.
    fn code_point(&mut self) -> Option<char> {
        let first = self.unit()?;
        if !(0xd800..0xdc00).contains(&first) {
            return char::from_u32(first);
        }
        (self.text.get(self.at..self.at + 2) == Some("\\u")).then_some(())?;
        self.at += 2;
        let second = self
            .unit()?
            .checked_sub(0xdc00)
            .filter(|&second| second < 0x400)?;
        char::from_u32(0x10000 + ((first - 0xd800) << 10) + second)
    }

    fn unit(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        digits
            .bytes()
            .all(|digit| digit.is_ascii_hexdigit())
            .then_some(())?;
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_host_may_write() {
        let text =
            r#" { "a" : [ 1 , -2.5e3 ] , "b":"x\n\u00e9\ud83c\udf0a/", "c": null, "d":true } "#;
        let mut object = object(text).unwrap();
        let numbers = vec![Json::Number("1"), Json::Number("-2.5e3")];
        assert_eq!(object.take("a"), Some(Json::List(numbers)));
        assert_eq!(object.take("b"), Some(Json::Text("x\né🌊/".to_owned())));
        assert_eq!(object.take("c"), Some(Json::Null));
        assert_eq!(object.first_name(), Some("d"));
    }

    #[test]
    fn refuses_what_is_no_object_of_values() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(9), "]".repeat(9));
        let refused = [
            "",
            "{",
            "[]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1}x",
            "{a:1}",
            "{\"a\":{}}",
            "{\"a\":\"\\x\"}",
            "{\"a\":\"\\ud800\"}",
            "{\"a\":\"\\u12\"}",
            "{\"a\":\"",
            "{\"a\":[1 2]}",
            &deep,
        ];
        for text in refused {
            assert!(object(text).is_err(), "{text}");
        }
    }
}
