//! The words that Nexmark's events are made of, and texts made at random.

use crate::random::Random;

pub const FIRST_NAMES: [&str; 11] = [
    "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter",
];
pub const LAST_NAMES: [&str; 9] = [
    "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris",
];
pub const CITIES: [&str; 10] = [
    "Phoenix",
    "Los Angeles",
    "San Francisco",
    "Boise",
    "Portland",
    "Bend",
    "Redmond",
    "Seattle",
    "Kent",
    "Cheyenne",
];
pub const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
pub const HOT_CHANNELS: [&str; 4] = ["Google", "Facebook", "Baidu", "Apple"];

/// Letters, one in thirteen the given one instead: at least 3, fewer than `longest`, without blanks
/// at the ends.
pub fn text(random: &mut Random, longest: u64, special: char, out: &mut String) {
    let start = out.len();
    let len = 3 + random.below(longest - 3);
    for _ in 0..len {
        let letter = if random.below(13) == 0 {
            special
        } else {
            letter(random.below(26))
        };
        // A blank in front is left out, as Java's `trim` would.
        if letter != ' ' || out.len() > start {
            out.push(letter);
        }
    }
    out.truncate(out.trim_end_matches(' ').len().max(start));
}

/// Exactly so many letters.
pub fn letters(random: &mut Random, len: u64, out: &mut String) {
    let mut bits = 0;
    for i in 0..len {
        // Thirteen letters from one number: 26^13 < 2^64.
        if i % 13 == 0 {
            bits = random.next();
        }
        out.push(letter(bits % 26));
        bits /= 26;
    }
}

/// The text that fills an event up to its usual size, give or take a fifth.
pub fn extra(random: &mut Random, size: u64, usual: u64, out: &mut String) {
    let Some(missing) = usual.checked_sub(size) else {
        return;
    };
    let delta = (missing as f64 * 0.2).round() as u64;
    let more = if delta == 0 {
        0
    } else {
        random.below(2 * delta)
    };
    letters(random, missing - delta + more, out);
}

/// A price in cents: from 100 to 100 million, as many between 1,000 and 10,000 as between 10,000
/// and 100,000.
pub fn price(random: &mut Random) -> i64 {
    (10_f64.powf(random.unit() * 6.0) * 100.0).round() as i64
}

/// One of some words.
pub fn pick(random: &mut Random, words: &'static [&'static str]) -> &'static str {
    words[random.below(words.len() as u64) as usize]
}

fn letter(number: u64) -> char {
    char::from(b'a' + number as u8)
}
