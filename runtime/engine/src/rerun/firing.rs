//! A firing that failed, as dead letters hold it: `finish` again, with its key, window and accumulator.

use std::sync::{Arc, Mutex};

use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int64Array, StringArray,
    TimestampMicrosecondArray, new_null_array,
};
use arrow_schema::Field;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value};
use tidemill_core::window::{Firing, Moment};
use tidemill_rows::{LogicalType, Schema, SchemaRef, json, time_text};
use tidemill_wasm::{Function, Table, table_from_arrow};

use super::observed::{Seen, watched};
use super::{Out, RerunError, one_row, settings};
use crate::blame::Blame;
use crate::failure::{Action, Policy};
use crate::functions::{Functions, InModules};
use crate::operator::window::results::{Finished, told};
use crate::plan::{Station, StationKind, WindowPlan};
use crate::rehearsal::as_json;

/// The text of a dead letter's firing, taken apart.
pub struct Parsed {
    key: Map<String, Value>,
    start: i64,
    end: i64,
    /// The accumulator's values, in the order of its columns.
    accumulator: Vec<Value>,
}

/// A firing, if the text is one.
pub fn parse(text: &str) -> Option<Parsed> {
    let value: Value = serde_json::from_str(text).ok()?;
    let time = |name: &str| {
        let text = value.get(name)?.as_str()?;
        time_text::parse_rfc3339(text.as_bytes()).ok()
    };
    Some(Parsed {
        key: value.get("key")?.as_object()?.clone(),
        start: time("window_start")?,
        end: time("window_end")?,
        accumulator: value.get("accumulator")?.as_array()?.clone(),
    })
}

/// Gives it to `finish`.
pub fn finish(
    station: &Station,
    described: &Function,
    parsed: &Parsed,
    seen: &Mutex<Seen>,
) -> Result<Out, RerunError> {
    let StationKind::Window(plan) = &station.kind else {
        return Err(RerunError::Row {
            operator: station.name.clone(),
            message: "it is a firing, and the operator has no window".to_owned(),
        });
    };
    let keys = keys(station, plan, parsed)?;
    let accs = accumulator(described, parsed)?;
    let given: Vec<ArrayRef> = plan.finish_keys.iter().map(|&i| keys[i].clone()).collect();
    let firing = Firing {
        key: 0,
        start: parsed.start,
        end: parsed.end,
        time: parsed.end.saturating_sub(1),
        at: parsed.end.saturating_sub(1),
        stamp: parsed.end.saturating_sub(2),
        w: parsed.end.saturating_sub(2),
        moment: Moment::OnTime,
        number: 1,
        last: true,
        row: None,
    };
    let settings = settings(station, &plan.function);
    let guest = InModules.aggregate(&plan.function.module, settings);
    let mut guest = guest.map_err(|source| RerunError::Module {
        operator: station.name.clone(),
        source,
    })?;
    let outcome = watched(
        seen,
        &mut guest,
        |guest| guest.finish(&given, &[told(&firing)].into_iter().collect(), &accs),
        |guest| (guest.take_log(), guest.take_notes()),
    );
    let outcome = outcome.map_err(|source| RerunError::Call {
        operator: station.name.clone(),
        source,
    })?;
    let mut out = Out::default();
    if let Some(failed) = outcome.failed.into_iter().next() {
        let mut failed = blame(station, plan, described).failed(failed);
        failed.time = Some(firing.time);
        out.failed = Some(Box::new(failed));
    }
    for emitted in outcome.emitted {
        let target = emitted.target;
        let name = match target {
            0 => String::new(),
            side => described.sides[side - 1].name.clone(),
        };
        let finished = Finished {
            firings: &[firing],
            keys: &keys,
            given: &given,
        };
        let rows = finished.results(emitted, plan.schemas[target].clone());
        let shown = (0..rows.len()).map(|row| (name.clone(), json::row(&rows.columns, row)));
        out.given.extend(shown);
    }
    Ok(out)
}

fn blame(station: &Station, plan: &WindowPlan, described: &Function) -> Blame {
    let module = &plan.function.module;
    Blame {
        operator: station.name.clone(),
        function: Some(described.name.clone()),
        module: Some((
            module.file().display().to_string(),
            module.hash().to_owned(),
        )),
        policy: Arc::new(Policy::new(Action::Fail, None)),
    }
}

/// The key columns, one row.
fn keys(
    station: &Station,
    plan: &WindowPlan,
    parsed: &Parsed,
) -> Result<Vec<ArrayRef>, RerunError> {
    if plan.key_fields.is_empty() {
        return Ok(Vec::new());
    }
    let schema: SchemaRef = Arc::new(Schema::new(plan.key_fields.clone()));
    let text = Value::from(parsed.key.clone()).to_string();
    let row = one_row(&as_json(&schema), &text).map_err(|message| RerunError::Row {
        operator: station.name.clone(),
        message: format!("its key: {message}"),
    })?;
    Ok(row.columns().to_vec())
}

/// The accumulator, one row.
fn accumulator(described: &Function, parsed: &Parsed) -> Result<Table, RerunError> {
    let wrong = |message: String| RerunError::Accumulator {
        function: described.name.clone(),
        message,
    };
    let fields = &described.accumulator;
    if fields.len() != parsed.accumulator.len() {
        let (there, wanted) = (parsed.accumulator.len(), fields.len());
        return Err(wrong(format!("it has {there} values, not {wanted}")));
    }
    let columns = fields
        .iter()
        .zip(&parsed.accumulator)
        .map(|(field, value)| {
            let column = column(field, value);
            column.ok_or_else(|| wrong(format!("{} cannot be {value}", field.name())))
        });
    let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
    Ok(table_from_arrow(&columns, 1))
}

/// One value, as dead letters write those of accumulators: times as microseconds, bytes that are no text as
/// `{"base64":…}`, numbers that are none as null.
fn column(field: &Field, value: &Value) -> Option<ArrayRef> {
    let null = value.is_null() && field.is_nullable();
    let bytes = || match value {
        Value::Object(object) => BASE64.decode(object.get("base64")?.as_str()?).ok(),
        value => Some(value.as_str()?.as_bytes().to_vec()),
    };
    Some(match LogicalType::of(field.data_type()) {
        ty if null => new_null_array(&ty.arrow(), 1),
        LogicalType::Bool => Arc::new(BooleanArray::from(vec![value.as_bool()?])),
        LogicalType::Integer => Arc::new(Int64Array::from(vec![value.as_i64()?])),
        LogicalType::Time => {
            let column = TimestampMicrosecondArray::from(vec![value.as_i64()?]);
            Arc::new(column.with_data_type(LogicalType::Time.arrow()))
        }
        LogicalType::Float if value.is_null() => Arc::new(Float64Array::from(vec![f64::NAN])),
        LogicalType::Float => Arc::new(Float64Array::from(vec![value.as_f64()?])),
        LogicalType::Text => Arc::new(StringArray::from(vec![value.as_str()?])),
        LogicalType::Bytes => Arc::new(BinaryArray::from_vec(vec![&bytes()?])),
    })
}
