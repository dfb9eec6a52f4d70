//! What is told of scenarios: to people as text, to programs as lines of JSON. It goes to standard output.

use std::io::{IsTerminal, Write};

use serde_json::{Value, json};

use super::{Different, Outcome, Ran};
use crate::args::Format;
use crate::error::{Cause, Failure};
use crate::figures::{counted, took};

/// Tells of scenarios, one after the other.
pub struct Reporter {
    format: Format,
    color: bool,
}

/// How many of what.
#[derive(Default)]
struct Sums {
    passed: u64,
    updated: u64,
    different: u64,
    broken: u64,
}

impl Reporter {
    /// For this reader.
    pub fn new(format: Format) -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self {
            format,
            color: std::io::stdout().is_terminal() && !plain,
        }
    }

    /// Tells how a scenario ended.
    pub fn tell(&mut self, ran: &Ran) {
        match self.format {
            Format::Text => self.line(&self.text(ran)),
            Format::Json => self.line(&event(ran).to_string()),
        }
    }

    /// Tells how all of them ended.
    pub fn sum_up(&mut self, ran: &[Ran]) {
        let mut sums = Sums::default();
        for ran in ran {
            *match ran.outcome {
                Outcome::Passed => &mut sums.passed,
                Outcome::Updated => &mut sums.updated,
                Outcome::Different(_) => &mut sums.different,
                Outcome::Broken(_) => &mut sums.broken,
            } += 1;
        }
        match self.format {
            Format::Text => self.line(&sums.text(ran.len() as u64)),
            Format::Json => self.line(&sums.event().to_string()),
        }
        if self.format == Format::Text && sums.different > 0 {
            self.line("hint: --update writes what comes into the files, if that is right");
        }
    }

    fn text(&self, ran: &Ran) -> String {
        let file = ran.file.display();
        match &ran.outcome {
            Outcome::Passed => format!("ok       {file} ({})", took(ran.time)),
            Outcome::Updated => format!("updated  {file}"),
            Outcome::Different(different) => {
                let head = self.paint("1;31", "FAILED");
                let texts: Vec<String> = different.iter().map(|one| self.difference(one)).collect();
                format!("{head}   {file}\n\n{}", texts.join("\n"))
            }
            Outcome::Broken(failure) => {
                let head = self.paint("1;31", "BROKEN");
                format!("{head}   {file}\n\n{}\n", told(failure, self.color))
            }
        }
    }

    fn difference(&self, different: &Different) -> String {
        let mut text = different.text[usize::from(self.color)].clone();
        for line in &different.log {
            text.push_str(&format!("    logged: {line}\n"));
        }
        text
    }

    fn paint(&self, style: &str, text: &str) -> String {
        match self.color {
            true => format!("\x1b[{style}m{text}\x1b[0m"),
            false => text.to_owned(),
        }
    }

    fn line(&self, text: &str) {
        // Nobody may listen any more: nothing is lost.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

impl Sums {
    fn text(&self, all: u64) -> String {
        let mut text = format!("{}: {} passed", counted(all, "scenario"), self.passed);
        for (count, word) in [
            (self.updated, "updated"),
            (self.different, "failed"),
            (self.broken, "could not be run"),
        ] {
            if count > 0 {
                text.push_str(&format!(", {count} {word}"));
            }
        }
        text
    }

    fn event(&self) -> Value {
        json!({
            "event": "summary", "passed": self.passed, "updated": self.updated,
            "failed": self.different, "broken": self.broken,
        })
    }
}

/// Why a scenario could not be run.
pub fn told(failure: &Failure, color: bool) -> String {
    let mut text = match failure.cause() {
        Cause::Report(report) => report.render(color),
        cause => format!("error: {cause}"),
    };
    if let Some(hint) = failure.advice() {
        text.push_str(&format!("\nhint: {hint}"));
    }
    text
}

fn event(ran: &Ran) -> Value {
    let mut event = json!({
        "event": "scenario", "file": ran.file.to_string_lossy(),
        "outcome": ran.outcome.word(), "elapsed_s": ran.time.as_secs_f64(),
    });
    match &ran.outcome {
        Outcome::Passed | Outcome::Updated => {}
        Outcome::Different(different) => {
            let one = |d: &Different| {
                json!({
                    "line": d.line, "directive": d.directive, "expected": d.expected,
                    "came": d.came, "log": d.log,
                })
            };
            event["differences"] = different.iter().map(one).collect();
        }
        Outcome::Broken(failure) => event["message"] = told(failure, false).into(),
    }
    event
}

impl Outcome {
    /// The outcome in one word.
    fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Updated => "updated",
            Self::Different(_) => "failed",
            Self::Broken(_) => "broken",
        }
    }
}
