//! Durations: `1h30m`, `250ms`. A day has 24 hours.

use tidemill_core::time::LONGEST;

/// The units, largest first, in microseconds.
const UNITS: [(&str, i64); 6] = [
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
];

/// What people write for a unit when they come from elsewhere.
const OTHER_WORDS: [(&str, &str); 19] = [
    ("day", "d"),
    ("days", "d"),
    ("hr", "h"),
    ("hrs", "h"),
    ("hour", "h"),
    ("hours", "h"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("msec", "ms"),
    ("millis", "ms"),
    ("µs", "us"),
    ("μs", "us"),
    ("micros", "us"),
];

/// Reads a duration, in microseconds; a `-` in front makes it negative.
///
/// # Errors
/// What is wrong and how it is written rightly.
pub fn duration(text: &str) -> Result<i64, String> {
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    if rest.is_empty() {
        return Err("a duration is numbers with units, such as \"30s\" or \"1h30m\"".to_owned());
    }
    let mut total: i64 = 0;
    let mut largest = i64::MAX;
    while !rest.is_empty() {
        let (part, unit, behind) = part(rest)?;
        if unit >= largest {
            return Err("units go from large to small, each once, as in \"1h30m\"".to_owned());
        }
        largest = unit;
        total = part
            .checked_mul(unit)
            .and_then(|p| p.checked_add(total))
            .unwrap_or(i64::MAX);
        if total > LONGEST {
            return Err("the longest duration is 1,000 years, \"366000d\"".to_owned());
        }
        rest = behind;
    }
    Ok(sign * total)
}

/// The number and the unit in front, and what is behind.
fn part(text: &str) -> Result<(i64, i64, &str), String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, rest) = text.split_at(digits);
    if rest.starts_with(['.', ',']) {
        return Err("numbers are whole: use a smaller unit, \"1500ms\" for 1.5 s".to_owned());
    }
    if number.is_empty() {
        return Err("a number comes before each unit, as in \"30s\"".to_owned());
    }
    let end = rest
        .find(|c: char| c.is_ascii_digit())
        .unwrap_or(rest.len());
    let (word, behind) = rest.split_at(end);
    let known = UNITS.iter().find(|(unit, _)| *unit == word);
    let Some((_, unit)) = known else {
        return Err(unknown_unit(number, word));
    };
    Ok((number.parse().unwrap_or(i64::MAX), *unit, behind))
}

fn unknown_unit(number: &str, word: &str) -> String {
    let trimmed = word.trim();
    let lower = trimmed.to_lowercase();
    let other = OTHER_WORDS
        .iter()
        .find(|(other, _)| *other == lower)
        .map(|(_, unit)| *unit);
    let same = UNITS
        .iter()
        .find(|(unit, _)| *unit == lower)
        .map(|(unit, _)| *unit);
    match other.or(same) {
        Some(unit) if trimmed.is_empty() || trimmed == unit => {
            format!("write it without spaces: \"{number}{unit}\"")
        }
        Some(unit) => format!("the unit is `{unit}`: write \"{number}{unit}\""),
        None if trimmed.is_empty() => {
            format!("the unit is missing: write \"{number}s\" or \"{number}ms\"")
        }
        None => format!("`{trimmed}` is no unit: there are `d`, `h`, `m`, `s`, `ms` and `us`"),
    }
}

/// A duration as it would be written, from microseconds.
pub fn show_duration(micros: i64) -> String {
    if micros == 0 {
        return "0s".to_owned();
    }
    let mut rest = micros.unsigned_abs();
    let mut out = if micros < 0 {
        "-".to_owned()
    } else {
        String::new()
    };
    for (name, unit) in UNITS {
        let unit = unit.unsigned_abs();
        if rest >= unit {
            out.push_str(&format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    out
}
