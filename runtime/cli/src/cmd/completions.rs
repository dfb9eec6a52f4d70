//! `tidemill completions`: what a shell needs to complete the command line.

use std::io::Write;

use clap_complete::Shell;

use crate::args;

/// Print completions for a shell
#[derive(clap::Args, Debug)]
#[command(after_long_help = "\
Where they go:
  bash        tidemill completions bash > ~/.local/share/bash-completion/completions/tidemill
  zsh         tidemill completions zsh > <a folder of $fpath>/_tidemill
  fish        tidemill completions fish > ~/.config/fish/completions/tidemill.fish
  PowerShell  tidemill completions powershell >> $PROFILE")]
pub struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints them.
pub fn completions(asked: &Args) {
    let mut text = Vec::new();
    clap_complete::generate(asked.shell, &mut args::shown(), "tidemill", &mut text);
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(&text);
}
