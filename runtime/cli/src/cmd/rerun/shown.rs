//! What is told of a row that was given again. It goes to standard output.

use std::io::Write;

use serde_json::{Value, json};
use tidemill_engine::rerun::Rerun;

use super::Case;
use crate::args::Format;
use crate::figures::{bytes, counted, took};

/// Tells what came of a row.
pub fn tell(case: &Case, ran: &Rerun, format: Format) {
    line(&match format {
        Format::Text => text(case, ran),
        Format::Json => event(case, ran).to_string(),
    });
}

/// Tells how many failed.
pub fn sum_up((all, failed): (usize, usize), format: Format) {
    match format {
        Format::Text if all > 1 => line(&format!(
            "{}: {} succeed now, {failed} fail",
            counted(all as u64, "row"),
            all - failed
        )),
        _ => {}
    }
}

fn line(text: &str) {
    // Nobody may listen any more: nothing is lost.
    let _ = writeln!(std::io::stdout(), "{text}");
}

fn output(case: &Case, port: &str) -> String {
    match port {
        "" => case.again.operator.clone(),
        port => format!("{}.{port}", case.again.operator),
    }
}

fn text(case: &Case, ran: &Rerun) -> String {
    let verdict = match (&ran.failed, &case.letter) {
        (None, Some(_)) => "succeeds now",
        (None, None) => "succeeds",
        (Some(_), Some(_)) => "fails again",
        (Some(_), None) => "fails",
    };
    let operator = &case.again.operator;
    let mut lines = vec![format!(
        "{}: {operator} ({}) {verdict}",
        case.place, ran.function
    )];
    let mut say = |what: &str, text: &str| lines.push(format!("  {what:<12} {text}"));
    if let Some(letter) = &case.letter {
        say("before:", &format!("{}: {}", letter.reason, letter.message));
        if let Some(place) = letter.place() {
            say("read from:", &place);
        }
        if letter
            .module_hash
            .as_deref()
            .is_some_and(|hash| hash != ran.module_hash)
        {
            say("module:", "another one than then");
        }
    }
    say("row:", &case.again.row);
    if let Some(failed) = &ran.failed {
        say("now:", &format!("{}: {}", failed.reason, failed.message));
    } else if ran.given.is_empty() {
        say("gives:", "nothing");
    }
    for (port, row) in &ran.given {
        say("gives:", &format!("{} {row}", output(case, port)));
    }
    if let Some(accumulator) = &ran.accumulator {
        say("accumulator:", accumulator);
    }
    log(ran).iter().for_each(|logged| say("logged:", logged));
    let (time, memory) = (took(ran.took), bytes(ran.memory_bytes));
    say("took:", &format!("{time}, with {memory} of memory"));
    if let Some(backtrace) = ran
        .failed
        .as_ref()
        .and_then(|failed| failed.backtrace.as_ref())
    {
        say("backtrace:", "of the module");
        lines.extend(backtrace.lines().map(|line| format!("    {line}")));
    }
    lines.join("\n")
}

/// What stands of earlier calls, and what the call that failed said.
fn log(ran: &Rerun) -> Vec<String> {
    let stood = ran
        .log
        .iter()
        .map(|line| format!("{}: {}", line.level, line.text));
    let failed = ran
        .failed
        .iter()
        .flat_map(|failed| failed.log.iter().cloned());
    stood.chain(failed).collect()
}

fn event(case: &Case, ran: &Rerun) -> Value {
    let given = ran.given.iter().map(|(port, row)| {
        let row: Value = serde_json::from_str(row).unwrap_or(Value::Null);
        json!({ "output": output(case, port), "row": row })
    });
    let mut event = json!({
        "event": "rerun", "place": case.place, "operator": case.again.operator,
        "function": ran.function, "module_hash": ran.module_hash, "failed": ran.failed.is_some(),
        "given": given.collect::<Vec<_>>(), "log": log(ran),
        "took_s": ran.took.as_secs_f64(), "memory_bytes": ran.memory_bytes,
    });
    if let Some(accumulator) = &ran.accumulator {
        event["accumulator"] = serde_json::from_str(accumulator).unwrap_or(Value::Null);
    }
    if let Some(failed) = &ran.failed {
        event["reason"] = failed.reason.clone().into();
        event["message"] = failed.message.clone().into();
        event["backtrace"] = failed.backtrace.clone().into();
    }
    event
}
