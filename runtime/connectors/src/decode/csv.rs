//! CSV (RFC 4180): a header that names the columns, then one record per row. Beside the rules of
//! [`super`]:
//!
//! 1. The header must have every column's name once; a column may be asked for by another name with
//!    `path`. Other names are ignored, or refused where `unknown` is `refuse`.
//! 2. An empty field is null; an empty field in quotation marks, `""`, is empty text.
//! 3. Fields are taken as they are: blanks are not trimmed. Bools are `true` and `false`. Numbers
//!    are decimal digits with a sign, and for floats a point and an exponent. Times and bytes are
//!    written as in JSON, without quotation marks.
//! 4. A record must have as many fields as the header. A field may hold delimiters, newlines and
//!    (doubled) quotation marks if it is in quotation marks. One that is never closed makes its
//!    *line* a bad row; the next line is read as a record.

use tidemill_rows::LogicalType;
use tidemill_rows::time_text::LastDay;

use super::number::float_of_text;
use super::{Decoded, Misfit, Refusal, excerpt, null, text};
use crate::columns::Slot;
use crate::format::{ColumnSpec, FormatKind, FormatSpec, Unknown};

/// The quotation mark.
pub const QUOTE: u8 = b'"';

/// Decodes CSV records, of which the first must be the header.
pub struct CsvDecoder {
    columns: Vec<ColumnSpec>,
    unknown: Unknown,
    delimiter: u8,
    /// For each column the field that it is read from; empty until the header has been read.
    places: Vec<usize>,
    /// How many fields the header has.
    width: usize,
    fields: Vec<Field>,
    slots: Vec<Slot>,
    scratch: Vec<u8>,
    /// The day of the last time.
    day: LastDay,
}

/// Where a field's text is.
#[derive(Clone, Copy)]
struct Field {
    start: u32,
    len: u32,
    /// In the scratch, without its doubled quotation marks.
    in_scratch: bool,
    quoted: bool,
}

impl CsvDecoder {
    /// A decoder of a format that has been checked.
    pub fn new(format: &FormatSpec) -> Self {
        let FormatKind::Csv { delimiter } = format.kind else {
            panic!("a CSV decoder of another format");
        };
        Self {
            columns: format.columns.clone(),
            unknown: format.unknown,
            delimiter,
            places: Vec::new(),
            width: 0,
            fields: Vec::new(),
            slots: vec![Slot::Missing; format.columns.len()],
            scratch: Vec::new(),
            day: LastDay::default(),
        }
    }

    /// Takes the header.
    ///
    /// # Errors
    /// If it cannot be split, lacks a column, has one twice, or has one that is refused as unknown.
    pub fn header(&mut self, record: &[u8]) -> Result<(), Refusal> {
        self.split(record)?;
        let fields = self.fields.iter().map(|field| self.text_of(field, record));
        let names: Vec<String> = fields
            .map(|name| String::from_utf8_lossy(name).into_owned())
            .collect();
        self.width = names.len();
        self.places = self
            .columns
            .iter()
            .map(|c| place_of(c, &names))
            .collect::<Result<_, _>>()?;
        let stranger = (0..names.len()).find(|i| !self.places.contains(i));
        match stranger {
            Some(i) if self.unknown == Unknown::Refuse => Err(Refusal::new(
                "unknown-field",
                format!(
                    "header: `{}` is of no column, and `unknown` is \"refuse\"",
                    names[i]
                ),
            )),
            _ => Ok(()),
        }
    }

    /// Decodes one record of valid UTF-8.
    ///
    /// # Errors
    /// If it is a bad row.
    ///
    /// # Panics
    /// If no header has been taken.
    pub fn decode(&mut self, record: &[u8]) -> Result<Decoded<'_>, Refusal> {
        assert!(self.width > 0, "a CSV record before its header");
        self.split(record)?;
        if self.fields.len() != self.width {
            let (found, expected) = (self.fields.len(), self.width);
            let message = format!("the header has {expected} fields, this record {found}");
            return Err(Refusal::new("fields", message));
        }
        for column in 0..self.columns.len() {
            let field = self.fields[self.places[column]];
            self.slots[column] = self.slot(column, field, record)?;
        }
        Ok(Decoded {
            slots: &self.slots,
            scratch: &self.scratch,
        })
    }

    fn slot(&mut self, column: usize, field: Field, record: &[u8]) -> Result<Slot, Refusal> {
        let spec = &self.columns[column];
        if field.len == 0 && !field.quoted {
            return if spec.nullable {
                Ok(Slot::Null)
            } else {
                Err(null(spec))
            };
        }
        if spec.ty == LogicalType::Text {
            let Field { start, len, .. } = field;
            return Ok(match field.in_scratch {
                true => Slot::InScratch { start, len },
                false => Slot::InRow { start, len },
            });
        }
        let value = self.text_of(&field, record).to_vec();
        let slot = self.value(column, &value);
        slot.map_err(|why| why.refusal(&self.columns[column], &format!("`{}`", excerpt(&value))))
    }

    /// The value of a field that is no text.
    fn value(&mut self, column: usize, value: &[u8]) -> Result<Slot, Misfit> {
        let word = |word: i64| Slot::Word(word as u64);
        let spec = &self.columns[column];
        match spec.ty {
            LogicalType::Bool => match value {
                b"true" => Ok(word(1)),
                b"false" => Ok(word(0)),
                _ => Err(Misfit::Type),
            },
            LogicalType::Integer => integer(value).map(word),
            LogicalType::Float => float(value).map(|float| Slot::Word(float.to_bits())),
            LogicalType::Time => text::time(value, spec.time_format, &mut self.day)
                .map(word)
                .map_err(Misfit::Time),
            LogicalType::Bytes => text::base64(value, &mut self.scratch),
            LogicalType::Text => Err(Misfit::Type),
        }
    }

    fn text_of<'a>(&'a self, field: &Field, record: &'a [u8]) -> &'a [u8] {
        let from = if field.in_scratch {
            &self.scratch[..]
        } else {
            record
        };
        &from[field.start as usize..(field.start + field.len) as usize]
    }

    /// Splits a record into its fields.
    fn split(&mut self, record: &[u8]) -> Result<(), Refusal> {
        self.fields.clear();
        self.scratch.clear();
        let mut at = 0;
        loop {
            let (field, after) = if record.get(at) == Some(&QUOTE) {
                self.quoted(record, at + 1)?
            } else {
                let rest = &record[at..];
                let len = memchr::memchr(self.delimiter, rest).unwrap_or(rest.len());
                let (start, len32) = (at as u32, len as u32);
                (
                    Field {
                        start,
                        len: len32,
                        in_scratch: false,
                        quoted: false,
                    },
                    at + len,
                )
            };
            self.fields.push(field);
            if after == record.len() {
                return Ok(());
            }
            at = after + 1;
        }
    }

    /// Reads a field from behind its opening quotation mark; where it ends.
    fn quoted(&mut self, record: &[u8], start: usize) -> Result<(Field, usize), Refusal> {
        let mut from = start;
        let scratch = self.scratch.len();
        let mut doubled = false;
        let end = loop {
            let Some(skip) = memchr::memchr(QUOTE, &record[from..]) else {
                let message =
                    "a field's quotation mark is never closed; double it if it is part of the text";
                return Err(Refusal::new("quote", message));
            };
            let quote = from + skip;
            if record.get(quote + 1) != Some(&QUOTE) {
                break quote;
            }
            doubled = true;
            self.scratch.extend_from_slice(&record[from..=quote]);
            from = quote + 2;
        };
        if record
            .get(end + 1)
            .is_some_and(|&next| next != self.delimiter)
        {
            let found = excerpt(&record[end + 1..]);
            let message = format!(
                "expected the end of a field behind its closing quotation mark, found `{found}`"
            );
            return Err(Refusal::new("quote", message));
        }
        let mut field = Field {
            start: start as u32,
            len: (end - start) as u32,
            in_scratch: false,
            quoted: true,
        };
        if doubled {
            self.scratch.extend_from_slice(&record[from..end]);
            let len = (self.scratch.len() - scratch) as u32;
            field = Field {
                start: scratch as u32,
                len,
                in_scratch: true,
                quoted: true,
            };
        }
        Ok((field, end + 1))
    }
}

fn place_of(column: &ColumnSpec, names: &[String]) -> Result<usize, Refusal> {
    let wanted = column
        .path
        .first()
        .map_or(column.name.as_str(), String::as_str);
    let mut places = (0..names.len()).filter(|&i| names[i] == wanted);
    match (places.next(), places.next()) {
        (Some(place), None) => Ok(place),
        (Some(_), Some(_)) => Err(Refusal::new(
            "fields",
            format!("the header has `{wanted}` twice"),
        )),
        (None, _) => {
            let there = excerpt(names.join(", ").as_bytes());
            Err(Refusal::new(
                "missing",
                format!("the header has no `{wanted}`; it has {there}"),
            ))
        }
    }
}

fn integer(value: &[u8]) -> Result<i64, Misfit> {
    let digits = value
        .strip_prefix(b"-")
        .or(value.strip_prefix(b"+"))
        .unwrap_or(value);
    if digits.is_empty() {
        return Err(Misfit::Type);
    }
    if !digits.iter().all(u8::is_ascii_digit) {
        return Err(if float(value).is_ok() {
            Misfit::NotWhole
        } else {
            Misfit::Type
        });
    }
    let text = std::str::from_utf8(value).map_err(|_| Misfit::Type)?;
    text.parse().map_err(|_| Misfit::Range)
}

fn float(value: &[u8]) -> Result<f64, Misfit> {
    // `inf` and `nan`, which Rust would read, are no decimal digits.
    if value
        .iter()
        .all(|b| matches!(b, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'))
    {
        float_of_text(value)
    } else {
        Err(Misfit::Type)
    }
}
