//! Everything that goes to standard error: for people as lines, for programs as JSON lines with a field `event`.

use std::io::{IsTerminal, Write};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde_json::{Value, json};
use tidemill_pipeline::{Diagnostics, Severity};
use tidemill_wasm::LogLine;

use crate::args::Format;
use crate::error::{Cause, Failure};

/// How often progress is drawn at most, per second.
const DRAWS_PER_S: u8 = 10;

/// Standard error, and who reads it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Talk {
    format: Format,
    quiet: bool,
    color: bool,
    /// What is drawn at the lower end of a terminal: lines go above it.
    drawn: MultiProgress,
    /// Which task of several talks, by its partition number.
    task: Option<i32>,
}

impl Talk {
    /// For a reader; quiet says nothing but errors.
    pub fn new(format: Format, quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let color = terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
        let drawn = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        Self {
            format,
            quiet,
            color,
            drawn,
            task: None,
        }
    }

    /// The same for one of several tasks, which says its number.
    pub fn of_task(&self, partition: i32) -> Self {
        Self {
            task: Some(partition),
            ..self.clone()
        }
    }

    /// Whether only errors are told.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Whether programs read it.
    pub fn is_json(&self) -> bool {
        self.format == Format::Json
    }

    /// Whether a person sits in front of it who wants to see progress.
    pub fn has_watcher(&self) -> bool {
        !self.quiet && !self.is_json() && std::io::stderr().is_terminal()
    }

    /// Where progress is drawn from now on.
    pub fn draw(&self) -> &MultiProgress {
        self.drawn
            .set_draw_target(ProgressDrawTarget::stderr_with_hz(DRAWS_PER_S));
        &self.drawn
    }

    /// A line, or several. Nobody may listen: that is no reason to stop.
    pub fn line(&self, text: impl AsRef<str>) {
        let write = || {
            let mut to = std::io::stderr().lock();
            let _ = to.write_all(format!("{}\n", text.as_ref()).as_bytes());
        };
        // Suspending costs a lock, but lines are few: a function's log is limited per call.
        self.drawn.suspend(write);
    }

    /// A line of JSON.
    pub fn event(&self, event: &Value) {
        match self.task {
            None => self.line(event.to_string()),
            Some(task) => {
                let mut event = event.clone();
                event["task"] = task.into();
                self.line(event.to_string());
            }
        }
    }

    /// Something that people may want to know.
    pub fn note(&self, text: impl AsRef<str>) {
        match self.format {
            _ if self.quiet => {}
            Format::Text => self.line(format!("{}{}", self.who(), text.as_ref())),
            Format::Json => self.event(&json!({ "event": "note", "message": text.as_ref() })),
        }
    }

    /// What is worth a warning in a pipeline that can run.
    pub fn warnings(&self, warnings: &Diagnostics) {
        match self.format {
            _ if self.quiet || warnings.is_empty() => {}
            Format::Text => self.line(warnings.render(self.color) + "\n"),
            Format::Json => problems(warnings)
                .iter()
                .for_each(|event| self.event(event)),
        }
    }

    /// A line that an operator's function logged.
    pub fn logged(&self, operator: &str, line: &LogLine) {
        match self.format {
            _ if self.quiet => {}
            // Indented, so that no line of it looks like one of ours.
            Format::Text => {
                let text = line.text.replace('\n', "\n  ");
                self.line(format!("{}{operator}: {}: {text}", self.who(), line.level));
            }
            Format::Json => self.event(&json!({
                "event": "log", "operator": operator, "level": line.level.name(), "message": line.text
            })),
        }
    }

    /// Why the command failed, and what to do about it.
    pub fn failure(&self, failure: &Failure) {
        if self.is_json() {
            if let Cause::Report(report) = failure.cause() {
                problems(report.diagnostics())
                    .iter()
                    .for_each(|event| self.event(event));
            } else {
                self.event(&failure_event(failure));
            }
            return;
        }
        match failure.cause() {
            Cause::Report(report) => self.line(report.render(self.color)),
            cause => self.line(format!("{} {cause}", self.styled("1;31", "error:"))),
        }
        if let Some(hint) = failure.advice() {
            self.line(format!("{} {hint}", self.styled("1;36", "hint:")));
        }
    }

    /// What lines of a task begin with.
    fn who(&self) -> String {
        self.task
            .map(|task| format!("task {task}: "))
            .unwrap_or_default()
    }

    fn styled(&self, style: &str, text: &str) -> String {
        if self.color {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

fn failure_event(failure: &Failure) -> Value {
    let mut event = json!({ "event": "error", "exit": failure.exit() as u8 });
    event["message"] = failure.cause().to_string().into();
    if let Some(hint) = failure.advice() {
        event["hint"] = hint.into();
    }
    if let Cause::Engine(error) = failure.cause()
        && let tidemill_engine::EngineError::Row(stopped) = &**error
    {
        let row = &stopped.row;
        event["row"] = json!({
            "operator": row.operator, "function": row.function, "reason": row.reason,
            "message": row.message, "module_hash": row.module.as_ref().map(|(_, hash)| hash),
            "split": row.split, "position": row.position, "line": row.line, "row": row.row,
            "backtrace": row.backtrace, "log": row.log,
        });
    }
    event
}

/// Problems of a pipeline file as JSON.
fn problems(diagnostics: &Diagnostics) -> Vec<Value> {
    let one = |problem: &tidemill_pipeline::Problem| {
        let event = match problem.severity() {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let place = problem
            .span()
            .and_then(|span| diagnostics.text().line(span));
        let (file, line) = match place.as_ref().and_then(|place| place.rsplit_once(':')) {
            Some((file, line)) => (Some(file), line.parse::<u64>().ok()),
            None => (None, None),
        };
        json!({ "event": event, "message": problem.title(), "file": file, "line": line })
    };
    diagnostics.problems().iter().map(one).collect()
}
