//! `tidemill kafka`: what pipelines have left on Kafka clusters.

mod transactions;

use clap::Subcommand;

use crate::error::Failure;

/// Look after what a pipeline has on Kafka
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill kafka transactions
  tidemill kafka transactions fraud.toml --abort")]
pub struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Transactions(transactions::Args),
}

/// Looks after it.
pub fn kafka(args: &Args) -> Result<(), Failure> {
    match &args.what {
        What::Transactions(args) => transactions::transactions(args),
    }
}
