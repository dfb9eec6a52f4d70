//! `tidemill doctor`: what is there, what is missing, and the command that mends it.

mod kafka;
mod machine;
mod tools;

use std::io::Write;
use std::process::ExitCode;

use crate::exit::Exit;

/// Say what is there, what is missing, and the command that mends it
///
/// The exit code is 0 if everything is there that running pipelines and building modules in Rust needs; what only modules
/// in other languages or `tidemill dev kafka` need is named too.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// What was found of one thing.
struct Finding {
    /// What was looked for.
    what: &'static str,
    /// What it is needed for.
    needed: Need,
    /// What is there, or what is wrong and the command that mends it.
    found: Result<String, Trouble>,
}

/// What a thing is needed for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    /// Running pipelines, or building modules in Rust.
    Required,
    /// Building modules in this language.
    For(&'static str),
    /// A Kafka of one's own on this machine.
    DevKafka,
}

/// What is wrong with a thing.
struct Trouble {
    /// What is wrong.
    why: String,
    /// The command that mends it.
    mend: String,
}

impl Trouble {
    fn new(why: impl Into<String>, mend: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            mend: mend.into(),
        }
    }
}

/// Looks at the machine.
pub fn doctor() -> ExitCode {
    let findings: Vec<Finding> = machine::look()
        .into_iter()
        .chain(tools::look())
        .chain(kafka::look())
        .collect();
    let width = findings
        .iter()
        .map(|finding| finding.what.len())
        .max()
        .unwrap_or(0);
    let mut text: String = findings.iter().map(|finding| finding.text(width)).collect();
    let missing = findings
        .iter()
        .filter(|f| f.needed == Need::Required && f.found.is_err())
        .count();
    text.push_str(&match missing {
        0 => "\nEverything is there that running pipelines and building modules in Rust needs.\n"
            .to_owned(),
        n => format!("\n{n} of what is required is missing: run what stands behind `mend`.\n"),
    });
    // Nobody may listen any more: nothing is lost.
    let _ = std::io::stdout().write_all(text.as_bytes());
    if missing == 0 {
        ExitCode::SUCCESS
    } else {
        Exit::Failed.into()
    }
}

impl Need {
    /// Whom it concerns.
    fn text(self) -> String {
        match self {
            Self::Required => "everybody".to_owned(),
            Self::For(language) => format!("modules in {language}"),
            Self::DevKafka => "`tidemill dev kafka`".to_owned(),
        }
    }
}

impl Finding {
    fn text(&self, width: usize) -> String {
        match (&self.found, self.needed) {
            (Ok(there), _) => format!("ok       {:width$}  {there}\n", self.what),
            (Err(trouble), Need::Required) => {
                format!(
                    "MISSING  {:width$}  {}\n{}",
                    self.what,
                    trouble.why,
                    self.mend(trouble, width)
                )
            }
            (Err(trouble), Need::For(_) | Need::DevKafka) => format!(
                "absent   {:width$}  {} (only for {})\n{}",
                self.what,
                trouble.why,
                self.needed.text(),
                self.mend(trouble, width)
            ),
        }
    }

    fn mend(&self, trouble: &Trouble, width: usize) -> String {
        format!("         {:width$}  mend: {}\n", "", trouble.mend)
    }
}
