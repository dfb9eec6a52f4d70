//! What it costs to take rows across the boundary and back: from an Arrow batch to the result, deadlines on.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result};
use arrow_array::{
    Array, ArrayRef, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use tidemill_engine::functions::{Functions, InModules, TransformCalls};
use tidemill_rows::LogicalType;
use tidemill_wasm::{Limits, Module, Produced, RowsIn, Settings};

use crate::figure::{Figure, Limit, median};
use crate::native::CompiledIn;
use crate::pipelines::host;
use crate::{Places, RUNS};

/// Rows that each measurement takes across.
const ROWS: usize = 8_000_000;

/// The four figures.
pub fn measure(places: &Places) -> Result<Vec<Figure>> {
    let host = host(places)?;
    let module = host.load(&places.module, &Limits::default())?;
    let figures = [
        ("boundary-in", "read-all", 1024, 8.0),
        ("boundary-in-out", "half-out", 1024, 20.0),
        ("boundary-in-128", "read-all", 128, 12.0),
        ("boundary-in-out-128", "half-out", 128, 28.0),
    ];
    figures
        .into_iter()
        .map(|figure| one(&module, figure))
        .collect()
}

fn one(
    module: &Module,
    (name, function, rows, most): (&'static str, &str, usize, f64),
) -> Result<Figure> {
    let settings = || -> Result<Settings> {
        let (index, described) = module
            .description()
            .function(function)
            .context("the module lacks a function")?;
        let config = described.config_json(&serde_json::Map::new());
        Ok(Settings {
            function: index,
            config: config.map_err(anyhow::Error::msg)?,
            limits: Limits::default(),
            operator: name.to_owned(),
        })
    };
    let columns = columns(rows);
    let mut guest = InModules.transform(module, settings()?)?;
    let mut native = CompiledIn.transform(module, settings()?)?;
    let (mut in_guest, mut compiled_in) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        in_guest.push(ns_per_row(&mut *guest, &columns, rows)?);
        compiled_in.push(ns_per_row(&mut *native, &columns, rows)?);
    }
    let value = median(in_guest);
    Ok(Figure {
        name,
        value,
        unit: "ns",
        rate: Some(1e9 / value),
        native_ratio: Some(value / median(compiled_in)),
        limit: Limit::Most(most),
        note: format!("{rows} rows a call"),
    })
}

/// Six columns: three numbers, two texts of 20 bytes, a time.
fn columns(rows: usize) -> Vec<ArrayRef> {
    let numbers = || 0..rows as i64;
    let text = |i: i64| format!("{i:0>20}");
    let times: TimestampMicrosecondArray = numbers().map(|i| Some(i * 1_000)).collect();
    vec![
        Arc::new(numbers().map(Some).collect::<Int64Array>()),
        Arc::new(numbers().map(|i| Some(i * 7)).collect::<Int64Array>()),
        Arc::new(numbers().map(|i| Some(i as f64)).collect::<Float64Array>()),
        Arc::new(numbers().map(|i| Some(text(i))).collect::<StringArray>()),
        Arc::new(
            numbers()
                .map(|i| Some(text(i * 3)))
                .collect::<StringArray>(),
        ),
        Arc::new(times.with_data_type(LogicalType::Time.arrow())),
    ]
}

fn ns_per_row(function: &mut dyn TransformCalls, columns: &[ArrayRef], rows: usize) -> Result<f64> {
    let times: Vec<i64> = (0..rows as i64).map(|i| i * 1_000).collect();
    let given = RowsIn {
        len: rows,
        times: &times,
        stamps: None,
        changes: None,
        columns,
    };
    let calls = ROWS / rows;
    let mut made = 0;
    let started = Instant::now();
    for _ in 0..calls {
        let outcome = function.apply(&given)?;
        anyhow::ensure!(
            outcome.failed.is_empty(),
            "rows failed: {:?}",
            outcome.failed[0]
        );
        for column in outcome.emitted.iter().flat_map(|emitted| &emitted.columns) {
            made += match column {
                Produced::Made(column) => column.len(),
                Produced::Input(_) => 0,
            };
        }
    }
    let ns = started.elapsed().as_nanos() as f64 / (calls * rows) as f64;
    anyhow::ensure!(
        made == 0 || made == calls * rows / 2 * 6,
        "{made} values were made"
    );
    Ok(ns)
}
