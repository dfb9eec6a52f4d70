//! `tidemill dlq show`: one letter, whole.

use std::path::Path;

use anyhow::anyhow;
use tidemill_connectors::kafka::Isolation;
use tidemill_connectors::kafka::letters::{Originals, Stored};
use tidemill_rows::time_text::rfc3339;
use tidemill_rows::visible::visible;

use super::list::{Replayed, replayed};
use super::names::{Name, Words};
use super::places::{LetterTopic, Places};
use super::select::Found;
use super::{files, print};
use crate::args::PipelineArgs;
use crate::error::Failure;
use crate::figures::bytes;

/// So many bytes of what is no text are shown.
const HEX: usize = 512;

/// Show a dead letter whole
///
/// Shows why the row failed, the row or the bytes that could not be read, the letter's headers, whether the record that it
/// came from is still there and was sent again, and what can be done.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill dlq show 0:17
  tidemill dlq show fraud.toml bad-payments-0:17
  tidemill dlq show fraud.toml out/bad/part-0.jsonl:3")]
pub struct Args {
    #[command(flatten)]
    words: Words,
}

/// Shows letters.
pub(super) fn show(args: &Args) -> Result<(), Failure> {
    let (pipeline, names) = args.words.sorted()?;
    if names.is_empty() {
        return Err(Failure::wrong(anyhow!("no letter is named"))
            .hint("`tidemill dlq list` names them: `tidemill dlq show 0:17`"));
    }
    let places = Places::of(&pipeline)?;
    for (index, name) in names.iter().enumerate() {
        let (found, topic) = find(&places, name)?;
        let mut told = match index {
            0 => String::new(),
            _ => "\n".to_owned(),
        };
        let record = behind(&found, &places)?;
        told += &whole(&found, &places, topic.as_ref().zip(Some(&record)))?;
        told += &advice(&found, &record, &pipeline.pipeline);
        print(&told);
    }
    Ok(())
}

/// A letter of a pipeline as a line of JSON, and what it is called.
///
/// # Errors
/// If there is none of this name.
pub fn line(pipeline: &PipelineArgs, name: &str) -> Result<(String, String), Failure> {
    let Some(wanted) = Name::read(name) else {
        return Err(Failure::wrong(anyhow!("{name} names no letter"))
            .hint("a letter is PARTITION:OFFSET, such as 0:17; `tidemill dlq list` shows them"));
    };
    let (found, _) = find(&Places::of(pipeline)?, &wanted)?;
    let object = serde_json::Value::Object(found.letter.object());
    Ok((found.name, object.to_string()))
}

fn find(places: &Places, name: &Name) -> Result<(Found, Option<LetterTopic>), Failure> {
    match name {
        Name::Record { .. } => {
            let topics = places.topics(name.topic(), &[])?;
            if let [_, _, ..] = topics[..] {
                let names: Vec<&str> = topics.iter().map(|t| t.topic.as_str()).collect();
                let error = anyhow!("{name} may be in several topics");
                let hint = format!(
                    "name one: {}-{name} or another of {}",
                    names[0],
                    names.join(", ")
                );
                return Err(Failure::wrong(error).hint(hint));
            }
            let topic = topics.into_iter().next().ok_or_else(|| missing(name))?;
            Ok((record(&topic, name)?, Some(topic)))
        }
        Name::Line { file, line } => {
            let mut wanted = None;
            for place in &places.files {
                files::each(place, &mut |found| {
                    let at = found.name.rsplit_once(':');
                    let is_it = at.is_some_and(|(path, number)| {
                        Path::new(path).ends_with(file) && number == line.to_string()
                    });
                    if is_it {
                        wanted = Some(found);
                    }
                    Ok(())
                })?;
            }
            Ok((wanted.ok_or_else(|| missing(name))?, None))
        }
    }
}

fn record(topic: &LetterTopic, name: &Name) -> Result<Found, Failure> {
    let Name::Record {
        partition, offset, ..
    } = name
    else {
        return Err(missing(name));
    };
    let mut records = Originals::new(&topic.cluster, Isolation::ReadCommitted)?;
    let at = tidemill_connectors::kafka::letters::RecordAt {
        topic: topic.topic.clone(),
        partition: *partition,
        offset: *offset,
    };
    let stored = records.get(&at)?.ok_or_else(|| missing(name))?;
    Found::record(stored).map_err(|error| Failure::wrong(anyhow!("{at}: {error}")))
}

fn missing(name: &Name) -> Failure {
    Failure::wrong(anyhow!("there is no letter {name}"))
        .hint("`tidemill dlq list` shows those that there are")
}

fn whole(
    found: &Found,
    places: &Places,
    in_topic: Option<(&LetterTopic, &Behind)>,
) -> Result<String, Failure> {
    let letter = &found.letter;
    let mut told = format!("letter     {}\n", found.name);
    let mut say = |what: &str, text: &str| {
        let text = text.replace('\n', "\n           ");
        told += &format!("{what:<10} {text}\n");
    };
    if found.stored.is_some() {
        say("written", &found.when());
    }
    say("operator", &letter.operator);
    if let Some(function) = &letter.function {
        say("function", function);
    }
    if let Some(hash) = &letter.module_hash {
        say("module", &format!("sha256 {hash}"));
    }
    say("reason", &letter.reason);
    if !letter.message.is_empty() {
        say("message", &letter.message);
    }
    if let Some(place) = letter.place() {
        say("from", &place);
    }
    if let Some(time) = letter.time {
        say("time", &rfc3339(time));
    }
    if let Some(row) = &letter.row {
        say("row", &visible(row));
    }
    if let Some(bytes) = &letter.bytes {
        say("bytes", &shown(bytes));
    }
    for (name, value) in found.stored.iter().flat_map(|stored| &stored.headers) {
        let value = value.as_deref().map_or("none".to_owned(), shown);
        say("header", &format!("{name} = {value}"));
    }
    if let Some((topic, record)) = in_topic {
        say("record", &record.told);
        let receipt = Replayed::read(&topic.cluster, &places.pipeline)?.receipt(found)?;
        let receipt = receipt.as_ref().map_or("never".to_owned(), replayed);
        say("replayed", &receipt);
    }
    Ok(told)
}

/// What is known of the record that a row came from.
struct Behind {
    told: String,
    is_there: bool,
}

fn behind(found: &Found, places: &Places) -> Result<Behind, Failure> {
    let unknown = |told: String| Behind {
        told,
        is_there: false,
    };
    // A letter in a file is not sent again: nobody asks for its record.
    let Some(origin) = found.origin().filter(|_| found.stored.is_some()) else {
        return Ok(unknown(
            "none: the row did not come from a topic".to_owned(),
        ));
    };
    let Some(source) = places.source(&origin.topic) else {
        let told = format!("{origin}, which no source of this pipeline reads");
        return Ok(unknown(told));
    };
    let record = Originals::new(&source.cluster, source.isolation)?.get(&origin)?;
    Ok(match record {
        Some(record) => Behind {
            told: format!("{origin} is there: {}", brief(&record)),
            is_there: true,
        },
        None => unknown(format!("{origin} is not there any more")),
    })
}

/// Key, length and earlier replays of a record.
pub(super) fn brief(record: &Stored) -> String {
    let key = record
        .key
        .as_deref()
        .map_or("no key".to_owned(), |key| format!("key {}", shown(key)));
    let value = record.value.as_ref().map_or(0, Vec::len);
    let again = match record.replayed() {
        0 => String::new(),
        times => format!(", itself sent again {times} times by now"),
    };
    format!("{key}, {}{again}", bytes(value as u64))
}

/// Bytes as text where they are text, otherwise in hexadecimal.
fn shown(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => visible(text).into_owned(),
        Err(_) => {
            let hex: Vec<String> = bytes.iter().take(HEX).map(|b| format!("{b:02x}")).collect();
            let more = match bytes.len() > HEX {
                true => format!(" … ({} bytes in all)", bytes.len()),
                false => String::new(),
            };
            format!("hex {}{more}", hex.join(" "))
        }
    }
}

fn advice(found: &Found, record: &Behind, pipeline: &Path) -> String {
    let mut told = String::new();
    let (pipeline, name) = (pipeline.display(), &found.name);
    if found.letter.function.is_some() && found.letter.row.is_some() {
        told += &format!(
            "to try     tidemill rerun {pipeline} --letter {name}   (the function, alone, with its backtrace)\n"
        );
    }
    // A row of an operator is not the record.
    let held = found.stored.is_some() && found.letter.bytes.is_some();
    if record.is_there || (held && found.origin().is_some()) {
        told += &format!(
            "to repeat  tidemill dlq replay {pipeline} {name}   (when the module or the pipeline file takes it)\n"
        );
    }
    told
}
