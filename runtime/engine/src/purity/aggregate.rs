//! Aggregates: a key's rows in their order, whatever rows of other keys stand between them.

use std::collections::BTreeMap;

use arrow_array::ArrayRef;
use tidemill_core::window::{Firing, Moment};
use tidemill_rows::key::EncodedKeys;
use tidemill_rows::{RecordBatch, Schema, json};

use super::accumulators::{Accumulators, Keyed, merge};
use super::transform::texts;
use super::{BATCHES, Fault, Finding, Given, difference, settings};
use crate::functions::{AggregateCalls, Functions, InModules};
use crate::operator::window::results::told;
use crate::plan::{Station, WindowPlan};

/// Into how many parts a key's rows are cut, to be merged.
const PARTS: usize = 3;

/// An aggregate, its rows, and what makes it ready.
struct Subject<'a> {
    plan: &'a WindowPlan,
    station: &'a Station,
    given: &'a Given,
    /// The number of each row's key.
    keys: Vec<usize>,
    /// The first row of each key.
    firsts: Vec<u32>,
}

/// What was found out about an aggregate.
pub fn check(
    plan: &WindowPlan,
    station: &Station,
    given: &Given,
) -> Result<Option<Finding>, Fault> {
    let (keys, firsts) = numbered(plan, given);
    let subject = Subject {
        plan,
        station,
        given,
        keys,
        firsts,
    };
    let all: Vec<u32> = (0..given.rows.num_rows() as u32).collect();
    let folded = subject.folded(&all, Way::Whole)?;
    if let Some(found) = subject.folding(&folded, &all)? {
        return Ok(Some(found));
    }
    if let Some(found) = subject.finishing(&folded)? {
        return Ok(Some(found));
    }
    subject.merging(&folded)
}

/// How rows are folded.
#[derive(Clone, Copy)]
enum Way {
    /// All at once, on a fresh instance.
    Whole,
    /// The same, after the instance has seen all of them.
    Again,
    /// So many at a time, on a fresh instance.
    Batches(usize),
    /// Key by key, the last one first; a key's own rows keep their order.
    ByKey,
}

impl Way {
    /// As it is told.
    fn when(self) -> String {
        match self {
            Self::Whole => "called with all rows at once".to_owned(),
            Self::Again => "called again on the same instance".to_owned(),
            Self::Batches(rows) => format!("called with {rows} rows at a time"),
            Self::ByKey => "called with the keys in another order".to_owned(),
        }
    }
}

/// Numbers the keys by their first appearance: that of each row, and the first row of each.
pub fn numbered(plan: &WindowPlan, given: &Given) -> (Vec<usize>, Vec<u32>) {
    let columns: Vec<ArrayRef> = plan
        .key
        .iter()
        .map(|&i| given.rows.column(i).clone())
        .collect();
    let mut encoded = EncodedKeys::default();
    let rows = given.rows.num_rows();
    encoded.encode(&columns, rows);
    let (mut known, mut firsts) = (BTreeMap::new(), Vec::new());
    let keys = (0..rows)
        .map(|row| {
            *known.entry(encoded.get(row).to_vec()).or_insert_with(|| {
                firsts.push(row as u32);
                firsts.len() - 1
            })
        })
        .collect();
    (keys, firsts)
}

impl Subject<'_> {
    fn fresh(&self) -> Result<Box<dyn AggregateCalls>, Fault> {
        let function = &self.plan.function;
        Ok(InModules.aggregate(&function.module, settings(self.station, function))?)
    }

    /// The accumulators of all keys, of these rows.
    fn folded(&self, rows: &[u32], way: Way) -> Result<Accumulators, Fault> {
        let mut guest = self.fresh()?;
        let keyed = Keyed {
            plan: self.plan,
            given: self.given,
            keys: &self.keys,
        };
        let mut order = rows.to_vec();
        let batch = match way {
            Way::Batches(batch) => batch,
            _ => rows.len(),
        };
        if let Way::ByKey = way {
            order.sort_by_key(|&row| std::cmp::Reverse(self.keys[row as usize]));
        }
        if let Way::Again = way {
            let mut unused = Accumulators::new(&mut *guest, self.firsts.len())?;
            keyed.fold(&order, (&mut *guest, batch), &mut unused)?;
        }
        let mut into = Accumulators::new(&mut *guest, self.firsts.len())?;
        keyed.fold(&order, (&mut *guest, batch), &mut into)?;
        Ok(into)
    }

    /// Compares accumulators of keys.
    fn compare(&self, when: &str, first: &Accumulators, other: &Accumulators) -> Option<Finding> {
        let fields = &self.plan.function.described().accumulator;
        let (first, other) = (first.texts(fields), other.texts(fields));
        difference(when, (&first, &other), |key| self.key(key))
    }

    /// The rows of a key, for people.
    fn key(&self, key: usize) -> String {
        let row = self.firsts[key] as usize;
        let rows = self.keys.iter().filter(|k| **k == key).count();
        if self.plan.key.is_empty() {
            return format!("all {rows} rows");
        }
        let columns: Vec<ArrayRef> = self
            .plan
            .key
            .iter()
            .map(|&i| self.given.rows.column(i).clone())
            .collect();
        let schema = Schema::new(self.plan.key_fields.clone());
        let keys = RecordBatch::try_new(schema.into(), columns)
            .expect("key columns are as the key's fields say");
        format!(
            "{}, first of {rows}: {}",
            json::row(&keys, row),
            json::row(&self.given.rows, row)
        )
    }

    fn folding(&self, folded: &Accumulators, all: &[u32]) -> Result<Option<Finding>, Fault> {
        let batches = BATCHES.map(Way::Batches);
        for way in [Way::Again].into_iter().chain(batches).chain([Way::ByKey]) {
            let other = self.folded(all, way)?;
            if self.compare("", folded, &other).is_some() {
                return self.first_row(all, way).map(Some);
            }
        }
        Ok(None)
    }

    /// The first row behind which the accumulators differ: found by halving, since what has gone apart stays apart.
    fn first_row(&self, all: &[u32], way: Way) -> Result<Finding, Fault> {
        let differ = |rows: usize| -> Result<Option<Finding>, Fault> {
            let (first, other) = (
                self.folded(&all[..rows], Way::Whole)?,
                self.folded(&all[..rows], way)?,
            );
            Ok(self.compare(&way.when(), &first, &other))
        };
        let (mut same, mut apart) = (0, all.len());
        while apart - same > 1 {
            let middle = same + (apart - same) / 2;
            match differ(middle)? {
                Some(_) => apart = middle,
                None => same = middle,
            }
        }
        let row = json::row(&self.given.rows, all[apart - 1] as usize);
        let found = differ(apart)?;
        // A function that is not pure may give the same this time.
        let unsteady = || Finding {
            when: way.when(),
            row: row.clone(),
            first: "one accumulator".to_owned(),
            other: "another one, and then the same again".to_owned(),
        };
        let found = found.unwrap_or_else(unsteady);
        Ok(Finding { row, ..found })
    }

    fn finishing(&self, folded: &Accumulators) -> Result<Option<Finding>, Fault> {
        let mut guest = self.fresh()?;
        let all: Vec<usize> = (0..self.firsts.len()).collect();
        let backwards: Vec<usize> = all.iter().rev().copied().collect();
        let first = self.finished(folded, &all, (&mut *guest, all.len()))?;
        let again = self.finished(folded, &all, (&mut *guest, all.len()))?;
        let single = self.finished(folded, &all, (&mut *self.fresh()?, 1))?;
        let turned = self.finished(folded, &backwards, (&mut *self.fresh()?, all.len()))?;
        let others = [
            ("finishes again on the same instance", again),
            ("finishes one key at a time", single),
            ("finishes the keys in another order", turned),
        ];
        let found = others
            .iter()
            .find_map(|(when, other)| difference(*when, (&first, other), |key| self.key(key)));
        Ok(found)
    }

    /// What each key gives at the end of one window, by its number.
    fn finished(
        &self,
        folded: &Accumulators,
        order: &[usize],
        (guest, batch): (&mut dyn AggregateCalls, usize),
    ) -> Result<Vec<String>, Fault> {
        let mut results = vec![String::new(); order.len()];
        for part in order.chunks(batch.max(1)) {
            let rows: Vec<u32> = part.iter().map(|&key| self.firsts[key]).collect();
            let of_keys = self.given.take(&rows);
            let keys = self.plan.finish_keys.iter();
            let keys: Vec<ArrayRef> = keys
                .map(|&i| of_keys.rows.column(self.plan.key[i]).clone())
                .collect();
            let numbers: Vec<u32> = part.iter().map(|&key| key as u32).collect();
            let accs = folded.table().gather(&numbers);
            let firings = part.iter().map(|_| told(&self.firing())).collect();
            let outcome = guest.finish(&keys, &firings, &accs)?;
            for (key, text) in part.iter().zip(texts(&outcome, &keys, part.len())) {
                results[*key] = text;
            }
        }
        Ok(results)
    }

    /// A window around all rows.
    fn firing(&self) -> Firing {
        let times = self.given.times.iter().copied();
        let (start, end) = (
            times.clone().min().unwrap_or(0),
            times.max().unwrap_or(0) + 1,
        );
        Firing {
            key: 0,
            start,
            end,
            time: end - 1,
            at: end - 1,
            moment: Moment::OnTime,
            number: 1,
            last: true,
            stamp: end - 2,
            w: end - 2,
            row: None,
        }
    }

    fn merging(&self, folded: &Accumulators) -> Result<Option<Finding>, Fault> {
        let [a, b, c] = self.parts()?;
        let mut guest = self.fresh()?;
        let keys = self.firsts.len();
        let left = |guest: &mut dyn AggregateCalls, at_once: usize| -> Result<_, Fault> {
            let ab = merge(guest, &a, &b, at_once)?;
            merge(guest, &ab, &c, at_once)
        };
        let first = left(&mut *guest, keys)?;
        let again = left(&mut *guest, keys)?;
        if let Some(found) = self.compare("merges again on the same instance", &first, &again) {
            return Ok(Some(found));
        }
        let single = left(&mut *self.fresh()?, 1)?;
        if let Some(found) = self.compare("merges one key at a time", &first, &single) {
            return Ok(Some(found));
        }
        if !self.plan.function.described().combinable {
            return Ok(None);
        }
        let claims = "says that it is combinable, and";
        let when = format!("{claims} merges parts of the rows");
        if let Some(found) = self.compare(&when, folded, &first) {
            return Ok(Some(found));
        }
        let bc = merge(&mut *guest, &b, &c, keys)?;
        let right = merge(&mut *guest, &a, &bc, keys)?;
        let cb = merge(&mut *guest, &c, &b, keys)?;
        let turned = merge(&mut *guest, &cb, &a, keys)?;
        let others = [("with other brackets", right), ("in another order", turned)];
        Ok(others.iter().find_map(|(how, other)| {
            self.compare(&format!("{claims} merges {how}"), &first, other)
        }))
    }

    /// The accumulators of the rows in parts: each key's first rows, its next, its last.
    fn parts(&self) -> Result<[Accumulators; PARTS], Fault> {
        let mut counts = vec![0; self.firsts.len()];
        self.keys.iter().for_each(|&key| counts[key] += 1);
        let mut seen = vec![0; self.firsts.len()];
        let mut parts: [Vec<u32>; PARTS] = Default::default();
        for (row, &key) in self.keys.iter().enumerate() {
            parts[seen[key] * PARTS / counts[key]].push(row as u32);
            seen[key] += 1;
        }
        let [a, b, c] = parts;
        let fold = |rows: Vec<u32>| self.folded(&rows, Way::Whole);
        Ok([fold(a)?, fold(b)?, fold(c)?])
    }
}
