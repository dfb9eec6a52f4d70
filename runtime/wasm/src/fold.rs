//! Finding bad rows where rows share accumulators: `accumulate`, and accumulators in `merge`.
//!
//! A call that was stopped is given again in parts (see [`crate::isolate`]), from the same accumulators: the first part,
//! then the second with the accumulators that the first left, and so on. The bad row stands alone at last; further rows of its key are passed over in
//! this round, since what they would see is not what they should; rows of other keys go on, to find theirs. Of failures
//! that a function returned only the first of each key counts, unless the function says that they left no trace.
//!
//! The caller then gives the call again, from the same accumulators, without the failed rows, until none fails.

use std::collections::{HashMap, HashSet};

use arrow_array::{ArrayRef, UInt32Array};

use crate::aggregate::{Accumulated, Aggregate};
use crate::error::CallError;
use crate::isolate::PARTS;
use crate::outcome::Failed;
use crate::report::Stopped;
use crate::transform::RowsIn;
use crate::wire::Table;

/// What is added to accumulators.
pub(crate) enum Given<'a> {
    /// Rows; `keys[g]` is the key of group g.
    Rows {
        rows: &'a RowsIn<'a>,
        marks: &'a [u32],
        keys: &'a [u32],
    },
    /// Accumulators; each group is a key of its own.
    Others(&'a Table),
}

impl Given<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Rows { rows, .. } => rows.len,
            Self::Others(others) => others.rows as usize,
        }
    }

    fn key(&self, group: u32) -> u32 {
        match self {
            Self::Rows { keys, .. } => keys[group as usize],
            Self::Others(_) => group,
        }
    }
}

/// Gives the call whole, and in parts where that does not work.
pub(crate) fn fold(
    function: &mut Aggregate,
    given: &Given<'_>,
    groups: &[u32],
    accs: &Table,
) -> Result<Accumulated, CallError> {
    let rows = given.len();
    let most = function.guest().pace.most_rows();
    if rows > 1 && rows <= most || rows == 0 {
        let whole = match given {
            Given::Rows { rows, marks, .. } => {
                function.call_accumulate(rows, groups, accs, marks)?
            }
            Given::Others(others) => function.call_merge(accs, others, groups)?,
        };
        if let Ok(mut done) = whole {
            function.guest().pace.grow();
            if !done.clean {
                first_of_each_key(&mut done.failed, |row| given.key(groups[row as usize]));
            }
            return Ok(done);
        }
    }
    let fits = rows > 1 && rows <= most;
    let mut search = Search::new(function, given, groups, accs);
    let all: Vec<u32> = (0..rows as u32).collect();
    if fits {
        search.split(&all)?;
    } else {
        search.calls(&all)?;
    }
    Ok(search.done(accs))
}

fn first_of_each_key(failed: &mut Vec<Failed>, key: impl Fn(u32) -> u32) {
    let mut seen = HashSet::new();
    failed.retain(|failure| seen.insert(key(failure.row)));
}

struct Search<'s> {
    function: &'s mut Aggregate,
    given: &'s Given<'s>,
    groups: &'s [u32],
    /// Accumulators after the parts that stand.
    accs: Table,
    marked: Vec<Table>,
    failed: Vec<Failed>,
    /// Keys whose further rows are passed over.
    spoiled: HashSet<u32>,
}

/// Some of the rows, as a call of their own.
struct Part {
    /// The groups that occur, in order of first appearance.
    named: Vec<u32>,
    /// For each row its place in `named`.
    groups: Vec<u32>,
    accs: Table,
}

impl<'s> Search<'s> {
    fn new(
        function: &'s mut Aggregate,
        given: &'s Given<'s>,
        groups: &'s [u32],
        accs: &Table,
    ) -> Self {
        Self {
            function,
            given,
            groups,
            accs: accs.clone(),
            marked: Vec::new(),
            failed: Vec::new(),
            spoiled: HashSet::new(),
        }
    }

    fn key(&self, row: u32) -> u32 {
        self.given.key(self.groups[row as usize])
    }

    /// Adds the rows named, but those of spoiled keys. Gives whether the first call stood.
    fn run(&mut self, rows: &[u32]) -> Result<bool, CallError> {
        let rows: Vec<u32> = rows
            .iter()
            .copied()
            .filter(|&row| !self.spoiled.contains(&self.key(row)))
            .collect();
        let rows = rows.as_slice();
        if rows.is_empty() {
            return Ok(true);
        }
        let fresh = self.function.guest().is_fresh();
        let part = self.part(rows);
        match self.call(rows, &part)? {
            Ok(done) => {
                self.stands(rows, part, done)?;
                return Ok(true);
            }
            Err(stopped) if rows.len() == 1 && fresh => {
                self.spoiled.insert(self.key(rows[0]));
                self.failed.push(stopped.blame(rows[0]));
            }
            // The next instance is a fresh one: what stops the row now is its own doing.
            Err(_) if rows.len() == 1 => {
                self.run(rows)?;
            }
            Err(_) => self.split(rows)?,
        }
        Ok(false)
    }

    /// Adds rows in calls of as many as the function's pace says.
    fn calls(&mut self, mut rows: &[u32]) -> Result<(), CallError> {
        while !rows.is_empty() {
            let most = self.function.guest().pace.most_rows().min(rows.len());
            let (call, rest) = rows.split_at(most);
            if self.run(call)? {
                self.function.guest().pace.grow();
            }
            rows = rest;
        }
        Ok(())
    }

    /// Adds rows whose call was stopped. If all parts succeed, there were too many.
    fn split(&mut self, rows: &[u32]) -> Result<(), CallError> {
        let before = self.failed.len();
        let part = rows.len().div_ceil(PARTS);
        for rows in rows.chunks(part) {
            self.run(rows)?;
        }
        if self.failed.len() == before {
            self.function.guest().pace.shrink(part);
        }
        Ok(())
    }

    /// Takes over what a call returned. With failures that left a trace the rest is given again without their keys.
    fn stands(&mut self, rows: &[u32], part: Part, done: Accumulated) -> Result<(), CallError> {
        let Accumulated {
            accs,
            marked,
            mut failed,
            clean,
        } = done;
        failed
            .iter_mut()
            .for_each(|failure| failure.row = rows[failure.row as usize]);
        if clean {
            self.accs.scatter(&part.named, &accs);
            self.marked.push(marked);
            self.failed.append(&mut failed);
            return Ok(());
        }
        first_of_each_key(&mut failed, |row| self.key(row));
        let keys: Vec<u32> = failed.iter().map(|failure| self.key(failure.row)).collect();
        self.spoiled.extend(keys);
        self.failed.append(&mut failed);
        self.run(rows)?;
        Ok(())
    }

    fn part(&self, rows: &[u32]) -> Part {
        let mut places: HashMap<u32, u32> = HashMap::new();
        let mut named = Vec::new();
        let mut groups = Vec::with_capacity(rows.len());
        for &row in rows {
            let group = self.groups[row as usize];
            let place = *places.entry(group).or_insert_with(|| {
                named.push(group);
                named.len() as u32 - 1
            });
            groups.push(place);
        }
        let accs = self.accs.gather(&named);
        Part {
            named,
            groups,
            accs,
        }
    }

    fn call(
        &mut self,
        picks: &[u32],
        part: &Part,
    ) -> Result<Result<Accumulated, Stopped>, CallError> {
        match self.given {
            Given::Others(others) => {
                self.function
                    .call_merge(&part.accs, &others.gather(picks), &part.groups)
            }
            Given::Rows { rows, marks, .. } => {
                let marks: Vec<u32> = (0..picks.len() as u32)
                    .filter(|&at| marks.binary_search(&picks[at as usize]).is_ok())
                    .collect();
                let taken = Taken::of(rows, picks);
                self.function
                    .call_accumulate(&taken.rows(), &part.groups, &part.accs, &marks)
            }
        }
    }

    fn done(mut self, given: &Table) -> Accumulated {
        self.failed.sort_by_key(|failure| failure.row);
        let clean = self.spoiled.is_empty();
        let marked: Vec<&Table> = self.marked.iter().collect();
        let marked = match clean && !marked.is_empty() {
            true => Table::concat(&marked),
            false => given.without_rows(),
        };
        Accumulated {
            accs: self.accs,
            marked,
            failed: self.failed,
            clean,
        }
    }
}

/// Rows picked from a call's.
pub(crate) struct Taken {
    times: Vec<i64>,
    stamps: Option<Vec<i64>>,
    changes: Option<Vec<u8>>,
    columns: Vec<ArrayRef>,
}

impl Taken {
    pub(crate) fn of(rows: &RowsIn<'_>, picks: &[u32]) -> Self {
        let indices = UInt32Array::from(picks.to_vec());
        let take = |column: &ArrayRef| {
            arrow_select::take::take(column, &indices, None)
                .expect("rows are picked from the call's")
        };
        Self {
            times: picks.iter().map(|&row| rows.times[row as usize]).collect(),
            stamps: rows
                .stamps
                .map(|s| picks.iter().map(|&row| s[row as usize]).collect()),
            changes: rows
                .changes
                .map(|c| picks.iter().map(|&row| c[row as usize]).collect()),
            columns: rows.columns.iter().map(take).collect(),
        }
    }

    pub(crate) fn rows(&self) -> RowsIn<'_> {
        RowsIn {
            len: self.times.len(),
            times: &self.times,
            stamps: self.stamps.as_deref(),
            changes: self.changes.as_deref(),
            columns: &self.columns,
        }
    }
}
