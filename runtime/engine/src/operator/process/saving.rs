//! What a process operator keeps, for a cut, and going on from one.
//!
//! Nothing refers to numbers that another process would give: slots and timers go by their names, keys and sub-keys by
//! their encoded bytes.

use tidemill_core::process::Setter;
use tidemill_core::time;
use tidemill_core::window::KeyId;
use tidemill_wasm::Clock;

use super::Process;
use crate::checkpoint::cut::At;
use crate::checkpoint::kept::{Block, Blocks, Lists, ProcessKept, StatesKept, TimerKept};
use crate::checkpoint::restored::{Damaged, Mine, Unrestored};
use crate::error::EngineError;
use crate::state::Next;

/// How many keys a block has at most: saving one holds rows up for well under a millisecond.
const BLOCK: usize = 4096;

/// How many bytes make a block large enough.
const BLOCK_BYTES: usize = 1 << 20;

/// Where what was kept stands here.
struct Names {
    /// By slot of the operator, which of those kept it is, if any.
    slots: Vec<Option<usize>>,
    /// By timer that was kept, its number.
    timers: Vec<(u32, Clock)>,
}

impl Process {
    /// What is kept beside blocks, as of a barrier.
    pub(super) fn kept(&self) -> ProcessKept {
        let parts = &self.parts;
        ProcessKept {
            watermark: self.watermark,
            now: self.now,
            ended: parts.ended,
            keys: (parts.keying.table.len() + parts.state.outside()) as u64,
            slots: parts.slots.clone(),
            timers: parts.names.in_order().map(str::to_owned).collect(),
            holds: self.journal.holds(),
        }
    }

    /// Sets apart what a cut holds.
    pub(super) fn begin_saving(&mut self, at: &At) -> Result<(), EngineError> {
        self.kept_back.clear();
        self.journal.cut(at, self.parts.keying.table.numbers());
        let since = self.journal.since();
        self.outside = self.with_state(|state, _| state.snapshot_outside(since))?;
        Ok(())
    }

    /// The next block of the last cut, without keys if it is not there yet; nothing if there is none left. What was not in
    /// memory comes before what was, and speaks for keys that were in memory only as long as that does not.
    pub(super) fn next_block(&mut self) -> Result<Option<Block>, EngineError> {
        // What has gone comes before what has come again.
        let gone = self.journal.take_gone();
        if gone.count() > 0 {
            let nothing = self.block(&[]);
            let block = StatesKept { gone, ..nothing };
            return Ok(Some(block.encode(&self.buffers)));
        }
        if let Some(outside) = &mut self.outside {
            match outside.next() {
                Next::Block(block) => return Ok(Some(block)),
                Next::Later => return Ok(Some(Block::default())),
                Next::Failed(source) => return Err(self.failed(source)),
                Next::End => self.outside = None,
            }
        }
        if let Some(block) = self.kept_back.pop_front() {
            return Ok(Some(block));
        }
        if !self.journal.is_saving() {
            return Ok(None);
        }
        let keys = self.next_keys();
        Ok((!keys.is_empty()).then(|| self.block(&keys).encode(&self.buffers)))
    }

    fn next_keys(&mut self) -> Vec<KeyId> {
        let (mut keys, mut bytes) = (Vec::with_capacity(BLOCK), 0);
        while keys.len() < BLOCK
            && bytes < BLOCK_BYTES
            && let Some(key) = self.journal.next()
        {
            if self.keeps(key) {
                keys.push(key);
                bytes += self.parts.state.weight(key);
            }
        }
        // As they lie in memory.
        keys.reverse();
        keys
    }

    /// Whether anything is held for a key.
    pub(super) fn keeps(&self, key: KeyId) -> bool {
        self.parts.state.holds(key) || self.timers.has(key) || self.clock_timers.has(key)
    }

    /// What is kept for keys.
    pub(super) fn block(&self, keys: &[KeyId]) -> StatesKept {
        StatesKept {
            slots: self.parts.state.save(keys),
            ..self.beside_slots(keys)
        }
    }

    /// What is kept for keys, their state apart.
    pub(super) fn beside_slots(&self, keys: &[KeyId]) -> StatesKept {
        StatesKept {
            gone: Lists::default(),
            keys: self.parts.keying.table.encoded(keys),
            timers: self.timers_of(keys),
            slots: Vec::new(),
        }
    }

    fn timers_of(&self, keys: &[KeyId]) -> Lists<TimerKept> {
        if self.timers.is_empty() && self.clock_timers.is_empty() {
            return Lists::empty(keys.len());
        }
        let (mut all, mut timers) = (Lists::default(), Vec::new());
        for &key in keys {
            timers.clear();
            let both = self.timers.of(key).iter().chain(self.clock_timers.of(key));
            timers.extend(both.map(|timer| TimerKept {
                name: timer.name,
                time: timer.time,
            }));
            all.push(&timers);
        }
        all
    }

    /// Goes on from what workers kept, as far as it is this one's.
    pub(super) fn restore(
        &mut self,
        parts: Vec<ProcessKept>,
        blocks: &Blocks,
        mine: &Mine,
    ) -> Result<(), Unrestored> {
        let watermark = parts.iter().map(|part| part.watermark).min();
        self.watermark = watermark.unwrap_or(time::MIN);
        self.reached = self.watermark;
        self.now = parts.iter().map(|part| part.now).max().unwrap_or(time::MIN);
        self.parts.ended = parts.iter().any(|part| part.ended);
        let Some(first) = parts.first() else {
            return Ok(());
        };
        let alike =
            |part: &ProcessKept| (&part.slots, &part.timers) == (&first.slots, &first.timers);
        if !parts.iter().all(alike) {
            return Err(Unrestored::Damaged);
        }
        let names = self.names(first)?;
        let all: u64 = parts.iter().map(|part| part.keys).sum();
        let room = self.parts.state.expect(all as usize / mine.workers);
        self.parts.keying.table.reserve(room);
        blocks.each(|block| {
            self.restore_block(block, &names, mine)?;
            Ok(self.make_room_in_memory()?)
        })
    }

    /// Forgets keys, and all that is held for them in memory.
    fn drop_keys(&mut self, keys: &[KeyId]) {
        self.parts.state.forget(keys);
        for &key in keys {
            for timers in [&mut self.timers, &mut self.clock_timers] {
                while timers.take(key).is_some() {}
            }
        }
    }

    fn names(&self, kept: &ProcessKept) -> Result<Names, Damaged> {
        let known = |name: &String| self.parts.slots.contains(name);
        if !kept.slots.iter().all(known) {
            return Err(Damaged);
        }
        let slots = self.parts.slots.iter();
        let timers = kept.timers.iter();
        Ok(Names {
            slots: slots
                .map(|name| kept.slots.iter().position(|kept| kept == name))
                .collect(),
            timers: timers
                .map(|name| self.parts.names.named(name).ok_or(Damaged))
                .collect::<Result<_, _>>()?,
        })
    }

    fn restore_block(
        &mut self,
        mut block: StatesKept,
        names: &Names,
        mine: &Mine,
    ) -> Result<(), Unrestored> {
        // What was due has fired; what is due nevertheless, a timer of the clock had set, and it fires next.
        let by = Setter::row(tidemill_core::process::Timer::NO_ROW, self.watermark);
        self.restore_gone(&block, mine)?;
        let (mut own, mut again) = (Vec::new(), Vec::new());
        for i in 0..block.keys.count() {
            let key = block.keys.get(i).ok_or(Damaged)?;
            if !mine.is(key) {
                continue;
            }
            let known = self.parts.keying.table.len();
            let id = self.parts.keying.table.insert(key).ok_or(Damaged)?;
            if self.parts.keying.table.len() == known {
                again.push(id);
            }
            own.push((id, i));
        }
        self.bring_again(&own, &mut again)?;
        self.drop_keys(&again);
        own.iter().for_each(|&(id, _)| self.journal.restored(id));
        for &(id, i) in &own {
            for timer in block.timers.get(i).ok_or(Damaged)? {
                let named = names.timers.get(timer.name as usize);
                let &(name, clock) = named.ok_or(Damaged)?;
                let timers = match clock {
                    Clock::Event => &mut self.timers,
                    Clock::Processing => &mut self.clock_timers,
                };
                timers.set(id, (timer.time, name), by);
            }
        }
        let mut slots = Vec::with_capacity(names.slots.len());
        for &slot in &names.slots {
            let kept = slot.map(|slot| block.slots.get_mut(slot).ok_or(Damaged));
            slots.push(kept.transpose()?.map(std::mem::take));
        }
        Ok(self.parts.state.load(&own, slots)?)
    }

    /// Has keys in memory that stand in a block, since what was held for them goes: adds those to `again`.
    fn bring_again(
        &mut self,
        own: &[(KeyId, usize)],
        again: &mut Vec<KeyId>,
    ) -> Result<(), Unrestored> {
        if self.parts.state.outside() > 0 {
            let keys: Vec<KeyId> = own.iter().map(|&(id, _)| id).collect();
            self.try_with_state(|state, beside| state.bring(&keys, beside))?;
            self.came.clear();
            again.extend(keys.into_iter().filter(|&key| self.keeps(key)));
        }
        Ok(())
    }

    /// Forgets the keys that are gone.
    fn restore_gone(&mut self, block: &StatesKept, mine: &Mine) -> Result<(), Unrestored> {
        let mut gone = Vec::new();
        for i in 0..block.gone.count() {
            let key = block.gone.get(i).ok_or(Damaged)?;
            if mine.is(key) {
                gone.push(self.parts.keying.table.insert(key).ok_or(Damaged)?);
            }
        }
        self.try_with_state(|state, beside| state.bring(&gone, beside))?;
        self.came.clear();
        self.drop_keys(&gone);
        self.try_with_state(|state, beside| state.let_go(&gone, beside))?;
        for key in gone {
            self.journal.leaves(key);
            self.parts.keying.table.remove(key);
        }
        Ok(())
    }
}
