//! A row that a source's watermark refused, to that function again: from a fresh state, or from the one given.

use std::sync::{Arc, Mutex};

use arrow_array::ArrayRef;
use tidemill_rows::{RecordBatch, time_text};
use tidemill_wasm::{RowsIn, Table};

use super::observed::{Seen, shown, watched};
use super::{Out, RerunError, settings};
use crate::blame::Blame;
use crate::failure::{Action, Policy};
use crate::functions::{Functions, InModules};
use crate::plan::{FunctionPlan, Station};

/// Gives a row of this time to the function.
pub fn observe(
    station: &Station,
    function: &FunctionPlan,
    (row, time): (&RecordBatch, i64),
    (start, seen): (Option<Table>, &Mutex<Seen>),
) -> Result<Out, RerunError> {
    let unserved = |source| RerunError::Call {
        operator: station.name.clone(),
        source,
    };
    let guest = InModules.watermark(&function.module, settings(station, function));
    let mut guest = guest.map_err(|source| RerunError::Module {
        operator: station.name.clone(),
        source,
    })?;
    let column = |&i: &usize| row.column(i).clone();
    let columns: Vec<ArrayRef> = function.inputs.iter().map(column).collect();
    let rows = RowsIn {
        len: 1,
        times: &[time],
        stamps: None,
        changes: None,
        columns: &columns,
    };
    let observed = watched(
        seen,
        &mut guest,
        |guest| {
            let state = match start {
                Some(state) => state,
                None => guest.create()?,
            };
            guest.observe(&rows, &state)
        },
        |guest| (guest.take_log(), guest.take_notes()),
    );
    let observed = observed.map_err(unserved)?;
    let mut out = Out::default();
    if let Some(failed) = observed.failed.into_iter().next() {
        let mut failed = blame(station, function).failed(failed);
        failed.time = Some(time);
        out.failed = Some(Box::new(failed));
        return Ok(out);
    }
    let watermark = match observed.watermarks.first() {
        Some(&w) if w != i64::MIN => format!("{:?}", time_text::rfc3339(w)),
        _ => "null".to_owned(),
    };
    let given = format!(r#"{{"watermark":{watermark}}}"#);
    out.given.push((String::new(), given));
    let mut seen = seen
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    seen.accumulator = shown(&function.described().state, &observed.state);
    Ok(out)
}

fn blame(station: &Station, function: &FunctionPlan) -> Blame {
    let module = &function.module;
    Blame {
        operator: station.name.clone(),
        function: Some(function.described().name.clone()),
        module: Some((
            module.file().display().to_string(),
            module.hash().to_owned(),
        )),
        policy: Arc::new(Policy::new(Action::Fail, None)),
    }
}
