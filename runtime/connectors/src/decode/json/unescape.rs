//! Escapes of strings, taken away.

use super::scan::{Base, Scan};

/// Appends a string without its escapes, whose form has been checked; `None` if it has half a
/// surrogate pair.
pub fn unescape(string: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let mut done = 0;
    while done < string.len() {
        let at = Base::string_end(string, done);
        out.extend_from_slice(&string[done..at]);
        if at == string.len() {
            break;
        }
        done = at + 2;
        match string[at + 1] {
            b'b' => out.push(0x08),
            b'f' => out.push(0x0C),
            b'n' => out.push(b'\n'),
            b'r' => out.push(b'\r'),
            b't' => out.push(b'\t'),
            b'u' => {
                let (character, after) = code_point(string, at)?;
                out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                done = after;
            }
            itself => out.push(itself),
        }
    }
    Some(())
}

/// The character of `\uXXXX` or of a pair of them at `at`, and where it ends.
fn code_point(string: &[u8], at: usize) -> Option<(char, usize)> {
    let first = hex(string, at)?;
    if !(0xD800..0xDC00).contains(&first) {
        return Some((char::from_u32(first)?, at + 6));
    }
    let second = hex(string, at + 6).filter(|unit| (0xDC00..0xE000).contains(unit))?;
    let character = char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))?;
    Some((character, at + 12))
}

fn hex(string: &[u8], at: usize) -> Option<u32> {
    let digits = string.get(at..at + 6)?.strip_prefix(b"\\u")?;
    u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}
