//! Sessions that merge (Windows 4 and 6).

use std::ops::Range;

use super::super::family::{Out, Row};
use super::one::One;
use super::{Held, Tracked};

impl Tracked {
    /// The session that takes a row: those that the row's own overlaps or touches become one.
    pub(super) fn session(
        &mut self,
        held: &mut Held,
        gap: i64,
        row: &Row,
        out: &mut Out<'_>,
    ) -> Range<usize> {
        let range = joined(&held.windows, row.time, gap);
        let ends = held.windows[range.clone()].last().map(|one| one.end);
        let end = ends.map_or(row.time + gap, |end| end.max(row.time + gap));
        if end + self.lateness <= row.judged {
            out.refuse(row);
            return 0..0;
        }
        let at = range.start;
        let mut joined = held.windows.drain(range);
        let mut merged = match joined.next() {
            None => One::new(row.time, end),
            Some(first) => {
                let rest: Vec<One> = joined.by_ref().collect();
                self.merge(first, rest, row, out)
            }
        };
        drop(joined);
        merged.start = merged.start.min(row.time);
        merged.end = end;
        held.windows.insert(at, merged);
        at..at + 1
    }

    /// Makes one session of several, in order of start. What they had sent is taken back.
    fn merge(&self, first: One, rest: Vec<One>, row: &Row, out: &mut Out<'_>) -> One {
        if rest.is_empty() {
            return first;
        }
        let mut merged = first;
        out.take_back(&mut merged.sent, row);
        for mut one in rest {
            out.take_back(&mut one.sent, row);
            merged.slot = match (merged.slot, one.slot) {
                (Some(into), Some(from)) => {
                    out.merge(into, from, Some(row.index));
                    out.free(from);
                    Some(into)
                }
                (into, from) => into.or(from),
            };
            one.stored.iter().for_each(|row| merged.stored.insert(*row));
            merged.largest = merged.largest.max(one.largest);
            merged.rows = merged.rows.saturating_add(one.rows);
            merged.unsent = merged.unsent.saturating_add(one.unsent);
            merged.counted = merged.counted.saturating_add(one.counted);
            merged.number = merged.number.max(one.number);
        }
        if let Some(keep) = self.stored {
            merged.stored.evict(keep, out);
        }
        merged
    }
}

/// The sessions that a row's own overlaps or touches: neighbours, since sessions are apart.
fn joined(sessions: &[One], time: i64, gap: i64) -> Range<usize> {
    let from = sessions.partition_point(|one| one.end < time);
    let count = sessions[from..].partition_point(|one| one.start <= time + gap);
    from..from + count
}
