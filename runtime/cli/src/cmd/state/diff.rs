//! `tidemill state diff`: what operators keep at one moment and not at another, or keep otherwise.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tidemill_engine::checkpoint::view::{Entry, OperatorState};

use super::{AtArgs, print};
use crate::args::Format;
use crate::error::Failure;
use crate::recovery::choose::From;
use crate::talk::Talk;

/// Compare the state at two moments
///
/// An entry that is only there before is shown with `-`, one that is only there after with `+`, and one that has changed
/// with both.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The checkpoint or savepoint before: a number, or `LOCATION` or `LOCATION@NUMBER` elsewhere
    before: From,
    /// The one after [default: the newest]
    after: Option<From>,
    /// Only this operator
    #[arg(long, value_name = "NAME")]
    operator: Option<String>,
    #[command(flatten)]
    at: AtArgs,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Operator, key, and what it is.
type Name = (String, String, String);

/// Compares two moments.
pub(super) fn diff(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    let after_at = args.after.as_ref().or(args.at.at.as_ref());
    let before = args.at.at_moment(Some(&args.before), &talk)?;
    let after = match (after_at, args.at.now) {
        (None, true) => args.at.read(&talk)?,
        (at, _) => args.at.at_moment(at, &talk)?,
    };
    let wanted = |state: &&OperatorState| {
        let name = args.operator.as_ref();
        name.is_none_or(|name| *name == state.operator)
    };
    if let Some(name) = &args.operator
        && !after
            .iter()
            .chain(&before)
            .any(|state| state.operator == *name)
    {
        super::of_name(&after, name)?;
    }
    let before = named(before.iter().filter(wanted));
    let after = named(after.iter().filter(wanted));
    let mut counts = [0_u64; 3];
    for (name, was) in &before {
        match after.get(name) {
            None => {
                counts[0] += 1;
                tell(args.format, "gone", (Some(was), None));
            }
            Some(is) if is.value != was.value => {
                counts[1] += 1;
                tell(args.format, "changed", (Some(was), Some(is)));
            }
            Some(_) => {}
        }
    }
    for (_, is) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        counts[2] += 1;
        tell(args.format, "new", (None, Some(is)));
    }
    let [gone, changed, new] = counts;
    talk.note(format!(
        "{} of {} gone, {changed} changed, {new} new",
        gone,
        match before.len() {
            1 => "1 entry".to_owned(),
            n => format!("{} entries", crate::figures::count(n as u64)),
        }
    ));
    Ok(())
}

fn named<'a>(states: impl Iterator<Item = &'a OperatorState>) -> BTreeMap<Name, &'a Entry> {
    let entries = states.flat_map(|state| &state.entries);
    let name = |entry: &Entry| {
        (
            entry.operator.clone(),
            entry.key.clone(),
            entry.what.clone(),
        )
    };
    entries.map(|entry| (name(entry), entry)).collect()
}

fn tell(format: Format, change: &str, (was, is): (Option<&&Entry>, Option<&&Entry>)) {
    let text = match format {
        Format::Text => {
            let line = |mark: &str, entry: Option<&&Entry>| {
                entry.map_or(String::new(), |entry| format!("{mark} {}\n", entry.json()))
            };
            line("-", was) + &line("+", is)
        }
        Format::Json => {
            let value = |entry: Option<&&Entry>| -> Value {
                entry.map_or(Value::Null, |entry| {
                    serde_json::from_str(&entry.json()).unwrap_or_default()
                })
            };
            format!(
                "{}\n",
                json!({ "change": change, "before": value(was), "after": value(is) })
            )
        }
    };
    print(&text);
}
