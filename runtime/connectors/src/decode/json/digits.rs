//! Decimal digits, eight at a time, within one register.

/// How many of the first eight bytes are digits before the first that is none, and the number that
/// those are.
#[inline(always)]
pub fn leading(bytes: [u8; 8]) -> (usize, u64) {
    let values = u64::from_le_bytes(bytes) ^ 0x3030_3030_3030_3030;
    // The high bit of a byte: whether its value is above 9. A carry only reaches bytes behind one of
    // which this is so.
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    let count = (others.trailing_zeros() / 8) as usize;
    if count == 0 {
        return (0, 0);
    }
    // The digits as the last of eight, with zeros before them.
    let eight = values << (64 - 8 * count);
    let pairs = (eight.wrapping_mul(10)).wrapping_add(eight >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100)).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    let all = (fours.wrapping_mul(10_000)).wrapping_add(fours >> 32) & 0xFFFF_FFFF;
    (count, all)
}

#[cfg(test)]
mod tests {
    use super::leading;

    #[test]
    fn every_count_before_every_byte() {
        for digits in [
            "", "0", "7", "42", "901", "1234", "98765", "000001", "9999999",
        ] {
            for other in (0..=255_u8).filter(|b| !b.is_ascii_digit()) {
                for fill in [b'0', b'9', 0, 0xFF] {
                    let mut bytes = [fill; 8];
                    bytes[..digits.len()].copy_from_slice(digits.as_bytes());
                    bytes[digits.len()] = other;
                    let number = digits.parse().unwrap_or(0);
                    assert_eq!(leading(bytes), (digits.len(), number), "{bytes:?}");
                }
            }
        }
        assert_eq!(leading(*b"12345678"), (8, 12_345_678));
        assert_eq!(leading(*b"99999999"), (8, 99_999_999));
    }
}
