//! What a window operator keeps, for a cut, and going on from one.

use std::sync::atomic::Ordering::Relaxed;

use tidemill_core::time;
use tidemill_core::window::{Firing, KeyId, Moment, ResultId, Saved, Slot};
use tidemill_wasm::Table;

use super::Window;
use crate::checkpoint::kept::{FiringKept, KeysKept, StoredKept, WindowsKept};
use crate::checkpoint::restored::{Damaged, Mine};

/// How many keys a block has at most.
const BLOCK: usize = 16 * 1024;

impl Window {
    /// Everything that is kept, as of a barrier.
    pub(super) fn kept(&mut self) -> WindowsKept {
        let ids: Vec<KeyId> = self.parts.keying.table.ids().collect();
        let blocks = ids.chunks(BLOCK).map(|keys| self.block(keys)).collect();
        WindowsKept {
            watermark: self.parts.window.watermark(),
            tick: self.parts.window.last_tick(),
            blocks,
        }
    }

    fn block(&mut self, keys: &[KeyId]) -> KeysKept {
        let (mut kept, mut slots) = (KeysKept::default(), Vec::<Slot>::new());
        let (mut saved, mut encoded) = (Saved::default(), Vec::new());
        let (mut rows, mut sent_slots) = (Vec::new(), Vec::new());
        for &key in keys {
            saved.clear();
            self.parts.window.save(key, &mut saved);
            if saved.words.is_empty() {
                continue;
            }
            encoded.clear();
            self.parts.keying.table.encode(key, &mut encoded);
            kept.keys.push(&encoded);
            kept.words.push(&saved.words);
            slots.extend_from_slice(&saved.slots);
            kept.accs.ends.push(slots.len() as u64);
            rows.extend_from_slice(&saved.rows);
            kept.stored.ends.push(rows.len() as u64);
            kept.sent.push(&self.sent(&saved.results, &mut sent_slots));
        }
        let called = &mut self.parts.called;
        if let Some(aggregator) = called.aggregator() {
            kept.poisoned = aggregator.poisoned(&slots);
            kept.accs.rows = aggregator.kept(&slots).into();
        }
        if let Some(stored) = called.rows() {
            kept.stored.rows = stored.kept(&rows);
        }
        if let Some(sent) = &self.sent {
            let accs = sent.accs(&sent_slots);
            match called.whole() {
                Some(whole) => kept.sent_rows = whole.kept(&accs),
                None => kept.sent_accs = accs.into(),
            }
        }
        kept
    }

    fn sent(&self, results: &[ResultId], slots: &mut Vec<Slot>) -> Vec<Option<FiringKept>> {
        let sent = self.sent.as_ref();
        let firing = |id: &ResultId| {
            let (slot, firing) = sent?.get(*id)?;
            slots.push(slot);
            Some(FiringKept::from(&firing))
        };
        results.iter().map(firing).collect()
    }

    /// Goes on from what workers kept, as far as it is this one's.
    pub(super) fn restore(&mut self, parts: Vec<WindowsKept>, mine: &Mine) -> Result<(), Damaged> {
        let watermark = parts.iter().map(|part| part.watermark).min();
        let watermark = watermark.unwrap_or(time::MIN);
        let tick = parts.iter().filter_map(|part| part.tick).max();
        self.parts.window.stand_at(watermark, tick);
        if watermark != time::MAX {
            (self.watermark, self.reached) = (watermark, watermark);
        }
        let mut blocks = parts.into_iter().flat_map(|part| part.blocks);
        blocks.try_for_each(|block| self.restore_block(block, mine))?;
        let keys = self.parts.keying.table.len() as u64;
        self.parts.counters.keys.store(keys, Relaxed);
        Ok(())
    }

    fn restore_block(&mut self, block: KeysKept, mine: &Mine) -> Result<(), Damaged> {
        let mut own = Own::default();
        let mut sent_rows = 0;
        for i in 0..block.keys.count() {
            let key = block.keys.get(i).ok_or(Damaged)?;
            let results = block.sent.get(i).ok_or(Damaged)?;
            let is_mine = mine.is(key);
            if is_mine {
                let id = self.parts.keying.table.insert(key).ok_or(Damaged)?;
                own.keys.push(id);
                own.words.push(block.words.get(i).ok_or(Damaged)?);
                let accs = block.accs.of(i).ok_or(Damaged)?;
                own.accs.extend(accs.start as u32..accs.end as u32);
                own.rows.extend(block.stored.of(i).ok_or(Damaged)?);
            }
            for result in results {
                if is_mine {
                    let firing = result
                        .as_ref()
                        .map(|kept| kept.of(own.keys[own.keys.len() - 1]));
                    own.results.push((firing, sent_rows));
                }
                sent_rows += u32::from(result.is_some());
            }
        }
        let keys = own.keys.iter().copied().zip(own.words.iter().copied());
        let given = self.parts.window.load(keys).map_err(|_| Damaged)?;
        let whole = given.slots.len() == own.accs.len()
            && given.results.len() == own.results.len()
            && given.rows.len() == own.rows.len();
        if !whole {
            return Err(Damaged);
        }
        let called = &mut self.parts.called;
        if let Some(aggregator) = called.aggregator() {
            aggregator.restore(&given.slots, (&block.accs.rows.into(), &own.accs))?;
            for (row, why) in block.poisoned {
                if let Some(at) = own.accs.iter().position(|&own| own == row) {
                    aggregator.poison(given.slots[at], why)?;
                }
            }
        }
        if let Some(stored) = called.rows() {
            let rows = given.rows.into_iter().zip(own.rows);
            stored.restore(&block.stored.rows, rows.collect())?;
        }
        let sent = Sent {
            accs: block.sent_accs.into(),
            rows: block.sent_rows,
        };
        self.restore_sent(&given.results, own.results, sent)
    }

    fn restore_sent(
        &mut self,
        ids: &[ResultId],
        results: Vec<(Option<Option<Firing>>, u32)>,
        kept: Sent,
    ) -> Result<(), Damaged> {
        let Some(sent) = &mut self.sent else {
            return if ids.is_empty() { Ok(()) } else { Err(Damaged) };
        };
        let (mut firings, mut places) = (Vec::new(), Vec::new());
        for (&id, (firing, place)) in ids.iter().zip(results) {
            if let Some(firing) = firing {
                firings.push((id, firing.ok_or(Damaged)?));
                places.push(place);
            }
        }
        match self.parts.called.whole() {
            None => sent.restore(firings, (&kept.accs, &places)),
            Some(whole) => {
                let results = firings.iter().map(|(id, _)| *id).zip(places);
                let results: Vec<(ResultId, u32)> = results.collect();
                let last = self.parts.window.reserve(kept.rows.count());
                let accs = whole.restore(&kept.rows, &results, last)?;
                let all: Vec<u32> = (0..accs.rows).collect();
                sent.restore(firings, (&accs, &all))
            }
        }
    }
}

/// What results saw that may be taken back, of all workers.
struct Sent {
    accs: Table,
    rows: StoredKept,
}

/// What of a block is this worker's.
#[derive(Default)]
struct Own<'a> {
    /// The new numbers of keys, and their words.
    keys: Vec<KeyId>,
    words: Vec<&'a [i64]>,
    /// Rows of their accumulators.
    accs: Vec<u32>,
    /// Their stored rows.
    rows: Vec<u32>,
    /// Their results: the firing, if there is a result, and the row of its accumulator.
    results: Vec<(Option<Option<Firing>>, u32)>,
}

impl From<&Firing> for FiringKept {
    fn from(firing: &Firing) -> Self {
        Self {
            start: firing.start,
            end: firing.end,
            time: firing.time,
            moment: firing.moment as u8,
            number: firing.number,
            last: firing.last,
            at: firing.at,
        }
    }
}

impl FiringKept {
    /// The firing, of this key; nothing if it is none. Its stamp and W are those of whatever takes its result back.
    fn of(&self, key: KeyId) -> Option<Firing> {
        let moments = [Moment::Early, Moment::OnTime, Moment::Correction];
        Some(Firing {
            key,
            start: self.start,
            end: self.end,
            time: self.time,
            moment: *moments.get(usize::from(self.moment))?,
            number: self.number,
            last: self.last,
            at: self.at,
            stamp: time::MIN,
            w: time::MIN,
            row: None,
        })
    }
}
