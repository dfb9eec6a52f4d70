//! What a process operator keeps, for a cut, and going on from one.
//!
//! Nothing refers to numbers that another process would give: slots and timers go by their names, keys and sub-keys by
//! their encoded bytes.

use tidemill_core::process::Setter;
use tidemill_core::time;
use tidemill_core::window::KeyId;
use tidemill_wasm::Clock;

use super::Process;
use crate::checkpoint::kept::{ProcessKept, StatesKept, TimerKept};
use crate::checkpoint::restored::{Damaged, Mine};

/// How many keys a block has at most.
const BLOCK: usize = 16 * 1024;

/// How many bytes make a block large enough.
const BLOCK_BYTES: usize = 64 << 20;

/// Where what was kept stands here.
struct Names {
    /// By slot of the operator, which of those kept it is, if any.
    slots: Vec<Option<usize>>,
    /// By timer that was kept, its number.
    timers: Vec<(u32, Clock)>,
}

impl Process {
    /// Everything that is kept, as of a barrier.
    pub(super) fn kept(&self) -> ProcessKept {
        let parts = &self.parts;
        let mut kept = ProcessKept {
            watermark: self.watermark,
            now: self.now,
            ended: parts.ended,
            slots: parts.slots.clone(),
            timers: parts.names.in_order().map(str::to_owned).collect(),
            blocks: Vec::new(),
        };
        let (mut keys, mut bytes) = (Vec::with_capacity(BLOCK), 0);
        for key in parts.keying.table.ids() {
            keys.push(key);
            bytes += parts.state.weight(key);
            if keys.len() == BLOCK || bytes >= BLOCK_BYTES {
                kept.blocks.push(self.block(&keys));
                keys.clear();
                bytes = 0;
            }
        }
        if !keys.is_empty() {
            kept.blocks.push(self.block(&keys));
        }
        kept
    }

    fn block(&self, keys: &[KeyId]) -> StatesKept {
        let mut kept = StatesKept {
            slots: self.parts.state.save(keys),
            ..StatesKept::default()
        };
        let (mut encoded, mut timers) = (Vec::new(), Vec::new());
        for &key in keys {
            encoded.clear();
            self.parts.keying.table.encode(key, &mut encoded);
            kept.keys.push(&encoded);
            timers.clear();
            let both = self.timers.of(key).iter().chain(self.clock_timers.of(key));
            timers.extend(both.map(|timer| TimerKept {
                name: timer.name,
                time: timer.time,
            }));
            kept.timers.push(&timers);
        }
        kept
    }

    /// Goes on from what workers kept, as far as it is this one's.
    pub(super) fn restore(
        &mut self,
        parts: Vec<ProcessKept>,
        mine: &Mine<'_>,
    ) -> Result<(), Damaged> {
        let watermark = parts.iter().map(|part| part.watermark).min();
        self.watermark = watermark.unwrap_or(time::MIN);
        self.reached = self.watermark;
        self.now = parts.iter().map(|part| part.now).max().unwrap_or(time::MIN);
        self.parts.ended = parts.iter().any(|part| part.ended);
        for part in parts {
            let names = self.names(&part)?;
            for block in part.blocks {
                self.restore_block(block, &names, mine)?;
            }
        }
        Ok(())
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
        mine: &Mine<'_>,
    ) -> Result<(), Damaged> {
        // What was due has fired; what is due nevertheless, a timer of the clock had set, and it fires next.
        let by = Setter::row(tidemill_core::process::Timer::NO_ROW, self.watermark);
        let mut own = Vec::new();
        for i in 0..block.keys.count() {
            let key = block.keys.get(i).ok_or(Damaged)?;
            if !mine(key) {
                continue;
            }
            let id = self.parts.keying.table.insert(key).ok_or(Damaged)?;
            own.push((id, i));
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
        self.parts.state.load(&own, slots)
    }
}
