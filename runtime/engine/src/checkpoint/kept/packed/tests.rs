//! Lists are written in these bytes, and what is written is read.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::super::{Lists, TimerKept};
use super::{ends, optional, words};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct All {
    #[serde(with = "super")]
    octets: Vec<u8>,
    #[serde(with = "super")]
    floats: Vec<f64>,
    #[serde(with = "words")]
    words: Vec<i64>,
    #[serde(with = "ends")]
    ends: Vec<u64>,
    #[serde(with = "ends")]
    offsets: Vec<u32>,
    #[serde(with = "optional")]
    valid: Option<Vec<u8>>,
    timers: Lists<TimerKept>,
}

fn none() -> All {
    All {
        octets: Vec::new(),
        floats: Vec::new(),
        words: Vec::new(),
        ends: Vec::new(),
        offsets: Vec::new(),
        valid: None,
        timers: Lists::default(),
    }
}

#[derive(Debug, Deserialize)]
struct OfWords(#[serde(with = "words")] Vec<i64>);

#[derive(Debug, PartialEq, Deserialize)]
struct OfOffsets(#[serde(with = "ends")] Vec<u32>);

#[derive(Debug, PartialEq, Deserialize)]
struct OfFloats(#[serde(with = "super")] Vec<f64>);

fn words_of(bytes: &[u8]) -> Option<Vec<i64>> {
    let words: Result<OfWords, _> = postcard::from_bytes(bytes);
    words.ok().map(|words| words.0)
}

#[test]
fn the_bytes_are_these() {
    let mut timers = Lists::default();
    let timer = |name, time| TimerKept { name, time };
    timers.push(&[timer(1, -1), timer(0, 1)]);
    let all = All {
        octets: vec![7, 8],
        floats: vec![0.5],
        words: vec![-1, 0x1_0000],
        ends: vec![3, 6, 6],
        offsets: vec![0, 300],
        valid: Some(vec![1]),
        timers,
    };
    let expected: [&[u8]; 7] = [
        &[2, 7, 8],
        &[8, 0, 0, 0, 0, 0, 0, 0xe0, 0x3f],
        &[1, 4, 8, 0, 0, 0, 0, 1, 0, 1, 0],
        &[0, 1, 3, 3, 3, 0],
        &[0, 2, 4, 0, 0, 0x2c, 1],
        &[1, 1, 1],
        &[4, 1, 1, 0, 0, 1, 2, 1, 0, 1, 1, 2, 0, 2],
    ];
    assert_eq!(postcard::to_stdvec(&all), Ok(expected.concat()));
    let none = [
        0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 1, 0,
    ];
    assert_eq!(postcard::to_stdvec(&self::none()), Ok(none.to_vec()));
}

#[test]
fn words_are_as_narrow_as_the_widest_of_them() {
    for (widest, width) in [
        (0xff, 1),
        (0x100, 2),
        (0xffff, 2),
        (0x1_0000, 4),
        (0xffff_ffff, 4),
        (0x1_0000_0000, 8),
    ] {
        let all = All {
            words: vec![widest - 5, -5],
            ..none()
        };
        let bytes = postcard::to_stdvec(&all).expect("plain data");
        assert_eq!((bytes[3], bytes[4]), (width, 2 * width), "{widest}");
    }
}

#[test]
fn what_was_never_written_is_not_read() {
    assert_eq!(words_of(&[1, 2, 2, 5, 0]), Some(vec![4]));
    assert_eq!(words_of(&[1, 2, 3, 5, 0, 0]), None, "half a number");
    assert_eq!(words_of(&[1, 3, 3, 5, 0, 0]), None, "no width");
    assert_eq!(
        words_of(&[1, 1, 3, 5, 0]),
        None,
        "less than there should be"
    );
    let offsets = |bytes| postcard::from_bytes(bytes).ok();
    assert_eq!(offsets(&[2, 1, 1, 0]), Some(OfOffsets(vec![1])));
    assert_eq!(offsets(&[1, 1, 1, 0]), None, "-1 is where no value ends");
    let floats = |bytes| postcard::from_bytes(bytes).ok();
    assert_eq!(
        floats(&[8, 0, 0, 0, 0, 0, 0, 0, 0]),
        Some(OfFloats(vec![0.0]))
    );
    assert_eq!(floats(&[7, 0, 0, 0, 0, 0, 0, 0]), None, "half a number");
}

prop_compose! {
    fn all()(
        octets: Vec<u8>,
        floats: Vec<f64>,
        words: Vec<i64>,
        ends: Vec<u64>,
        offsets: Vec<u32>,
        valid: Option<Vec<u8>>,
        times: Vec<Vec<(u32, i64)>>,
    ) -> All {
        let mut timers = Lists::default();
        for list in &times {
            let timer = |&(name, time): &(u32, i64)| TimerKept { name, time };
            timers.push(&list.iter().map(timer).collect::<Vec<_>>());
        }
        All { octets, floats, words, ends, offsets, valid, timers }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(all in all()) {
        let bytes = postcard::to_stdvec(&all).expect("plain data");
        let read: All = postcard::from_bytes(&bytes).expect("what was written");
        prop_assert_eq!(&read, &all);
        // Of what JSON says of floats the last bit may be another.
        let all = All { floats: vec![0.5; all.floats.len()], ..all };
        let text = serde_json::to_string(&all).expect("plain data");
        let read: All = serde_json::from_str(&text).expect("what was written");
        prop_assert_eq!(read, all);
    }
}

/// As a manifest has it: told, and read by way of a value.
fn through_json(floats: &[f64]) -> Vec<f64> {
    let all = All {
        floats: floats.to_vec(),
        ..none()
    };
    let text = serde_json::to_string(&all).expect("plain data");
    let value: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    let again: All = serde_json::from_value(value).expect("what was told");
    again.floats
}

#[test]
fn floats_in_json_are_numbers_where_these_are_exact() {
    let floats = [0.5, -0.0, 3.0, 1e300, f64::INFINITY, 0.1 + 0.2];
    let all = All {
        floats: floats.to_vec(),
        ..none()
    };
    let told = serde_json::to_value(&all).expect("plain data");
    assert_eq!(
        told["floats"],
        serde_json::json!([0.5, -0.0, 3.0, 1e300, "inf", 0.1 + 0.2])
    );
    let bits = |floats: &[f64]| floats.iter().map(|f| f.to_bits()).collect::<Vec<_>>();
    assert_eq!(bits(&through_json(&floats)), bits(&floats));
    assert!(through_json(&[f64::NAN])[0].is_nan());
    let whole: OfFloats = serde_json::from_str("[1, -2, 3.5]").expect("as before");
    assert_eq!(whole.0, [1.0, -2.0, 3.5]);
}

proptest! {
    #[test]
    fn floats_come_back_from_json_bit_by_bit(bits in prop::collection::vec(any::<u64>(), 0..50)) {
        let floats: Vec<f64> = bits.into_iter().map(f64::from_bits).filter(|f| !f.is_nan()).collect();
        let again = through_json(&floats);
        prop_assert_eq!(again.len(), floats.len());
        for (again, float) in again.iter().zip(&floats) {
            prop_assert_eq!(again.to_bits(), float.to_bits());
        }
    }
}
