//! Lists and maps as they are kept in a checkpoint.

use tidemill_core::window::KeyId;

use super::lists::ListSlot;
use super::maps::MapSlot;
use super::{Entries, Entry};
use crate::checkpoint::kept::SlotKept;
use crate::checkpoint::restored::Damaged;
use crate::state::memory::saving::Given;

impl Entries {
    /// About how many bytes are held for a key.
    pub fn weight(&self, key: KeyId) -> usize {
        let lists: usize = self.lists.iter().map(|slot| slot.weight(key)).sum();
        lists + self.maps.iter().map(|slot| slot.weight(key)).sum::<usize>()
    }

    /// What is held for these keys: lists, then maps.
    pub fn save(&self, keys: &[KeyId]) -> impl Iterator<Item = SlotKept> {
        let lists = self.lists.iter().map(|slot| slot.save(keys));
        lists.chain(self.maps.iter().map(|slot| slot.save(keys)))
    }

    /// Takes what was kept for these keys.
    pub fn load(
        &mut self,
        own: &[(KeyId, usize)],
        mut kept: impl Iterator<Item = Option<SlotKept>>,
    ) -> Result<(), Damaged> {
        for (slot, kept) in self.lists.iter_mut().zip(kept.by_ref()) {
            if let Some(kept) = kept {
                slot.load(own, kept)?;
            }
        }
        for (slot, kept) in self.maps.iter_mut().zip(kept) {
            if let Some(kept) = kept {
                slot.load(own, kept)?;
            }
        }
        Ok(())
    }
}

impl ListSlot {
    fn weight(&self, key: KeyId) -> usize {
        let entries = self.lists.get(&key).into_iter().flatten();
        entries.map(|entry| self.slab.weight(entry.number)).sum()
    }

    fn save(&self, keys: &[KeyId]) -> SlotKept {
        let mut numbers = Vec::new();
        let mut kept = SlotKept::default();
        for key in keys {
            for entry in self.lists.get(key).into_iter().flatten() {
                numbers.push(entry.number);
                if self.ttl.is_some() {
                    kept.clocks.push(entry.clock);
                }
            }
            kept.entries.ends.push(numbers.len() as u64);
        }
        if !numbers.is_empty() {
            kept.entries.rows = self.slab.gather(&numbers).into();
        }
        kept
    }

    fn load(&mut self, own: &[(KeyId, usize)], kept: SlotKept) -> Result<(), Damaged> {
        let mut ranges = kept.ranges(own)?;
        for (_, range) in &mut ranges {
            // A list that may be shorter now keeps its newest.
            let longer = range.len().saturating_sub(self.most);
            range.start += longer as u32;
        }
        let like = (&self.slab.gather(&[]), self.ttl.is_some());
        let given = Given::new(kept.entries.rows.into(), kept.clocks, like)?;
        let rows: Vec<u32> = ranges.iter().flat_map(|(_, range)| range.clone()).collect();
        let numbers = self.slab.insert(&given.picked(&rows));
        let clocks = rows.iter().map(|&row| given.clock(row));
        let entries = numbers.into_iter().zip(clocks);
        let mut entries = entries.map(|(number, clock)| Entry { number, clock });
        for (key, range) in ranges.into_iter().filter(|(_, range)| !range.is_empty()) {
            let list = entries.by_ref().take(range.len()).collect();
            self.lists.insert(key, list);
        }
        self.entries += rows.len();
        Ok(())
    }
}

impl MapSlot {
    fn weight(&self, key: KeyId) -> usize {
        let entries = self.maps.get(&key).into_iter().flatten();
        entries
            .map(|(sub_key, entry)| sub_key.len() + self.slab.weight(entry.number))
            .sum()
    }

    fn save(&self, keys: &[KeyId]) -> SlotKept {
        let mut numbers = Vec::new();
        let mut kept = SlotKept::default();
        for key in keys {
            for (sub_key, entry) in self.maps.get(key).into_iter().flatten() {
                numbers.push(entry.number);
                kept.sub_keys.push(sub_key);
                if self.ttl.is_some() {
                    kept.clocks.push(entry.clock);
                }
            }
            kept.entries.ends.push(numbers.len() as u64);
        }
        if !numbers.is_empty() {
            kept.entries.rows = self.slab.gather(&numbers).into();
        }
        kept
    }

    fn load(&mut self, own: &[(KeyId, usize)], kept: SlotKept) -> Result<(), Damaged> {
        let ranges = kept.ranges(own)?;
        let like = (&self.slab.gather(&[]), self.ttl.is_some());
        let given = Given::new(kept.entries.rows.into(), kept.clocks, like)?;
        let rows: Vec<u32> = ranges.iter().flat_map(|(_, range)| range.clone()).collect();
        let mut numbers = self.slab.insert(&given.picked(&rows)).into_iter();
        for (key, range) in ranges {
            for (row, number) in range.zip(numbers.by_ref()) {
                let sub_key = kept.sub_keys.get(row as usize).ok_or(Damaged)?;
                let clock = given.clock(row);
                self.put(key, sub_key.into(), Entry { number, clock });
            }
        }
        Ok(())
    }
}
