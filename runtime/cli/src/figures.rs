//! Figures as people read them.

use std::time::Duration;

/// A count with its thousands apart: `1,234,567`.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count and its noun: `1 row`, `2 rows`.
pub fn counted(n: u64, noun: &str) -> String {
    format!("{} {noun}{}", count(n), if n == 1 { "" } else { "s" })
}

/// Something per second, three digits: `1.24 M`, `16.6 k`, `842`.
pub fn rate(per_second: f64) -> String {
    match per_second {
        r if r >= 999.5e6 => format!("{} G", three(r / 1e9)),
        r if r >= 999.5e3 => format!("{} M", three(r / 1e6)),
        r if r >= 999.5 => format!("{} k", three(r / 1e3)),
        r if r >= 99.5 || r == 0.0 => format!("{r:.0}"),
        r => three(r),
    }
}

/// Three digits of a number below 1,000.
fn three(number: f64) -> String {
    match number {
        n if n >= 99.95 => format!("{n:.0}"),
        n if n >= 9.995 => format!("{n:.1}"),
        n => format!("{n:.2}"),
    }
}

/// Rows per second; 0 where no time has passed.
pub fn per_second(rows: u64, time: Duration) -> f64 {
    let seconds = time.as_secs_f64();
    if seconds > 0.0 {
        rows as f64 / seconds
    } else {
        0.0
    }
}

/// A time that something took: `412 ms`, `3.41 s`, `2m05s`, `3h07m`.
pub fn took(time: Duration) -> String {
    let s = time.as_secs();
    match s {
        0 if time.as_micros() < 1000 => format!("{} us", time.as_micros()),
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{} s", three(time.as_secs_f64())),
        60..3600 => format!("{}m{:02}s", s / 60, s % 60),
        _ => format!("{}h{:02}m", s / 3600, s / 60 % 60),
    }
}

/// A span of event time in microseconds, by its two largest units: `2h 30m`, `1d`, `250ms`.
pub fn span(us: i64) -> String {
    const UNITS: [(&str, i64); 5] = [
        ("d", 86_400_000_000),
        ("h", 3_600_000_000),
        ("m", 60_000_000),
        ("s", 1_000_000),
        ("ms", 1_000),
    ];
    let Some(first) = UNITS.iter().position(|(_, unit)| us >= *unit) else {
        return "0ms".into();
    };
    let (word, unit) = UNITS[first];
    let large = format!("{}{word}", us / unit);
    match UNITS
        .get(first + 1)
        .map(|(word, unit)| (word, us % UNITS[first].1 / unit))
    {
        Some((word, small)) if small > 0 => format!("{large} {small}{word}"),
        _ => large,
    }
}

/// A size: `134.2 KiB`.
pub fn bytes(n: u64) -> String {
    match n as f64 {
        b if b >= 1024.0 * 1024.0 * 1024.0 => format!("{:.1} GiB", b / (1024.0 * 1024.0 * 1024.0)),
        b if b >= 1024.0 * 1024.0 => format!("{:.1} MiB", b / (1024.0 * 1024.0)),
        b if b >= 1024.0 => format!("{:.1} KiB", b / 1024.0),
        b => format!("{b} B"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_as_people_read_them() {
        let cases = [
            (count(0), "0"),
            (count(999), "999"),
            (count(1_000), "1,000"),
            (count(1_234_567), "1,234,567"),
            (counted(1, "row"), "1 row"),
            (counted(0, "row"), "0 rows"),
            (rate(0.0), "0"),
            (rate(1.5), "1.50"),
            (rate(842.4), "842"),
            (rate(999.9), "1.00 k"),
            (rate(16_600.0), "16.6 k"),
            (rate(1_240_000.0), "1.24 M"),
            (rate(2.5e9), "2.50 G"),
            (took(Duration::from_micros(412)), "412 us"),
            (took(Duration::from_millis(412)), "412 ms"),
            (took(Duration::from_millis(3_412)), "3.41 s"),
            (took(Duration::from_secs(125)), "2m05s"),
            (took(Duration::from_secs(11_220)), "3h07m"),
            (span(0), "0ms"),
            (span(250_000), "250ms"),
            (span(7_200_000_001), "2h"),
            (span(9_000_000_000), "2h 30m"),
            (span(1_500_000), "1s 500ms"),
            (span(90_000_000_000), "1d 1h"),
            (bytes(100), "100 B"),
            (bytes(137_421), "134.2 KiB"),
            (bytes(5 << 20), "5.0 MiB"),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
        assert_eq!(per_second(10, Duration::ZERO), 0.0);
        assert_eq!(per_second(10, Duration::from_secs(4)), 2.5);
    }
}
