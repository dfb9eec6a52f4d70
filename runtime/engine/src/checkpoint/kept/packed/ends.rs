//! Where lists end, or the values of an arena, for `#[serde(with = "packed::ends")]`: as how long each of them is.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::words::{Words, WordsRead};

/// Where something ends.
pub trait End: Copy + TryFrom<u64> {
    /// As the widest there is.
    fn wide(self) -> u64;
}

impl End for u64 {
    fn wide(self) -> u64 {
        self
    }
}

impl End for u32 {
    fn wide(self) -> u64 {
        self.into()
    }
}

/// As the module says.
pub fn serialize<T, S>(ends: &[T], to: S) -> Result<S::Ok, S::Error>
where
    T: End + Serialize,
    S: Serializer,
{
    if to.is_human_readable() {
        return ends.serialize(to);
    }
    let mut before = 0;
    let length = |end: &T| {
        let begin = std::mem::replace(&mut before, end.wide());
        end.wide().wrapping_sub(begin) as i64
    };
    let lengths: Vec<i64> = ends.iter().map(length).collect();
    Words::of(&lengths).serialize(to)
}

/// The inverse.
pub fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
where
    T: End + Deserialize<'de>,
    D: Deserializer<'de>,
{
    if from.is_human_readable() {
        return Vec::deserialize(from);
    }
    let words = WordsRead::deserialize(from)?;
    let lengths = words.all().map_err(D::Error::custom)?;
    let mut end = 0_u64;
    let ends = lengths.into_iter().map(|length| {
        end = end.wrapping_add(length as u64);
        T::try_from(end).ok()
    });
    let ends: Option<Vec<T>> = ends.collect();
    ends.ok_or_else(|| D::Error::custom("something ends behind where anything may"))
}
