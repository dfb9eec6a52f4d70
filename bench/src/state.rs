//! Figures of keyed state.

use std::fmt::Write as _;
use std::thread::sleep;
use std::time::Duration;

use anyhow::Result;

use crate::Places;
use crate::figure::{Figure, Limit};
use crate::pipelines::{of_rate, plan, sandboxed};
use crate::process::{Fed, folder_of};

/// A process function with one value slot for each of a million keys.
pub fn memory(places: &Places) -> Result<Vec<Figure>> {
    let plan = plan(places, "state-memory", 1)?;
    let rate = sandboxed(&plan)?;
    Ok(vec![of_rate("state-memory", rate, Limit::Least(2e6))])
}

/// An entry of eleven numbers per key, fed by standard input.
const PIPELINE: &str = r#"
name = "state"

[sources.rows]
stdin = {}
format = "json"
event-time = "at"

[sources.rows.columns]
key = "integer"
value = "float"
at = { type = "time", format = "epoch-us" }

[operators.learn]
input = "rows"
key = "key"
function = "functions.wasm/learn"

[sinks.out]
input = "learn"
stdout = {}
format = "json"
"#;

/// So many keys have state.
const KEYS: u64 = 1_000_000;

/// An integer as key, and the entry: as large as that of the figures of checkpoints.
const DATA: f64 = (8 + 11 * 8) as f64;

/// So many seconds of a row each: by then the allocator has given back what was freed, which it keeps for ten.
const SETTLES: usize = 20;

/// What a key and its entry take of the process's memory, over what they are: the resident memory with a million keys less
/// that after as many rows of one key.
pub fn overhead(places: &Places) -> Result<Vec<Figure>> {
    let one = resident(places, 1)?;
    let many = resident(places, KEYS)?;
    let per_key = (many - one) / KEYS as f64;
    Ok(vec![Figure {
        name: "state-overhead",
        value: per_key / DATA,
        unit: "ratio",
        rate: None,
        native_ratio: None,
        limit: Limit::Most(2.0),
        note: format!("{per_key:.1} bytes for a key and an entry of {DATA} bytes"),
    }])
}

/// Resident bytes after a million rows of so many keys.
fn resident(places: &Places, keys: u64) -> Result<f64> {
    let folder = folder_of(places, PIPELINE)?;
    let mut fed = Fed::start(places, folder.path())?;
    let mut lines = String::new();
    for n in 0..KEYS {
        // Keys lie apart, as those of users do.
        let key = (n % keys).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 1;
        writeln!(lines, "{{\"key\":{key},\"value\":0.5,\"at\":{n}}}")?;
        if lines.len() > 1 << 16 {
            fed.send(&lines)?;
            lines.clear();
        }
    }
    fed.send(&lines)?;
    for _ in 0..SETTLES {
        // A row that asks: when its answer comes, all rows before it are there.
        fed.send(&format!("{{\"key\":-1,\"value\":-1,\"at\":{KEYS}}}\n"))?;
        fed.line()?;
        sleep(Duration::from_secs(1));
    }
    let bytes = fed.resident()?;
    fed.kill()?;
    Ok(bytes)
}
