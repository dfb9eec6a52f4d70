//! `tidemill dlq list`: a line for every letter.

use std::collections::BTreeMap;

use comfy_table::Table;
use comfy_table::presets::NOTHING;
use serde_json::{Value, json};
use tidemill_connectors::kafka::letters::{Originals, Receipt, Receipts, TopicReader};
use tidemill_connectors::kafka::{ClientSpec, Isolation};
use tidemill_rows::time_text::rfc3339;
use tidemill_rows::visible::visible_within;

use super::names::{Name, Words};
use super::places::Places;
use super::select::{Found, SelectArgs};
use super::{files, print};
use crate::args::Format;
use crate::error::Failure;
use crate::figures::counted;
use crate::talk::Talk;

/// So many letters are shown for people, unless they say how many.
const SHOWN: usize = 100;

/// So many characters of a message are.
const MESSAGE: usize = 80;

/// List dead letters, the oldest first
///
/// Shows each letter's name, when it was written, the source or operator where its row failed, why, the record or line that
/// the row came from, and whether that record was sent again. Only what was committed is read, and nothing is changed. With
/// `--format json` each line has the letter whole, as `tidemill rerun --letters` takes it.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill dlq list
  tidemill dlq list fraud.toml --reason decode --since 1d
  tidemill dlq list fraud.toml --format json > letters.jsonl")]
pub struct Args {
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    select: SelectArgs,
    /// Only the newest N [default: 100 for people, all for programs]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// A letter, and what came of the record behind it.
struct Listed {
    found: Found,
    receipt: Option<Receipt>,
}

/// What is kept of what was found, and what is said in the end.
struct Listing<'a> {
    args: &'a Args,
    names: Vec<Name>,
    /// The newest, by time and then by the order in which they were found; all if there is no limit.
    kept: BTreeMap<(Option<i64>, u64), Listed>,
    limit: Option<usize>,
    found: u64,
    /// Records that are no letters.
    others: u64,
}

/// Lists letters.
pub(super) fn list(args: &Args) -> Result<(), Failure> {
    let (pipeline, names) = args.words.sorted()?;
    let places = Places::of(&pipeline)?;
    let limit = args.limit.map(|limit| limit as usize);
    let mut listing = Listing {
        args,
        names,
        kept: BTreeMap::new(),
        limit: limit.or((args.format == Format::Text).then_some(SHOWN)),
        found: 0,
        others: 0,
    };
    let topics = places.topics(args.select.topic.as_deref(), &listing.names)?;
    for topic in &topics {
        let mut replayed = Replayed::read(&topic.cluster, &places.pipeline)?;
        let Some(mut reader) =
            TopicReader::open(&topic.cluster, &topic.topic, Isolation::ReadCommitted)?
        else {
            continue;
        };
        while let Some(stored) = reader.record()? {
            match Found::record(stored) {
                Ok(found) => {
                    let receipt = replayed.receipt(&found)?;
                    listing.take(Listed { found, receipt });
                }
                Err(_) => listing.others += 1,
            }
        }
    }
    if args.select.topic.is_none() {
        for place in &places.files {
            files::each(place, &mut |found| {
                listing.take(Listed {
                    found,
                    receipt: None,
                });
                Ok(())
            })?;
        }
    }
    listing.show();
    if let Some(unnamed) = places.unnamed().filter(|_| args.select.topic.is_none()) {
        Talk::new(Format::Text, false).note(format!(
            "not looked for: {unnamed}; `--topic NAME` shows those of one"
        ));
    }
    Ok(())
}

impl Listing<'_> {
    fn take(&mut self, listed: Listed) {
        let named = |name: &Name| match &listed.found.stored {
            Some(stored) => name.is_of(&stored.at),
            None => listed
                .found
                .name
                .rsplit_once(':')
                .and_then(|(file, line)| Some(name.is_line(file.as_ref(), line.parse().ok()?)))
                .unwrap_or(false),
        };
        let wanted = self.names.is_empty() || self.names.iter().any(named);
        if !wanted || !self.args.select.takes(&listed.found) {
            return;
        }
        self.found += 1;
        let Some(limit) = self.limit else {
            // Everything is wanted: it need not be kept.
            return print(&format!("{}\n", listed.object()));
        };
        self.kept.insert((listed.found.at, self.found), listed);
        if self.kept.len() > limit {
            self.kept.pop_first();
        }
    }

    fn show(&self) {
        let talk = Talk::new(Format::Text, false);
        match self.args.format {
            Format::Json => {
                let lines = self
                    .kept
                    .values()
                    .map(|listed| format!("{}\n", listed.object()));
                print(&lines.collect::<String>());
            }
            Format::Text if self.kept.is_empty() => print("no dead letters\n"),
            Format::Text => print(&table(self.kept.values())),
        }
        let left = self.found - self.kept.len() as u64;
        if left > 0 && self.limit.is_some() {
            talk.note(format!(
                "{} before these are not shown; --limit shows more",
                counted(left, "letter")
            ));
        }
        if self.others > 0 {
            talk.note(format!(
                "passed over: {} that no sink of `<name>.failed` has written",
                counted(self.others, "record")
            ));
        }
    }
}

/// What was sent again before, as far as one cluster knows.
pub(super) struct Replayed {
    receipts: Receipts,
    originals: Originals,
}

impl Replayed {
    /// What a pipeline has sent again.
    pub fn read(cluster: &ClientSpec, pipeline: &str) -> Result<Self, Failure> {
        Ok(Self {
            receipts: Receipts::read(cluster, pipeline)?,
            originals: Originals::new(cluster, Isolation::ReadCommitted)?,
        })
    }

    /// The receipt of the record behind a letter.
    pub fn receipt(&mut self, found: &Found) -> Result<Option<Receipt>, Failure> {
        let Some(origin) = found.origin().filter(|_| !self.receipts.is_empty()) else {
            return Ok(None);
        };
        let id = self.originals.id(&origin.topic)?;
        Ok(self.receipts.get(&origin, id).cloned())
    }
}

impl Listed {
    fn object(&self) -> Value {
        let mut object = self.found.letter.object();
        let replayed_at = |receipt: &Receipt| Some(rfc3339(receipt.at_ms?.saturating_mul(1000)));
        let more = json!({
            "letter": self.found.name, "at": self.found.at.map(rfc3339),
            "record": self.found.origin().map(|origin| origin.to_string()),
            "replayed": self.receipt.as_ref().map_or(0, |receipt| receipt.times),
            "replayed_at": self.receipt.as_ref().and_then(replayed_at),
        });
        if let Value::Object(more) = more {
            object.extend(more);
        }
        Value::Object(object)
    }

    fn row(&self) -> [String; 7] {
        let letter = &self.found.letter;
        [
            self.found.name.clone(),
            self.found.when(),
            letter.operator.clone(),
            letter.reason.clone(),
            self.from(),
            self.receipt.as_ref().map(replayed).unwrap_or_default(),
            visible_within(letter.message.lines().next().unwrap_or(""), MESSAGE),
        ]
    }

    fn from(&self) -> String {
        let letter = &self.found.letter;
        match (&letter.split, letter.position) {
            (Some(split), Some(position)) => format!("{split}:{position}"),
            (split, _) => split.clone().unwrap_or_default(),
        }
    }
}

/// How often, for people.
pub(super) fn replayed(receipt: &Receipt) -> String {
    match receipt.times {
        1 => "once".to_owned(),
        times => format!("{times} times"),
    }
}

fn table<'l>(letters: impl Iterator<Item = &'l Listed>) -> String {
    let mut table = Table::new();
    table.load_style(NOTHING);
    table.set_header([
        "letter", "written", "operator", "reason", "from", "replayed", "message",
    ]);
    for listed in letters {
        table.add_row(listed.row());
    }
    let lines = table.trim_fmt();
    lines
        .lines()
        .map(|line| format!("{}\n", line.trim()))
        .collect()
}
