//! State as typed rows, for people: what operators kept at a checkpoint, read without modules and without a plan.
//!
//! One entry per window, pane or stored row of a key, each a line of JSON whose columns are those that the manifest names:
//!
//! ```text
//! {"operator":"sum","key":{"account":"a"},"window_start":"…","window_end":"…","fired":0,"accumulator":{"total":3.0}}
//! {"operator":"sum","key":{"account":"a"},"time":"…","row":{"amount":1.0}}
//! ```

mod states;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{FieldRef, Schema};
use serde_json::Value;
use tidemill_checkpoint::{Manifest, Operator, Sequence};
use tidemill_core::time;
use tidemill_core::window::WindowSpec;
use tidemill_core::window::seen::{Seen, see};
use tidemill_rows::{json, key, time_text};
use tidemill_wasm::Table;

use self::states::States;
use super::columns::Named;
use super::cut::{Kept, StationCut};
use super::kept::{Blocks, KeysKept, OperatorKept, WindowsKept};
use super::{location, schemas};
use crate::error::EngineError;
use crate::state::rows::saving;

/// The state of one operator at a checkpoint.
#[derive(Debug)]
pub struct OperatorState {
    /// Its name.
    pub operator: String,
    /// Its kind: `transform`, `window`.
    pub kind: String,
    /// The columns of its key, as `account: text`.
    pub key: Vec<String>,
    /// What it keeps, in words.
    pub keeps: String,
    /// How many keys it keeps something for.
    pub keys: usize,
    /// Its watermark, in microseconds.
    pub watermark: i64,
    /// Everything that it keeps, in the order of keys.
    pub entries: Vec<Entry>,
}

/// One thing that is kept for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The operator.
    pub operator: String,
    /// The key, as a JSON object.
    pub key: String,
    /// What it is, as fields of JSON: which window, pane or row. Of two entries of a key none has the same.
    pub what: String,
    /// What is kept, as fields of JSON.
    pub value: String,
}

impl Entry {
    /// As a line of JSON.
    pub fn json(&self) -> String {
        let operator = Value::from(self.operator.as_str());
        format!(r#"{{"operator":{operator},{}"#, &self.row()[1..])
    }

    /// As JSON, without the operator.
    pub fn row(&self) -> String {
        let Self {
            key, what, value, ..
        } = self;
        let mut line = format!(r#"{{"key":{key}"#);
        for fields in [what, value] {
            if !fields.is_empty() {
                line.push(',');
                line.push_str(fields);
            }
        }
        line + "}"
    }
}

/// What operators kept at a checkpoint, in the order of the pipeline; those without state have no entries.
///
/// # Errors
/// If a data file is damaged, or holds what no operator keeps.
pub fn of_checkpoint(
    sequence: &Sequence,
    manifest: &Manifest,
) -> Result<Vec<OperatorState>, EngineError> {
    let number = manifest.number.0;
    let operators = manifest.contents.operators.iter();
    let state = |operator: &Operator| {
        let (cuts, blocks) = location::read_operator(sequence, number, operator)?;
        let cuts: Vec<&StationCut> = cuts.iter().collect();
        let named = (operator.name.as_str(), operator.kind.as_str());
        let seen = of_cuts(named, &operator.schemas, (&cuts, &blocks));
        seen.ok_or_else(|| EngineError::Unreadable {
            number,
            station: operator.name.clone(),
        })
    };
    operators.map(state).collect()
}

/// What an operator kept on each worker; nothing if it is not what its schemas say.
pub(crate) fn of_cuts(
    (name, kind): (&str, &str),
    schemas: &Value,
    (cuts, blocks): (&[&StationCut], &Blocks),
) -> Option<OperatorState> {
    let mut state = OperatorState {
        operator: name.to_owned(),
        kind: kind.to_owned(),
        key: words(&schemas[schemas::KEY]),
        keeps: keeps(schemas),
        keys: 0,
        watermark: time::MAX,
        entries: Vec::new(),
    };
    let mut process = None;
    for cut in cuts {
        let Kept::Node(node) = &cut.kept else {
            return None;
        };
        state.watermark = state.watermark.min(node.watermark);
        match &node.operator {
            OperatorKept::Windows(windows) => {
                Windows::new(name, schemas)?.add(windows, &mut state)?;
            }
            OperatorKept::Process(kept) => process = Some(kept),
            OperatorKept::Nothing => {}
            OperatorKept::Pending(_) => return None,
        }
    }
    if let Some(kept) = process {
        States::new(name, schemas)?.add((kept, blocks), &mut state)?;
    }
    state.entries.sort_by(|a, b| a.key.cmp(&b.key));
    Some(state)
}

fn words(columns: &Value) -> Vec<String> {
    let columns = columns.as_array().into_iter().flatten();
    columns
        .filter_map(|c| c.as_str().map(str::to_owned))
        .collect()
}

/// What an operator keeps, in words.
fn keeps(schemas: &Value) -> String {
    let Some(window) = schemas[schemas::WINDOW].as_str() else {
        return keeps_slots(schemas);
    };
    let rows = words(&schemas[schemas::ROWS]);
    match rows.is_empty() {
        true => format!(
            "{window}: {}",
            words(&schemas[schemas::ACCUMULATOR]).join(", ")
        ),
        false => format!("{window}: rows of {}", rows.join(", ")),
    }
}

/// The slots and timers of a process operator, in words.
fn keeps_slots(schemas: &Value) -> String {
    let slots = schemas[schemas::SLOTS].as_object().into_iter().flatten();
    let slots = slots.map(|(name, slot)| {
        let kind = slot["kind"].as_str().unwrap_or_default();
        let columns = words(&slot[schemas::COLUMNS]).join(", ");
        format!("{kind} {name} of {columns}")
    });
    let timers = schemas[schemas::TIMERS].as_object().into_iter().flatten();
    let timers = timers.map(|(name, _)| format!("timer {name}"));
    let all: Vec<String> = slots.chain(timers).collect();
    match all.is_empty() {
        true => "nothing".to_owned(),
        false => all.join("; "),
    }
}

/// The fields of columns, as a manifest says them; nothing if one is none.
fn fields(words: &[String]) -> Option<Vec<FieldRef>> {
    let field = |word: &String| -> Option<FieldRef> {
        let one = Named::read(word)?;
        Some(Arc::new(one.ty.field(one.name.as_str(), true)))
    };
    words.iter().map(field).collect()
}

/// An encoded key as a JSON object.
fn key_text(fields: &[FieldRef], encoded: &[u8]) -> String {
    if fields.is_empty() {
        return "{}".to_owned();
    }
    let columns = key::decode(fields, std::iter::once(encoded));
    row_text(&batch(fields, columns), 0).unwrap_or_default()
}

/// What keys of a block have together.
struct Block {
    accs: Table,
    rows: Option<RecordBatch>,
}

/// How the state of a window operator is read.
struct Windows<'a> {
    name: &'a str,
    spec: WindowSpec,
    key: Vec<FieldRef>,
    accumulator: Vec<Named>,
    rows: Vec<FieldRef>,
}

impl<'a> Windows<'a> {
    fn new(name: &'a str, schemas: &Value) -> Option<Self> {
        let accumulator = words(&schemas[schemas::ACCUMULATOR]);
        let accumulator = accumulator.iter().map(|word| Named::read(word));
        Some(Self {
            name,
            spec: schemas::read_window(schemas[schemas::WINDOW].as_str()?)?,
            key: fields(&words(&schemas[schemas::KEY]))?,
            accumulator: accumulator.collect::<Option<_>>()?,
            rows: fields(&words(&schemas[schemas::ROWS]))?,
        })
    }

    fn add(&self, windows: &WindowsKept, state: &mut OperatorState) -> Option<()> {
        windows
            .blocks
            .iter()
            .try_for_each(|block| self.add_block(block, state))
    }

    fn add_block(&self, block: &KeysKept, state: &mut OperatorState) -> Option<()> {
        let kept = Block {
            accs: block.accs.rows.clone().into(),
            rows: match block.stored.rows.is_empty() {
                true => None,
                false => Some(self.stored(&block.stored.rows)?),
            },
        };
        for i in 0..block.keys.count() {
            let key = key_text(&self.key, block.keys.get(i)?);
            let (own_accs, own_rows) = (block.accs.of(i)?, block.stored.of(i)?);
            let own = (own_accs.start, own_rows.start as usize);
            let mut named: BTreeMap<String, u32> = BTreeMap::new();
            for seen in see(&self.spec, block.words.get(i)?).ok()? {
                let (mut what, value) = self.show(seen, &kept, own)?;
                // Of rows of one time, and parts of a pane that some windows refused, there may be several.
                let before = named.entry(what.clone()).or_default();
                if *before > 0 {
                    let _ = write!(what, r#","another":{before}"#);
                }
                *before += 1;
                state.entries.push(Entry {
                    operator: self.name.to_owned(),
                    key: key.clone(),
                    what,
                    value,
                });
            }
            state.keys += 1;
        }
        Some(())
    }

    /// What something is, and what is kept for it. A key's own accumulators and rows begin at these places.
    fn show(
        &self,
        seen: Seen,
        kept: &Block,
        (accs, rows): (usize, usize),
    ) -> Option<(String, String)> {
        let accumulator = |acc: usize| self.accumulator_text(&kept.accs, accs + acc);
        Some(match seen {
            Seen::Window {
                start,
                end,
                fired,
                rows,
                acc,
            } => {
                let mut value = format!(r#""fired":{fired}"#);
                if let Some(rows) = rows {
                    let _ = write!(value, r#","rows":{rows}"#);
                }
                if let Some(accumulator) = acc.and_then(accumulator) {
                    let _ = write!(value, ",{accumulator}");
                }
                (span("window", start, end), value)
            }
            Seen::Pane { start, end, acc } => (
                span("pane", start, end),
                accumulator(acc).unwrap_or_default(),
            ),
            Seen::Row { time, row } => {
                let row = row_text(kept.rows.as_ref()?, rows + row)?;
                let what = format!(r#""time":"{}""#, time_text::rfc3339(time));
                (what, format!(r#""row":{row}"#))
            }
        })
    }

    /// An accumulator as a field of JSON; nothing where it has no columns.
    fn accumulator_text(&self, accs: &Table, row: usize) -> Option<String> {
        if row >= accs.rows as usize {
            return None;
        }
        let one = accs.gather(&[row as u32]);
        let rows = super::columns::arrow(&self.accumulator, &one)?;
        Some(format!(r#""accumulator":{}"#, json::row(&rows, 0)))
    }

    /// The stored rows of a block, under the names that their columns have.
    fn stored(&self, bytes: &[u8]) -> Option<RecordBatch> {
        let rows = saving::read(bytes)?;
        let columns = rows.columns().get(..self.rows.len())?.to_vec();
        let count = rows.num_rows();
        let options = arrow_array::RecordBatchOptions::new().with_row_count(Some(count));
        let schema = Arc::new(Schema::new(self.rows.clone()));
        RecordBatch::try_new_with_options(schema, columns, &options).ok()
    }
}

fn span(what: &str, start: i64, end: i64) -> String {
    let time = |time: i64| match time {
        time::MIN | time::MAX => "null".to_owned(),
        time => format!("\"{}\"", time_text::rfc3339(time)),
    };
    format!(
        r#""{what}_start":{},"{what}_end":{}"#,
        time(start),
        time(end)
    )
}

fn batch(fields: &[FieldRef], columns: Vec<ArrayRef>) -> RecordBatch {
    let schema = Arc::new(Schema::new(fields.to_vec()));
    RecordBatch::try_new(schema, columns).expect("key columns are as the key's fields say")
}

fn row_text(rows: &RecordBatch, row: usize) -> Option<String> {
    (row < rows.num_rows()).then(|| json::row(rows, row))
}
