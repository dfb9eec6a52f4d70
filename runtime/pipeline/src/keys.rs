//! Every key of the pipeline file: its type, its default, an example. The reader takes types and defaults from here, and
//! a test holds `docs/pipeline.md` against it.

mod checkpoints;
mod kafka;
mod operator;
mod sink;
mod source;
mod state;
mod top;

pub use checkpoints::CHECKPOINTS;
pub use kafka::{KAFKA_SINK, KAFKA_SOURCE};
pub use operator::{FAILURES, KEEP, OPERATOR, TRIGGER, WINDOW};
pub use sink::{FILE, FOLDER, SINK};
pub use source::{
    BURSTS, COLUMN, DATAGEN, FILES, GENERATED, NEXMARK, REGISTRY, SINK_REGISTRY, SOURCE, WATERMARK,
};
pub use state::STATE;
pub use top::{LIMITS, MODULE, PIPELINE, SECRET};

/// A table of the pipeline file.
#[derive(Debug)]
pub struct Shape {
    /// What it is called in messages and in the documents: `source`, `window`.
    pub name: &'static str,
    /// Its keys.
    pub keys: &'static [Key],
}

/// A key of a table.
#[derive(Debug)]
pub struct Key {
    /// The key.
    pub name: &'static str,
    /// What its value may be.
    pub kind: Kind,
    /// What holds where it is left out.
    pub default: Default,
    /// A value as it would be written; for keys that are not built yet, what there is instead.
    pub example: &'static str,
}

/// What holds where a key is left out.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// Nothing: the key must be there.
    Required,
    /// This value, in TOML.
    Value(&'static str),
    /// What these words say.
    Said(&'static str),
}

/// What a value may be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A text.
    Text,
    /// A text, or a list of one or more.
    Texts,
    /// `true` or `false`.
    Bool,
    /// A whole number in this range.
    Whole(i64, i64),
    /// A number above 0.
    Rate,
    /// A duration; true: 0 is allowed.
    Duration(bool),
    /// A duration above 0, or the word `none`.
    DurationOrNone,
    /// A duration, which may be negative.
    Offset,
    /// A number of bytes above 0.
    Size,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A table.
    Table(&'static Shape),
    /// A list of these words and of tables.
    ListOf(&'static [&'static str], &'static Shape),
    /// A text or a table.
    TextOr(&'static Shape),
    /// A text, a list of texts or a table.
    TextsOr(&'static Shape),
    /// An empty table.
    Empty,
    /// Named tables of one shape.
    Named(&'static Shape),
    /// Names with texts.
    Map,
    /// Columns by name: types, or tables of one shape for decoded and another for made-up rows.
    Columns,
    /// Any table: what it may hold, the function says.
    Any,
    /// A number; which ones, the column's type says.
    Scalar,
    /// Known, but not in this version.
    Later,
}

impl Kind {
    /// The type as documents and messages name it.
    pub fn words(&self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Texts => "text or list of texts".into(),
            Self::Bool => "`true` or `false`".into(),
            Self::Whole(min, max) if *max == i64::MAX => format!("whole number from {min}"),
            Self::Whole(min, max) => format!("whole number, {min} to {max}"),
            Self::Rate => "number above 0".into(),
            Self::Duration(true) => "duration, also \"0s\"".into(),
            Self::Duration(false) => "duration".into(),
            Self::DurationOrNone => "duration or `\"none\"`".into(),
            Self::Offset => "duration, also negative".into(),
            Self::Size => "size".into(),
            Self::Words(words) => {
                let words: Vec<String> = words.iter().map(|word| format!("`\"{word}\"`")).collect();
                words.join(", ")
            }
            Self::ListOf(words, _) => format!("list of {}, tables", Self::Words(words).words()),
            Self::Table(_) | Self::Any => "table".into(),
            Self::TextOr(_) => "text or table".into(),
            Self::TextsOr(_) => "text, list of texts or table".into(),
            Self::Empty => "empty table".into(),
            Self::Named(_) => "tables by name".into(),
            Self::Columns => "columns by name".into(),
            Self::Map => "names with texts".into(),
            Self::Scalar => "number".into(),
            Self::Later => "not in this version".into(),
        }
    }

    /// The type in a message, behind "expected".
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Text => "a text".into(),
            Self::Texts => "a text or a list of texts".into(),
            Self::Bool => "true or false".into(),
            Self::Whole(..) | Self::Rate => format!("a {}", self.words()),
            Self::Duration(false) | Self::DurationOrNone => "a duration above zero".into(),
            Self::Duration(true) => "a duration from zero up".into(),
            Self::Offset => "a duration".into(),
            Self::Size => "a size above zero".into(),
            Self::Words(words) => quoted_words(words),
            Self::ListOf(words, _) => format!("a list of {} or tables", quoted_list(words)),
            Self::Table(_) | Self::Any => "a table".into(),
            Self::TextOr(_) => "a text or a table".into(),
            Self::TextsOr(_) => "a text, a list of texts or a table".into(),
            Self::Empty => "an empty table".into(),
            Self::Named(_) => "tables by name".into(),
            Self::Columns => "a table of columns".into(),
            Self::Map => "a table of names".into(),
            Self::Scalar => "a number".into(),
            Self::Later => "nothing".into(),
        }
    }
}

/// Words in quotes, with commas.
fn quoted_list(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    words.join(", ")
}

/// Words in quotes, with commas and an `or`.
pub(crate) fn quoted_words(words: &[&str]) -> String {
    let words: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    match words.as_slice() {
        [rest @ .., last] if !rest.is_empty() => format!("{} or {last}", rest.join(", ")),
        _ => words.concat(),
    }
}

impl Shape {
    /// The key of that name.
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }

    /// The names of the keys of this version.
    pub fn names(&self) -> Vec<&'static str> {
        let built = self
            .keys
            .iter()
            .filter(|key| !matches!(key.kind, Kind::Later));
        built.map(|key| key.name).collect()
    }
}

/// Every table.
pub static SHAPES: [&Shape; 26] = [
    &PIPELINE,
    &CHECKPOINTS,
    &STATE,
    &MODULE,
    &LIMITS,
    &SECRET,
    &SOURCE,
    &REGISTRY,
    &WATERMARK,
    &FILES,
    &KAFKA_SOURCE,
    &NEXMARK,
    &DATAGEN,
    &COLUMN,
    &GENERATED,
    &BURSTS,
    &OPERATOR,
    &WINDOW,
    &TRIGGER,
    &KEEP,
    &FAILURES,
    &SINK,
    &SINK_REGISTRY,
    &FILE,
    &FOLDER,
    &KAFKA_SINK,
];

/// A row of the table of keys.
const fn key(name: &'static str, kind: Kind, default: Default, example: &'static str) -> Key {
    Key {
        name,
        kind,
        default,
        example,
    }
}

/// A key that this version knows by name only, and what works now.
const fn later(name: &'static str, instead: &'static str) -> Key {
    key(
        name,
        Kind::Later,
        Default::Said("not in this version"),
        instead,
    )
}
