//! A firing that failed, as dead letters hold it: `finish` again, with its key, window and accumulator; or a function of kind
//! window, with its key, window and rows.

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
use tidemill_wasm::{
    CallError, Firings, Function, Kind, ModuleError, Outcome, RowsIn, Table, table_from_arrow,
};

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
    sees: Sees,
}

/// What a firing sees.
enum Sees {
    /// The accumulator's values, in the order of its columns.
    Accumulator(Vec<Value>),
    /// Rows, each with `time` and `row`; and how many more there were.
    Rows(Vec<Value>, u64),
}

/// A firing, if the text is one.
pub fn parse(text: &str) -> Option<Parsed> {
    let value: Value = serde_json::from_str(text).ok()?;
    let time = |name: &str| {
        let text = value.get(name)?.as_str()?;
        time_text::parse_rfc3339(text.as_bytes()).ok()
    };
    let list = |name: &str| value.get(name).and_then(Value::as_array).cloned();
    let left_out = value.get("rows_left_out").and_then(Value::as_u64);
    let sees = match list("accumulator") {
        Some(accumulator) => Sees::Accumulator(accumulator),
        None => Sees::Rows(list("rows")?, left_out.unwrap_or(0)),
    };
    Some(Parsed {
        key: value.get("key")?.as_object()?.clone(),
        start: time("window_start")?,
        end: time("window_end")?,
        sees,
    })
}

/// Gives it to the function.
pub fn again(
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
    let called = Called {
        station,
        plan,
        described,
        seen,
    };
    let firings = [told(&firing)].into_iter().collect();
    let outcome = match &parsed.sees {
        Sees::Accumulator(values) => called.finish(&given, &firings, values)?,
        Sees::Rows(rows, left_out) => called.apply(&given, &firings, (rows, *left_out))?,
    };
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

/// The function that a firing is given to.
struct Called<'a> {
    station: &'a Station,
    plan: &'a WindowPlan,
    described: &'a Function,
    seen: &'a Mutex<Seen>,
}

impl Called<'_> {
    fn finish(
        &self,
        keys: &[ArrayRef],
        firings: &Firings,
        accumulator: &[Value],
    ) -> Result<Outcome, RerunError> {
        self.must_be(Kind::Aggregate, "an accumulator")?;
        let accs = self::accumulator(self.described, accumulator)?;
        let settings = settings(self.station, &self.plan.function);
        let guest = InModules.aggregate(&self.plan.function.module, settings);
        let mut guest = guest.map_err(|source| self.unready(source))?;
        let outcome = watched(
            self.seen,
            &mut guest,
            |guest| guest.finish(keys, firings, &accs),
            |guest| (guest.take_log(), guest.take_notes()),
        );
        outcome.map_err(|source| self.unserved(source))
    }

    fn apply(
        &self,
        keys: &[ArrayRef],
        firings: &Firings,
        (rows, left_out): (&[Value], u64),
    ) -> Result<Outcome, RerunError> {
        self.must_be(Kind::Window, "rows")?;
        if left_out > 0 {
            return Err(self.unlike(format!("{left_out} of its rows are not in it")));
        }
        let (columns, times) = self.rows(rows)?;
        let settings = settings(self.station, &self.plan.function);
        let guest = InModules.window(&self.plan.function.module, settings);
        let mut guest = guest.map_err(|source| self.unready(source))?;
        // Which stamps its rows had is not known: none of them was behind.
        let stamps: Vec<i64> = times.iter().map(|time| time - 1).collect();
        let rows = RowsIn {
            len: times.len(),
            times: &times,
            stamps: self.described.stamps.then_some(&stamps[..]),
            changes: None,
            columns: &columns,
        };
        let outcome = watched(
            self.seen,
            &mut guest,
            |guest| guest.apply(keys, firings, &rows, &[0, times.len() as u32]),
            |guest| (guest.take_log(), guest.take_notes()),
        );
        outcome.map_err(|source| self.unserved(source))
    }

    /// The rows' columns and times.
    fn rows(&self, rows: &[Value]) -> Result<(Vec<ArrayRef>, Vec<i64>), RerunError> {
        let schema: SchemaRef = Arc::new(Schema::new(self.described.input.clone()));
        let (mut batches, mut times) = (Vec::new(), Vec::new());
        for (at, value) in rows.iter().enumerate() {
            let wrong = |message: String| self.unlike(format!("its row {at}: {message}"));
            let time = value.get("time").and_then(Value::as_str);
            let time = time.and_then(|time| time_text::parse_rfc3339(time.as_bytes()).ok());
            times.push(time.ok_or_else(|| wrong("it has no time".to_owned()))?);
            let row = value.get("row").map(Value::to_string).unwrap_or_default();
            if !schema.fields().is_empty() {
                batches.push(one_row(&as_json(&schema), &row).map_err(wrong)?);
            }
        }
        let all = arrow_select::concat::concat_batches(&schema, &batches);
        let columns = all.map(|all| all.columns().to_vec()).unwrap_or_default();
        Ok((columns, times))
    }

    fn must_be(&self, kind: Kind, what: &str) -> Result<(), RerunError> {
        if self.described.kind == kind {
            return Ok(());
        }
        let is = self.described.kind.name();
        Err(self.unlike(format!(
            "it is a firing with {what}, and the function is of kind {is}"
        )))
    }

    fn unlike(&self, message: String) -> RerunError {
        RerunError::Row {
            operator: self.station.name.clone(),
            message,
        }
    }

    fn unready(&self, source: ModuleError) -> RerunError {
        RerunError::Module {
            operator: self.station.name.clone(),
            source,
        }
    }

    fn unserved(&self, source: CallError) -> RerunError {
        RerunError::Call {
            operator: self.station.name.clone(),
            source,
        }
    }
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
fn accumulator(described: &Function, values: &[Value]) -> Result<Table, RerunError> {
    let wrong = |message: String| RerunError::Accumulator {
        function: described.name.clone(),
        message,
    };
    let fields = &described.accumulator;
    if fields.len() != values.len() {
        let (there, wanted) = (values.len(), fields.len());
        return Err(wrong(format!("it has {there} values, not {wanted}")));
    }
    let columns = fields.iter().zip(values).map(|(field, value)| {
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
