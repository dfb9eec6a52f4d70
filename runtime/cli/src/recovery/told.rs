//! What is said of checkpoints while a run goes on.

use std::time::Duration;

use serde_json::json;
use tidemill_checkpoint::Kind;
use tidemill_engine::checkpoint::Told;

use crate::figures;
use crate::talk::Talk;

/// Says what the engine tells.
pub fn tell(told: &Told, talk: &Talk) {
    let ms = |time: &Duration| time.as_secs_f64() * 1e3;
    match told {
        Told::Taken {
            number,
            kind,
            took,
            bytes,
            stall,
        } => {
            let (what, took, stall) = (word(*kind), ms(took), ms(stall));
            if talk.is_json() && !talk.is_quiet() {
                talk.event(&json!({
                    "event": what, "number": number, "took_ms": took, "bytes": bytes, "stall_ms": stall,
                }));
            } else if talk.has_watcher() || *kind == Kind::Savepoint {
                // Somebody has asked for a savepoint, and whoever reads the log wants to know.
                let bytes = figures::bytes(*bytes);
                talk.note(format!(
                    "{what} {number}: {took:.0} ms, {bytes}, rows waited {stall:.1} ms"
                ));
            }
        }
        Told::Failed { number, why } => {
            talk.note(format!("checkpoint {number} has not happened: {why}"));
        }
        Told::NotRemoved { why } => talk.note(format!(
            "checkpoints that are not needed any more could not be removed: {why}"
        )),
        Told::NotCleaned { name, why } => talk.note(format!(
            "sink {name}: files that an earlier run left could not be removed: {why}"
        )),
    }
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Checkpoint => "checkpoint",
        Kind::Savepoint => "savepoint",
    }
}
