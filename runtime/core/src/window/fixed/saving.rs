//! What is saved of a key: its parts, and how often its windows have fired. Running merges follow from the parts.

use super::super::saved::{Loading, Save, Saved, Unreadable};
use super::numbers::Numbers;
use super::panes::{Panes, Part};
use super::{Fixed, Kept, More};

impl Kept {
    /// Appends parts, then numbers.
    pub(in crate::window) fn save(&self, into: &mut Saved) {
        into.count(self.panes.all().len());
        for part in self.panes.all() {
            into.word(part.pane);
            into.word(part.refused);
            into.slots.push(part.slot);
        }
        let numbers = self
            .more
            .as_ref()
            .map_or(&[][..], |more| more.numbers.all());
        into.count(numbers.len());
        for &(window, number) in numbers {
            into.word(window);
            into.word(number);
        }
    }

    /// The inverse.
    pub(in crate::window) fn load(from: &mut Loading<'_>) -> Result<Self, Unreadable> {
        let mut panes = Panes::default();
        for _ in 0..from.count()? {
            let (pane, refused) = (from.word()?, from.number()?);
            let slot = from.new_slot();
            panes.insert(Part {
                pane,
                refused,
                slot,
            });
        }
        let mut numbers = Numbers::default();
        for _ in 0..from.count()? {
            let window = from.word()?;
            numbers.set(window, from.number()?);
        }
        let more = (!numbers.is_empty()).then(|| {
            Box::new(More {
                numbers,
                ..More::default()
            })
        });
        Ok(Self { panes, more })
    }
}

impl Save for Fixed {
    fn save(&self, kept: &Kept, into: &mut Saved) {
        kept.save(into);
    }

    fn load(&self, from: &mut Loading<'_>) -> Result<Kept, Unreadable> {
        Kept::load(from)
    }
}
