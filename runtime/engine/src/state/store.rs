//! One column of what is kept, by dense numbers: of slots, of keys.

use tidemill_core::window::Slot;
use tidemill_rows::LogicalType;
use tidemill_wasm::{Arena, Column, Values};

/// One column of all places.
pub struct Store {
    values: StoredValues,
    /// Per slot 1 or 0, once a null was stored.
    valid: Option<Vec<u8>>,
    /// What texts and byte strings need beside their places.
    arena_bytes: usize,
}

enum StoredValues {
    Octets(Vec<u8>),
    Words(Vec<i64>),
    Floats(Vec<f64>),
    Arena(Vec<Box<[u8]>>),
}

impl Store {
    /// No places, for values such as these.
    pub fn like(column: &Column) -> Self {
        let values = match column.values {
            Values::Octets(_) => StoredValues::Octets(Vec::new()),
            Values::Words(_) => StoredValues::Words(Vec::new()),
            Values::Floats(_) => StoredValues::Floats(Vec::new()),
            Values::Arena(_) => StoredValues::Arena(Vec::new()),
        };
        Self {
            values,
            valid: None,
            arena_bytes: 0,
        }
    }

    /// No places, for values of a type.
    pub fn of(ty: LogicalType) -> Self {
        let values = match ty {
            LogicalType::Bool => StoredValues::Octets(Vec::new()),
            LogicalType::Integer | LogicalType::Time => StoredValues::Words(Vec::new()),
            LogicalType::Float => StoredValues::Floats(Vec::new()),
            LogicalType::Text | LogicalType::Bytes => StoredValues::Arena(Vec::new()),
        };
        Self {
            values,
            valid: None,
            arena_bytes: 0,
        }
    }

    /// Forgets what these places hold beside their own size.
    pub fn release(&mut self, slots: &[Slot]) {
        if let StoredValues::Arena(values) = &mut self.values {
            for &slot in slots {
                self.arena_bytes -= std::mem::take(&mut values[slot as usize]).len();
            }
        }
    }

    /// Makes room for so many places.
    pub fn grow(&mut self, slots: usize) {
        match &mut self.values {
            StoredValues::Octets(v) => v.resize(slots, 0),
            StoredValues::Words(v) => v.resize(slots, 0),
            StoredValues::Floats(v) => v.resize(slots, 0.0),
            StoredValues::Arena(v) => v.resize(slots, Box::default()),
        }
        if let Some(valid) = &mut self.valid {
            valid.resize(slots, 1);
        }
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let values = match &self.values {
            StoredValues::Octets(v) => v.len(),
            StoredValues::Words(v) => v.len() * size_of::<i64>(),
            StoredValues::Floats(v) => v.len() * size_of::<f64>(),
            StoredValues::Arena(v) => v.len() * size_of::<Box<[u8]>>() + self.arena_bytes,
        };
        values + self.valid.as_ref().map_or(0, Vec::len)
    }

    /// How much of that is texts and byte strings, beside their places.
    pub fn arena_bytes(&self) -> usize {
        self.arena_bytes
    }

    /// About how many bytes of data stand at a place.
    pub fn weight(&self, slot: Slot) -> usize {
        match &self.values {
            StoredValues::Arena(v) => v[slot as usize].len(),
            _ => self.least_weight(),
        }
    }

    /// How many bytes of data stand at any place, at least.
    pub fn least_weight(&self) -> usize {
        match &self.values {
            StoredValues::Octets(_) => 1,
            StoredValues::Words(_) | StoredValues::Floats(_) => size_of::<i64>(),
            StoredValues::Arena(_) => 0,
        }
    }

    /// Whether it holds texts or byte strings.
    pub fn is_arena(&self) -> bool {
        matches!(self.values, StoredValues::Arena(_))
    }

    fn len(&self) -> usize {
        match &self.values {
            StoredValues::Octets(v) => v.len(),
            StoredValues::Words(v) => v.len(),
            StoredValues::Floats(v) => v.len(),
            StoredValues::Arena(v) => v.len(),
        }
    }

    /// Writes the one value of `fresh` to each of these places.
    pub fn fill(&mut self, slots: &[Slot], fresh: &Column) {
        match (&mut self.values, &fresh.values) {
            (StoredValues::Octets(to), Values::Octets(from)) => fill(to, slots, from[0]),
            (StoredValues::Words(to), Values::Words(from)) => fill(to, slots, from[0]),
            (StoredValues::Floats(to), Values::Floats(from)) => fill(to, slots, from[0]),
            (StoredValues::Arena(to), Values::Arena(Arena { bytes, .. })) => {
                for &slot in slots {
                    self.arena_bytes += bytes.len();
                    self.arena_bytes -= to[slot as usize].len();
                    to[slot as usize] = bytes[..].into();
                }
            }
            _ => unreachable!("an accumulator keeps its schema"),
        }
        let valid = fresh.valid.as_ref().map_or(1, |valid| valid[0]);
        if valid == 0 || self.valid.is_some() {
            fill(self.validity(), slots, valid);
        }
    }

    fn validity(&mut self) -> &mut Vec<u8> {
        let len = self.len();
        self.valid.get_or_insert_with(|| vec![1; len])
    }

    /// The values of these places.
    pub fn gather(&self, slots: &[Slot]) -> Column {
        let values = match &self.values {
            StoredValues::Octets(v) => Values::Octets(pick(v, slots)),
            StoredValues::Words(v) => Values::Words(pick(v, slots)),
            StoredValues::Floats(v) => Values::Floats(pick(v, slots)),
            StoredValues::Arena(v) => {
                let mut offsets = Vec::with_capacity(slots.len() + 1);
                let mut bytes = Vec::new();
                offsets.push(0);
                for &slot in slots {
                    bytes.extend_from_slice(&v[slot as usize]);
                    offsets.push(bytes.len() as u32);
                }
                Values::Arena(Arena { offsets, bytes })
            }
        };
        Column {
            values,
            valid: self.valid.as_ref().map(|valid| pick(valid, slots)),
        }
    }

    /// Writes one value to each of these places.
    pub fn scatter(&mut self, slots: &[Slot], column: &Column) {
        match (&mut self.values, &column.values) {
            (StoredValues::Octets(to), Values::Octets(from)) => put(to, slots, from),
            (StoredValues::Words(to), Values::Words(from)) => put(to, slots, from),
            (StoredValues::Floats(to), Values::Floats(from)) => put(to, slots, from),
            (StoredValues::Arena(to), Values::Arena(Arena { offsets, bytes })) => {
                for (&slot, range) in slots.iter().zip(offsets.windows(2)) {
                    let value = &bytes[range[0] as usize..range[1] as usize];
                    if *to[slot as usize] != *value {
                        self.arena_bytes += value.len();
                        self.arena_bytes -= to[slot as usize].len();
                        to[slot as usize] = value.into();
                    }
                }
            }
            _ => unreachable!("an accumulator keeps its schema"),
        }
        match (&column.valid, &mut self.valid) {
            (Some(from), _) => put(self.validity(), slots, from),
            (None, Some(to)) => fill(to, slots, 1),
            (None, None) => {}
        }
    }
}

fn fill<T: Copy>(to: &mut [T], slots: &[Slot], value: T) {
    slots.iter().for_each(|&slot| to[slot as usize] = value);
}

fn pick<T: Copy>(from: &[T], slots: &[Slot]) -> Vec<T> {
    slots.iter().map(|&slot| from[slot as usize]).collect()
}

fn put<T: Copy>(to: &mut [T], slots: &[Slot], from: &[T]) {
    slots
        .iter()
        .zip(from)
        .for_each(|(&slot, &value)| to[slot as usize] = value);
}
