//! A machine that stops and goes on: everything that was kept is saved, and loaded by an operator that knows nothing.

use std::collections::BTreeMap;

use tidemill_core::window::{KeyId, Saved, WindowOperator};

use crate::machine::Machine;

/// One key as it is saved, and what its accumulators, rows and results were.
struct SavedKey {
    name: String,
    saved: Saved,
}

impl Machine {
    /// Goes on in a new operator, from what was saved. The keys come back in two parts, as if two workers had had them, with
    /// other numbers.
    pub fn restart(&mut self) {
        let mut parts: [Vec<SavedKey>; 2] = Default::default();
        for (name, &key) in &self.keys.numbers {
            let mut saved = Saved::default();
            self.operator.save(key, &mut saved);
            parts[name.len() % 2].push(SavedKey {
                name: name.clone(),
                saved,
            });
        }
        let mut operator = WindowOperator::new(self.spec);
        operator.stand_at(self.operator.watermark(), self.operator.last_tick());
        self.operator = operator;
        self.keys = Default::default();
        let before = (
            std::mem::take(&mut self.accs),
            std::mem::take(&mut self.stored),
            std::mem::take(&mut self.sent),
        );
        for part in parts.iter_mut().rev() {
            part.reverse();
            let numbers: Vec<KeyId> = part.iter().map(|key| self.keys.number(&key.name)).collect();
            let words = part.iter().map(|key| &key.saved.words[..]);
            let given = self.operator.load(numbers.into_iter().zip(words));
            let given = given.expect("what was saved can be loaded");
            let old = |pick: fn(&Saved) -> Vec<u64>| -> Vec<u64> {
                part.iter().flat_map(|key| pick(&key.saved)).collect()
            };
            let slots = |saved: &Saved| saved.slots.iter().map(|&slot| slot.into()).collect();
            let accs = before.0.iter().map(|(&slot, acc)| (slot.into(), acc));
            let accs: BTreeMap<u64, _> = accs.collect();
            let moved = pairs(&old(slots), &slots(&given), &accs);
            self.accs.extend(
                moved
                    .into_iter()
                    .map(|(slot, acc)| (slot as u32, (*acc).clone())),
            );
            let rows = |saved: &Saved| saved.rows.clone();
            self.stored.extend(
                pairs(&old(rows), &given.rows, &before.1)
                    .into_iter()
                    .map(|(id, &row)| (id, row)),
            );
            let results = |saved: &Saved| saved.results.clone();
            let sent = pairs(&old(results), &given.results, &before.2);
            self.sent
                .extend(sent.into_iter().map(|(id, sent)| (id, sent.clone())));
        }
        assert_eq!(self.stored.len(), before.1.len(), "all rows are saved");
        assert_eq!(self.sent.len(), before.2.len(), "all results are saved");
    }
}

/// What stood under old numbers, under new ones.
fn pairs<'a, T>(old: &[u64], new: &[u64], values: &'a BTreeMap<u64, T>) -> Vec<(u64, &'a T)> {
    assert_eq!(
        old.len(),
        new.len(),
        "everything mentioned gets a new number"
    );
    old.iter()
        .zip(new)
        .map(|(old, &new)| (new, &values[old]))
        .collect()
}
