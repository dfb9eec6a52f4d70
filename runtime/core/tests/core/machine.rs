//! A window operator with everything around it that the engine has: key numbers, accumulators, a function.
//!
//! It carries plans out one by one and checks what a plan promises: slots are created before they are used, freed once and
//! not used again, keys are gone once, late rows ascend.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

use tidemill_core::window::{
    Firing, KeyId, KeyOrder, Op, Plan, ResultId, RowId, Rows, Slot, WindowOperator, WindowSpec,
};

use crate::aggregate::{Acc, Aggregate};

/// A row of a test.
#[derive(Clone, Debug)]
pub struct TestRow {
    pub key: String,
    pub time: i64,
    pub value: i64,
    pub stamp: i64,
    pub w: i64,
}

/// What a result does to the results before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Insert,
    UpdateBefore,
    UpdateAfter,
    Delete,
}

/// A result.
#[derive(Clone, Debug, PartialEq)]
pub struct Fired {
    pub key: String,
    pub change: Change,
    /// With the key number set to 0 and the row to none: they depend on batches.
    pub firing: Firing,
    pub value: Acc,
}

/// What came of a step.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Came {
    pub fired: Vec<Fired>,
    /// Late rows, as indices into the step's.
    pub late: Vec<usize>,
}

/// Key numbers as the engine gives them: those of keys that are gone are given out again.
#[derive(Default)]
pub struct Keys {
    pub numbers: BTreeMap<String, KeyId>,
    names: Vec<String>,
    free: Vec<KeyId>,
}

impl Keys {
    pub fn number(&mut self, name: &str) -> KeyId {
        if let Some(&key) = self.numbers.get(name) {
            return key;
        }
        let key = self.free.pop().unwrap_or(self.names.len() as KeyId);
        self.names
            .resize((key as usize + 1).max(self.names.len()), String::new());
        self.names[key as usize] = name.to_owned();
        self.numbers.insert(name.to_owned(), key);
        key
    }

    fn free(&mut self, key: KeyId) {
        let name = &self.names[key as usize];
        assert_eq!(
            self.numbers.remove(name),
            Some(key),
            "key {name} is gone twice"
        );
        self.free.push(key);
    }
}

impl KeyOrder for Keys {
    fn prefix(&self, key: KeyId) -> u64 {
        let mut bytes = [0; 8];
        let name = self.names[key as usize].as_bytes();
        let n = name.len().min(8);
        bytes[..n].copy_from_slice(&name[..n]);
        u64::from_be_bytes(bytes)
    }

    fn cmp(&self, a: KeyId, b: KeyId) -> Ordering {
        self.names[a as usize].cmp(&self.names[b as usize])
    }
}

/// See the module.
pub struct Machine {
    pub spec: WindowSpec,
    pub operator: WindowOperator,
    aggregate: Aggregate,
    pub accs: BTreeMap<Slot, Acc>,
    /// Values of stored rows.
    pub stored: BTreeMap<RowId, i64>,
    /// Results that may be taken back.
    pub sent: BTreeMap<ResultId, Fired>,
    pub keys: Keys,
    plan: Plan,
    /// How many plans there were.
    pub plans: usize,
    pub counters: tidemill_core::window::Counters,
}

impl Machine {
    pub fn new(spec: WindowSpec, aggregate: Aggregate) -> Self {
        Self {
            spec,
            operator: WindowOperator::new(spec),
            aggregate,
            accs: BTreeMap::new(),
            stored: BTreeMap::new(),
            sent: BTreeMap::new(),
            keys: Keys::default(),
            plan: Plan::default(),
            plans: 0,
            counters: Default::default(),
        }
    }

    /// Takes rows as one batch. Those at which `fails` says so fail one attempt after the other, as in the engine.
    pub fn take(&mut self, rows: &[TestRow], fails: &[bool]) -> Came {
        let (mut came, mut from) = (Came::default(), 0);
        while from < rows.len() {
            let (some, taken) = self.take_some(&rows[from..], fails.get(from..).unwrap_or(&[]));
            came.fired.extend(some.fired);
            came.late.extend(some.late.iter().map(|row| from + row));
            from += taken;
            self.plans += 1;
        }
        came
    }

    /// One plan: as many of the rows as it is about.
    fn take_some(&mut self, rows: &[TestRow], fails: &[bool]) -> (Came, usize) {
        let keys: Vec<KeyId> = rows.iter().map(|row| self.keys.number(&row.key)).collect();
        let times: Vec<i64> = rows.iter().map(|row| row.time).collect();
        let stamps: Vec<i64> = rows.iter().map(|row| row.stamp).collect();
        let w: Vec<i64> = rows.iter().map(|row| row.w).collect();
        let mut failed = vec![false; rows.len()];
        let mut plan = std::mem::take(&mut self.plan);
        loop {
            let known = failed.contains(&true).then_some(&failed[..]);
            let batch = Rows {
                times: &times,
                stamps: &stamps,
                w: &w,
                keys: &keys,
                failed: known,
            };
            self.operator.take(&batch, &mut plan);
            let added = |row: usize| {
                let adds = |op: &Op| matches!(op, Op::Add { row: r, .. } if *r as usize == row);
                plan.ops.iter().any(adds) || plan.stored.iter().any(|(r, _)| *r as usize == row)
            };
            let next = (0..rows.len())
                .find(|&row| fails.get(row) == Some(&true) && !failed[row] && added(row));
            let Some(row) = next else { break };
            failed[row] = true;
            self.operator.undo(&plan);
        }
        let taken = plan.taken;
        assert!(taken > 0, "a plan takes a row");
        self.check_rows(&plan, taken, &failed[..taken]);
        let came = self.carry_out(&plan, rows);
        self.plan = plan;
        (came, taken)
    }

    /// Raises W.
    pub fn advance(&mut self, w: i64) -> Came {
        let mut plan = std::mem::take(&mut self.plan);
        let mut came = Came::default();
        while {
            let more = self.operator.advance(w, &self.keys, &mut plan);
            self.plans += 1;
            came.fired.extend(self.carry_out(&plan, &[]).fired);
            more
        } {}
        self.plan = plan;
        came
    }

    /// The clock says `now`.
    pub fn clock(&mut self, now: i64) -> Came {
        let mut plan = std::mem::take(&mut self.plan);
        let mut came = Came::default();
        if self.operator.clock(now, &self.keys, &mut plan) {
            came = self.carry_out(&plan, &[]);
        }
        self.plan = plan;
        came
    }

    /// Nothing is left: to be called after the end round.
    pub fn check_empty(&self) {
        assert!(
            self.accs.is_empty(),
            "accumulators are left: {:?}",
            self.accs
        );
        assert!(
            self.keys.numbers.is_empty(),
            "keys are left: {:?}",
            self.keys.numbers
        );
        assert!(self.stored.is_empty(), "rows are left: {:?}", self.stored);
        assert!(self.sent.is_empty(), "results are left: {:?}", self.sent);
        assert_eq!(self.operator.next_due(), None);
    }

    fn check_rows(&self, plan: &Plan, rows: usize, failed: &[bool]) {
        let mut seen: BTreeSet<u32> = plan.late.iter().copied().collect();
        assert_eq!(seen.len(), plan.late.len());
        assert!(plan.late.is_sorted());
        for op in &plan.ops {
            if let Op::Add { row, .. } = op {
                assert!(seen.insert(*row), "row {row} is in two places");
                assert!(!failed[*row as usize], "row {row} failed");
            }
        }
        let stored: BTreeSet<u32> = plan.stored.iter().map(|(row, _)| *row).collect();
        for row in stored {
            assert!(seen.insert(row), "row {row} is in two places");
            assert!(!failed[row as usize], "row {row} failed");
        }
        let failed = failed.iter().filter(|failed| **failed).count();
        assert_eq!(seen.len() + failed + plan.counters.in_gaps as usize, rows);
        let adds_only = plan.ops.iter().all(|op| matches!(op, Op::Add { .. }));
        assert_eq!(plan.adds_only, adds_only);
    }

    fn carry_out(&mut self, plan: &Plan, rows: &[TestRow]) -> Came {
        for slot in &plan.created {
            let old = self.accs.insert(*slot, self.aggregate.create());
            assert_eq!(old, None, "slot {slot} is in use");
        }
        for (row, id) in &plan.stored {
            let old = self.stored.insert(*id, rows[*row as usize].value);
            assert_eq!(old, None, "row {id} is stored twice");
        }
        let mut seen: Vec<Option<Acc>> =
            plan.contents.iter().map(|ids| self.of_rows(ids)).collect();
        seen.resize(plan.firings.len(), None);
        plan.ops
            .iter()
            .for_each(|op| self.apply(*op, rows, &mut seen));
        let mut came = Came::default();
        self.results(plan, seen, &mut came.fired);
        for slot in &plan.freed {
            let freed = self.accs.remove(slot);
            assert!(freed.is_some(), "slot {slot} is freed twice");
        }
        for id in &plan.released {
            assert!(
                self.stored.remove(id).is_some(),
                "row {id} is released twice"
            );
        }
        for id in &plan.forgotten {
            assert!(self.sent.remove(id).is_some(), "result {id} is not there");
        }
        came.late.extend(plan.late.iter().map(|row| *row as usize));
        self.operator.commit(plan);
        plan.gone.iter().for_each(|key| self.keys.free(*key));
        self.counters.late += plan.counters.late;
        self.counters.behind_accepted += plan.counters.behind_accepted;
        self.counters.in_gaps += plan.counters.in_gaps;
        self.counters.windows_missed += plan.counters.windows_missed;
        self.counters.never_sent += plan.counters.never_sent;
        came
    }

    /// What a function makes of stored rows.
    fn of_rows(&self, ids: &[RowId]) -> Option<Acc> {
        let mut acc = self.aggregate.create();
        ids.iter()
            .for_each(|id| self.aggregate.add(&mut acc, self.stored[id]));
        Some(acc)
    }

    fn apply(&mut self, op: Op, rows: &[TestRow], seen: &mut [Option<Acc>]) {
        match op {
            Op::Add { row, slot } => {
                let acc = self.accs.get_mut(&slot).expect("a slot in use");
                self.aggregate.add(acc, rows[row as usize].value);
            }
            Op::Merge { into, from, .. } => {
                let from = self.accs[&from].clone();
                let into = self.accs.get_mut(&into).expect("a slot in use");
                self.aggregate.merge(into, &from);
            }
            Op::Copy { from, into } => {
                let from = self.accs[&from].clone();
                let old = self.accs.insert(into, from);
                assert_eq!(
                    old,
                    Some(self.aggregate.create()),
                    "slot {into} is not fresh"
                );
            }
            Op::Fire { firing, slot } => {
                let old = seen[firing as usize].replace(self.accs[&slot].clone());
                assert_eq!(old, None, "firing {firing} is there twice");
            }
        }
    }

    /// The results of a plan's firings, and of what it takes back.
    fn results(&mut self, plan: &Plan, seen: Vec<Option<Acc>>, fired: &mut Vec<Fired>) {
        let mut taken_back = plan.taken_back.iter().peekable();
        for (i, value) in seen.into_iter().enumerate() {
            while let Some(back) = taken_back.next_if(|back| back.before as usize <= i) {
                fired.push(self.again(back.result, Change::Delete, (back.stamp, back.w)));
            }
            let firing = Firing {
                row: None,
                ..plan.firings[i]
            };
            let key = self.keys.names[firing.key as usize].clone();
            let firing = Firing { key: 0, ..firing };
            let value = value.expect("every firing sees something");
            let mut change = Change::Insert;
            if let Some(sent) = plan.sent.get(i) {
                if sent.replaces {
                    change = Change::UpdateAfter;
                    let old = self.again(sent.id, Change::UpdateBefore, (firing.stamp, firing.w));
                    fired.push(old);
                }
                let result = Fired {
                    key: key.clone(),
                    change,
                    firing,
                    value: value.clone(),
                };
                self.sent.insert(sent.id, result);
            }
            fired.push(Fired {
                key,
                change,
                firing,
                value,
            });
        }
        for back in taken_back {
            fired.push(self.again(back.result, Change::Delete, (back.stamp, back.w)));
        }
    }

    /// A result as it was sent, to be taken back.
    fn again(&self, id: ResultId, change: Change, (stamp, w): (i64, i64)) -> Fired {
        let sent = self.sent[&id].clone();
        let firing = Firing {
            stamp,
            w,
            ..sent.firing
        };
        Fired {
            change,
            firing,
            ..sent
        }
    }
}
