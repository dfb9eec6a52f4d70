//! Columns of sources.

use tidemill_rows::LogicalType;

use super::{generator, record};
use crate::diagnostics::Diagnostics;
use crate::keys::{COLUMN, GENERATED};
use crate::model::{Column, Connector, Format, RecordPart, TimeFormat};
use crate::nearest::{list, nearest};
use crate::place::{Span, Spanned};
use crate::section::Section;
use crate::tree::{Entry, Node, Value, quoted};

/// The deepest path that the decoder follows.
const DEEPEST: usize = 127;

/// A source has at most so many columns.
const MOST_COLUMNS: usize = 1_024;

/// What a column is read for: decides which of its settings mean something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Json,
    Csv,
    /// Of Kafka, in JSON.
    Record,
    /// Of Kafka, in CSV.
    CsvRecord,
    Generated,
    Unknown,
}

impl Origin {
    fn is_csv(self) -> bool {
        matches!(self, Self::Csv | Self::CsvRecord)
    }

    pub(super) fn is_record(self) -> bool {
        matches!(self, Self::Record | Self::CsvRecord)
    }
}

/// The names of a source's columns, if it declares them in a table.
pub(super) fn names(source: &Section<'_>) -> Option<Vec<String>> {
    match &source.entry("columns")?.node.value {
        Value::Table(entries) if !entries.is_empty() => Some(
            entries
                .iter()
                .map(|entry| entry.key.value.clone())
                .collect(),
        ),
        _ => None,
    }
}

/// Reads `columns` of a source.
pub(super) fn read(
    source: &Section<'_>,
    connector: Option<&Spanned<Connector>>,
    format: Option<&Spanned<Format>>,
    d: &mut Diagnostics,
) -> Vec<Column> {
    let origin = match (
        connector.map(|connector| &connector.value),
        format.map(|f| f.value),
    ) {
        (Some(Connector::Nexmark(_)), _) => return fixed(source, d),
        (Some(Connector::Datagen(_)), _) => Origin::Generated,
        (Some(Connector::Kafka(_)), Some(Format::Csv)) => Origin::CsvRecord,
        (Some(Connector::Kafka(_)), Some(_)) => Origin::Record,
        (Some(_), Some(Format::Json)) => Origin::Json,
        (Some(_), Some(Format::Csv)) => Origin::Csv,
        _ => Origin::Unknown,
    };
    let Some(entry) = source.entry("columns") else {
        if connector.is_some() {
            missing(source, d);
        }
        return Vec::new();
    };
    let Value::Table(entries) = &entry.node.value else {
        let none: Option<Vec<Column>> = source.refuse("columns", &entry.node, d);
        return none.unwrap_or_default();
    };
    if entries.is_empty() {
        missing(source, d);
    }
    if let Some(first) = entries.get(MOST_COLUMNS) {
        d.error(
            &first.key.span,
            format!("{} has too many columns: {}", source.title, entries.len()),
        )
        .label(format!(
            "expected at most {MOST_COLUMNS}; this is the first beyond"
        ))
        .help("declare those that are used");
    }
    let entries = &entries[..entries.len().min(MOST_COLUMNS)];
    let columns: Vec<Column> = entries
        .iter()
        .filter_map(|entry| column(source, origin, entry, d))
        .collect();
    if !matches!(origin, Origin::Generated | Origin::Unknown) {
        check_paths(&columns, d);
    }
    columns
}

fn fixed(source: &Section<'_>, d: &mut Diagnostics) -> Vec<Column> {
    if let Some(entry) = source.entry("columns") {
        d.error(
            &entry.key.span,
            format!("{} cannot declare columns", source.title),
        )
        .label("`nexmark` has its own columns")
        .help("leave `columns` out; the documentation lists what there is");
    }
    Vec::new()
}

fn missing(source: &Section<'_>, d: &mut Diagnostics) {
    d.error(&source.span, format!("{} declares no columns", source.title))
        .label("expected a table `columns` with at least one")
        .help("write which fields to read, for example `columns = { account = \"text\", amount = \"float\" }`");
}

fn column(
    source: &Section<'_>,
    origin: Origin,
    entry: &Entry,
    d: &mut Diagnostics,
) -> Option<Column> {
    let name = &entry.key;
    if name.value.is_empty() || name.value.chars().any(char::is_control) {
        d.error(
            &name.span,
            format!("a column of {} has no usable name", source.title),
        )
        .label(format!(
            "expected at least one character, and none to control, found {}",
            quoted(name)
        ))
        .help("give it a name, and say with `path` where its value stands");
        return None;
    }
    let title = format!("column `{name}` of {}", source.title);
    let mut short = Vec::new();
    let table = settings(title, origin, entry, &mut short, d)?;
    let word = table.text("type", d);
    if origin == Origin::Generated {
        return generated(&table, name, word?, d);
    }
    let from = table.word("from", d);
    let path = path(&table, name, origin, d);
    let time_format = table.word("format", d);
    let word = word?;
    let (ty, nullable) = type_of(&table.title, &word, d)?;
    check_time_format(&table, ty, d);
    let from = from?;
    record::check(&table, &from, (ty, &word.span), origin, d)?;
    Some(Column {
        name: name.clone(),
        ty,
        nullable,
        type_span: word.span,
        path: path?,
        time_format: time_format?.value,
        from: from.value,
        generator: None,
        nulls: 0.0,
    })
}

/// The table of a column's settings; a text alone is its type.
fn settings<'a>(
    title: String,
    origin: Origin,
    entry: &'a Entry,
    short: &'a mut Vec<Entry>,
    d: &mut Diagnostics,
) -> Option<Section<'a>> {
    let (name, node) = (&entry.key, &entry.node);
    let shape = if origin == Origin::Generated {
        &GENERATED
    } else {
        &COLUMN
    };
    match &node.value {
        Value::Text(_) => {
            let key = Spanned::new("type".to_owned(), node.span.clone());
            short.push(Entry {
                key,
                node: node.clone(),
            });
            Some(Section::open(shape, title, (short, node.span.clone()), d))
        }
        Value::Table(entries) => Some(Section::open(shape, title, (entries, name.span.clone()), d)),
        _ => {
            d.error(&node.span, format!("{title} has no type"))
                .label(format!(
                    "expected a type or a table with one, found {}",
                    node.found()
                ))
                .help(format!(
                    "for example `{name} = \"integer\"` or `{name} = {{ type = \"time\" }}`"
                ));
            None
        }
    }
}

fn generated(
    table: &Section<'_>,
    name: &Spanned<String>,
    word: Spanned<String>,
    d: &mut Diagnostics,
) -> Option<Column> {
    let (ty, nullable) = type_of(&table.title, &word, d)?;
    let nulls = generator::nulls(table, nullable, d);
    let generator = generator::read(table, ty, d)?;
    Some(Column {
        name: name.clone(),
        ty,
        nullable,
        type_span: word.span,
        path: name.clone().map(|name| vec![name]),
        time_format: TimeFormat::Rfc3339,
        from: RecordPart::Field,
        generator: Some(generator),
        nulls: nulls?,
    })
}

/// Names of types elsewhere, and what they are called here.
const OTHER_TYPES: [(&str, &str); 22] = [
    ("string", "text"),
    ("str", "text"),
    ("varchar", "text"),
    ("char", "text"),
    ("int", "integer"),
    ("int64", "integer"),
    ("i64", "integer"),
    ("long", "integer"),
    ("bigint", "integer"),
    ("int32", "integer"),
    ("double", "float"),
    ("float64", "float"),
    ("f64", "float"),
    ("number", "float"),
    ("real", "float"),
    ("decimal", "float"),
    ("boolean", "bool"),
    ("binary", "bytes"),
    ("blob", "bytes"),
    ("timestamp", "time"),
    ("datetime", "time"),
    ("date", "time"),
];

fn type_of(
    title: &str,
    word: &Spanned<String>,
    d: &mut Diagnostics,
) -> Option<(LogicalType, bool)> {
    let (name, mark) = match word.value.strip_suffix('?') {
        Some(name) => (name, "?"),
        None => (word.value.as_str(), ""),
    };
    if let Some(ty) = LogicalType::from_name(name) {
        return Some((ty, !mark.is_empty()));
    }
    let names = LogicalType::ALL.map(LogicalType::name);
    let lower = name.trim().to_lowercase();
    let other = OTHER_TYPES
        .iter()
        .find(|(other, _)| *other == lower)
        .map(|(_, ty)| *ty);
    let problem = d.error(&word.span, format!("{title} has an unknown type"));
    problem.label(format!(
        "expected {}, found {}",
        list(names, "or"),
        quoted(&word.value)
    ));
    match other.or_else(|| nearest(&lower, names)) {
        Some(ty) => problem.help(format!("did you mean \"{ty}{mark}\"?")),
        None => problem.help("a `?` behind the type allows null, as in \"text?\""),
    };
    None
}

fn check_time_format(table: &Section<'_>, ty: LogicalType, d: &mut Diagnostics) {
    let Some(entry) = table.entry("format").filter(|_| ty != LogicalType::Time) else {
        return;
    };
    d.error(
        &entry.key.span,
        format!("`format` of {} has no effect", table.title),
    )
    .label(format!("only a time has one, and the type is \"{ty}\""))
    .help("leave it out");
}

/// Where a value stands: a list is taken as it is, a text is cut at its points, but not for CSV.
fn path(
    table: &Section<'_>,
    name: &Spanned<String>,
    origin: Origin,
    d: &mut Diagnostics,
) -> Option<Spanned<Vec<String>>> {
    let Some(Entry { node, .. }) = table.entry("path") else {
        return Some(name.clone().map(|name| vec![name]));
    };
    let texts = table.texts_of("path", node, d);
    let names: Vec<String> = match &node.value {
        Value::Text(text) if !origin.is_csv() => text.split('.').map(str::to_owned).collect(),
        _ => texts.into_iter().map(|text| text.value).collect(),
    };
    check_path(table, node, &names, origin, d)?;
    Some(Spanned::new(names, node.span.clone()))
}

fn check_path(
    table: &Section<'_>,
    node: &Node,
    names: &[String],
    origin: Origin,
    d: &mut Diagnostics,
) -> Option<()> {
    let expected = if names.is_empty() {
        return None;
    } else if names.iter().any(String::is_empty) {
        "expected field names with single points between them"
    } else if origin.is_csv() && names.len() > 1 {
        "expected one name of the header: CSV has nothing nested"
    } else if names.len() > DEEPEST {
        "expected at most 127 names"
    } else {
        return Some(());
    };
    d.error(
        &node.span,
        format!("`path` of {} leads nowhere", table.title),
    )
    .label(format!("{expected}, found {}", node.found()))
    .help(
        "for example `path = \"address.city\"`; `path = [\"a.b\", \"c\"]` if a name holds a point",
    );
    None
}

/// No field may be a value of one column and an object of another.
fn check_paths(columns: &[Column], d: &mut Diagnostics) {
    for (n, long) in columns.iter().enumerate() {
        for short in columns.iter().take(n).chain(&columns[n + 1..]) {
            if [long, short].iter().any(|c| c.from != RecordPart::Field) {
                continue;
            }
            let (inner, outer) = (&long.path.value, &short.path.value);
            if inner.len() > outer.len() && inner.starts_with(outer) {
                conflict(long, short, d);
            }
        }
    }
}

fn conflict(long: &Column, short: &Column, d: &mut Diagnostics) {
    let field = short.path.value.join(".");
    let span: &Span = &long.path.span;
    d.error(
        span,
        format!("field `{field}` cannot be both a value and an object"),
    )
    .label(format!("column `{}` looks into it here", long.name))
    .also(
        &short.path.span,
        format!("column `{}` takes it as a {}", short.name, short.ty),
    )
    .help("give one of the columns another `path`");
}
