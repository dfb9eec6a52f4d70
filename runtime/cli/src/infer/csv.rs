//! Columns of CSV with a header.

use super::{Guess, Inferred, Seen};

/// Guesses columns from records, of which the first of each file is the header.
pub fn infer(files: &[Vec<String>], delimiter: u8) -> Inferred {
    let mut columns: Vec<(String, Seen)> = Vec::new();
    let mut rows = 0;
    for file in files {
        let Some((header, records)) = file.split_first() else {
            continue;
        };
        let places: Vec<usize> = fields(header, delimiter)
            .into_iter()
            .map(|(name, _)| {
                columns
                    .iter()
                    .position(|(known, _)| *known == name)
                    .unwrap_or_else(|| {
                        columns.push((name, Seen::default()));
                        columns.len() - 1
                    })
            })
            .collect();
        for record in records {
            let values = fields(record, delimiter);
            // A record with more or fewer fields is a bad row, whatever the columns are.
            if values.len() == places.len() {
                rows += 1;
                for (&at, (value, quoted)) in places.iter().zip(&values) {
                    take(&mut columns[at].1, value, *quoted);
                }
            }
        }
    }
    let columns = columns
        .into_iter()
        .map(|(name, seen)| Guess::new(vec![name], &seen, rows));
    let columns: Vec<Guess> = if rows == 0 {
        Vec::new()
    } else {
        columns.collect()
    };
    Inferred {
        rows,
        columns,
        left_out: Vec::new(),
    }
}

fn take(seen: &mut Seen, value: &str, quoted: bool) {
    if value.is_empty() && !quoted {
        seen.null();
    } else if matches!(value, "true" | "false") {
        seen.bool();
    } else if let Ok(number) = value.parse() {
        seen.integer(number);
    } else if value.parse::<f64>().is_ok() && value.contains(|c: char| c.is_ascii_digit()) {
        seen.float();
    } else {
        seen.text(value);
    }
}

/// The fields of a record and whether they were quoted; quotation marks around a field are taken off, doubled ones inside
/// are one.
fn fields(record: &str, delimiter: u8) -> Vec<(String, bool)> {
    let delimiter = char::from(delimiter);
    let mut fields = vec![(String::new(), false)];
    let (mut open, mut letters) = (false, record.chars().peekable());
    while let Some(letter) = letters.next() {
        let (field, quoted) = fields.last_mut().expect("there is always one");
        match letter {
            '"' if open && letters.peek() == Some(&'"') => field.extend(letters.next()),
            '"' if open || field.is_empty() => {
                open = !open;
                *quoted = true;
            }
            _ if letter == delimiter && !open => fields.push((String::new(), false)),
            _ => field.push(letter),
        }
    }
    fields
}

/// What stands between the fields of a header, if a line looks like one.
pub fn delimiter_of(line: &str) -> Option<char> {
    let count = |delimiter: &char| line.matches(*delimiter).count();
    let most = [',', ';', '\t', '|'].into_iter().max_by_key(count)?;
    let name = |(field, _): (String, bool)| {
        !field.is_empty() && field.parse::<f64>().is_err() && !field.contains(['{', '}'])
    };
    let names = fields(line, u8::try_from(most).ok()?);
    (names.len() > 1 && names.into_iter().all(name)).then_some(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_what_all_values_agree_on() {
        let cases = [
            (
                &["a,b", "1,x", "2,\"y, z\""][..],
                &["a = \"integer\"", "b = \"text\""][..],
            ),
            (&["a", "1.5", "2"], &["a = \"float\""]),
            (
                &["a,b", ",\"\"", "1,x"],
                &["a = \"integer?\"", "b = \"text\""],
            ),
            (&["ok", "true", "false"], &["ok = \"bool\""]),
            (&["at", "2024-07-01T12:00:00Z"], &["at = \"time\""]),
            (
                &["at", "2024-07-01 12:00:00.5"],
                &["at = { type = \"time\", format = \"sql\" }"],
            ),
            (&["a b", "NaN"], &["\"a b\" = \"text\""]),
            (
                &["a,b", "1", "2,3"],
                &["a = \"integer\"", "b = \"integer\""],
            ),
        ];
        for (records, expected) in cases {
            let records = records.iter().map(|record| (*record).to_owned()).collect();
            let inferred = infer(&[records], b',');
            let lines: Vec<String> = inferred
                .columns
                .iter()
                .map(|guess| guess.line(&guess.path[0]))
                .collect();
            assert_eq!(lines, expected);
        }
    }

    #[test]
    fn a_header_is_told_by_its_names() {
        assert_eq!(delimiter_of("a,b,c"), Some(','));
        assert_eq!(delimiter_of("a;b,c;d"), Some(';'));
        assert_eq!(delimiter_of("a\tb"), Some('\t'));
        assert_eq!(delimiter_of("{\"a\":1,\"b\":2}"), None);
        assert_eq!(delimiter_of("a"), None);
        assert_eq!(delimiter_of("1,2"), None);
    }
}
