//! Result rows: key columns, the window, the firing, then what the function made.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
use arrow_buffer::BooleanBuffer;
use arrow_schema::SchemaRef;
use tidemill_core::window::Firing;
use tidemill_rows::{Batch, LogicalType, RowTimes};
use tidemill_wasm::{Emitted, Produced};

use crate::aggregate::carry_out::take_columns;

/// A firing as the function is told of it.
pub fn told(firing: &Firing) -> tidemill_wasm::Firing {
    tidemill_wasm::Firing {
        start: firing.start,
        end: firing.end,
        moment: firing.moment as u8,
        number: firing.number,
        last: firing.last,
    }
}

/// What `finish` was given beside accumulators: firings, their keys, and the key columns that it asked for.
#[derive(Clone, Copy)]
pub struct Finished<'a> {
    /// The firings.
    pub firings: &'a [Firing],
    /// The key columns of each.
    pub keys: &'a [ArrayRef],
    /// Those of them that the function was given.
    pub given: &'a [ArrayRef],
}

impl Finished<'_> {
    /// The rows of one output.
    pub fn results(self, emitted: Emitted, schema: SchemaRef) -> Batch {
        let every_firing = emitted.origins.len() == self.firings.len()
            && emitted
                .origins
                .iter()
                .zip(0..)
                .all(|(&origin, i)| origin == i);
        let some: Vec<Firing>;
        let firings = if every_firing {
            self.firings
        } else {
            let of = |&origin: &u32| self.firings[origin as usize];
            some = emitted.origins.iter().map(of).collect();
            &some
        };
        let at_origins = |columns: &[ArrayRef]| {
            if every_firing {
                columns.to_vec()
            } else {
                take_columns(columns, &emitted.origins)
            }
        };
        let mut columns = at_origins(self.keys);
        columns.extend(window_columns(firings));
        for column in emitted.columns {
            columns.push(match column {
                Produced::Made(column) => column,
                Produced::Input(n) => at_origins(&self.given[n as usize..=n as usize]).remove(0),
            });
        }
        let columns = RecordBatch::try_new(schema, columns)
            .expect("results are as the function's checked output says");
        let each = |value: fn(&Firing) -> i64| firings.iter().map(value).collect();
        let times = RowTimes {
            times: each(|firing| firing.time),
            stamps: each(|firing| firing.stamp),
            w: Some(each(|firing| firing.w)),
        };
        let changes = emitted.changes.map(Into::into);
        Batch {
            columns,
            times,
            changes,
            origin: None,
        }
    }
}

/// `window_start`, `window_end`, `firing`, `firing_number`, `firing_last`.
fn window_columns(firings: &[Firing]) -> [ArrayRef; 5] {
    let times = |value: fn(&Firing) -> i64| -> ArrayRef {
        let column = TimestampMicrosecondArray::from_iter_values(firings.iter().map(value));
        Arc::new(column.with_data_type(LogicalType::Time.arrow()))
    };
    let mut moments = StringBuilder::with_capacity(firings.len(), firings.len() * 8);
    firings
        .iter()
        .for_each(|firing| moments.append_value(firing.moment.name()));
    let numbers = Int64Array::from_iter_values(firings.iter().map(|f| i64::from(f.number)));
    let last = BooleanBuffer::collect_bool(firings.len(), |i| firings[i].last);
    [
        times(|firing| firing.start),
        times(|firing| firing.end),
        Arc::new(moments.finish()),
        Arc::new(numbers),
        Arc::new(BooleanArray::new(last, None)),
    ]
}
