//! `tidemill dlq replay`: the records behind letters, to their topics again, each once.

mod round;
mod told;

use std::process::ExitCode;

use anyhow::anyhow;
use tidemill_connectors::kafka::Isolation;
use tidemill_connectors::kafka::letters::{Resending, TopicReader};

use self::round::Round;
use self::told::Tally;
use super::names::{Name, Words};
use super::places::{LetterTopic, Places};
use super::select::{Found, SelectArgs};
use crate::args::Format;
use crate::error::Failure;
use crate::exit::Exit;

/// Send the records behind dead letters again
///
/// Each goes to the topic and partition that it came from, with its key, value, headers and time, read again from there. Where
/// it is not there any more, what could not be decoded is sent as the letter holds it. Letters are taken from the oldest on;
/// without a choice all of them. The whole pipeline sees such a record again, also those parts that took it the first time;
/// its event time is the old one, so it may be late.
///
/// A record is sent in one Kafka transaction with the note that it was, so it comes to stand there once, however often this
/// command is interrupted and begun again; one that was sent is not sent again unless `--again` asks for it, also where it
/// has several letters. Two of these commands for one pipeline do not mix: the one that began last goes on.
///
/// A record that was sent again says so in its headers: `tidemill.replayed` is how often, `tidemill.replay-of` where the one
/// before stands.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill dlq replay fraud.toml --dry-run
  tidemill dlq replay fraud.toml --operator payments --since 2h
  tidemill dlq replay fraud.toml 0:17 0:18 --again

Exit codes:
  0  every letter that was asked for has been sent again, now or before
  1  some cannot be sent again, or the brokers have not answered
  2  the command line or the pipeline file is wrong, or a letter is not there
  3  a defect of Tidemill")]
pub struct Args {
    #[command(flatten)]
    words: Words,
    #[command(flatten)]
    select: SelectArgs,
    /// At most N letters, the oldest of each partition
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// Also those that were sent again before
    #[arg(long)]
    again: bool,
    /// Only say what would be sent, and from where
    #[arg(long)]
    dry_run: bool,
    /// How it is written
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// Sends letters' records again.
pub(super) fn replay(args: &Args) -> Result<ExitCode, Failure> {
    let (pipeline, names) = args.words.sorted()?;
    if let Some(line) = names.iter().find(|name| matches!(name, Name::Line { .. })) {
        return Err(in_files(&anyhow!("{line} lies in a file").to_string()));
    }
    let places = Places::of(&pipeline)?;
    let topics = places.topics(args.select.topic.as_deref(), &names)?;
    if topics.is_empty() {
        return Err(in_files("the dead letters of this pipeline lie in files"));
    }
    let mut tally = Tally::new(args.dry_run, args.format);
    let mut asked = Asked {
        args,
        left: args.limit.map_or(u64::MAX, u64::from),
        open: names.clone(),
        names,
    };
    for topic in &topics {
        of_topic(&mut asked, (&places, topic), &mut tally)?;
    }
    let all_sent = tally.sum_up();
    if let Some(unnamed) = places.unnamed().filter(|_| args.select.topic.is_none()) {
        tally.note(format!(
            "not looked for: {unnamed}; `--topic NAME` sends those of one"
        ));
    }
    // With a limit not all were looked at.
    if let Some(name) = asked.open.first().filter(|_| asked.left > 0) {
        return Err(Failure::wrong(anyhow!("there is no letter {name}"))
            .hint("`tidemill dlq list` shows those that there are"));
    }
    if let Some(hint) = tally.hint(&pipeline.pipeline) {
        tally.note(hint);
    }
    Ok(match all_sent {
        true => ExitCode::SUCCESS,
        false => Exit::Failed.into(),
    })
}

fn in_files(what: &str) -> Failure {
    Failure::wrong(anyhow!("{what}: replay sends records of topics again"))
        .hint("`tidemill rerun --letters FILE` gives such rows to their functions again")
}

/// Which letters were asked for.
struct Asked<'a> {
    args: &'a Args,
    names: Vec<Name>,
    /// The names of which no letter was found yet.
    open: Vec<Name>,
    /// So many more.
    left: u64,
}

impl Asked<'_> {
    fn takes(&mut self, found: &Found) -> bool {
        let Some(stored) = &found.stored else {
            return false;
        };
        self.open.retain(|name| !name.is_of(&stored.at));
        let named = self.names.is_empty() || self.names.iter().any(|name| name.is_of(&stored.at));
        named && self.args.select.takes(found)
    }
}

fn of_topic(
    asked: &mut Asked<'_>,
    (places, topic): (&Places, &LetterTopic),
    tally: &mut Tally,
) -> Result<(), Failure> {
    let resending = match asked.args.dry_run {
        true => None,
        false => Some(Resending::begin(&topic.cluster, &places.pipeline)?),
    };
    let Some(mut reader) =
        TopicReader::open(&topic.cluster, &topic.topic, Isolation::ReadCommitted)?
    else {
        return Ok(());
    };
    let mut round = Round::new((places, topic), resending, asked.args.again)?;
    while asked.left > 0 {
        let Some(stored) = reader.record()? else {
            break;
        };
        let Ok(found) = Found::record(stored) else {
            tally.others += 1;
            continue;
        };
        if asked.takes(&found) && round.add(found, tally)? {
            asked.left -= 1;
        }
    }
    round.end(tally)
}
