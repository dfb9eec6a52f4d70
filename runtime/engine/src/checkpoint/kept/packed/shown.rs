//! A float in JSON, from which it comes back bit by bit.
//!
//! Readers of JSON are quick rather than exact with numbers of many digits: the last bit may differ. And JSON knows neither
//! infinity nor what is no number. Such floats are texts, which the standard library reads exactly.

use std::fmt;

use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// See the module. Of what is no number, its sign and its payload are not told.
#[derive(Clone, Copy, Debug)]
pub struct Shown(pub f64);

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(float) = *self;
        let text = serde_json::to_string(&float).unwrap_or_default();
        let read: Result<f64, _> = serde_json::from_str(&text);
        match read.is_ok_and(|read| read.to_bits() == float.to_bits()) {
            true => to.serialize_f64(float),
            false => to.collect_str(&float),
        }
    }
}

impl<'de> Deserialize<'de> for Shown {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(OfFloat).map(Self)
    }
}

struct OfFloat;

impl Visitor<'_> for OfFloat {
    type Value = f64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number, or the text of one")
    }

    fn visit_f64<E: Error>(self, float: f64) -> Result<f64, E> {
        Ok(float)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<f64, E> {
        Ok(number as f64)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<f64, E> {
        text.parse().map_err(E::custom)
    }
}
