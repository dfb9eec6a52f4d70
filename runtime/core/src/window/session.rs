//! Sessions: rows no further apart than a gap (Windows 4).
//!
//! A session's end moves with nearly every row, so its timer stays where it was first set and is moved on when it is due.
//! Whether a session has fired on time is not kept: it has, or was corrected instead, iff its end is at or before the W that
//! the key has come to.

use std::convert::Infallible;

use smallvec::SmallVec;

use super::family::{Due, Family, NEVER, Out, Row, Window};
use super::saved::{Loading, Save, Saved, Unreadable};
use super::{Mode, Slot, WindowSpec};

/// Windows of kind `session`.
#[derive(Debug)]
pub(crate) struct Session {
    gap: i64,
    lateness: i64,
    mode: Mode,
}

/// The sessions of a key, in order of start. Any two are apart.
#[derive(Debug, Default)]
pub(crate) struct Sessions(SmallVec<[One; 1]>);

/// One session.
#[derive(Clone, Copy, Debug)]
struct One {
    start: i64,
    end: i64,
    /// Its rows, or, if discarding, those not yet sent.
    slot: Option<Slot>,
    /// How often it has fired.
    number: u32,
}

impl Clone for Sessions {
    fn clone(&self) -> Self {
        Self(SmallVec::from_slice(&self.0))
    }
}

impl Session {
    pub(crate) fn new(gap: i64, spec: &WindowSpec) -> Self {
        assert!(gap > 0, "a session's gap is positive: {gap}");
        Self {
            gap,
            lateness: spec.lateness,
            mode: spec.mode,
        }
    }

    /// The sessions that a row's own overlaps or touches: neighbours, since sessions are apart.
    fn joined(&self, sessions: &[One], time: i64) -> std::ops::Range<usize> {
        let from = sessions
            .iter()
            .position(|s| time <= s.end)
            .unwrap_or(sessions.len());
        let rest = sessions[from..]
            .iter()
            .position(|s| s.start > time + self.gap);
        from..rest.map_or(sessions.len(), |n| from + n)
    }

    fn fired(&self, one: &mut One, out: &mut Out<'_>) {
        if self.mode == Mode::Discarding
            && let Some(slot) = one.slot.take()
        {
            out.free(slot);
        }
    }
}

impl One {
    /// The next firing.
    fn fire(&mut self, last: bool) -> Window {
        self.number += 1;
        Window {
            start: self.start,
            end: self.end,
            time: self.end - 1,
            number: self.number,
            last,
        }
    }
}

/// Makes one session of several and a row's own, merging accumulators in order of start.
fn merge(joined: &[One], own: One, row: &Row, out: &mut Out<'_>) -> One {
    joined.iter().fold(own, |merged, one| {
        let slot = match (merged.slot, one.slot) {
            (Some(into), Some(from)) => {
                out.merge(into, from, Some(row.index));
                out.free(from);
                Some(into)
            }
            (into, from) => into.or(from),
        };
        One {
            start: merged.start.min(one.start),
            end: merged.end.max(one.end),
            slot,
            number: merged.number.max(one.number),
        }
    })
}

impl Family for Session {
    type Held = Sessions;
    type Fired = Infallible;

    /// Results at end - 1 come when W is at end.
    fn hold(&self) -> i64 {
        1
    }

    fn is_empty(&self, held: &Sessions) -> bool {
        held.0.is_empty()
    }

    /// A row that moves neither start nor end of a session that has not fired.
    #[inline(always)]
    fn place(&mut self, held: &Sessions, row: &Row) -> Option<Slot> {
        let inside =
            |s: &&One| s.start <= row.time && row.time + self.gap <= s.end && s.end > row.judged;
        held.0.iter().find(inside).and_then(|s| s.slot)
    }

    fn take(&mut self, held: &mut Sessions, row: &Row, out: &mut Out<'_>) {
        let range = self.joined(&held.0, row.time);
        let joined = &held.0[range.clone()];
        let end = joined
            .last()
            .map_or(i64::MIN, |s| s.end)
            .max(row.time + self.gap);
        if end + self.lateness <= row.judged {
            return out.refuse(row);
        }
        let own = One {
            start: row.time,
            end,
            slot: None,
            number: 0,
        };
        let mut one = merge(joined, own, row, out);
        let slot = *one.slot.get_or_insert_with(|| out.create());
        out.add(row, slot);
        if one.end <= row.w {
            out.correct(row, one.fire(false), slot);
            self.fired(&mut one, out);
        }
        if range.len() == 1 {
            held.0[range.start] = one;
        } else {
            held.0.drain(range.clone());
            held.0.insert(range.start, one);
        }
    }

    fn due(&self, held: &Sessions, after: i64) -> i64 {
        let due = |s: &One| {
            if s.end > after {
                s.end
            } else {
                s.end + self.lateness
            }
        };
        held.0.iter().map(due).min().unwrap_or(NEVER)
    }

    fn fire(&mut self, held: &mut Sessions, due: Due, out: &mut Out<'_>) {
        for one in held.0.iter_mut().filter(|s| s.end == due.at) {
            if let Some(slot) = one.slot {
                out.fire_on_time(due, one.fire(self.lateness == 0), slot);
                self.fired(one, out);
            }
        }
        held.0.retain(|s| {
            let kept = s.end + self.lateness > due.at;
            if !kept && let Some(slot) = s.slot {
                out.free(slot);
            }
            kept
        });
    }
}

impl Save for Session {
    fn save(&self, held: &Sessions, into: &mut Saved) {
        into.count(held.0.len());
        for one in &held.0 {
            into.word(one.start);
            into.word(one.end);
            into.word(one.number);
            into.slot(one.slot);
        }
    }

    fn load(&self, from: &mut Loading<'_>) -> Result<Sessions, Unreadable> {
        let count = from.count()?;
        let one = |_| {
            Ok(One {
                start: from.word()?,
                end: from.word()?,
                number: from.number()?,
                slot: from.slot()?,
            })
        };
        Ok(Sessions((0..count).map(one).collect::<Result<_, _>>()?))
    }
}
