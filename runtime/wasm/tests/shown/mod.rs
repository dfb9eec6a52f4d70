//! Outcomes as lines of text, so that expectations can be written out and read, and the host that makes them.

use std::path::Path;

use tidemill_rows::json;
use tidemill_wasm::{Compiler, Emitted, Failed, Host, HostConfig, Outcome, Produced};

/// A host that compiles in this process and keeps what it compiled from run to run.
pub fn host() -> Host {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("modules");
    Host::new(HostConfig {
        cache,
        compiler: Compiler::InProcess,
    })
    .expect("a host")
}

/// Emitted rows, `target from origin: values [at time] [change n]`, then failed ones.
pub fn outcome(outcome: &Outcome) -> Vec<String> {
    let emitted = outcome.emitted.iter().flat_map(emitted);
    emitted.chain(outcome.failed.iter().map(failed)).collect()
}

/// `failed row reason code: message`.
pub fn failed(failed: &Failed) -> String {
    let Failed {
        row,
        reason,
        code,
        message,
        ..
    } = failed;
    format!("failed {row} {} {code}: {message}", reason.name())
}

fn emitted(rows: &Emitted) -> Vec<String> {
    let row = |(at, origin): (usize, &u32)| {
        let values: Vec<String> = rows
            .columns
            .iter()
            .map(|column| value(column, at))
            .collect();
        let time = rows
            .times
            .as_ref()
            .map(|times| format!(" at {}", times[at]));
        let change = rows
            .changes
            .as_ref()
            .map(|changes| format!(" change {}", changes[at]));
        let (time, change) = (time.unwrap_or_default(), change.unwrap_or_default());
        format!(
            "{} from {origin}: {}{time}{change}",
            rows.target,
            values.join(" ")
        )
    };
    rows.origins.iter().enumerate().map(row).collect()
}

fn value(column: &Produced, row: usize) -> String {
    match column {
        Produced::Input(column) => format!("input({column})"),
        Produced::Made(values) => json::value(values, row),
    }
}
