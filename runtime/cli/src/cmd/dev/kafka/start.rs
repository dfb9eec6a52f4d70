//! `tidemill dev kafka`: the broker itself.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::json;
use tidemill_broker::{Broker, BrokerError, Jars, Options, Place, Topics, VERSION};

use super::end::End;
use crate::args::Format;
use crate::error::Failure;
use crate::folders;
use crate::talk::Talk;

/// How often the broker and signals are looked at.
const LOOK: Duration = Duration::from_millis(25);

/// How a broker is started.
#[derive(clap::Args, Debug)]
pub struct StartArgs {
    /// The port on loopback; 0 takes a free one
    #[arg(long, value_name = "PORT", default_value_t = 9092)]
    port: u16,
    /// Where topics and records stay [default: a temporary folder, removed at the end]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// A topic to make unless it is there, with so many partitions [default: 1]
    #[arg(long = "topic", value_name = "NAME[:PARTITIONS]", value_parser = topic)]
    topics: Vec<Topic>,
    /// The Java heap, in MiB
    #[arg(long, value_name = "MIB", default_value_t = 384, value_parser = clap::value_parser!(u32).range(128..))]
    heap: u32,
    /// Stop when standard input ends, too: for scripts and programs that start it
    #[arg(long)]
    tied: bool,
    /// For whom output is
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
}

/// A topic to make.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Topic {
    name: String,
    partitions: i32,
}

/// Starts a broker, and ends it when that is asked for.
pub fn start(args: &StartArgs) -> Result<(), Failure> {
    let talk = Talk::new(args.format, false);
    let end = End::caught()?;
    if args.tied {
        end.with_input()?;
    }
    let jars = Jars::ready(&folders::cache()?, |folder| bringing(&talk, folder))?;
    let mut broker = Broker::launch(&jars, &options(args))?;
    // Whoever asks for the end meanwhile has it: the broker goes with this value.
    while !end.asked() && !broker.answers()? {
        sleep(LOOK);
    }
    if !end.asked() {
        make(&broker, &args.topics, &talk)?;
        tell(&broker, args, &talk)?;
    }
    while !end.asked() {
        if broker.has_ended() {
            return Err(ended(&broker, args));
        }
        sleep(LOOK);
    }
    talk.note("Kafka stops");
    broker.stop();
    Ok(())
}

fn options(args: &StartArgs) -> Options {
    Options {
        port: args.port,
        place: args.data.clone().map_or(Place::Temporary, Place::Kept),
        heap_mb: args.heap,
        ..Options::default()
    }
}

fn bringing(talk: &Talk, folder: &Path) {
    talk.note(format!(
        "Maven brings Kafka {VERSION} (54 MB), this once, into {}",
        folder.display()
    ));
}

fn make(broker: &Broker, topics: &[Topic], talk: &Talk) -> Result<(), Failure> {
    if topics.is_empty() {
        return Ok(());
    }
    let client = Topics::at(broker.address())?;
    for topic in topics {
        if !client.create(&topic.name, topic.partitions, &[])? {
            talk.note(format!("topic {} is there already", topic.name));
        }
    }
    Ok(())
}

/// Says that the broker answers, and how it is used.
fn tell(broker: &Broker, args: &StartArgs, talk: &Talk) -> Result<(), Failure> {
    let (address, folder) = (broker.address(), broker.folder());
    if args.format == Format::Json {
        let topics = args
            .topics
            .iter()
            .map(|topic| json!({ "name": topic.name, "partitions": topic.partitions }));
        let line = json!({
            "address": address, "version": VERSION, "folder": folder.to_string_lossy(),
            "log": broker.log().to_string_lossy(), "topics": topics.collect::<Vec<_>>(),
        });
        let mut out = std::io::stdout().lock();
        let written = writeln!(out, "{line}").and_then(|()| out.flush());
        return written.map_err(|e| Failure::from(anyhow!(e).context("standard output")));
    }
    let topic = args.topics.first().map_or("TOPIC", |topic| &topic.name);
    let other = match args.port {
        9092 => String::new(),
        _ => format!(" --broker {address}"),
    };
    let fate = match args.data {
        Some(_) => "its data stays in",
        None => "with all that is in",
    };
    talk.note(format!(
        "Kafka {VERSION} listens at {address}; from another terminal:\n  \
         tidemill dev kafka produce {topic}{other} < rows.jsonl\n  \
         tidemill dev kafka consume {topic}{other} --from-beginning\n\
         Ctrl-C stops it, {fate} {}",
        folder.display()
    ));
    Ok(())
}

/// It has ended, and nobody asked for that.
fn ended(broker: &Broker, args: &StartArgs) -> Failure {
    let failure = Failure::from(anyhow!("Kafka has ended by itself, or was killed"));
    match args.data {
        Some(_) => failure.hint(format!("its log is {}", broker.log().display())),
        None => failure.hint("`--data` keeps its log"),
    }
}

impl From<BrokerError> for Failure {
    fn from(error: BrokerError) -> Self {
        let hint = error.hint();
        let failure = Self::from(anyhow!(error));
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// Reads `name:partitions` or `name`.
fn topic(text: &str) -> Result<Topic, String> {
    let (name, partitions) = match text.rsplit_once(':') {
        Some((name, count)) => (name, count.parse().ok().filter(|&count| count > 0)),
        None => (text, Some(1)),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if name.is_empty() || name.len() > 249 || !name.chars().all(fits) {
        return Err("a topic's name has 1 to 249 of the characters a-z A-Z 0-9 . _ -".to_owned());
    }
    let partitions = partitions.ok_or("expected a number of partitions behind `:`, such as 4")?;
    Ok(Topic {
        name: name.to_owned(),
        partitions,
    })
}

#[cfg(test)]
mod tests {
    use super::topic;

    #[test]
    fn a_topic_is_a_name_and_a_number_of_partitions() {
        let cases = [
            ("payments", Some(("payments", 1))),
            ("a.b_c-1:12", Some(("a.b_c-1", 12))),
            ("payments:", None),
            ("payments:0", None),
            ("payments:x", None),
            (":4", None),
            ("a b", None),
            ("a/b:2", None),
        ];
        for (text, expected) in cases {
            let read = topic(text).ok();
            let read = read
                .as_ref()
                .map(|topic| (topic.name.as_str(), topic.partitions));
            assert_eq!(read, expected, "{text}");
        }
    }
}
