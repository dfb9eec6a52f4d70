//! The words of a `.proto` file.

/// A word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Word<'t> {
    /// Letters, digits and `_`, no digit first.
    Name(&'t str),
    /// Anything that begins with a digit.
    Number(&'t str),
    /// What stands in quotation marks, as it is written.
    Text(&'t str),
    /// Anything else, one character.
    Mark(char),
}

impl std::fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Name(text) | Self::Number(text) => write!(f, "`{text}`"),
            Self::Text(text) => write!(f, "the text \"{text}\""),
            Self::Mark(mark) => write!(f, "`{mark}`"),
        }
    }
}

/// All words of a text, each with its line, counted from 1.
///
/// # Errors
/// If a text or a comment has no end.
pub fn words(text: &str) -> Result<Vec<(Word<'_>, usize)>, String> {
    let mut words = Vec::new();
    let (mut rest, mut line) = (text, 1);
    while let Some(first) = rest.chars().next() {
        let (word, length) = match first {
            c if c.is_whitespace() => (None, c.len_utf8()),
            '/' if rest.starts_with("//") => (None, rest.find('\n').unwrap_or(rest.len())),
            '/' if rest.starts_with("/*") => match rest[2..].find("*/") {
                Some(end) => (None, end + 4),
                None => return Err(format!("line {line}: a comment has no end")),
            },
            '"' | '\'' => {
                let length =
                    quoted(rest, first).ok_or_else(|| format!("line {line}: a text has no end"))?;
                (Some(Word::Text(&rest[1..length - 1])), length)
            }
            c if c.is_ascii_alphanumeric() || c == '_' => {
                let within = |c: char| !(c.is_ascii_alphanumeric() || c == '_');
                let length = rest.find(within).unwrap_or(rest.len());
                let word = &rest[..length];
                let word = match c.is_ascii_digit() {
                    true => Word::Number(word),
                    false => Word::Name(word),
                };
                (Some(word), length)
            }
            c => (Some(Word::Mark(c)), c.len_utf8()),
        };
        words.extend(word.map(|word| (word, line)));
        line += rest[..length].matches('\n').count();
        rest = &rest[length..];
    }
    Ok(words)
}

/// How long a text is that begins here, with its marks.
fn quoted(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return None,
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            c if c == mark => return Some(at + 1),
            _ => {}
        }
    }
    None
}
