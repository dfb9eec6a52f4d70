//! Rows to compare with: the first ones of the pipeline's own sources, or made up from their columns; and what comes of
//! them, for operators further down.

use std::collections::HashMap;
use std::sync::Arc;

use arrow_array::RecordBatch;
use tidemill_connectors::{Chunk, SourceSpec, Then};

use super::{Given, PurityError, generated};
use crate::error::EngineError;
use crate::plan::{Plan, Station, StationKind};
use crate::rehearsal::{Came, Rehearsal, Script, Watermarks};
use crate::run::Options;

/// Rows of a pipeline's outputs: by station and port.
#[derive(Debug, Default)]
pub struct Sample {
    outputs: HashMap<(String, String), Given>,
    /// The sources whose rows were made up.
    pub made_up: Vec<String>,
}

/// Takes at most `rows` rows of each source and sees what comes of them.
///
/// # Errors
/// If the pipeline cannot be rehearsed at all. A source that cannot be read is no error: rows are made up for it.
pub fn sample(
    plan: Plan,
    (rows, only_made_up): (usize, bool),
    options: &Options,
) -> Result<Sample, PurityError> {
    let mut made_up = Vec::new();
    let mut chunks = Vec::new();
    for station in &plan.stations {
        let StationKind::Source(source) = &station.kind else {
            continue;
        };
        let read = match only_made_up {
            true => Vec::new(),
            false => first(&source.spec, rows),
        };
        let of_source = if read.is_empty() {
            made_up.push(station.name.clone());
            vec![generated::chunk(&source.spec.schema(), rows)]
        } else {
            read
        };
        chunks.extend(
            of_source
                .into_iter()
                .map(|chunk| (station.name.clone(), chunk)),
        );
    }
    let script = Script {
        splits: Vec::new(),
        watermarks: Watermarks::FromRows,
        any_time_ahead: true,
        failures_stop_nothing: true,
        sources_too: true,
    };
    let mut rehearsal = Rehearsal::start(plan, &script, options)?;
    let mut came = Vec::new();
    for (source, chunk) in chunks {
        rehearsal.feed((&source, &source), chunk);
        came.extend(settled(&mut rehearsal)?);
    }
    let sources: Vec<String> = rehearsal.sources().map(str::to_owned).collect();
    sources
        .iter()
        .for_each(|source| rehearsal.end((source, source)));
    came.extend(settled(&mut rehearsal)?);
    Ok(Sample {
        outputs: by_output(came),
        made_up,
    })
}

fn settled(rehearsal: &mut Rehearsal) -> Result<Vec<Came>, EngineError> {
    let stepped = rehearsal.step();
    match stepped.stopped {
        // What came before it is a sample all the same: a function may well say that a row made up is fatal.
        Some(EngineError::Row(_)) | None => Ok(stepped.came),
        Some(error) => Err(error),
    }
}

/// The first rows of a source, if it can be read without waiting.
fn first(spec: &SourceSpec, rows: usize) -> Vec<Chunk> {
    if matches!(spec, SourceSpec::Stdin(_)) {
        return Vec::new();
    }
    let Ok(opened) = tidemill_connectors::open(spec, 0, 1, Arc::new(|| ())) else {
        return Vec::new();
    };
    let share = rows.div_ceil(opened.splits.len().max(1));
    let mut chunks = Vec::new();
    for (_, mut split) in opened.splits {
        let mut left = share;
        while left > 0 {
            let Ok(chunk) = split.read(left) else { break };
            let read = chunk.rows.num_rows() + chunk.bad.len();
            let goes_on = chunk.then == Then::More;
            left = left.saturating_sub(read);
            if chunk.rows.num_rows() > 0 {
                chunks.push(chunk);
            }
            if !goes_on {
                break;
            }
        }
    }
    chunks
}

fn by_output(came: Vec<Came>) -> HashMap<(String, String), Given> {
    let mut rows: HashMap<(String, String), Vec<Came>> = HashMap::new();
    for came in came {
        let output = (came.station.clone(), came.port.clone());
        rows.entry(output).or_default().push(came);
    }
    let given = |rows: Vec<Came>| Given {
        times: rows.iter().map(|came| came.time).collect(),
        stamps: rows.iter().map(|came| came.stamp).collect(),
        rows: end_to_end(rows.iter().map(|came| &came.row)),
    };
    rows.into_iter()
        .map(|(output, rows)| (output, given(rows)))
        .collect()
}

fn end_to_end<'a>(rows: impl Iterator<Item = &'a RecordBatch>) -> RecordBatch {
    let rows: Vec<&RecordBatch> = rows.collect();
    let schema = rows[0].schema();
    arrow_select::concat::concat_batches(&schema, rows).expect("rows of one output have one schema")
}

impl Sample {
    /// The rows that a source gives; nothing if there are none.
    pub(crate) fn from(&self, source: &Station) -> Option<Given> {
        self.outputs
            .get(&(source.name.clone(), String::new()))
            .cloned()
    }

    /// The rows that a station takes, from all its inputs; nothing if there are none.
    pub(crate) fn of(&self, plan: &Plan, station: usize) -> Option<Given> {
        let inputs = plan.edges.iter().filter(|edge| edge.to == station);
        let given: Vec<&Given> = inputs
            .filter_map(|edge| {
                let from = &plan.stations[edge.from];
                let port = from.ports[edge.port].name.clone();
                self.outputs.get(&(from.name.clone(), port))
            })
            .collect();
        let first = given.first()?;
        let schema = first.rows.schema();
        // Two inputs of one stream have equal columns, though not one schema object.
        let rows = given.iter().map(|given| {
            RecordBatch::try_new(schema.clone(), given.rows.columns().to_vec())
                .expect("the inputs of a list have equal columns")
        });
        let rows: Vec<RecordBatch> = rows.collect();
        Some(Given {
            rows: end_to_end(rows.iter()),
            times: given
                .iter()
                .flat_map(|given| given.times.iter().copied())
                .collect(),
            stamps: given
                .iter()
                .flat_map(|given| given.stamps.iter().copied())
                .collect(),
        })
    }
}
