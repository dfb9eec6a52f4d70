//! Entries in columns, by dense numbers that are given out again.

use arrow_schema::Field;
use tidemill_rows::LogicalType;
use tidemill_wasm::Table;

use crate::state::store::Store;

/// Entries of one slot.
pub struct Slab {
    columns: Vec<Store>,
    free: Vec<u32>,
    /// All numbers from here on were never given out.
    next: u32,
    room: usize,
}

impl Slab {
    /// No entries, of these columns.
    pub fn new(fields: &[Field]) -> Self {
        let of = |field: &Field| Store::of(LogicalType::of(field.data_type()));
        Self {
            columns: fields.iter().map(of).collect(),
            free: Vec::new(),
            next: 0,
            room: 0,
        }
    }

    /// Numbers for new entries, one for each row of the table.
    ///
    /// # Panics
    /// If there are more than 2^32 entries, far beyond what fits into memory.
    pub fn insert(&mut self, entries: &Table) -> Vec<u32> {
        let numbers: Vec<u32> = (0..entries.rows).map(|_| self.number()).collect();
        if self.next as usize > self.room {
            self.room = (self.next as usize).next_power_of_two();
            let room = self.room;
            self.columns.iter_mut().for_each(|column| column.grow(room));
        }
        if !numbers.is_empty() {
            for (store, column) in self.columns.iter_mut().zip(&entries.columns) {
                store.scatter(&numbers, column);
            }
        }
        numbers
    }

    fn number(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            let number = self.next;
            self.next = number.checked_add(1).expect("fewer than 2^32 entries");
            number
        })
    }

    /// Gives numbers back.
    pub fn remove(&mut self, numbers: impl Iterator<Item = u32>) {
        let before = self.free.len();
        self.free.extend(numbers);
        let freed = &self.free[before..];
        self.columns
            .iter_mut()
            .for_each(|column| column.release(freed));
    }

    /// About how many bytes of data an entry has.
    pub fn weight(&self, number: u32) -> usize {
        let columns = self.columns.iter();
        columns.map(|column| column.weight(number)).sum()
    }

    /// The entries with these numbers.
    pub fn gather(&self, numbers: &[u32]) -> Table {
        let columns = self.columns.iter().map(|column| column.gather(numbers));
        Table {
            rows: numbers.len() as u32,
            columns: columns.collect(),
        }
    }

    /// About how much memory the entries take that there are: numbers that are free are left out, the next entries have them.
    pub fn in_use(&self) -> usize {
        let arenas: usize = self.columns.iter().map(Store::arena_bytes).sum();
        let places = self.bytes() - arenas;
        let entries = self.next as usize - self.free.len();
        arenas + places / self.room.max(1) * entries
    }

    /// About how much memory it takes.
    pub fn bytes(&self) -> usize {
        let columns: usize = self.columns.iter().map(Store::bytes).sum();
        columns + self.free.len() * size_of::<u32>()
    }
}
