//! `tidemill dev kafka`: the broker itself.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::anyhow;
use serde_json::json;
use tidemill_broker::{Broker, BrokerError, Jars, Options, Place, Topics, VERSION};

use super::end::End;
use super::topics::{Topic, of_pipeline, topic};
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
    /// A pipeline file, whose topics are made unless they are there; those of `--topic` as that says
    #[arg(long, value_name = "FILE")]
    pipeline: Option<PathBuf>,
    /// How many partitions the topics of the pipeline file have
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(i32).range(1..))]
    partitions: i32,
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

/// Starts a broker, and ends it when that is asked for.
pub fn start(args: &StartArgs) -> Result<(), Failure> {
    let talk = Talk::new(args.format, false);
    let end = End::caught()?;
    if args.tied {
        end.with_input()?;
    }
    let topics = topics(args, &talk)?;
    let jars = Jars::ready(&folders::cache()?, |folder| bringing(&talk, folder))?;
    let mut broker = Broker::launch(&jars, &options(args))?;
    // Whoever asks for the end meanwhile has it: the broker goes with this value.
    while !end.asked() && !broker.answers()? {
        sleep(LOOK);
    }
    if !end.asked() {
        make(&broker, &topics, &talk)?;
        tell(&broker, (args, &topics), &talk)?;
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

/// The topics to make: those of the command line first.
fn topics(args: &StartArgs, talk: &Talk) -> Result<Vec<Topic>, Failure> {
    let mut topics = args.topics.clone();
    let Some(file) = &args.pipeline else {
        return Ok(topics);
    };
    let wanted = of_pipeline(file)?;
    // A free port is not known yet, and no pipeline file names it.
    for brokers in wanted.elsewhere(args.port) {
        talk.note(format!(
            "{} looks for brokers at {brokers}, which this one is not",
            file.display()
        ));
    }
    for name in wanted.topics {
        if !topics.iter().any(|topic| topic.name == name) {
            let partitions = args.partitions;
            topics.push(Topic { name, partitions });
        }
    }
    Ok(topics)
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
fn tell(
    broker: &Broker,
    (args, topics): (&StartArgs, &[Topic]),
    talk: &Talk,
) -> Result<(), Failure> {
    let (address, folder) = (broker.address(), broker.folder());
    if args.format == Format::Json {
        let topics = topics
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
    let topic = topics.first().map_or("TOPIC", |topic| &topic.name);
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
