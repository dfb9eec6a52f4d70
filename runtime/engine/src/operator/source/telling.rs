//! What a source passes on: its watermark, whether it counts, and who holds it back.

use std::sync::atomic::Ordering::Relaxed;

use tidemill_core::clock::Held;

use super::Source;
use crate::event::{Event, Output};
use crate::watch::{HeldBy, Holder};

/// What was told last of who holds the watermark back.
#[derive(Debug, Default)]
pub(super) struct Told {
    held: Option<(Held, i64, Option<i64>)>,
    since: i64,
}

impl Source {
    /// Passes the watermark on if it has risen, or if the source begins or ends to count for those behind it.
    pub fn pass_on(&mut self, out: &mut Output) {
        let w = self.clock.watermark();
        let idle = self.clock.is_left_out() && !self.is_over();
        if w <= self.passed_on && idle == self.idle {
            return;
        }
        (self.passed_on, self.idle) = (w, idle);
        self.counters.watermark.store(w, Relaxed);
        out.all(if idle {
            Event::Idle(w)
        } else {
            Event::Watermark(w)
        });
    }

    /// Says who holds the watermark back, where that has changed.
    pub(super) fn tell(&mut self, now: i64) {
        let held = self.clock.held();
        let (watermark, idle_at) = match held {
            Held::By(split) => (self.clock.split_watermark(split), self.clock.idle_at(split)),
            Held::CatchingUp(split) => (self.clock.split_watermark(split), None),
            Held::AllIdle | Held::Over => (self.clock.watermark(), None),
        };
        let (told, new) = (&mut self.told, Some((held, watermark, idle_at)));
        if told.held == new {
            return;
        }
        let stands = |(held, watermark, _): (Held, i64, Option<i64>)| (held, watermark);
        if told.held.map(stands) != new.map(stands) {
            told.since = now;
        }
        told.held = new;
        let since = told.since;
        let holder = self.holder(held);
        self.counters.watch.tell(holder.map(|holder| HeldBy {
            holder,
            watermark,
            since,
            idle_at,
        }));
    }

    fn holder(&self, held: Held) -> Option<Holder> {
        let name = |split: usize| self.names[self.splits[split].name as usize].clone();
        match held {
            Held::By(split) => Some(Holder::Split(name(split))),
            Held::CatchingUp(split) => Some(Holder::Returned(name(split))),
            Held::AllIdle => Some(Holder::AllIdle),
            Held::Over if self.is_over() => None,
            Held::Over => Some(Holder::NoSplit),
        }
    }
}
