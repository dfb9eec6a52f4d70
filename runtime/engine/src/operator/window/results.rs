//! Results: what the function made of firings, as rows.

use std::sync::Arc;

use arrow_array::builder::StringBuilder;
use arrow_array::{ArrayRef, BooleanArray, Int64Array, RecordBatch, TimestampMicrosecondArray};
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

/// Result rows: key columns, the window, the firing, then what the function made.
pub fn results(
    firings: &[Firing],
    keys: &[ArrayRef],
    keys_given: &[ArrayRef],
    emitted: Emitted,
    schema: SchemaRef,
) -> Batch {
    let of = |origin: &u32| &firings[*origin as usize];
    let origins = &emitted.origins;
    let time = |value: fn(&Firing) -> i64| -> ArrayRef {
        let column: TimestampMicrosecondArray =
            origins.iter().map(|o| Some(value(of(o)))).collect();
        Arc::new(column.with_data_type(LogicalType::Time.arrow()))
    };
    let mut columns = take_columns(keys, origins);
    columns.push(time(|firing| firing.start));
    columns.push(time(|firing| firing.end));
    let mut moments = StringBuilder::with_capacity(origins.len(), origins.len() * 8);
    origins
        .iter()
        .for_each(|o| moments.append_value(of(o).moment.name()));
    columns.push(Arc::new(moments.finish()));
    columns.push(Arc::new(
        origins
            .iter()
            .map(|o| Some(i64::from(of(o).number)))
            .collect::<Int64Array>(),
    ));
    columns.push(Arc::new(
        origins
            .iter()
            .map(|o| Some(of(o).last))
            .collect::<BooleanArray>(),
    ));
    for column in emitted.columns {
        columns.push(match column {
            Produced::Made(column) => column,
            Produced::Input(n) => {
                take_columns(&keys_given[n as usize..=n as usize], origins).remove(0)
            }
        });
    }
    let columns = RecordBatch::try_new(schema, columns)
        .expect("results are as the function's checked output says");
    let times = RowTimes {
        times: origins.iter().map(|o| of(o).time).collect(),
        stamps: origins.iter().map(|o| of(o).stamp).collect(),
        w: Some(origins.iter().map(|o| of(o).w).collect()),
    };
    let changes = emitted.changes.map(Into::into);
    Batch {
        columns,
        times,
        changes,
        origin: None,
    }
}
