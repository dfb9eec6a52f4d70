//! Lists as they are written: numbers whole and not one by one, for state is mostly that.
//!
//! ```text
//! octets   as they are
//! floats   eight bytes each
//! words    the least of them: signed | width: 1, 2, 4 or 8 | how far each lies above the least, in so many bytes
//! ends     words: each less the one before, the first less 0
//! ```
//!
//! Little-endian, and bytes behind how many they are. In JSON, which is for people, they are lists of numbers; a float that JSON has
//! no number for, or that would be read as the one next to it, is a text (`shown.rs`).

pub(super) mod ends;
mod shown;
pub(super) mod words;

use arrow_buffer::ToByteSlice;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use self::shown::Shown;

/// What lists are of: written one by one where nothing else is said.
pub(super) trait Packed: Copy {
    fn pack<S: Serializer>(all: &[Self], to: S) -> Result<S::Ok, S::Error>
    where
        Self: Serialize,
    {
        all.serialize(to)
    }

    fn unpack<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Self>, D::Error>
    where
        Self: Deserialize<'de>,
    {
        Vec::deserialize(from)
    }

    /// For people.
    fn show<S: Serializer>(all: &[Self], to: S) -> Result<S::Ok, S::Error>
    where
        Self: Serialize,
    {
        all.serialize(to)
    }

    /// The inverse.
    fn read_shown<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Self>, D::Error>
    where
        Self: Deserialize<'de>,
    {
        Vec::deserialize(from)
    }
}

/// A list, for `#[serde(with = "packed")]`.
pub(super) fn serialize<T, S>(all: &[T], to: S) -> Result<S::Ok, S::Error>
where
    T: Packed + Serialize,
    S: Serializer,
{
    match to.is_human_readable() {
        true => T::show(all, to),
        false => T::pack(all, to),
    }
}

/// The inverse.
pub(super) fn deserialize<'de, T, D>(from: D) -> Result<Vec<T>, D::Error>
where
    T: Packed + Deserialize<'de>,
    D: Deserializer<'de>,
{
    match from.is_human_readable() {
        true => T::read_shown(from),
        false => T::unpack(from),
    }
}

impl Packed for u8 {
    fn pack<S: Serializer>(all: &[Self], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(all)
    }

    fn unpack<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Self>, D::Error> {
        <&[u8]>::deserialize(from).map(<[u8]>::to_vec)
    }
}

impl Packed for f64 {
    fn pack<S: Serializer>(all: &[Self], to: S) -> Result<S::Ok, S::Error> {
        match cfg!(target_endian = "little") {
            true => to.serialize_bytes(all.to_byte_slice()),
            false => to.serialize_bytes(&bytes_of(all.iter().copied(), Self::to_le_bytes)),
        }
    }

    fn unpack<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Self>, D::Error> {
        let bytes = <&[u8]>::deserialize(from)?;
        of_bytes(bytes, Self::from_le_bytes).map_err(D::Error::custom)
    }

    fn show<S: Serializer>(all: &[Self], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(all.iter().copied().map(Shown))
    }

    fn read_shown<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Self>, D::Error> {
        let all = Vec::<Shown>::deserialize(from)?;
        Ok(all.into_iter().map(|Shown(float)| float).collect())
    }
}

/// Each of these numbers in `N` bytes.
fn bytes_of<T, const N: usize>(all: impl Iterator<Item = T>, to: impl Fn(T) -> [u8; N]) -> Vec<u8> {
    let chunks: Vec<[u8; N]> = all.map(to).collect();
    chunks.into_flattened()
}

/// The inverse.
fn of_bytes<T, const N: usize>(
    bytes: &[u8],
    of: impl Fn([u8; N]) -> T,
) -> Result<Vec<T>, &'static str> {
    let (chunks, rest) = bytes.as_chunks();
    match rest.is_empty() {
        true => Ok(chunks.iter().map(|&chunk| of(chunk)).collect()),
        false => Err("bytes end within a number"),
    }
}

/// A list of octets that there may be none of, for `#[serde(with = "packed::optional")]`.
pub(super) mod optional {
    use super::*;

    #[derive(Serialize)]
    #[serde(transparent)]
    struct Lent<'a>(#[serde(serialize_with = "super::serialize")] &'a [u8]);

    #[derive(Deserialize)]
    #[serde(transparent)]
    struct Own(#[serde(deserialize_with = "super::deserialize")] Vec<u8>);

    pub fn serialize<S: Serializer>(list: &Option<Vec<u8>>, to: S) -> Result<S::Ok, S::Error> {
        list.as_deref().map(Lent).serialize(to)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Vec<u8>>, D::Error> {
        Ok(Option::<Own>::deserialize(from)?.map(|own| own.0))
    }
}

#[cfg(test)]
mod tests;
