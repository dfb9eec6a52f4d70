//! Numbers of variable length, as Avro and Protobuf write them: seven bits a byte, the lowest first; the last byte has no high bit.

/// How many bytes the longest one takes.
pub const LONGEST: usize = 10;

/// The number that begins here, and how many bytes it takes. Bits beyond 64 of one that takes ten bytes are lost. None if it does
/// not end here, or not within ten bytes.
///
/// For what is mostly short: lengths, tags.
#[inline(always)]
pub fn short(bytes: &[u8]) -> Option<(u64, usize)> {
    match bytes {
        [only, ..] if *only < 0x80 => Some((u64::from(*only), 1)),
        _ => any(bytes),
    }
}

/// As [`short`], for what may be of any length: up to eight bytes are put together at once, since guessing how many there are costs
/// more.
#[inline(always)]
pub fn any(bytes: &[u8]) -> Option<(u64, usize)> {
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let Some(eight) = bytes.first_chunk::<8>() else {
        return one_by_one(bytes);
    };
    let word = u64::from_le_bytes(*eight);
    let ends = !word & HIGH;
    if ends == 0 {
        return one_by_one(bytes);
    }
    // What stands up to the first byte without a high bit; then sevens become fourteens, these twenty-eights, and those the number.
    let word = word & (ends ^ (ends - 1)) & !HIGH;
    let word = word & 0x007f_007f_007f_007f | (word & 0x7f00_7f00_7f00_7f00) >> 1;
    let word = word & 0x0000_3fff_0000_3fff | (word & 0x3fff_0000_3fff_0000) >> 2;
    let word = word & 0x0000_0000_0fff_ffff | (word & 0x0fff_ffff_0000_0000) >> 4;
    Some((word, ends.trailing_zeros() as usize / 8 + 1))
}

#[inline(never)]
fn one_by_one(bytes: &[u8]) -> Option<(u64, usize)> {
    let mut word = 0_u64;
    for (at, &byte) in bytes.iter().take(LONGEST).enumerate() {
        word |= u64::from(byte & 0x7f) << (7 * at);
        if byte < 0x80 {
            return Some((word, at + 1));
        }
    }
    None
}

/// A signed number of one that was written so that small ones are short, whatever their sign.
#[inline(always)]
pub fn signed(word: u64) -> i64 {
    (word >> 1) as i64 ^ -((word & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_whatever_follows() {
        let powers = (0..64).map(|bit| 1_u64 << bit);
        let around = powers.flat_map(|power| [power - 1, power, power + 1, !power]);
        for number in around {
            let (mut bytes, mut left) = (Vec::new(), number);
            while left >= 0x80 {
                bytes.push(left as u8 | 0x80);
                left >>= 7;
            }
            bytes.push(left as u8);
            let length = bytes.len();
            for (more, with) in [(0, 0), (1, 0xff), (7, 0x80), (9, 0x7f)] {
                bytes.truncate(length);
                bytes.resize(length + more, with);
                assert_eq!(any(&bytes), Some((number, length)), "{bytes:x?}");
                assert_eq!(short(&bytes), any(&bytes), "{bytes:x?}");
            }
            assert_eq!(any(&bytes[..length - 1]), None, "{bytes:x?}");
        }
        assert_eq!(any(&[0x80; 10]), None);
        assert_eq!([0, 1, 2, u64::MAX].map(signed), [0, -1, 1, i64::MIN]);
        // Longer than need be.
        assert_eq!(short(&[0x81, 0x80, 0x00]), Some((1, 3)));
    }
}
