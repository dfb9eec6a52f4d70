//! Columns of JSON lines.

use serde_json::{Map, Value};

use super::{Guess, Inferred, Seen};

/// Fields in the order in which they were met, objects with their own.
#[derive(Default)]
struct Fields(Vec<(String, Field)>);

#[derive(Default)]
struct Field {
    seen: Seen,
    inner: Fields,
    lists: usize,
}

/// Guesses columns from lines.
pub fn infer(files: &[Vec<String>]) -> Inferred {
    let mut fields = Fields::default();
    let mut rows = 0;
    for line in files.iter().flatten() {
        // What is no object is a bad row, whatever the columns are.
        if let Ok(Value::Object(row)) = serde_json::from_str(line) {
            rows += 1;
            fields.take(&row);
        }
    }
    let mut inferred = Inferred {
        rows,
        columns: Vec::new(),
        left_out: Vec::new(),
    };
    fields.guess(&[], rows, &mut inferred);
    inferred
}

impl Fields {
    fn take(&mut self, row: &Map<String, Value>) {
        for (name, value) in row {
            let at = self
                .0
                .iter()
                .position(|(known, _)| known == name)
                .unwrap_or_else(|| {
                    self.0.push((name.clone(), Field::default()));
                    self.0.len() - 1
                });
            self.0[at].1.take(value);
        }
    }

    fn guess(&self, outer: &[String], rows: usize, inferred: &mut Inferred) {
        for (name, field) in &self.0 {
            let path: Vec<String> = outer.iter().chain([name]).cloned().collect();
            let inner = !field.inner.0.is_empty();
            if inner {
                field.inner.guess(&path, rows, inferred);
            } else if field.lists > 0 && field.seen.values == 0 {
                inferred.left_out.push(format!(
                    "{}: a list, and columns hold no lists",
                    path.join(".")
                ));
            } else {
                inferred.columns.push(Guess::new(path, &field.seen, rows));
            }
        }
    }
}

impl Field {
    fn take(&mut self, value: &Value) {
        match value {
            Value::Null => self.seen.null(),
            Value::Bool(_) => self.seen.bool(),
            Value::Number(number) => match number.as_i64() {
                Some(number) => self.seen.integer(number),
                None => self.seen.float(),
            },
            Value::String(text) => self.seen.text(text),
            Value::Object(inner) => self.inner.take(inner),
            Value::Array(_) => self.lists += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rows: &[&str]) -> Vec<String> {
        let rows = rows.iter().map(|row| (*row).to_owned()).collect();
        let inferred = infer(&[rows]);
        let columns = inferred
            .columns
            .iter()
            .map(|guess| guess.line(guess.path.last().expect("a name")));
        columns.chain(inferred.left_out).collect()
    }

    #[test]
    fn types_are_what_all_values_agree_on() {
        let cases: &[(&[&str], &[&str])] = &[
            (&[r#"{"a":1}"#, r#"{"a":-2}"#], &["a = \"integer\""]),
            (&[r#"{"a":1}"#, r#"{"a":2.5}"#], &["a = \"float\""]),
            (&[r#"{"a":1}"#, r#"{"a":null}"#], &["a = \"integer?\""]),
            (
                &[r#"{"a":1,"b":true}"#, r#"{"b":false}"#],
                &["a = \"integer?\"", "b = \"bool\""],
            ),
            (&[r#"{"a":18446744073709551615}"#], &["a = \"float\""]),
            (&[r#"{"a":"2024-07-01T12:00:00Z"}"#], &["a = \"time\""]),
            (
                &[r#"{"a":"2024-07-01T12:00:00+02:00"}"#, r#"{"a":"soon"}"#],
                &["a = \"text\""],
            ),
            (
                &[r#"{"a":"2024-07-01 12:00:00"}"#],
                &["a = { type = \"time\", format = \"sql\" }"],
            ),
            (
                &[r#"{"paid_at":1719835200}"#],
                &["paid_at = { type = \"time\", format = \"epoch-s\" }"],
            ),
            (&[r#"{"account":1719835200}"#], &["account = \"integer\""]),
            (
                &[r#"{"t":1719835200000}"#, r#"{"t":null}"#],
                &["t = { type = \"time?\", format = \"epoch-ms\" }"],
            ),
            (
                &[r#"{"t":1719835200000000}"#],
                &["t = { type = \"time\", format = \"epoch-us\" }"],
            ),
            (
                &[r#"{"a":{"b":{"c":1}},"d":"x"}"#],
                &[
                    "c = { type = \"integer\", path = \"a.b.c\" }",
                    "d = \"text\"",
                ],
            ),
            (
                &[r#"{"a":{"b.c":1}}"#],
                &["\"b.c\" = { type = \"integer\", path = [\"a\", \"b.c\"] }"],
            ),
            (
                &[r#"{"a":{"b":1}}"#, r#"{"a":null}"#],
                &["b = { type = \"integer?\", path = \"a.b\" }"],
            ),
            (
                &[r#"{"a":[1],"b":1}"#],
                &["b = \"integer\"", "a: a list, and columns hold no lists"],
            ),
            (&["no JSON", r#"{"a":1}"#, "[]"], &["a = \"integer\""]),
        ];
        for (rows, expected) in cases {
            assert_eq!(lines(rows), *expected, "{rows:?}");
        }
    }

    #[test]
    fn what_does_not_agree_is_said() {
        let mixed = lines(&[r#"{"a":1.5}"#, r#"{"a":2.5}"#, r#"{"a":"n/a"}"#]);
        assert_eq!(mixed.len(), 1);
        assert!(
            mixed[0].starts_with("a = \"float\" ") && mixed[0].contains("1 of 3 values"),
            "{mixed:?}"
        );
        let nulls = lines(&[r#"{"a":null}"#]);
        assert!(
            nulls[0].starts_with("a = \"text?\" ") && nulls[0].contains("null in every row"),
            "{nulls:?}"
        );
    }
}
