//! Slots of kind value as they are kept in a checkpoint, and what all kinds of slots need for that.

use tidemill_core::window::KeyId;
use tidemill_wasm::Table;

use super::values::ValueSlot;
use crate::checkpoint::kept::SlotKept;
use crate::checkpoint::restored::Damaged;

/// Entries of one slot that were kept, of all keys.
pub struct Given {
    rows: Table,
    /// Per entry the time that it lives from; nothing where none expires.
    clocks: Vec<i64>,
}

impl Given {
    /// The rows of what was kept: columns like those of `like`, and clocks if entries expire.
    pub fn new(rows: Table, clocks: Vec<i64>, like: (&Table, bool)) -> Result<Self, Damaged> {
        let (table, mortal) = like;
        let clocked = !mortal || clocks.len() == rows.rows as usize;
        // No entry, no columns: a slot that has never held anything.
        let whole = rows.rows == 0 || rows.is_like(table);
        if clocked && whole {
            Ok(Self { rows, clocks })
        } else {
            Err(Damaged)
        }
    }

    /// The entries in these rows.
    pub fn picked(&self, rows: &[u32]) -> Table {
        self.rows.gather(rows)
    }

    /// The time that an entry lives from.
    pub fn clock(&self, row: u32) -> i64 {
        self.clocks.get(row as usize).copied().unwrap_or(i64::MIN)
    }
}

impl ValueSlot {
    /// About how many bytes are held for a key.
    pub fn weight(&self, key: KeyId) -> usize {
        if !self.holds(key) {
            return 0;
        }
        match self.has_arenas {
            true => self.columns.iter().map(|column| column.weight(key)).sum(),
            false => self.least_bytes,
        }
    }

    /// What is held for these keys.
    pub fn save(&self, keys: &[KeyId]) -> SlotKept {
        let mut kept = SlotKept::default();
        let mut there = Vec::with_capacity(keys.len());
        for &key in keys {
            if self.holds(key) {
                there.push(key);
            }
            kept.entries.ends.push(there.len() as u64);
        }
        if self.ttl.is_some() {
            let clocks = there.iter().map(|&key| self.clocks[key as usize]);
            kept.clocks = clocks.collect();
        }
        if !there.is_empty() {
            kept.entries.rows = self.table(&there).into();
        }
        kept
    }

    /// Takes what was kept for these keys.
    pub fn load(&mut self, own: &[(KeyId, usize)], kept: SlotKept) -> Result<(), Damaged> {
        let mut ranges = kept.ranges(own)?;
        if ranges.iter().any(|(_, range)| range.len() > 1) {
            return Err(Damaged);
        }
        ranges.retain(|(_, range)| !range.is_empty());
        let (keys, rows): (Vec<KeyId>, Vec<u32>) = ranges
            .into_iter()
            .map(|(key, range)| (key, range.start))
            .unzip();
        let like = (&self.table(&[]), self.ttl.is_some());
        let given = Given::new(kept.entries.rows.into(), kept.clocks, like)?;
        if keys.is_empty() {
            return Ok(());
        }
        self.grow(&keys);
        if self.ttl.is_some() {
            let clocks = rows.iter().map(|&row| given.clock(row));
            for (&key, clock) in keys.iter().zip(clocks) {
                self.clocks[key as usize] = clock;
            }
        }
        self.write(&keys, &given.picked(&rows));
        Ok(())
    }

    /// The entries of these keys, which there are.
    fn table(&self, keys: &[KeyId]) -> Table {
        let columns = self.columns.iter().map(|column| column.gather(keys));
        Table {
            rows: keys.len() as u32,
            columns: columns.collect(),
        }
    }
}
