//! Slots of state: what they have in common, and the struct that names them.

use crate::bindings::exports::tidemill::operator::process::{Held, Kept, Listed, Mapped};

/// The state of a process function: a struct of slots. Derived, never written by hand:
///
/// ```
/// use tidemill::prelude::*;
///
/// #[derive(State)]
/// struct Account {
///     /// At most one entry per key.
///     last: Value<Timestamp>,
///     /// Gone an hour after the row that wrote it.
///     #[state(ttl = "1h")]
///     warned: Value<bool>,
///     /// The newest hundred.
///     #[state(most = 100)]
///     amounts: List<f64>,
///     /// One entry per shop.
///     shops: Map<String, i64>,
/// }
/// ```
///
/// * `#[state(ttl = "24h")]`: how long an entry lives after it was written. Lists and maps expire
///   entry by entry.
/// * `#[state(ttl = "24h", clock = "processing")]`: by the clock of the host, in place of event time.
/// * `#[state(ttl = "24h", read)]`: reading an entry keeps it alive too; slots of kind value only.
/// * `#[state(most = 100)]`: how many entries a list holds, 1000 unless said otherwise; the oldest go.
/// * `#[state(name = "…")]`: the slot's name, where it differs from the field's.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the state of a process function",
    label = "not a struct of slots",
    note = "state is a struct of `Value<…>`, `List<…>` and `Map<…, …>` fields with #[derive(State)]"
)]
pub trait State: Sized {
    /// The slots.
    const SLOTS: &'static [SlotOf];

    /// What the host holds for the keys of a call.
    ///
    /// # Errors
    /// It is other than declared.
    fn open(opening: &mut Opening<'_>) -> Result<Self, String>;
    /// From now on a row is served.
    fn begin(&mut self, at: At);
    /// Takes back what the row has changed.
    fn undo(&mut self);
    /// Hands over what has changed.
    fn close(self, changes: &mut Changes);
}

/// A slot as it is declared.
pub struct SlotOf {
    /// `value`, `list` or `map`.
    pub kind: &'static str,
    /// Its name and settings.
    pub spec: Spec,
    /// Appends what `describe` says of it.
    pub describe: fn(&Spec, &mut String),
}

/// The settings of a slot.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    /// Its name.
    pub name: &'static str,
    /// How long an entry lives, in microseconds.
    pub ttl: Option<i64>,
    /// Whether that is by the host's clock.
    pub processing: bool,
    /// Whether reading an entry keeps it alive.
    pub read: bool,
    /// How many entries a list holds.
    pub most: Option<u32>,
}

/// A field of a state. See [`State`].
#[diagnostic::on_unimplemented(
    message = "a slot of state cannot be `{Self}`",
    label = "not a slot",
    note = "write `Value<T>`, `List<T>` or `Map<K, V>`"
)]
pub trait Slot: Sized {
    /// `value`, `list` or `map`.
    const KIND: &'static str;

    /// Appends what `describe` says of its columns.
    fn describe(json: &mut String);
    /// What the host holds in it for the keys of a call.
    ///
    /// # Errors
    /// It is other than declared.
    fn open(spec: &Spec, opening: &mut Opening<'_>) -> Result<Self, String>;
    /// From now on a row is served.
    fn begin(&mut self, at: At);
    /// Takes back what the row has changed.
    fn undo(&mut self);
    /// Hands over what has changed.
    fn close(self, changes: &mut Changes);
}

/// The row that is being served.
#[derive(Clone, Copy, Debug, Default)]
pub struct At {
    /// Its key's number in the call.
    pub key: usize,
    /// Its own number there.
    pub row: u32,
    /// Its time.
    pub time: i64,
    /// Whether it can fail, so that what it changes must be kept first.
    pub fallible: bool,
}

/// What a call was given of its keys' state.
pub struct Opening<'h> {
    /// What is left of the values.
    values: std::slice::Iter<'h, Held>,
    /// How many keys there are.
    pub keys: usize,
    lists: u32,
    maps: u32,
}

impl<'h> Opening<'h> {
    /// What the host sent.
    pub fn new(values: &'h [Held], keys: usize) -> Self {
        Self {
            values: values.iter(),
            keys,
            lists: 0,
            maps: 0,
        }
    }

    /// The next slot of kind value.
    ///
    /// # Errors
    /// The host sent fewer.
    pub fn value(&mut self) -> Result<&'h Held, String> {
        let held = self.values.next();
        held.filter(|held| held.present.len() == self.keys)
            .ok_or_else(|| "the host sent other state than declared".to_owned())
    }

    /// The number of the next slot of kind list.
    pub fn list(&mut self) -> u32 {
        self.lists += 1;
        self.lists - 1
    }

    /// The number of the next slot of kind map.
    pub fn map(&mut self) -> u32 {
        self.maps += 1;
        self.maps - 1
    }
}

/// What a call wants changed of its keys' state.
#[derive(Default)]
pub struct Changes {
    /// One for each slot of kind value.
    pub values: Vec<Kept>,
    /// One for each slot of kind list.
    pub lists: Vec<Listed>,
    /// One for each slot of kind map.
    pub maps: Vec<Mapped>,
}

/// Appends what `describe` says of the slots of `S`, as a JSON list.
pub fn describe_slots<S: State>(json: &mut String) {
    crate::describe::list(json, S::SLOTS, |json, slot| {
        (slot.describe)(&slot.spec, json);
    });
}

/// Appends what `describe` says of a slot of type `S`.
pub fn describe_slot<S: Slot>(spec: &Spec, json: &mut String) {
    *json += "{\"name\":";
    crate::describe::text(json, spec.name);
    *json += ",\"kind\":";
    crate::describe::text(json, S::KIND);
    S::describe(json);
    if let Some(ttl) = spec.ttl {
        *json += ",\"ttl\":";
        *json += &ttl.to_string();
    }
    if spec.processing {
        *json += ",\"clock\":\"processing\"";
    }
    if spec.read {
        *json += ",\"touch\":\"read\"";
    }
    if let Some(most) = spec.most {
        *json += ",\"most\":";
        *json += &most.to_string();
    }
    json.push('}');
}

impl SlotOf {
    /// A slot of type `S`.
    pub const fn new<S: Slot>(spec: Spec) -> Self {
        Self {
            kind: S::KIND,
            spec,
            describe: describe_slot::<S>,
        }
    }
}
