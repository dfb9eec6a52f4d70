//! Which keys have the most rows, and what is done about it.

use serde_json::{Value, json};
use tidemill_engine::{KeyRows, Totals};

use crate::board::Station;
use crate::figures::{count, counted};

/// How many keys people are shown.
const SHOWN: usize = 3;
/// A key with a smaller share of the rows is not shown to them.
const SMALLEST: f64 = 0.01;
/// A key with so large a share keeps its worker busier than others, so the run says why nothing is done about it.
const HOT: f64 = 0.2;
/// Fewer rows keep nobody busy.
const MANY: u64 = 10_000;

/// Adds to a station's figures for programs what is known of its keys; `rows` is what it took in this run.
pub fn add(event: &mut Value, station: &Station, (own, rows): (&Totals, u64)) {
    if !station.fires() {
        return;
    }
    // Keys that are no JSON cannot be: they were written as such.
    let key = |key: &KeyRows| serde_json::from_str::<Value>(&key.key).unwrap_or_default();
    let busiest = own.busiest.iter();
    let busiest = busiest.map(|one| json!({ "key": key(one), "share": share(one, rows) }));
    event["busiest_keys"] = busiest.collect();
    event["rows_combined"] = own.combined.into();
    event["partials"] = own.partials.into();
    event["not_combined_because"] = station.alone().into();
}

/// What people are told of a station's keys; `rows` is what it took in this run.
pub fn lines((station, own, rows): (&Station, &Totals, u64)) -> Vec<String> {
    let shown = own.busiest.iter().take(SHOWN);
    let shown = shown.filter(|key| share(key, rows) >= SMALLEST);
    let told = |key: &KeyRows| format!("{} with {:.1} %", key.key, 100.0 * share(key, rows));
    let shown: Vec<String> = shown.map(told).collect();
    let mut lines = Vec::new();
    if !shown.is_empty() {
        let shown = shown.join(", ");
        lines.push(format!("{}: busiest keys {shown} of its rows", own.name));
    }
    if own.combined > 0 {
        lines.push(format!(
            "{}: {} of busy keys crossed to the worker of their key as {}",
            own.name,
            counted(own.combined, "row"),
            counted(own.partials, "partial result"),
        ));
    }
    let is_hot = |key: &&KeyRows| share(key, rows) >= HOT && key.rows >= MANY;
    let hottest = own.busiest.first().filter(is_hot);
    if let (Some(key), Some(why)) = (hottest, station.alone()) {
        lines.push(format!(
            "{}: all {} rows of key {} went to one worker one by one: {why}",
            own.name,
            count(key.rows),
            key.key
        ));
    }
    lines
}

/// The share of so many rows that a key has.
fn share(key: &KeyRows, rows: u64) -> f64 {
    (key.rows as f64 / rows.max(1) as f64).min(1.0)
}
