//! The window operator: rows and watermarks in; results, late rows and failed rows out.
//!
//! Deciding is the core's ([`WindowOperator`](tidemill_core::window::WindowOperator)), calling the guest is
//! [`Called`](called::Called)'s; this file leads a batch from one to the other and makes results of what fires.
//!
//! Ports: 0 results, 1 late rows, 2 failed rows, then the side outputs of the function.

pub mod called;
mod finish;
mod in_order;
mod migrating;
mod null_keys;
mod partials;
mod parts;
pub mod results;
mod retract;
mod saving;

use std::sync::atomic::Ordering::Relaxed;

use tidemill_core::window::{KeyId, Plan, Rows};
use tidemill_rows::Batch;

use self::in_order::Firings;
pub use self::parts::WindowParts;
use self::retract::SentResults;
use super::Operator;
use crate::aggregate::carry_out::{Carried, Fired, Given};
use crate::busiest::Busiest;
use crate::checkpoint::changes::StateChange;
use crate::checkpoint::columns::Unfit;
use crate::checkpoint::cut::At;
use crate::checkpoint::kept::{Blocks, OperatorKept};
use crate::checkpoint::restored::{Damaged, Mine, Unrestored};
use crate::combine::Partials;
use crate::error::EngineError;
use crate::event::Output;
use crate::failure::{FailedRow, failed_batch};
use crate::metrics::add;

/// Port of late rows.
pub const LATE: usize = 1;
/// Port of failed rows.
pub const FAILED: usize = 2;
/// Port of the first side output.
pub const SIDES: usize = 3;

/// A keyed or unkeyed window with its function, on one worker.
pub struct Window {
    parts: WindowParts,
    plan: Plan,
    keys: Vec<KeyId>,
    /// The last watermark, for failed results that have no better time.
    watermark: i64,
    /// The largest W at a row, whichever input it came by: rows of their key have fired what was due until then.
    reached: i64,
    /// The advance that is not yet done.
    advance: Option<Advance>,
    /// Rows that are still to be taken, where firings between them see too much for one plan.
    rest: Option<Batch>,
    /// Results that may have to be taken back.
    sent: Option<SentResults>,
    /// The busiest keys.
    busiest: Busiest,
}

/// An advance on its way.
struct Advance {
    /// The watermark that is risen to.
    w: i64,
    /// What rows have fired and comes between.
    fired: Firings,
    /// Keys of which nothing is left; they are needed until their results are made.
    gone: Vec<KeyId>,
}

impl Window {
    /// A window operator that has seen nothing.
    pub fn new(parts: WindowParts) -> Self {
        let nothing = parts.retract.then(|| parts.called.nothing());
        Self {
            parts,
            rest: None,
            sent: nothing.map(SentResults::new),
            plan: Plan::default(),
            keys: Vec::new(),
            watermark: i64::MIN,
            reached: i64::MIN,
            advance: None,
            busiest: Busiest::default(),
        }
    }

    /// Counts failed rows, applies the policy, and sends what it wants sent.
    fn fail(&mut self, failed: Vec<FailedRow>, out: &mut Output) -> Result<(), EngineError> {
        add(&self.parts.counters.failed, failed.len() as u64);
        let letters = self.parts.blame.policy.apply(failed)?;
        if !letters.is_empty() {
            out.rows(FAILED, failed_batch(&letters, self.watermark));
        }
        Ok(())
    }

    /// Plans a batch and carries the plan out, again without the rows that failed until none does.
    fn take(&mut self, batch: &Batch, out: &mut Output) -> Result<Fired, EngineError> {
        let mut failed_rows: Vec<bool> = Vec::new();
        let mut failed: Vec<(usize, FailedRow)> = Vec::new();
        let fired = loop {
            let parts = &mut self.parts;
            let rows = Rows {
                times: &batch.times.times,
                stamps: &batch.times.stamps,
                w: batch.times.w(),
                keys: &self.keys,
                failed: (!failed_rows.is_empty()).then_some(&failed_rows),
            };
            parts.window.take(&rows, &mut self.plan);
            let given = Given {
                batch,
                keys: &self.keys,
                partials: None,
            };
            let carried = parts.called.carry_out(&self.plan, Some(given));
            match carried.map_err(|e| parts.blame.halt(e))? {
                Carried::Done(fired) => break fired,
                Carried::Failed(again) => {
                    parts.window.undo(&self.plan);
                    failed_rows.resize(batch.len(), false);
                    for reason in again {
                        let row = reason.row as usize;
                        failed_rows[row] = true;
                        failed.push((row, parts.blame.failed(reason).about(batch, row)));
                    }
                }
            }
        };
        if !failed.is_empty() {
            // Several attempts name them in any order.
            failed.sort_by_key(|(row, _)| *row);
            self.fail(failed.into_iter().map(|(_, row)| row).collect(), out)?;
        }
        Ok(fired)
    }

    /// The next plan of an advance, and its results. Whether more is due.
    fn advance_once(
        &mut self,
        advance: &mut Advance,
        out: &mut Output,
    ) -> Result<bool, EngineError> {
        let parts = &mut self.parts;
        let table = &parts.keying.table;
        let more = parts.window.advance(advance.w, table, &mut self.plan);
        let carried = parts.called.carry_out(&self.plan, None);
        match carried.map_err(|e| parts.blame.halt(e))? {
            Carried::Done(by_time) => self.add(&mut advance.fired, by_time),
            Carried::Failed(_) => unreachable!("an advance has no row that could fail"),
        }
        let last = self.plan.firings.last().filter(|_| more);
        if !more || last.is_some() {
            let ready = advance.fired.take(last, &self.parts.keying.table);
            self.finish_firings(ready, out)?;
        }
        self.commit(&mut advance.gone);
        Ok(more)
    }

    /// Adds what the plan fires to `firings`, with what it takes back.
    fn add(&mut self, firings: &mut Firings, fired: Fired) {
        let called = &mut self.parts.called;
        match &mut self.sent {
            Some(sent) => {
                let expanded = sent.expand(&self.plan, fired);
                expanded
                    .fired
                    .accs
                    .iter()
                    .for_each(|accs| called.wait(accs));
                firings.add_expanded(expanded);
            }
            None => {
                fired.accs.iter().for_each(|accs| called.wait(accs));
                firings.add(&self.plan.firings, fired);
            }
        }
    }

    /// Says that the plan has happened, and counts. Keys of which nothing is left join `gone`.
    fn commit(&mut self, gone: &mut Vec<KeyId>) {
        let parts = &mut self.parts;
        parts.window.commit(&self.plan);
        if let Some(sent) = &mut self.sent {
            sent.forget(&self.plan.forgotten);
        }
        parts.called.commit(&self.plan);
        gone.extend_from_slice(&self.plan.gone);
        let counted = &self.plan.counters;
        add(&parts.counters.late, counted.late);
        add(&parts.counters.behind, counted.behind_accepted);
        add(&parts.counters.in_gaps, counted.in_gaps);
        add(&parts.counters.windows_missed, counted.windows_missed);
        add(&parts.counters.never_sent, counted.never_sent);
        self.plan.clear();
    }

    /// Goes on after rows, or partials, were taken: what they fired, and what was due before.
    fn taken(&mut self, fired: Fired, out: &mut Output) -> Result<(), EngineError> {
        let mut gone = Vec::new();
        if self.plan.firings.is_empty() && self.plan.taken_back.is_empty() {
            self.commit(&mut gone);
            self.let_go(&gone);
            return Ok(());
        }
        let mut firings = Firings::default();
        self.add(&mut firings, fired);
        self.commit(&mut gone);
        self.advance = Some(Advance {
            w: self.reached,
            fired: firings.of_rows(),
            gone,
        });
        self.finish_advance(out)
    }

    /// Takes rows, as many as one plan holds; the rest waits.
    fn take_rows(&mut self, batch: Batch, out: &mut Output) -> Result<(), EngineError> {
        let mut keys = std::mem::take(&mut self.keys);
        self.parts.keying.number(&batch, &mut keys);
        self.keys = keys;
        let fired = self.take(&batch, out)?;
        if !self.plan.late.is_empty() {
            out.rows(LATE, batch.take(&self.plan.late));
        }
        let (taken, all) = (self.plan.taken, batch.len());
        let w = batch.times.w()[..taken].iter().copied().max();
        self.reached = self.reached.max(w.expect("a batch with rows"));
        self.rest = (taken < all).then(|| batch.slice(taken, all - taken));
        self.taken(fired, out)
    }

    /// Takes rows that wait, unless what was there before them is not yet done.
    fn take_rest(&mut self, out: &mut Output) -> Result<(), EngineError> {
        while self.advance.is_none()
            && let Some(rest) = self.rest.take()
        {
            if !out.is_empty() {
                self.rest = Some(rest);
                out.interrupt();
                return Ok(());
            }
            self.take_rows(rest, out)?;
        }
        Ok(())
    }

    /// Makes results of all that the advance at hand fires, in order, unless it is interrupted.
    fn finish_advance(&mut self, out: &mut Output) -> Result<(), EngineError> {
        let Some(mut advance) = self.advance.take() else {
            return Ok(());
        };
        while self.advance_once(&mut advance, out)? {
            if !out.is_empty() {
                self.advance = Some(advance);
                out.interrupt();
                return Ok(());
            }
        }
        self.let_go(&advance.gone);
        Ok(())
    }

    /// Forgets keys of which nothing is left, and hears what the function had to say.
    fn let_go(&mut self, gone: &[KeyId]) {
        let parts = &mut self.parts;
        gone.iter().for_each(|&key| parts.keying.table.remove(key));
        let keys = parts.keying.table.len() as u64;
        parts.counters.keys.store(keys, Relaxed);
        let (lines, notes) = parts.called.said();
        parts.talk.hear(&lines, notes, &parts.counters);
    }
}

impl Operator for Window {
    fn rows(&mut self, batch: Batch, out: &mut Output) -> Result<(), EngineError> {
        add(&self.parts.counters.rows_in, batch.len() as u64);
        let batch = self.without_null_keys(batch, out)?;
        if batch.is_empty() {
            return Ok(());
        }
        self.busiest.see(&self.parts.keying, &batch);
        self.take_rows(batch, out)?;
        self.take_rest(out)
    }

    fn partials(&mut self, partials: &Partials, out: &mut Output) -> Result<bool, EngineError> {
        match self.take_partials(partials)? {
            Some(fired) => self.taken(fired, out).map(|()| true),
            None => Ok(false),
        }
    }

    fn advance(&mut self, w: i64, out: &mut Output) -> Result<(), EngineError> {
        if w != i64::MAX {
            self.watermark = w;
        }
        self.plan.clear();
        self.advance = Some(Advance {
            w,
            fired: Firings::default(),
            gone: Vec::new(),
        });
        self.finish_advance(out)
    }

    fn go_on(&mut self, out: &mut Output) -> Result<(), EngineError> {
        self.finish_advance(out)?;
        self.take_rest(out)
    }

    fn cut(&mut self, _at: &At) -> Result<OperatorKept, EngineError> {
        Ok(OperatorKept::Windows(self.kept()))
    }

    fn migrate(&mut self, kept: OperatorKept, change: &StateChange) -> Result<OperatorKept, Unfit> {
        match kept {
            OperatorKept::Windows(windows) => {
                Ok(OperatorKept::Windows(self.migrated(windows, change)?))
            }
            other => Ok(other),
        }
    }

    fn restore(
        &mut self,
        kept: Vec<OperatorKept>,
        _blocks: &Blocks,
        mine: &Mine,
    ) -> Result<(), Unrestored> {
        let windows = kept.into_iter().map(|kept| match kept {
            OperatorKept::Windows(windows) => Ok(windows),
            _ => Err(Damaged),
        });
        Ok(Window::restore(
            self,
            windows.collect::<Result<_, _>>()?,
            mine,
        )?)
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        let shares = self.busiest.shares(&self.parts.keying);
        self.parts.counters.set_busiest(shares);
        Ok(())
    }

    fn hold(&self) -> i64 {
        self.parts.window.hold()
    }

    fn next_due(&self) -> Option<i64> {
        self.parts.window.next_due()
    }

    fn clock(&mut self, now: i64, out: &mut Output) -> Result<(), EngineError> {
        let parts = &mut self.parts;
        if !parts.window.clock(now, &parts.keying.table, &mut self.plan) {
            return Ok(());
        }
        let carried = parts.called.carry_out(&self.plan, None);
        let Carried::Done(fired) = carried.map_err(|e| parts.blame.halt(e))? else {
            unreachable!("a tick of the clock has no row that could fail");
        };
        let mut firings = Firings::default();
        self.add(&mut firings, fired);
        self.finish_firings(firings, out)?;
        let mut gone = Vec::new();
        self.commit(&mut gone);
        self.let_go(&gone);
        Ok(())
    }

    fn next_tick(&self) -> Option<i64> {
        self.parts.window.next_tick()
    }
}
