//! Figures: what was measured, held against its limit, printed and written.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use serde_json::{Value, json};

/// One figure by its name.
#[derive(Clone, Debug)]
pub struct Figure {
    /// Its name.
    pub name: &'static str,
    /// In the unit of its limit.
    pub value: f64,
    /// `ns`, `rows/s`, `ms`, `s`, `MB`, `percent`, `ratio`.
    pub unit: &'static str,
    /// Rows per CPU-second, where rows are counted.
    pub rate: Option<f64>,
    /// Time in the sandbox over time compiled in, where a function runs.
    pub native_ratio: Option<f64>,
    /// What is promised.
    pub limit: Limit,
    /// What else is worth knowing: wall-clock rate, results per row.
    pub note: String,
}

impl Figure {
    /// One that is neither a rate nor held against code that is compiled in.
    pub fn plain(
        name: &'static str,
        (value, unit): (f64, &'static str),
        limit: Limit,
        note: String,
    ) -> Self {
        Self {
            name,
            value,
            unit,
            rate: None,
            native_ratio: None,
            limit,
            note,
        }
    }
}

/// A promise.
#[derive(Clone, Copy, Debug)]
pub enum Limit {
    /// No more than this.
    Most(f64),
    /// No less than this.
    Least(f64),
    /// Nothing by itself: another figure is a share of it.
    Partner,
}

impl Limit {
    fn is_kept(self, value: f64) -> bool {
        match self {
            Self::Most(most) => value <= most,
            Self::Least(least) => value >= least,
            Self::Partner => true,
        }
    }
}

/// Prints a figure as a line of the table.
pub fn print(figure: &Figure) {
    let limit = match figure.limit {
        Limit::Most(most) => format!("<= {}", short(most)),
        Limit::Least(least) => format!(">= {}", short(least)),
        Limit::Partner => "no limit".to_owned(),
    };
    let kept = if figure.limit.is_kept(figure.value) {
        "ok  "
    } else {
        "MISS"
    };
    let ratio = figure
        .native_ratio
        .map_or(String::new(), |r| format!("  x{r:.2} native"));
    let name = format!("[{}]", figure.name);
    let value = short(figure.value);
    let mut out = std::io::stdout();
    let line = format!(
        "{kept} {name:26} {value:>10} {unit:8} ({limit}){ratio}  {note}\n",
        unit = figure.unit,
        note = figure.note
    );
    // A bench whose table nobody reads any more still writes its file.
    let _ = out.write_all(line.as_bytes()).and_then(|()| out.flush());
}

fn short(value: f64) -> String {
    match value.abs() {
        v if v >= 1e6 => format!("{:.2} M", value / 1e6),
        v if v >= 1e4 => format!("{:.0} k", value / 1e3),
        v if v >= 100.0 => format!("{value:.0}"),
        _ => format!("{value:.2}"),
    }
}

/// Writes figures. They replace those of the same names, and of the others those stay of which `stays` says so.
pub fn write(path: &Path, figures: &[Figure], stays: impl Fn(&str) -> bool) -> Result<()> {
    let old: Vec<Value> = match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text)?,
        Err(_) => Vec::new(),
    };
    let is_new = |old: &Value| figures.iter().any(|figure| old["name"] == figure.name);
    let stays = |old: &Value| old["name"].as_str().is_some_and(&stays);
    let kept = old.into_iter().filter(|old| !is_new(old) && stays(old));
    let new = figures.iter().map(|figure| {
        json!({
            "name": figure.name,
            "value": figure.value,
            "unit": figure.unit,
            "rate": figure.rate,
            "native_ratio": figure.native_ratio,
        })
    });
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let list: Vec<Value> = kept.chain(new).collect();
    fs::write(path, serde_json::to_string_pretty(&list)? + "\n")?;
    Ok(())
}

/// The value in the middle.
///
/// # Panics
/// If there is none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
