//! Sizes in bytes: `64MiB`, `10kB`.

const UNITS: [(&str, u64); 7] = [
    ("B", 1),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
];

/// Reads a size, in bytes.
///
/// # Errors
/// What is wrong and how it is written rightly.
pub fn size(text: &str) -> Result<u64, String> {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err("a size is a whole number and a unit, such as \"64MiB\"".to_owned());
    }
    let Some((_, factor)) = UNITS.iter().find(|(name, _)| *name == unit) else {
        return Err(unknown_unit(number, unit.trim()));
    };
    let bytes = number
        .parse()
        .ok()
        .and_then(|number: u64| number.checked_mul(*factor));
    bytes
        .filter(|bytes| *bytes <= i64::MAX as u64)
        .ok_or_else(|| "that is more than any machine has".to_owned())
}

fn unknown_unit(number: &str, word: &str) -> String {
    if word.is_empty() {
        return format!("the unit is missing: write \"{number}MiB\", or \"{number}B\" for bytes");
    }
    if word.starts_with('.') {
        return "numbers are whole: use a smaller unit, \"1536KiB\" for 1.5 MiB".to_owned();
    }
    let near = UNITS.iter().find(|(name, _)| {
        name.eq_ignore_ascii_case(word)
            || name
                .replace('i', "")
                .trim_end_matches('B')
                .eq_ignore_ascii_case(word)
    });
    match near {
        Some((name, _)) => format!("write \"{number}{name}\""),
        None => {
            format!("`{word}` is no unit: there are `B`, `KiB`, `MiB`, `GiB`, `kB`, `MB` and `GB`")
        }
    }
}
