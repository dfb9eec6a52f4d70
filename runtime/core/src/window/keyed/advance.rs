//! What time fires: keys in order of time, those of one time in order of their bytes.

use super::super::family::{Due, Family, NEVER, Out};
use super::super::timers::Bucket;
use super::super::{KeyId, KeyOrder, Plan};
use super::{Keyed, is_full};
use crate::{prefetch, time};

/// How many keys one plan of an advance looks at, so that plans stay small however much is due.
const KEYS_PER_PLAN: usize = 2048;

impl<F: Family> Keyed<F> {
    /// Whether more is due than the plan holds: then the same call is to be made again.
    pub(in crate::window) fn advance(
        &mut self,
        w: i64,
        keys: &dyn KeyOrder,
        plan: &mut Plan,
    ) -> bool {
        plan.clear();
        self.begin();
        if self.looked_at == self.ordered.len() {
            let before = self.watermark.max(self.reached);
            self.ceiling = if w == time::MAX { before } else { time::MAX };
            self.watermark = self.watermark.max(w);
        }
        // Where a time fires several windows of a key, all keys of that time are put in order together.
        let several = self.family.fires_several();
        let mut left = if several { usize::MAX } else { KEYS_PER_PLAN };
        self.ask_for_scattered(w, left);
        loop {
            let before = (plan.firings.len(), plan.ops.len());
            while self.looked_at < self.ordered.len() && left > 0 {
                let i = self.looked_at;
                self.ask_for(i);
                self.look_at(self.ordered[i], plan);
                self.looked_at += 1;
                left -= 1;
                if is_full(plan) && !several {
                    left = 0;
                }
            }
            if is_full(plan) {
                left = 0;
            }
            if several {
                plan.sort_firings(before.0, before.1);
            }
            if self.looked_at < self.ordered.len() {
                break;
            }
            let Some((at, bucket)) = self.timers.pop(w) else {
                break;
            };
            self.order(at, bucket, keys);
        }
        if self.met_again {
            plan.key_ends.clear();
        }
        self.find_gone(plan);
        self.looked_at < self.ordered.len()
    }

    /// Asks for what is kept for the keys that come after the i-th of those that are due.
    #[inline(always)]
    fn ask_for(&self, i: usize) {
        if let Some(&(_, key)) = self.ordered.get(i + 2 * prefetch::AHEAD) {
            prefetch::line(&self.entries[key as usize]);
        }
        if let Some(&(_, key)) = self.ordered.get(i + prefetch::AHEAD) {
            self.family.ask_for(&self.entries[key as usize].held);
        }
        if let Some(&(_, key)) = self.ordered.get(i + prefetch::AHEAD / 2) {
            self.family.ask_for_rest(&self.entries[key as usize].held);
        }
    }

    /// Asks for what is kept for keys that are due at times of their own: no list of keys shows which come next.
    fn ask_for_scattered(&self, w: i64, most: usize) {
        if self.timers.first() > w {
            return;
        }
        let most = most.min(KEYS_PER_PLAN);
        let entry = |key: KeyId| &self.entries[key as usize];
        let keys = || self.timers.scattered(w).take(most);
        keys().for_each(|key| prefetch::line(entry(key)));
        keys().for_each(|key| self.family.ask_for(&entry(key).held));
    }

    /// A key's timer is due: lets happen what happens then, unless the timer no longer counts.
    fn look_at(&mut self, (prefix, key): (u64, KeyId), plan: &mut Plan) {
        let due = Due { key, at: self.at };
        let entry = &mut self.entries[key as usize];
        if entry.armed != due.at {
            return;
        }
        let mut at = self.family.due(&entry.held, due.at - 1);
        if at == due.at {
            let hold = self.family.hold();
            let mut out = Out {
                ceiling: self.ceiling,
                ..Out::new(plan, (&mut self.slots, &mut self.ids), hold)
            };
            self.family.fire(&mut entry.held, due, &mut out);
            at = self.family.due(&entry.held, due.at);
            debug_assert!(at > due.at, "what is due has happened: {due:?}");
            self.met_again |= entry.saved_in == self.batch;
            entry.saved_in = self.batch;
            plan.key_ends.push(plan.ops.len() as u32);
        }
        entry.armed = at;
        if at != NEVER {
            self.timers.set_in_order(at, (prefix, key), self.pass);
        }
        self.doubt(key);
    }

    /// Puts the keys of a bucket in order of their bytes.
    fn order(&mut self, at: i64, bucket: Bucket, keys: &dyn KeyOrder) {
        (self.at, self.looked_at, self.pass) = (at, 0, self.pass.next());
        let Bucket {
            run,
            mut loose,
            pass,
        } = bucket;
        self.ordered = run;
        if pass < self.trusted {
            loose.extend(self.ordered.drain(..).map(|(_, key)| key));
        }
        let run = self.ordered.len();
        for (i, &key) in loose.iter().enumerate() {
            if let Some(&next) = loose.get(i + 2 * prefetch::AHEAD) {
                prefetch::line(&self.entries[next as usize]);
            }
            if self.entries[key as usize].armed == at {
                self.ordered.push((keys.prefix(key), key));
            }
        }
        let compare =
            |a: &(u64, KeyId), b: &(u64, KeyId)| a.0.cmp(&b.0).then_with(|| keys.cmp(a.1, b.1));
        self.ordered[run..].sort_unstable_by(compare);
        if run > 0 && run < self.ordered.len() {
            // Two runs, which a stable sort merges.
            self.ordered.sort_by(compare);
        }
    }
}
