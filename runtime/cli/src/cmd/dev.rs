//! `tidemill dev`: what a pipeline needs around it while it is being developed.

mod kafka;

use clap::Subcommand;

use crate::args::Format;
use crate::error::Failure;
use crate::talk::Talk;

/// Start what a pipeline needs around it while it is developed
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Kafka(kafka::Args),
}

impl Args {
    /// For whom output is.
    pub fn talk(&self) -> Talk {
        let What::Kafka(args) = &self.what;
        Talk::new(args.format().unwrap_or(Format::Text), false)
    }
}

/// Starts it.
pub fn dev(args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::Kafka(args) => kafka::kafka(args),
    }
}
