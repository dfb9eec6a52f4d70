//! `tidemill schema`: the pipeline file as a JSON schema.

use std::io::Write;

use tidemill_pipeline::schema::json_schema;

/// Print the JSON schema of the pipeline file, for editors
///
/// An editor with TOML support completes keys by it, shows what they mean, and underlines what cannot be. What only the
/// whole file or a module shows, `tidemill check` says.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill schema > pipeline.schema.json
  and `#:schema ./pipeline.schema.json` as the first line of pipeline.toml")]
pub struct Args {}

/// Prints it.
pub fn schema() {
    // Nobody may listen any more: nothing is lost.
    let _ = writeln!(std::io::stdout(), "{:#}", json_schema());
}
