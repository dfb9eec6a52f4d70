//! A function of kind window: it is given all kept rows of a firing when its result is made.
//!
//! What such a firing sees is kept as the numbers of its rows, and known by a *handle*: an accumulator of one word, which
//! travels with the firing as accumulators of aggregates do, is put in order with others and kept where a result may be
//! taken back.
//!
//! Invariants:
//! 1. Rows that a handle stands for are held until nobody uses it: no firing whose result is still to be made, no result
//!    that may be taken back.

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::FieldRef;
use hashbrown::HashMap;
use tidemill_core::window::{Plan, ResultId, RowId};
use tidemill_rows::{Batch, Schema, json, time_text};
use tidemill_wasm::{
    CallError, Column, Failed, Firings, Outcome, ROWS_PER_WINDOW_CALL, Reason, Table, Values,
};

use super::{Halt, Stored};
use crate::aggregate::carry_out::{Carried, Fired};
use crate::checkpoint::kept::StoredKept;
use crate::checkpoint::restored::Damaged;
use crate::functions::WindowCalls;
use crate::state::RowStore;
use crate::state::rows::MOST_TEXT_BYTES;

/// How much text the rows of a firing in a dead letter have at most.
const LETTER_BYTES: usize = 64 << 10;

/// One function of kind window on one worker.
pub struct WholeWindows {
    guest: Box<dyn WindowCalls>,
    stored: Stored,
    /// The function's input columns.
    fields: Vec<FieldRef>,
    contents: HashMap<i64, Content>,
    /// The last handle that was given out.
    last: i64,
    /// What the last result of each window saw that may be taken back.
    sent: HashMap<ResultId, i64>,
    /// Handles that other results have taken the place of, once the plan at hand is done.
    replaced: Vec<i64>,
}

/// What a firing sees.
struct Content {
    rows: Vec<RowId>,
    uses: u32,
}

impl WholeWindows {
    /// Nothing is stored yet. `fields` are the function's input columns.
    pub fn new(guest: Box<dyn WindowCalls>, stored: Stored, fields: Vec<FieldRef>) -> Self {
        Self {
            guest,
            stored,
            fields,
            contents: HashMap::new(),
            last: 0,
            sent: HashMap::new(),
            replaced: Vec::new(),
        }
    }

    /// The function, for what it logged.
    pub fn guest(&mut self) -> &mut dyn WindowCalls {
        &mut *self.guest
    }

    /// A handle that stands for nothing.
    pub fn nothing() -> Table {
        table(vec![0])
    }

    /// Carries a plan out. `batch` is absent when no row is involved.
    ///
    /// # Errors
    /// If there are too many rows.
    pub fn carry_out(&mut self, plan: &Plan, batch: Option<&Batch>) -> Result<Carried, Halt> {
        if let Some(batch) = batch {
            self.stored.rows.store(batch, &plan.stored)?;
        }
        let handles: Vec<i64> = plan.contents.iter().map(|rows| self.see(rows)).collect();
        for (sent, &handle) in plan.sent.iter().zip(&handles) {
            self.replaced.extend(self.sent.insert(sent.id, handle));
        }
        if !plan.sent.is_empty() {
            self.use_again(&handles);
        }
        self.stored.rows.release(&plan.released);
        let accs = (!handles.is_empty()).then(|| table(handles));
        Ok(Carried::Done(Fired {
            accs,
            failed: Vec::new(),
        }))
    }

    /// Firings with these handles wait for their results.
    pub fn wait(&mut self, accs: &Table) {
        self.use_again(handles(accs));
    }

    /// Results of firings with these handles were made.
    pub fn made(&mut self, accs: &Table) {
        handles(accs).iter().for_each(|&handle| self.let_go(handle));
    }

    /// The plan is done, and what waits for its results is known.
    pub fn commit(&mut self, plan: &Plan) {
        for id in &plan.forgotten {
            self.replaced.extend(self.sent.remove(id));
        }
        for handle in std::mem::take(&mut self.replaced) {
            self.let_go(handle);
        }
    }

    /// How many of the firings with these handles, from one on, one call takes.
    pub fn fitting(&self, accs: &Table, from: usize, most: usize) -> usize {
        let handles = handles(accs)[from..].iter().take(most);
        let contents = handles.map(|handle| &self.contents[handle].rows[..]);
        self.stored.fitting(contents, ROWS_PER_WINDOW_CALL)
    }

    /// Gives firings to the function.
    ///
    /// # Errors
    /// If the module cannot serve the call at all.
    pub fn apply(
        &mut self,
        keys: &[ArrayRef],
        firings: &Firings,
        accs: &Table,
    ) -> Result<Outcome, CallError> {
        let contents = || handles(accs).iter().map(|handle| &self.contents[handle]);
        let ids = || contents().flat_map(|content| &content.rows);
        if self.stored.rows.text_bytes(ids()) > MOST_TEXT_BYTES {
            return Ok(too_large(accs.rows));
        }
        let mut offsets = vec![0];
        for content in contents() {
            let before = offsets.last().copied().unwrap_or(0);
            offsets.push(before + content.rows.len() as u32);
        }
        let gathered = self.stored.rows.gather(ids());
        let rows = self.stored.rows_in(&gathered);
        self.guest.apply(keys, firings, &rows, &offsets)
    }

    /// The rows of a firing as JSON: a list, of which each entry has `time` and `row`; and how many more there are.
    pub fn rows_as_json(&self, acc: &Table) -> (String, usize) {
        let ids = &self.contents[&handles(acc)[0]].rows;
        let (mut text, mut shown) = ("[".to_owned(), 0);
        for id in ids {
            let gathered = self.stored.rows.gather(std::iter::once(id));
            let schema = Schema::new(self.fields.clone());
            let row = RecordBatch::try_new(schema.into(), gathered.columns);
            let row = row.map_or_else(|_| "{}".to_owned(), |row| json::row(&row, 0));
            let time = time_text::rfc3339(gathered.times[0]);
            let comma = if shown == 0 { "" } else { "," };
            let entry = format!(r#"{comma}{{"time":"{time}","row":{row}}}"#);
            if text.len() + entry.len() > LETTER_BYTES {
                break;
            }
            text += &entry;
            shown += 1;
        }
        (text + "]", ids.len() - shown)
    }

    /// The rows that handles stand for, in lists.
    pub fn kept(&self, accs: &Table) -> StoredKept {
        let (mut kept, mut ids) = (StoredKept::default(), Vec::new());
        for handle in handles(accs) {
            ids.extend_from_slice(&self.contents[handle].rows);
            kept.ends.push(ids.len() as u64);
        }
        kept.rows = self.stored.rows.kept(&ids);
        kept
    }

    /// Takes what results saw that were kept and may be taken back: the result and its list. Their handles. Rows are given
    /// the numbers behind `last`.
    ///
    /// # Errors
    /// If these are no rows of this function.
    pub fn restore(
        &mut self,
        kept: &StoredKept,
        results: &[(ResultId, u32)],
        mut last: RowId,
    ) -> Result<Table, Damaged> {
        let (mut rows, mut new) = (Vec::new(), Vec::new());
        for &(result, list) in results {
            let list = kept.of(list as usize).ok_or(Damaged)?;
            let ids: Vec<RowId> = list
                .map(|row| {
                    last += 1;
                    rows.push((last, row));
                    last
                })
                .collect();
            self.last += 1;
            self.contents
                .insert(self.last, Content { rows: ids, uses: 1 });
            self.sent.insert(result, self.last);
            new.push(self.last);
        }
        self.stored.rows.restore(&kept.rows, rows)?;
        Ok(table(new))
    }

    /// The rows that are stored.
    pub fn rows(&mut self) -> &mut RowStore {
        &mut self.stored.rows
    }

    /// A handle for what a firing sees.
    fn see(&mut self, rows: &[RowId]) -> i64 {
        self.stored.rows.hold(rows);
        self.last += 1;
        let rows = rows.to_vec();
        self.contents.insert(self.last, Content { rows, uses: 0 });
        self.last
    }

    fn use_again(&mut self, handles: &[i64]) {
        for handle in handles {
            let content = self.contents.get_mut(handle);
            content.expect("a handle in use stands for rows").uses += 1;
        }
    }

    fn let_go(&mut self, handle: i64) {
        let content = self.contents.get_mut(&handle);
        let content = content.expect("a handle in use stands for rows");
        content.uses -= 1;
        if content.uses == 0
            && let Some(content) = self.contents.remove(&handle)
        {
            self.stored.rows.release(&content.rows);
        }
    }
}

fn table(handles: Vec<i64>) -> Table {
    Table {
        rows: handles.len() as u32,
        columns: vec![Column {
            values: Values::Words(handles),
            valid: None,
        }],
    }
}

fn handles(accs: &Table) -> &[i64] {
    match &accs.columns[0].values {
        Values::Words(handles) => handles,
        _ => unreachable!("handles are words"),
    }
}

/// What no memory of a guest can take is not given to it.
fn too_large(firings: u32) -> Outcome {
    let failed = |row| Failed {
        row,
        reason: Reason::Memory,
        code: Reason::Memory.name().to_owned(),
        message: "the texts of its rows take more than 2 GiB".to_owned(),
        backtrace: None,
        log: Vec::new(),
    };
    Outcome {
        emitted: Vec::new(),
        failed: (0..firings).map(failed).collect(),
    }
}
