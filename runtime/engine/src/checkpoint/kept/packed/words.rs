//! Whole numbers, for `#[serde(with = "packed::words")]`: as narrow as those that stand together allow.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{bytes_of, of_bytes};

/// Words as they are written.
#[derive(Serialize)]
pub struct Words {
    least: i64,
    width: u8,
    #[serde(serialize_with = "super::serialize")]
    above: Vec<u8>,
}

/// Words as they are read.
#[derive(Deserialize)]
pub struct WordsRead<'a> {
    least: i64,
    width: u8,
    above: &'a [u8],
}

/// As the module says.
pub fn serialize<S: Serializer>(all: &[i64], to: S) -> Result<S::Ok, S::Error> {
    match to.is_human_readable() {
        true => all.serialize(to),
        false => Words::of(all).serialize(to),
    }
}

/// The inverse.
pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<i64>, D::Error> {
    if from.is_human_readable() {
        return Vec::deserialize(from);
    }
    let words = WordsRead::deserialize(from)?;
    words.all().map_err(D::Error::custom)
}

impl Words {
    /// These words.
    pub fn of(all: &[i64]) -> Self {
        let first = all.first().copied().unwrap_or(0);
        let (least, most) = all.iter().fold((first, first), |(least, most), &word| {
            (least.min(word), most.max(word))
        });
        let above = all.iter().map(|word| word.wrapping_sub(least) as u64);
        let (width, above) = match most.wrapping_sub(least) as u64 {
            0..=0xff => (1, bytes_of(above, |n| [n as u8])),
            0x100..=0xffff => (2, bytes_of(above, |n| (n as u16).to_le_bytes())),
            0x1_0000..=0xffff_ffff => (4, bytes_of(above, |n| (n as u32).to_le_bytes())),
            _ => (8, bytes_of(above, u64::to_le_bytes)),
        };
        Self {
            least,
            width,
            above,
        }
    }
}

impl WordsRead<'_> {
    /// All of them.
    ///
    /// # Errors
    /// What is wrong with them, if they were never written so.
    pub fn all(&self) -> Result<Vec<i64>, &'static str> {
        let word = |above: u64| self.least.wrapping_add(above as i64);
        match self.width {
            1 => of_bytes(self.above, |n| word(u8::from_le_bytes(n).into())),
            2 => of_bytes(self.above, |n| word(u16::from_le_bytes(n).into())),
            4 => of_bytes(self.above, |n| word(u32::from_le_bytes(n).into())),
            8 => of_bytes(self.above, |n| word(u64::from_le_bytes(n))),
            _ => Err("a number is 1, 2, 4 or 8 bytes wide"),
        }
    }
}
