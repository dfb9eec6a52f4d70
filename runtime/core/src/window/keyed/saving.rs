//! Saving what is kept for keys, and going on from it.

use super::super::KeyId;
use super::super::saved::{Loading, Save, Saved, Unreadable};
use super::{Entry, Keyed};

impl<F: Save> Keyed<F> {
    /// Appends what is kept for a key; nothing if there is nothing.
    pub(in crate::window) fn save_key(&self, key: KeyId, into: &mut Saved) {
        let Some(entry) = self.entries.get(key as usize) else {
            return;
        };
        if !self.family.is_empty(&entry.held) {
            self.family.save(&entry.held, into);
        }
    }

    /// Stands at least where the operator stood that has saved what it kept (Watermarks 1).
    pub(in crate::window) fn stand_at(&mut self, watermark: i64) {
        self.watermark = self.watermark.max(watermark);
        self.reached = self.reached.max(self.watermark);
    }

    /// Takes keys for which nothing is kept, as they were saved at this operator's watermark.
    pub(in crate::window) fn load<'a>(
        &mut self,
        keys: impl Iterator<Item = (KeyId, &'a [i64])>,
    ) -> Result<Saved, Unreadable> {
        let mut given = Saved::default();
        let base = self.ids;
        for (key, words) in keys {
            self.slots.begin();
            let mut from = Loading {
                words: words.iter(),
                slots: &mut self.slots,
                base,
                largest: &mut self.ids,
                given: &mut given,
            };
            let held = self.family.load(&mut from)?;
            if from.words.next().is_some() {
                return Err(Unreadable);
            }
            self.slots.commit(&[]);
            self.put(key, held);
        }
        Ok(given)
    }

    /// Gives up so many numbers; the last before them.
    pub(in crate::window) fn reserve(&mut self, count: u64) -> u64 {
        let last = self.ids;
        self.ids += count;
        last
    }

    fn put(&mut self, key: KeyId, held: F::Held) {
        if key as usize >= self.entries.len() {
            self.entries.resize_with(key as usize + 1, Entry::default);
        }
        if self.family.is_unsent(&held) {
            self.unsent.push(key);
        }
        let due = self.family.due(&held, self.watermark);
        self.entries[key as usize].held = held;
        self.arm(key, due);
    }
}
