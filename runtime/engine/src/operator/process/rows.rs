//! Which rows share a call.
//!
//! The usual batch is one call. Where a timer of a key would fire between two of its rows, or something would expire, the
//! keys take turns: in each, a timer fires or rows are taken of every key that has any left.

use std::borrow::Cow;
use std::collections::VecDeque;

use tidemill_core::process::Lives;
use tidemill_core::window::KeyId;
use tidemill_rows::Batch;
use tidemill_wasm::{Clock, Held};

use super::Process;
use super::calls::{Cut, Together};
use crate::error::EngineError;
use crate::state::Asked;

/// The rows of the batch at hand.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The rows.
    pub batch: &'a Batch,
    /// The key of each.
    pub keys: &'a [KeyId],
    /// W at each, over all inputs; it never falls.
    pub w: &'a [i64],
}

/// Rows of a key that are still to be taken.
struct Turn {
    key: KeyId,
    rows: VecDeque<u32>,
    /// How many of them to try at once. A timer that fires between two rows of a call costs the call: who has done that is
    /// trusted with fewer.
    trusted: usize,
}

impl Process {
    /// Takes the rows of a batch.
    pub(super) fn take(&mut self, batch: &Batch, keys: &[KeyId]) -> Result<(), EngineError> {
        let w = rising(batch.times.w(), self.reached.max(self.watermark));
        let rows = Rows { batch, keys, w: &w };
        self.reached = w[w.len() - 1];
        let mut groups = std::mem::take(&mut self.groups);
        groups.number(keys);
        self.doubtful.extend_from_slice(&groups.slots);
        self.bring(&groups.slots)?;
        let turns = self.take_whole(&rows, &groups);
        self.groups = groups;
        self.take_turns(&rows, turns?)
    }

    /// Takes all rows with one call, if that may be. Gives what is left to be taken.
    fn take_whole(
        &mut self,
        rows: &Rows<'_>,
        groups: &crate::aggregate::groups::Groups,
    ) -> Result<Vec<Turn>, EngineError> {
        let together = Together {
            rows: None,
            groups: &groups.of_rows,
            keys: &groups.slots,
        };
        if self.timers.first() > self.reached || self.none_is_due(rows) {
            let firsts = &groups.first_rows;
            let (held, lives) = self.read(rows, &groups.slots, firsts);
            if self.all_live(rows, &groups.of_rows, lives) {
                let touched = self.touched(&groups.slots, &held);
                let cuts = self.call_rows(rows, together, &held)?;
                self.keep_touched(touched, held);
                return Ok(turns(rows, together, Some(cuts)));
            }
        }
        Ok(turns(rows, together, None))
    }

    /// Whether no key of the rows has a timer that fires before one of them. What looks due may be other keys', or be taken
    /// back.
    fn none_is_due(&self, rows: &Rows<'_>) -> bool {
        let mut rows = rows.keys.iter().zip(rows.w);
        rows.all(|(&key, &w)| {
            let first = self.timers.earliest(key);
            first.is_none_or(|timer| timer.time > w)
        })
    }

    /// What is held for keys before one row of each.
    fn read(&mut self, rows: &Rows<'_>, keys: &[KeyId], firsts: &[u32]) -> (Vec<Held>, Vec<Lives>) {
        let w: Vec<i64> = firsts.iter().map(|&row| rows.w[row as usize]).collect();
        let mut lives = vec![Lives::default(); keys.len()];
        if !self.parts.reads_all {
            self.keep_back(keys);
        }
        let now = self.now;
        let held = self
            .parts
            .state
            .read(&Asked { keys, w: &w, now }, &mut lives);
        (held, lives)
    }

    /// Whether nothing expires that any of the rows may see.
    fn all_live(&self, rows: &Rows<'_>, groups: &[u32], mut lives: Vec<Lives>) -> bool {
        let Some(ttl) = self.parts.shortest_ttl else {
            return true;
        };
        let times = rows.batch.times.times.iter().zip(rows.w);
        let mut rows = groups.iter().zip(times);
        !rows.any(|(&group, (&time, &w))| lives[group as usize].cut_before(time, w, ttl))
    }

    fn take_turns(&mut self, rows: &Rows<'_>, mut turns: Vec<Turn>) -> Result<(), EngineError> {
        while !turns.is_empty() {
            self.fire_before(rows, &turns)?;
            turns.sort_unstable_by_key(|turn| turn.rows[0]);
            self.take_turn(rows, &mut turns)?;
            turns.retain(|turn| !turn.rows.is_empty());
        }
        Ok(())
    }

    /// Fires what is due before the next row of each key.
    fn fire_before(&mut self, rows: &Rows<'_>, turns: &[Turn]) -> Result<(), EngineError> {
        loop {
            let due = |turn: &&Turn| {
                let first = self.timers.earliest(turn.key);
                first.is_some_and(|timer| timer.time <= rows.w[turn.rows[0] as usize])
            };
            let wave: Vec<KeyId> = turns.iter().filter(due).map(|turn| turn.key).collect();
            if wave.is_empty() {
                return Ok(());
            }
            self.fire_wave(Clock::Event, &wave)?;
        }
    }

    /// Takes rows of every key: as many as one call may hold.
    fn take_turn(&mut self, rows: &Rows<'_>, turns: &mut [Turn]) -> Result<(), EngineError> {
        let keys: Vec<KeyId> = turns.iter().map(|turn| turn.key).collect();
        let firsts: Vec<u32> = turns.iter().map(|turn| turn.rows[0]).collect();
        let (held, lives) = self.read(rows, &keys, &firsts);
        let mut picks: Vec<(u32, u32)> = Vec::new();
        for ((group, turn), lives) in (0..).zip(&*turns).zip(lives) {
            let taken = self.may_share(rows, turn, lives);
            picks.extend(turn.rows.iter().take(taken).map(|&row| (row, group)));
        }
        picks.sort_unstable();
        let (picked, groups): (Vec<u32>, Vec<u32>) = picks.into_iter().unzip();
        let together = Together {
            rows: Some(&picked),
            groups: &groups,
            keys: &keys,
        };
        let touched = self.touched(&keys, &held);
        let cuts = self.call_rows(rows, together, &held)?;
        self.keep_touched(touched, held);
        let mut taken = vec![0; turns.len()];
        groups.iter().for_each(|&group| taken[group as usize] += 1);
        for cut in &cuts {
            taken[cut.group] = 0;
            turns[cut.group].trusted = cut.rows;
        }
        for (turn, taken) in turns.iter_mut().zip(taken) {
            turn.rows.drain(..taken);
            turn.trusted = turn.trusted.max(taken.saturating_mul(2));
        }
        Ok(())
    }

    /// How many of a key's rows one call may hold: at least the first.
    fn may_share(&self, rows: &Rows<'_>, turn: &Turn, mut lives: Lives) -> usize {
        let first = self.timers.earliest(turn.key);
        let due = first.map_or(i64::MAX, |timer| timer.time);
        let ttl = self.parts.shortest_ttl;
        let mut shares = |&&row: &&u32| {
            let (time, w) = (rows.batch.times.times[row as usize], rows.w[row as usize]);
            due > w && !ttl.is_some_and(|ttl| lives.cut_before(time, w, ttl))
        };
        let most = turn.rows.iter().take(turn.trusted);
        most.take_while(|row| shares(row)).count().max(1)
    }
}

/// W at rows, which never falls, whichever input a row came by.
fn rising(w: &[i64], before: i64) -> Cow<'_, [i64]> {
    let is_rising = w.first().is_some_and(|&first| first >= before)
        && w.iter().zip(&w[1..]).all(|(one, next)| one <= next);
    if is_rising {
        return Cow::Borrowed(w);
    }
    let mut reached = before;
    let raised = w.iter().map(|&w| {
        reached = reached.max(w);
        reached
    });
    Cow::Owned(raised.collect())
}

/// What is left of a batch after its rows were given together; `cuts` names the keys of which nothing was taken, and
/// without it nothing was taken at all.
fn turns(rows: &Rows<'_>, together: Together<'_>, cuts: Option<Vec<Cut>>) -> Vec<Turn> {
    if cuts.as_ref().is_some_and(Vec::is_empty) {
        return Vec::new();
    }
    let all = together.keys.iter().map(|&key| Turn {
        key,
        rows: VecDeque::new(),
        trusted: usize::MAX,
    });
    let mut turns: Vec<Turn> = all.collect();
    for (row, &group) in (0..rows.keys.len() as u32).zip(together.groups) {
        turns[group as usize].rows.push_back(row);
    }
    let Some(cuts) = cuts else { return turns };
    let mut left = Vec::with_capacity(cuts.len());
    for cut in cuts {
        let rows = std::mem::take(&mut turns[cut.group].rows);
        left.push(Turn {
            key: together.keys[cut.group],
            rows,
            trusted: cut.rows,
        });
    }
    left
}
