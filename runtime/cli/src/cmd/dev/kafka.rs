//! `tidemill dev kafka`: a real Kafka on this machine, and records in and out of it.

mod client;
mod consume;
mod end;
mod produce;
mod start;
mod topics;

use clap::Subcommand;

use crate::args::Format;
use crate::error::Failure;

/// Start a real Apache Kafka on this machine, and produce and consume records
///
/// One broker in KRaft mode, on loopback alone, in the foreground until Ctrl-C or SIGTERM. It needs Java 17; the first start brings
/// Kafka (54 MB) with Maven into the cache folder, later ones need neither Maven nor the network. Records are kept for ever, and
/// go with the broker unless `--data` says where they stay. Topics are made by `--topic` and `--pipeline` only: Kafka does not make them by itself.
/// With `--format json` standard output has one line with the address as soon as the broker answers.
#[derive(clap::Args, Debug)]
#[command(args_conflicts_with_subcommands = true)]
#[command(after_long_help = "\
Examples:
  tidemill dev kafka --topic payments:4 --topic alerts
  tidemill dev kafka --pipeline fraud.toml
  tidemill dev kafka --port 9192 --data ~/kafka
  tidemill dev kafka produce payments --key card < payments.jsonl
  tidemill dev kafka consume alerts --read-committed --from-beginning")]
pub struct Args {
    #[command(subcommand)]
    client: Option<Client>,
    #[command(flatten)]
    start: start::StartArgs,
}

#[derive(Debug, Subcommand)]
enum Client {
    Produce(produce::Args),
    Consume(consume::Args),
}

impl Args {
    /// For whom standard error is, where that was said.
    pub fn format(&self) -> Option<Format> {
        self.client.is_none().then_some(self.start.format)
    }
}

/// Starts a broker, or speaks to one.
pub fn kafka(args: &Args) -> Result<(), Failure> {
    match &args.client {
        None => start::start(&args.start),
        Some(Client::Produce(args)) => produce::produce(args),
        Some(Client::Consume(args)) => consume::consume(args),
    }
}
