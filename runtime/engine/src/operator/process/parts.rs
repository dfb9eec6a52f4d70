//! What a process operator is made of.

use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_schema::SchemaRef;
use tidemill_core::window::KeyId;
use tidemill_wasm::{Clock, Function, Output as Shape};

use crate::blame::Blame;
use crate::functions::ProcessCalls;
use crate::metrics::{Counters, add};
use crate::operator::keying::{Keying, NullKey};
use crate::state::StateBackend;
use crate::talk::Talk;

/// What a process operator is made of.
pub struct ProcessParts {
    /// Calls the function.
    pub function: Box<dyn ProcessCalls>,
    /// The function's input columns, as indices of the input's.
    pub inputs: Vec<usize>,
    /// Whether the function wants stamps.
    pub with_stamps: bool,
    /// The key.
    pub keying: Keying,
    /// What becomes of null keys.
    pub null_key: NullKey,
    /// Which of the key columns the function wants, as indices of the key.
    pub key_columns: Vec<usize>,
    /// The names of slots, in the order in which `state` keeps them.
    pub slots: Vec<String>,
    /// Holds the state of the keys.
    pub state: Box<dyn StateBackend>,
    /// The shortest time to live in event time, if there is one.
    pub shortest_ttl: Option<i64>,
    /// Whether what a call reads of a key's state is all of it, and reading removes nothing: there are only values, for ever.
    pub reads_all: bool,
    /// The names of timers.
    pub names: TimerNames,
    /// How the rows of each target are made, and their schema.
    pub targets: Vec<(Shape, SchemaRef)>,
    /// Where the function is heard.
    pub talk: Talk,
    /// Whom failed rows are put down to, and what is done about them.
    pub blame: Blame,
    /// Counters of this operator on this worker.
    pub counters: Arc<Counters>,
    /// Whether the end round has begun: what is set now never fires.
    pub ended: bool,
}

/// The names of a function's timers: timers go by numbers in the order of names.
pub struct TimerNames {
    /// By index in the description: the number, and whose time.
    numbers: Vec<(u32, Clock)>,
    /// By number: the index in the description, and the name.
    names: Vec<(u32, String)>,
}

impl TimerNames {
    /// Those of a function.
    pub fn new(function: &Function) -> Self {
        let timers = function.timers.iter().zip(0..);
        let mut names: Vec<(u32, String)> = timers
            .map(|(timer, index)| (index, timer.name.clone()))
            .collect();
        names.sort_by(|a, b| a.1.cmp(&b.1));
        let number = |index: u32| {
            let at = names.iter().position(|(other, _)| *other == index);
            at.expect("every name has its number") as u32
        };
        let numbers = function.timers.iter().zip(0..);
        let numbers = numbers.map(|(timer, index)| (number(index), timer.clock));
        Self {
            numbers: numbers.collect(),
            names,
        }
    }

    /// The number of a name, and whose time.
    pub fn number(&self, index: u32) -> (u32, Clock) {
        self.numbers[index as usize]
    }

    /// The index in the description.
    pub fn index(&self, number: u32) -> u32 {
        self.names[number as usize].0
    }

    /// The number of a name, and whose time, if there is such a name.
    pub fn named(&self, name: &str) -> Option<(u32, Clock)> {
        let (index, _) = self.names.iter().find(|(_, other)| other == name)?;
        Some(self.number(*index))
    }

    /// The names, in the order of their numbers.
    pub fn in_order(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(_, name)| name.as_str())
    }

    /// The name.
    pub fn name(&self, number: u32) -> &str {
        &self.names[number as usize].1
    }
}

impl ProcessParts {
    /// The key columns that the function wants of these keys.
    pub(super) fn given_keys(&self, keys: &[KeyId]) -> Vec<ArrayRef> {
        if self.key_columns.is_empty() {
            return Vec::new();
        }
        let columns = self.keying.columns_of(keys.iter().copied());
        let given = self.key_columns.iter();
        given.map(|&i| columns[i].clone()).collect()
    }

    /// Calls the function with lists and maps of these keys at hand.
    pub(super) fn lending<R>(
        &mut self,
        keys: &[KeyId],
        call: impl FnOnce(&mut dyn ProcessCalls) -> R,
    ) -> R {
        let Some(entries) = self.state.lend(keys) else {
            return call(&mut *self.function);
        };
        self.function.lend(entries);
        let called = call(&mut *self.function);
        if let Some(entries) = self.function.take_back() {
            self.state.take_back(entries);
        }
        called
    }

    /// Counts a timer that was set after the end.
    pub(super) fn never_fires(&self) {
        add(&self.counters.timers_dropped, 1);
    }
}
