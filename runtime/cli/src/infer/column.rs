//! What the values of one field have in common.

use tidemill_pipeline::{Column, TimeFormat};
use tidemill_rows::LogicalType;

use super::time;

/// The values of one field, counted by what they could be.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Rows that have a value which is not null.
    pub values: usize,
    /// Rows in which it is null.
    pub nulls: usize,
    bools: usize,
    integers: usize,
    floats: usize,
    texts: usize,
    rfc3339: usize,
    sql: usize,
    /// The smallest and the largest integer.
    range: Option<(i64, i64)>,
}

impl Seen {
    /// A truth value.
    pub fn bool(&mut self) {
        self.values += 1;
        self.bools += 1;
    }

    /// A whole number that fits.
    pub fn integer(&mut self, number: i64) {
        self.values += 1;
        self.integers += 1;
        let (min, max) = self.range.unwrap_or((number, number));
        self.range = Some((min.min(number), max.max(number)));
    }

    /// Any other number.
    pub fn float(&mut self) {
        self.values += 1;
        self.floats += 1;
    }

    /// A text.
    pub fn text(&mut self, text: &str) {
        self.values += 1;
        self.texts += 1;
        self.rfc3339 += usize::from(time::is_rfc3339(text));
        self.sql += usize::from(time::is_sql(text));
    }

    /// A null.
    pub fn null(&mut self) {
        self.nulls += 1;
    }

    /// The type that most values have, with its format.
    fn most(&self, name: &str) -> (LogicalType, Option<TimeFormat>, usize) {
        let numbers = self.integers + self.floats;
        let most = self.bools.max(numbers).max(self.texts);
        if most == 0 {
            return (LogicalType::Text, None, 0);
        }
        if self.texts == most {
            return match (self.rfc3339 == most, self.sql == most) {
                (true, _) => (LogicalType::Time, Some(TimeFormat::Rfc3339), most),
                (_, true) => (LogicalType::Time, Some(TimeFormat::Sql), most),
                _ => (LogicalType::Text, None, most),
            };
        }
        if self.bools == most {
            return (LogicalType::Bool, None, most);
        }
        if self.floats > 0 {
            return (LogicalType::Float, None, most);
        }
        match self.range.and_then(|range| time::epoch(name, range)) {
            Some(format) => (LogicalType::Time, Some(format), most),
            None => (LogicalType::Integer, None, most),
        }
    }
}

/// A column as its values suggest it.
#[derive(Clone, Debug)]
pub struct Guess {
    /// Where it is found in a row.
    pub path: Vec<String>,
    ty: LogicalType,
    format: Option<TimeFormat>,
    nullable: bool,
    /// What else there is to say.
    remark: Option<String>,
}

impl Guess {
    /// The column of a field, of so many rows.
    pub fn new(path: Vec<String>, seen: &Seen, rows: usize) -> Self {
        let name = path.last().map_or("", String::as_str);
        let (ty, format, agree) = seen.most(name);
        let remark = match seen.values {
            0 => Some("null in every row".to_owned()),
            values if values > agree => Some(format!(
                "{} of {values} values are of another type, and would be bad rows",
                values - agree
            )),
            _ => None,
        };
        Self {
            path,
            ty,
            format,
            nullable: seen.values < rows,
            remark,
        }
    }

    /// What else there is to say.
    pub fn remark(&self) -> Option<&str> {
        self.remark.as_deref()
    }

    /// Its line in the table of columns.
    pub fn line(&self, name: &str) -> String {
        let ty = format!("\"{}{}\"", self.ty, if self.nullable { "?" } else { "" });
        let format = self.format.filter(|format| *format != TimeFormat::Rfc3339);
        let path = (self.path.len() > 1 || self.path[0] != name).then(|| path(&self.path));
        let mut parts = Vec::new();
        parts.extend(path.map(|path| format!("path = {path}")));
        parts.extend(format.map(|format| format!("format = \"{}\"", format.word())));
        let value = match parts.is_empty() {
            true => ty,
            false => format!("{{ type = {ty}, {} }}", parts.join(", ")),
        };
        let line = format!("{} = {value}", key(name));
        match &self.remark {
            Some(remark) => format!("{line:<36} # {remark}"),
            None => line,
        }
    }

    /// Why a declared column does not fit these values, if it does not.
    pub fn misfit(&self, declared: &Column) -> Option<String> {
        let same = declared.ty == self.ty
            || declared.ty == LogicalType::Float && self.ty == LogicalType::Integer
            // Times are texts or numbers too, and bytes are texts.
            || declared.ty == LogicalType::Text && matches!(self.format, Some(TimeFormat::Rfc3339 | TimeFormat::Sql))
            || declared.ty == LogicalType::Bytes && self.ty == LogicalType::Text
            || matches!(declared.ty, LogicalType::Integer | LogicalType::Float)
                && self.format.is_some_and(|f| !matches!(f, TimeFormat::Rfc3339 | TimeFormat::Sql))
            || declared.ty == LogicalType::Time
                && self.ty == LogicalType::Integer
                && !matches!(declared.time_format, TimeFormat::Rfc3339 | TimeFormat::Sql);
        if !same {
            return Some(format!(
                "declared as \"{}\", and its values are of type {}",
                declared.ty, self.ty
            ));
        }
        if self.nullable && !declared.nullable {
            return Some(format!(
                "declared as \"{0}\", and missing or null in some rows: \"{0}?\"",
                declared.ty
            ));
        }
        let wanted = self.format.filter(|_| declared.ty == LogicalType::Time)?;
        (wanted != declared.time_format).then(|| {
            format!(
                "declared with format \"{}\", and its values look like \"{}\"",
                declared.time_format.word(),
                wanted.word()
            )
        })
    }
}

/// A path as it is written: with points, or as a list where a field's own name has one.
fn path(parts: &[String]) -> String {
    match parts.iter().any(|part| part.contains('.')) {
        false => format!("{:?}", parts.join(".")),
        true => format!("{parts:?}"),
    }
}

/// A TOML key: bare where it may be.
fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !name.is_empty() && name.chars().all(bare) {
        true => name.to_owned(),
        false => toml::Value::from(name).to_string(),
    }
}
