//! The state of process operators as typed rows: slots and timers of keys.
//!
//! ```text
//! {"operator":"rotation","key":{"tail":"N1"},"slot":"last","row":{"departed":"…"}}
//! {"operator":"rotation","key":{"tail":"N1"},"slot":"seen","sub_key":{"day":3},"row":{"flights":2},"since":"…"}
//! {"operator":"rotation","key":{"tail":"N1"},"timer":"missing","at":"…"}
//! ```

use std::collections::BTreeMap;

use arrow_array::RecordBatch;
use arrow_schema::FieldRef;
use serde_json::Value;
use tidemill_rows::{json, time_text};

use super::{Entry, OperatorState, fields, key_text, words};
use crate::checkpoint::columns::{self, Named};
use crate::checkpoint::kept::{Blocks, ProcessKept, SlotKept, StatesKept};
use crate::checkpoint::restored::Unrestored;
use crate::checkpoint::schemas;

/// How the state of a process operator is read.
pub(super) struct States<'a> {
    name: &'a str,
    key: Vec<FieldRef>,
    schemas: &'a Value,
}

/// A slot, as the manifest says it.
struct Slot {
    name: String,
    columns: Vec<Named>,
    sub_key: Vec<FieldRef>,
    is_list: bool,
}

impl<'a> States<'a> {
    pub(super) fn new(name: &'a str, schemas: &'a Value) -> Option<Self> {
        Some(Self {
            name,
            key: fields(&words(&schemas[schemas::KEY]))?,
            schemas,
        })
    }

    pub(super) fn add(
        &self,
        (kept, blocks): (&ProcessKept, &Blocks),
        state: &mut OperatorState,
    ) -> Option<()> {
        let slots = kept.slots.iter().map(|name| self.slot(name));
        let slots: Vec<Slot> = slots.collect::<Option<_>>()?;
        let mut keys: BTreeMap<Vec<u8>, Vec<Entry>> = BTreeMap::new();
        let read = blocks.each(|block| {
            block.gone.each(|key| _ = keys.remove(key));
            let added = self.add_block((&block, &slots, &kept.timers), &mut keys);
            added.ok_or(Unrestored::Damaged)
        });
        read.ok()?;
        state.keys += keys.len();
        state.entries.extend(keys.into_values().flatten());
        Some(())
    }

    fn slot(&self, name: &str) -> Option<Slot> {
        let said = &self.schemas[schemas::SLOTS][name];
        let columns = words(&said[schemas::COLUMNS]);
        Some(Slot {
            name: name.to_owned(),
            columns: columns
                .iter()
                .map(|word| Named::read(word))
                .collect::<Option<_>>()?,
            sub_key: fields(&words(&said[schemas::KEY]))?,
            is_list: said["kind"] == "list",
        })
    }

    fn add_block(
        &self,
        (block, slots, timers): (&StatesKept, &[Slot], &[String]),
        keys: &mut BTreeMap<Vec<u8>, Vec<Entry>>,
    ) -> Option<()> {
        let rows = slots.iter().zip(&block.slots);
        let rows = rows.map(|(slot, kept)| slot.rows(kept));
        let rows: Vec<Option<RecordBatch>> = rows.collect();
        for i in 0..block.keys.count() {
            let encoded = block.keys.get(i)?;
            let key = key_text(&self.key, encoded);
            let mut entries = Vec::new();
            let mut push = |what: String, value: String| {
                entries.push(Entry {
                    operator: self.name.to_owned(),
                    key: key.clone(),
                    what,
                    value,
                });
            };
            for (slot, (kept, rows)) in slots.iter().zip(block.slots.iter().zip(&rows)) {
                for (number, row) in kept.entries.of(i)?.enumerate() {
                    let text = match rows {
                        Some(rows) if row < rows.num_rows() => json::row(rows, row),
                        _ => "{}".to_owned(),
                    };
                    let since = match kept.clocks.get(row) {
                        Some(since) => format!(r#","since":"{}""#, time_text::rfc3339(*since)),
                        None => String::new(),
                    };
                    push(
                        slot.what(kept, (number, row))?,
                        format!(r#""row":{text}{since}"#),
                    );
                }
            }
            for timer in block.timers.get(i)? {
                let name = Value::from(timers.get(timer.name as usize)?.as_str());
                let at = time_text::rfc3339(timer.time);
                push(format!(r#""timer":{name},"at":"{at}""#), String::new());
            }
            keys.insert(encoded.to_vec(), entries);
        }
        Some(())
    }
}

impl Slot {
    /// Its rows of all keys; nothing if there are none.
    fn rows(&self, kept: &SlotKept) -> Option<RecordBatch> {
        columns::arrow(&self.columns, &kept.entries.rows.clone().into())
    }

    /// Which entry it is: of a list by its number, of a map by its sub-key.
    fn what(&self, kept: &SlotKept, (number, row): (usize, usize)) -> Option<String> {
        let slot = format!(r#""slot":{}"#, Value::from(self.name.as_str()));
        if self.is_list {
            return Some(format!(r#"{slot},"number":{number}"#));
        }
        if self.sub_key.is_empty() {
            return Some(slot);
        }
        let sub_key = key_text(&self.sub_key, kept.sub_keys.get(row)?);
        Some(format!(r#"{slot},"sub_key":{sub_key}"#))
    }
}
