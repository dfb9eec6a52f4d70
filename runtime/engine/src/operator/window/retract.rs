//! Taking results back (semantics, Windows 6): before a window's new result, the last one *as it was sent*.
//!
//! Functions are pure, so a result is kept as what it was made from: the firing and the accumulator. Made again, it is the
//! same to the bit (decisions/0011). So every firing that takes a result back becomes two for `finish`: the old one, then the new one.

use hashbrown::HashMap;
use tidemill_core::window::{Firing, Plan, ResultId, Slot, TakenBack};
use tidemill_wasm::{Failed, Table};

use crate::aggregate::carry_out::Fired;
use crate::checkpoint::restored::Damaged;
use crate::state::Accumulators;

/// What becomes of the rows that `finish` makes for a firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// They are sent; in place of those of the firing before it, if it is an old one.
    New,
    /// They are taken back, since the firing behind this one takes their place.
    Old,
    /// They are taken back, and nothing takes their place.
    Gone,
}

/// A firing as its results show it, which may be an older one than that which causes them.
#[derive(Clone, Copy, Debug)]
pub struct Shown {
    /// The firing.
    pub firing: Firing,
    /// What becomes of its rows.
    pub part: Part,
}

/// A plan's firings with those that are taken back.
#[derive(Default)]
pub struct Expanded {
    /// What causes each result: what its place in the order is told from.
    pub causes: Vec<Firing>,
    /// What each shows.
    pub shown: Vec<Shown>,
    /// What each sees.
    pub fired: Fired,
}

/// The last result of each window that may have to be taken back.
pub struct SentResults {
    results: HashMap<ResultId, (Slot, Firing)>,
    accs: Accumulators,
    free: Vec<Slot>,
    next: Slot,
}

/// Where an accumulator is found: in a table (0 new ones, 1 old ones), and where in it.
type Pick = (usize, usize);

/// An expansion in the making.
#[derive(Default)]
struct Expansion {
    expanded: Expanded,
    picks: Vec<Pick>,
    /// Slots of the old accumulators.
    old: Vec<Slot>,
    /// What was sent within the plan: the firing and its index; nothing where it has no result.
    latest: HashMap<ResultId, Option<(usize, Firing)>>,
}

impl SentResults {
    /// Nothing was sent yet; `fresh` is an accumulator of the function.
    pub fn new(fresh: Table) -> Self {
        Self {
            results: HashMap::new(),
            accs: Accumulators::new(fresh),
            free: Vec::new(),
            next: 0,
        }
    }

    /// Puts before each of a plan's firings what it takes back, and keeps what is sent now.
    pub fn expand(&mut self, plan: &Plan, fired: Fired) -> Expanded {
        let mut expansion = Expansion::default();
        let mut taken_back = plan.taken_back.iter().peekable();
        for (i, (firing, sent)) in plan.firings.iter().zip(&plan.sent).enumerate() {
            while let Some(back) = taken_back.next_if(|back| back.before as usize <= i) {
                self.take_back(back, &mut expansion);
            }
            if sent.replaces
                && let Some((pick, old)) = self.last(sent.id, &mut expansion)
            {
                let (stamp, w) = (firing.stamp, firing.w);
                let shown = Firing { stamp, w, ..old };
                expansion.push((*firing, shown), Part::Old, pick);
            }
            let place = expansion.picks.len() as u32;
            expansion.push((*firing, *firing), Part::New, (0, i));
            let failed = fired.failed.iter().find(|(lost, _)| *lost as usize == i);
            if let Some((_, why)) = failed {
                let failed: &mut Vec<(u32, Failed)> = &mut expansion.expanded.fired.failed;
                failed.push((place, why.clone()));
            }
            let result = failed.is_none().then_some((i, *firing));
            expansion.latest.insert(sent.id, result);
        }
        taken_back.for_each(|back| self.take_back(back, &mut expansion));
        let old = self.accs.gather(&expansion.old);
        if !expansion.picks.is_empty() {
            let new = fired.accs.as_ref().unwrap_or(&old);
            let accs = Table::interleave(&[new, &old], &expansion.picks);
            expansion.expanded.fired.accs = Some(accs);
        }
        self.keep(expansion.latest, fired.accs.as_ref());
        expansion.expanded
    }

    /// The last result that was sent under a number, if making it did not fail: where what it saw is, and its firing.
    pub fn get(&self, id: ResultId) -> Option<(Slot, Firing)> {
        self.results.get(&id).copied()
    }

    /// What results saw.
    pub fn accs(&self, slots: &[Slot]) -> Table {
        self.accs.gather(slots)
    }

    /// Takes results that were kept: what they saw stands in these rows of a table.
    pub fn restore(
        &mut self,
        results: Vec<(ResultId, Firing)>,
        accs: (&Table, &[u32]),
    ) -> Result<(), Damaged> {
        let slots: Vec<Slot> = (self.next..self.next + results.len() as Slot).collect();
        self.next += results.len() as Slot;
        self.accs.restore(&slots, accs)?;
        let results = results.into_iter().zip(slots);
        self.results
            .extend(results.map(|((id, firing), slot)| (id, (slot, firing))));
        Ok(())
    }

    /// Lets go of results that are not needed any more.
    pub fn forget(&mut self, results: &[ResultId]) {
        for id in results {
            if let Some((slot, _)) = self.results.remove(id) {
                self.free.push(slot);
            }
        }
    }

    /// The last result that was sent under a number.
    fn last(&self, id: ResultId, expansion: &mut Expansion) -> Option<(Pick, Firing)> {
        if let Some(latest) = expansion.latest.get(&id) {
            return latest.map(|(i, firing)| ((0, i), firing));
        }
        let &(slot, firing) = self.results.get(&id)?;
        expansion.old.push(slot);
        Some(((1, expansion.old.len() - 1), firing))
    }

    fn take_back(&self, back: &TakenBack, expansion: &mut Expansion) {
        if let Some((pick, old)) = self.last(back.result, expansion) {
            let shown = Firing {
                stamp: back.stamp,
                w: back.w,
                row: Some(back.row),
                ..old
            };
            expansion.push((shown, shown), Part::Gone, pick);
        }
    }

    /// Keeps what a plan has sent.
    fn keep(&mut self, latest: HashMap<ResultId, Option<(usize, Firing)>>, accs: Option<&Table>) {
        let (mut slots, mut rows) = (Vec::new(), Vec::new());
        for (id, result) in latest {
            let Some((i, firing)) = result else {
                self.forget(&[id]);
                continue;
            };
            let slot = match self.results.get(&id) {
                Some(&(slot, _)) => slot,
                None => self.free.pop().unwrap_or_else(|| {
                    self.next += 1;
                    self.next - 1
                }),
            };
            self.results.insert(id, (slot, firing));
            slots.push(slot);
            rows.push(i as u32);
        }
        if let Some(accs) = accs.filter(|_| !slots.is_empty()) {
            self.accs.reset(&slots);
            self.accs.scatter(&slots, &accs.gather(&rows));
        }
    }
}

impl Expansion {
    fn push(&mut self, (cause, firing): (Firing, Firing), part: Part, pick: Pick) {
        self.expanded.causes.push(cause);
        self.expanded.shown.push(Shown { firing, part });
        self.picks.push(pick);
    }
}

/// What the rows with these origins do to a table: 0 insert, 1 update-before, 2 update-after, 3 delete.
pub fn changes(shown: &[Shown], origins: &[u32]) -> Vec<u8> {
    let mut has_rows = vec![false; shown.len()];
    origins
        .iter()
        .for_each(|&origin| has_rows[origin as usize] = true);
    let change = |&origin: &u32| {
        let at = origin as usize;
        let is = |at: usize, part| shown[at].part == part && has_rows[at];
        match shown[at].part {
            Part::New if at > 0 && is(at - 1, Part::Old) => 2,
            Part::New => 0,
            Part::Old if at + 1 < shown.len() && is(at + 1, Part::New) => 1,
            Part::Old | Part::Gone => 3,
        }
    };
    origins.iter().map(change).collect()
}
