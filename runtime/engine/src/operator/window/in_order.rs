//! Firings of several plans as one sequence, in the order in which they would come if watermarks travelled between every
//! two rows: by W at the result; at the same W what rows caused in their order, then what time caused, in order of firing
//! time, end, start and key (semantics, Independence and Watermarks 10).
//!
//! Rows fire what is due for their own keys; what their W has made due for other keys belongs between. Without that the
//! size of batches would show downstream, where W would seem to fall from one result to the next.

use std::cmp::Ordering;

use tidemill_core::window::{Firing, KeyOrder};
use tidemill_wasm::{Failed, Table};

use crate::aggregate::carry_out::Fired;
use crate::aggregate::pieces::Pieces;
use crate::aggregate::table;
use crate::operator::window::retract::{Expanded, Shown};

/// Firings whose results are still to be made, and what they see.
#[derive(Default)]
pub struct Firings {
    /// The firings.
    pub firings: Vec<Firing>,
    /// Where results are taken back: what each firing shows. Otherwise empty.
    pub shown: Vec<Shown>,
    /// One accumulator per firing, in pieces.
    accs: Vec<Table>,
    /// Firings that have no result: (firing, why).
    pub failed: Vec<(u32, Failed)>,
    /// Whether they may be out of order. Those of one advance are in order as they come.
    mixed: bool,
}

impl Firings {
    /// Those of rows, in the order of the rows.
    pub fn of_rows(self) -> Self {
        Self {
            mixed: true,
            ..self
        }
    }

    /// Adds the firings of one plan with what they take back.
    pub fn add_expanded(&mut self, expanded: Expanded) {
        self.shown.extend(expanded.shown);
        self.add(&expanded.causes, expanded.fired);
    }

    /// Adds the firings of one plan of an advance.
    pub fn add(&mut self, firings: &[Firing], fired: Fired) {
        let before = self.firings.len() as u32;
        self.mixed |= before > 0;
        self.firings.extend_from_slice(firings);
        self.accs.extend(fired.accs);
        let failed = fired.failed.into_iter();
        self.failed
            .extend(failed.map(|(firing, why)| (before + firing, why)));
    }

    /// Takes those out that nothing added later can precede: all, or those up to `last`.
    pub fn take(&mut self, last: Option<&Firing>, keys: &dyn KeyOrder) -> Self {
        self.sort(keys);
        let ready = last.map_or(self.firings.len(), |last| {
            let prefixed = |firing: &'_ Firing| keys.prefix(firing.key);
            let is_ready = |firing: &Firing| {
                compare((firing, prefixed(firing)), (last, prefixed(last)), keys)
                    != Ordering::Greater
            };
            self.firings.partition_point(is_ready)
        });
        if ready == self.firings.len() {
            return std::mem::take(self);
        }
        let left = self.firings.split_off(ready);
        let shown_later = self.shown.split_off(ready.min(self.shown.len()));
        let accs = self.accs();
        let (failed, failed_later) = std::mem::take(&mut self.failed)
            .into_iter()
            .partition(|(firing, _)| (*firing as usize) < ready);
        let later = |(firing, why): (u32, Failed)| (firing - ready as u32, why);
        let taken = Self {
            firings: std::mem::replace(&mut self.firings, left),
            shown: std::mem::replace(&mut self.shown, shown_later),
            accs: vec![table::slice(&accs, 0, ready)],
            failed,
            mixed: false,
        };
        self.accs = vec![table::slice(&accs, ready, self.firings.len())];
        self.failed = failed_later.into_iter().map(later).collect();
        taken
    }

    /// What they see, in their order. There is at least one.
    pub fn accs(&mut self) -> Table {
        self.accs.swap_remove(0)
    }

    /// Puts them in order, and their accumulators into one piece.
    fn sort(&mut self, keys: &dyn KeyOrder) {
        if !std::mem::take(&mut self.mixed) || self.firings.is_empty() {
            return;
        }
        let prefixes: Vec<u64> = self.firings.iter().map(|f| keys.prefix(f.key)).collect();
        let place = |i: u32| (&self.firings[i as usize], prefixes[i as usize]);
        let mut order: Vec<u32> = (0..self.firings.len() as u32).collect();
        // Stable: corrections are there in the order of their rows.
        order.sort_by(|&a, &b| compare(place(a), place(b), keys));
        let mut places = vec![0; order.len()];
        (0..)
            .zip(&order)
            .for_each(|(place, &i)| places[i as usize] = place);
        self.firings = order.iter().map(|&i| *place(i).0).collect();
        if !self.shown.is_empty() {
            self.shown = order.iter().map(|&i| self.shown[i as usize]).collect();
        }
        let (mut pieces, mut from) = (Pieces::default(), 0);
        for table in self.accs.drain(..) {
            let to = from + table.rows as usize;
            pieces.add(table, places[from..to].iter().copied());
            from = to;
        }
        self.accs.push(pieces.in_order(order.len()));
        for (firing, _) in &mut self.failed {
            *firing = places[*firing as usize];
        }
        self.failed.sort_by_key(|(firing, _)| *firing);
    }
}

/// Compares two firings with the prefixes of their keys.
fn compare(a: (&Firing, u64), b: (&Firing, u64), keys: &dyn KeyOrder) -> Ordering {
    let moment = |firing: &Firing| (firing.w, firing.row.is_none());
    let of_time = |(a, prefix_a): (&Firing, u64), (b, prefix_b): (&Firing, u64)| {
        let (a_bounds, b_bounds) = (
            (a.at, a.end, a.start, prefix_a),
            (b.at, b.end, b.start, prefix_b),
        );
        a_bounds.cmp(&b_bounds).then_with(|| keys.cmp(a.key, b.key))
    };
    moment(a.0).cmp(&moment(b.0)).then_with(|| match a.0.row {
        Some(_) => Ordering::Equal,
        None => of_time(a, b),
    })
}
