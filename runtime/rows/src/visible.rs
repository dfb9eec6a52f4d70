//! Texts that others wrote (a module, a row's author), made fit to be shown to people: a terminal does what control
//! characters say, and some characters turn the order of those around them.
//!
//! Line feeds and tabs stay. Who shows a text of several lines indents them.

use std::borrow::Cow;
use std::fmt::Write;

/// Whether showing the character raw could do anything but show it.
pub fn is_hidden(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        // Marks and overrides of the direction of text, invisible joiners and spaces, tags.
        '\u{200b}'..='\u{200f}'
        | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}'
        | '\u{061c}'
        | '\u{feff}'
        | '\u{e0000}'..='\u{e007f}' => true,
        c => c.is_control(),
    }
}

/// The text with everything hidden in it written out, as `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    let plain = |b: u8| (b' '..0x7f).contains(&b) || b == b'\n' || b == b'\t';
    if text.bytes().all(plain) || !text.chars().any(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_hidden(c) {
            let _ = write!(shown, "{}", c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// The text made visible, and cut after `most` of its bytes: then what follows tells how much is left out.
pub fn visible_within(text: &str, most: usize) -> String {
    if text.len() <= most {
        return visible(text).into_owned();
    }
    let end = text.floor_char_boundary(most);
    let (kept, left) = (visible(&text[..end]), text.len() - end);
    format!("{kept} … ({left} bytes more)")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_written_out() {
        let cases = [
            ("plain, with umlauts: äöü", "plain, with umlauts: äöü"),
            ("two\n\tlines", "two\n\tlines"),
            ("\x1b[2Jgone", "\\u{1b}[2Jgone"),
            ("\u{9b}31m", "\\u{9b}31m"),
            ("over\rwritten", "over\\u{d}written"),
            ("bell\x07 del\x7f", "bell\\u{7} del\\u{7f}"),
            ("user\u{202e}txt.exe", "user\\u{202e}txt.exe"),
            ("zero\u{200b}width", "zero\\u{200b}width"),
        ];
        for (text, shown) in cases {
            assert_eq!(visible(text), shown);
        }
    }

    #[test]
    fn what_is_long_is_cut_at_a_character() {
        assert_eq!(visible_within("abc", 3), "abc");
        assert_eq!(visible_within("abcdef", 3), "abc … (3 bytes more)");
        assert_eq!(visible_within("aäb", 2), "a … (3 bytes more)");
    }
}
