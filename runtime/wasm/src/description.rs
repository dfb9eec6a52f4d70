//! What a module says of its functions: the parsed text of `describe` (`wit/describe.schema.json`).
//!
//! Invariants, all checked by [`Description::parse`]:
//! 1. Names of functions are unique and of the form `[a-z][a-z0-9-]*`; names of columns are unique in their list.
//! 2. A function has only what its kind has: an accumulator is of aggregates, a state of kind watermark, slots and timers of
//!    kind process, a key of aggregates, windows and kind process. What a window gives, of either kind, is `new`.
//! 3. A config field's default is of its type.

mod config;
mod parse;
mod place;
mod state;

use arrow_schema::Field;

pub use config::{ConfigField, ConfigType};
pub use state::{Clock, SlotKind, StateSlot, TimerName, Ttl};

/// The functions of a module.
#[derive(Clone, Debug)]
pub struct Description {
    /// The version of the interface that the module was built against.
    pub interface: String,
    /// The SDK it was built with.
    pub sdk: Option<String>,
    /// The functions; their index is how calls name them.
    pub functions: Vec<Function>,
}

/// One function.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name, in kebab-case.
    pub name: String,
    /// Its kind.
    pub kind: Kind,
    /// A paragraph about it.
    pub doc: Option<String>,
    /// The columns it takes, in its order.
    pub input: Vec<Field>,
    /// Whether it takes rows' stamps.
    pub stamps: bool,
    /// Whether it takes rows that are not inserts.
    pub changes: bool,
    /// Key columns that `finish`, or a function of kind window or process, takes.
    pub key: Vec<Field>,
    /// The accumulator's columns.
    pub accumulator: Vec<Field>,
    /// The columns of a split's state, of kind watermark.
    pub state: Vec<Field>,
    /// The state of a key, of kind process.
    pub slots: Vec<StateSlot>,
    /// The timers of a key, of kind process.
    pub timers: Vec<TimerName>,
    /// The main output. A function of kind watermark has none: `same`.
    pub output: Output,
    /// The side outputs, targets 1 and up.
    pub sides: Vec<Side>,
    /// Its configuration.
    pub config: Vec<ConfigField>,
    /// Whether merging is associative and commutative to the bit.
    pub combinable: bool,
}

/// What a function is called with, and for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Rows to rows.
    Transform,
    /// Rows of a key and window to an accumulator, to a result.
    Aggregate,
    /// All rows of a key and window to a result.
    Window,
    /// Rows of a key one after the other, with state and timers.
    Process,
    /// Rows of a split to its watermark.
    Watermark,
}

impl Kind {
    /// The kinds that this host serves.
    pub const ALL: [Self; 5] = [
        Self::Transform,
        Self::Aggregate,
        Self::Window,
        Self::Process,
        Self::Watermark,
    ];

    /// `transform`, `aggregate`, `window`, `process`, `watermark`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Transform => "transform",
            Self::Aggregate => "aggregate",
            Self::Window => "window",
            Self::Process => "process",
            Self::Watermark => "watermark",
        }
    }

    /// The name as it stands in a sentence: `an aggregate`, `a function of kind window`.
    pub fn in_words(self) -> &'static str {
        match self {
            Self::Transform => "a transform",
            Self::Aggregate => "an aggregate",
            Self::Window => "a function of kind window",
            Self::Process => "a process function",
            Self::Watermark => "a function of kind watermark",
        }
    }
}

/// The columns of an output.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// The input's row, whole.
    Same,
    /// The input's row and these columns.
    Extended(Vec<Field>),
    /// These columns.
    New(Vec<Field>),
}

impl Output {
    /// The columns that the function returns for it.
    pub fn fields(&self) -> &[Field] {
        match self {
            Self::Same => &[],
            Self::Extended(fields) | Self::New(fields) => fields,
        }
    }
}

/// A side output.
#[derive(Clone, Debug)]
pub struct Side {
    /// Its name: `<operator>.<name>` in a pipeline file.
    pub name: String,
    /// Its columns.
    pub output: Output,
}

impl Function {
    /// The slots of kind value, in their order.
    pub fn value_slots(&self) -> impl Iterator<Item = &StateSlot> {
        self.slots
            .iter()
            .filter(|slot| slot.kind == SlotKind::Value)
    }

    /// The slots of kind list, in their order.
    pub fn list_slots(&self) -> impl Iterator<Item = &StateSlot> {
        let is_list = |slot: &&StateSlot| matches!(slot.kind, SlotKind::List { .. });
        self.slots.iter().filter(is_list)
    }

    /// The slots of kind map, in their order.
    pub fn map_slots(&self) -> impl Iterator<Item = &StateSlot> {
        let is_map = |slot: &&StateSlot| matches!(slot.kind, SlotKind::Map { .. });
        self.slots.iter().filter(is_map)
    }
}

impl Description {
    /// Parses and checks the text of `describe`.
    ///
    /// # Errors
    /// What is wrong, at which place of the text, and what may stand there.
    pub fn parse(text: &str) -> Result<Self, String> {
        parse::description(text)
    }

    /// The index and the function of a name.
    pub fn function(&self, name: &str) -> Option<(usize, &Function)> {
        self.functions
            .iter()
            .enumerate()
            .find(|(_, function)| function.name == name)
    }
}
