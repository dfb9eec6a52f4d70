//! What is saved of a key: its windows with what triggers and modes need of them, and what they share.

use super::super::fixed::Kept;
use super::super::saved::{Loading, Save, Saved, Unreadable};
use super::super::stored::StoredRows;
use super::one::One;
use super::{Held, Tracked};

impl Save for Tracked {
    fn save(&self, held: &Held, into: &mut Saved) {
        into.count(held.windows.len());
        held.windows.iter().for_each(|one| one.save(into));
        held.parts.save(into);
        held.rows.save(into);
    }

    fn load(&self, from: &mut Loading<'_>) -> Result<Held, Unreadable> {
        let count = from.count()?;
        Ok(Held {
            windows: (0..count)
                .map(|_| One::load(from))
                .collect::<Result<_, _>>()?,
            parts: Kept::load(from)?,
            rows: StoredRows::load(from)?,
        })
    }
}

impl One {
    fn save(&self, into: &mut Saved) {
        for time in [self.start, self.end, self.largest] {
            into.word(time);
        }
        for count in [self.rows, self.unsent, self.counted, self.number] {
            into.word(count);
        }
        into.slot(self.slot);
        self.stored.save(into);
        into.word(self.sent.is_some());
        if let Some(sent) = self.sent {
            into.id(sent);
            into.results.push(sent);
        }
    }

    fn load(from: &mut Loading<'_>) -> Result<Self, Unreadable> {
        let (start, end, largest) = (from.word()?, from.word()?, from.word()?);
        Ok(Self {
            largest,
            rows: from.number()?,
            unsent: from.number()?,
            counted: from.number()?,
            number: from.number()?,
            slot: from.slot()?,
            stored: StoredRows::load(from)?,
            sent: if from.flag()? {
                let sent = from.id()?;
                from.given.results.push(sent);
                Some(sent)
            } else {
                None
            },
            ..Self::new(start, end)
        })
    }
}
