//! `tidemill man`: manual pages, one for the command and one for each of its commands.

use std::path::PathBuf;

use anyhow::Context;

use crate::args::{self, Format};
use crate::error::Failure;
use crate::figures::counted;
use crate::talk::Talk;

/// Write manual pages
///
/// Writes tidemill.1 and tidemill-<command>.1 for each command into a folder, which is made if it is not there.
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Examples:
  tidemill man ~/.local/share/man/man1 && man tidemill-run")]
pub struct Args {
    /// The folder
    folder: PathBuf,
}

/// Writes them.
pub fn man(asked: &Args) -> Result<(), Failure> {
    let failed = || format!("cannot write manual pages to {}", asked.folder.display());
    std::fs::create_dir_all(&asked.folder).with_context(failed)?;
    let before = pages(&asked.folder);
    clap_mangen::generate_to(args::shown(), &asked.folder).with_context(failed)?;
    let written = pages(&asked.folder).max(before);
    Talk::new(Format::Text, false).note(format!(
        "{} in {}",
        counted(written, "page"),
        asked.folder.display()
    ));
    Ok(())
}

/// How many pages of this command lie in a folder.
fn pages(folder: &std::path::Path) -> u64 {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let own = names.filter(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        name.starts_with("tidemill") && name.ends_with(".1")
    });
    own.count() as u64
}
