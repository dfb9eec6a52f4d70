//! From a script to the lines that come out of each step.

use std::path::Path;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use tidemill_connectors::ConnectorError;
use tidemill_engine::checkpoint::view::Entry;
use tidemill_engine::functions::InModules;
use tidemill_engine::plan::StationKind;
use tidemill_engine::rehearsal::{Does, Line, Stepped, Unread, Watermarks};
use tidemill_engine::{BATCH_ROWS, EngineError, Options, Plan, Rehearsal, rehearsal};
use tidemill_pipeline::nearest::nearest;
use tidemill_scenario::pipeline::{Directive, Of};
use tidemill_scenario::{Mistake, Step};
use tidemill_wasm::Host;

use super::script::Script;
use super::shown;
use crate::args::PipelineArgs;
use crate::cmd::state::KeyFilter;
use crate::error::Failure;
use crate::load;

/// What came of a step.
#[derive(Debug, Default)]
pub struct Came {
    /// As a scenario shows it.
    pub lines: Vec<String>,
    /// What functions logged.
    pub log: Vec<String>,
}

/// Why a scenario cannot be run.
pub enum Stop {
    /// The scenario is wrong.
    Mistake(Mistake),
    /// The pipeline is, or a module.
    Failure(Failure),
}

impl From<Mistake> for Stop {
    fn from(mistake: Mistake) -> Self {
        Self::Mistake(mistake)
    }
}

impl<E: Into<Failure>> From<E> for Stop {
    fn from(failure: E) -> Self {
        Self::Failure(failure.into())
    }
}

/// Runs a script; `file` is where it was read.
///
/// # Errors
/// If it cannot be run.
pub fn rehearse(script: &Script<'_>, file: &Path, host: &Host) -> Result<Vec<Came>, Stop> {
    let head = &script.head;
    let folder = file.parent().unwrap_or(Path::new(""));
    let args = PipelineArgs {
        pipeline: folder.join(&head.pipeline.name),
        set: head.set.clone(),
    };
    if !args.pipeline.exists() {
        let title = format!("no such pipeline file: {}", args.pipeline.display());
        return Err(Mistake::new(head.pipeline.span.clone(), title)
            .label("expected the path of a pipeline file")
            .help("paths are relative to the scenario's folder")
            .into());
    }
    // Exchanges are there for as many workers as there will be.
    let mut plan = load::plan_rehearsal(&args, script.most_workers(), host)?;
    plan.workers = head.workers;
    check_shown(script, &plan)?;
    let clock = Arc::new(AtomicI64::new(0));
    let log = Arc::new(Mutex::new(Vec::new()));
    let set_up = rehearsal::Script {
        splits: script
            .splits()
            .into_iter()
            .map(|(source, splits)| {
                let splits = splits.into_iter().map(str::to_owned);
                (source.to_owned(), splits.collect())
            })
            .collect(),
        watermarks: match head.watermarks_from_rows {
            true => Watermarks::FromRows,
            false => Watermarks::ByHand,
        },
        any_time_ahead: !script.has_clock(),
        ..rehearsal::Script::default()
    };
    let rehearsal = Rehearsal::start(plan, &set_up, &options(&clock, &log))?;
    let mut stage = Stage {
        rehearsal,
        clock,
        shown: head.show.iter().map(|named| named.name.as_str()).collect(),
        stopped: false,
    };
    let mut all = Vec::new();
    for (step, directive) in &script.steps {
        let lines = stage.step(step, directive)?;
        let log = std::mem::take(&mut *log.lock().unwrap_or_else(PoisonError::into_inner));
        all.push(Came { lines, log });
    }
    Ok(all)
}

fn options(clock: &Arc<AtomicI64>, log: &Arc<Mutex<Vec<String>>>) -> Options {
    let (clock, log) = (clock.clone(), log.clone());
    Options {
        batch_rows: BATCH_ROWS,
        now: Arc::new(move || clock.load(Relaxed)),
        log: Arc::new(move |operator, line| {
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.push(format!("{operator}: {}: {}", line.level, line.text));
        }),
        functions: Arc::new(InModules),
        profile: false,
    }
}

/// Every output that is asked for must be there.
fn check_shown(script: &Script<'_>, plan: &Plan) -> Result<(), Mistake> {
    let mut outputs = Vec::new();
    for station in &plan.stations {
        let is_source = matches!(station.kind, StationKind::Source(_));
        let ports = station.ports.iter();
        let shown = ports.filter(|port| !(is_source && port.name.is_empty()));
        outputs.extend(shown.map(|port| shown::output(&station.name, &port.name)));
    }
    let is_there = |name: &str| outputs.iter().any(|output| output == name);
    let Some(wrong) = script.head.show.iter().find(|named| !is_there(&named.name)) else {
        return Ok(());
    };
    Err(unknown(wrong.span.clone(), "output", &wrong.name, &outputs))
}

fn unknown(span: std::ops::Range<usize>, what: &str, name: &str, all: &[String]) -> Mistake {
    let help = match nearest(name, all.iter().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("there is: {}", all.join(", ")),
    };
    Mistake::new(span, format!("the pipeline has no {what} {name}"))
        .label(format!("no such {what}"))
        .help(help)
}

/// A rehearsal under way.
struct Stage<'a> {
    rehearsal: Rehearsal,
    clock: Arc<AtomicI64>,
    /// The outputs that are shown; none: all.
    shown: Vec<&'a str>,
    stopped: bool,
}

impl Stage<'_> {
    fn step(&mut self, step: &Step<'_>, directive: &Directive) -> Result<Vec<String>, Stop> {
        let mut lines = Vec::new();
        match directive {
            Directive::Rows(of) => self.rows(step, (of, Does::Insert), &mut lines)?,
            Directive::Deletes(of) => self.rows(step, (of, Does::Delete), &mut lines)?,
            Directive::Watermark(of, w) => {
                for (source, split) in self.splits(step, of)? {
                    if !self.rehearsal.is_ended((&source, &split)) {
                        self.rehearsal.watermark((&source, &split), *w);
                    }
                }
                let stepped = self.rehearsal.step();
                self.show(stepped, &mut lines);
            }
            Directive::End(of) => {
                for (source, split) in self.splits(step, of)? {
                    self.rehearsal.end((&source, &split));
                }
                let stepped = self.rehearsal.step();
                self.show(stepped, &mut lines);
            }
            Directive::ProcessingTime(now) => {
                self.clock.store(*now, Relaxed);
                let stepped = self.rehearsal.step();
                self.show(stepped, &mut lines);
            }
            Directive::Checkpoint if self.stopped => {}
            Directive::Checkpoint => self.rehearsal.checkpoint()?,
            Directive::State(_) if self.stopped => {}
            Directive::State(operator) => lines = self.state(step, operator)?,
            // What is lost shows in what `restore` goes on from.
            Directive::Crash => return Ok(lines),
            Directive::Restore(workers) => {
                let workers = workers.unwrap_or(self.rehearsal.workers());
                self.stopped = false;
                let stepped = self.rehearsal.restore(workers)?;
                self.show(stepped, &mut lines);
            }
        }
        if lines.is_empty() && self.stopped {
            lines.push(shown::STOPPED.to_owned());
        }
        Ok(lines)
    }

    /// What an operator keeps, for the keys below the directive, or all.
    fn state(&mut self, step: &Step<'_>, operator: &str) -> Result<Vec<String>, Stop> {
        let Some(state) = self.rehearsal.state(operator)? else {
            let span = step.directive.words().nth(1).map(|(_, span)| span);
            let names: Vec<String> = self.rehearsal.operators().map(str::to_owned).collect();
            let span = span.unwrap_or(step.directive.span());
            return Err(unknown(span, "operator", operator, &names).into());
        };
        let mut filters = Vec::new();
        for line in step.rows() {
            let filter = KeyFilter::read(line.text, &state).map_err(|failure| {
                let help = failure.advice().unwrap_or_default().to_owned();
                Mistake::new(line.span(), failure.cause().to_string())
                    .label("expected a key, or some of its columns")
                    .help(help)
            })?;
            filters.push(filter);
        }
        let wanted =
            |entry: &&Entry| filters.is_empty() || filters.iter().any(|filter| filter.takes(entry));
        let entries = state.entries.iter().filter(wanted);
        Ok(entries
            .map(|entry| format!("state {operator} {}", entry.row()))
            .collect())
    }

    fn rows(
        &mut self,
        step: &Step<'_>,
        (of, does): (&Of, Does),
        lines: &mut Vec<String>,
    ) -> Result<(), Stop> {
        let splits = self.splits(step, of)?;
        let [(source, split)] = &splits[..] else {
            let names: Vec<String> = splits
                .iter()
                .map(|(s, split)| format!("{s}/{split}"))
                .collect();
            let title = format!("rows of which split of {}?", splits[0].0);
            return Err(Mistake::new(step.directive.span(), title)
                .label(format!("expected one of {}", names.join(", ")))
                .help("a source of which a scenario names splits has no others")
                .into());
        };
        if self.rehearsal.is_ended((source, split)) {
            let title = format!("{source} has ended, and has no more rows");
            return Err(Mistake::new(step.directive.span(), title)
                .label("expected no rows of it below its `end`")
                .help("put `end` behind the last rows")
                .into());
        }
        if does == Does::Delete && !self.rehearsal.deletes(source) {
            let title = format!("no row of {source} deletes");
            return Err(Mistake::new(step.directive.span(), title)
                .label("expected a source of Kafka with `null-values = \"delete\"`")
                .help("`rows` gives rows that have a value")
                .into());
        }
        let mut rows = step.rows();
        let header = self.rehearsal.needs_header(source).then(|| rows.next());
        let header = header.flatten().map(|line| line.text);
        let mut rows = rows.peekable();
        if rows.peek().is_none() {
            let title = format!("no rows of {source}, only a header");
            return Err(Mistake::new(step.input[0].span(), title)
                .label("expected rows below this line")
                .help(format!(
                    "{source} reads CSV, so its rows stand below a header"
                ))
                .into());
        }
        for line in rows {
            let text = Line {
                header,
                text: line.text,
            };
            let stepped = self.rehearsal.row((source, split), text, does);
            let stepped = stepped.map_err(|unread| match unread {
                Unread::Header(error) => Mistake::new(step.input[0].span(), error.to_string())
                    .label("expected the names of the columns, as the first line of such a file")
                    .help(format!(
                        "{source} reads CSV, so its rows stand below a header"
                    )),
                Unread::Value(_) => Mistake::new(
                    line.span(),
                    ConnectorError::from(unread).to_string(),
                )
                .label("expected a line without it")
                .help("give what is of the key, of headers, and of the record's place and time"),
            })?;
            self.show(stepped, lines);
            if self.stopped {
                break;
            }
        }
        Ok(())
    }

    /// The splits that a directive is about.
    fn splits(&self, step: &Step<'_>, of: &Of) -> Result<Vec<(String, String)>, Mistake> {
        let all = |source: &str| {
            let splits = self.rehearsal.splits(source)?;
            let splits = splits.iter().map(|s| (source.to_owned(), s.to_string()));
            Some(splits.collect::<Vec<_>>())
        };
        let known = |source: &str| {
            all(source).ok_or_else(|| {
                let span = step.directive.words().nth(1).map(|(_, span)| span);
                let span = span.unwrap_or(step.directive.span());
                let names: Vec<String> = self.rehearsal.sources().map(str::to_owned).collect();
                unknown(span, "source", source, &names)
            })
        };
        match of {
            Of::All => Ok(self.rehearsal.sources().filter_map(all).flatten().collect()),
            Of::Source(source) => known(source),
            Of::Split(source, split) => {
                known(source)?;
                Ok(vec![(source.clone(), split.clone())])
            }
        }
    }

    fn show(&mut self, stepped: Stepped, lines: &mut Vec<String>) {
        for came in &stepped.came {
            let output = shown::output(&came.station, &came.port);
            if self.shown.is_empty() || self.shown.contains(&output.as_str()) {
                lines.push(shown::row(&output, came));
            }
        }
        if let Some(error) = &stepped.stopped {
            lines.push(match error {
                EngineError::Row(stopped) => shown::stopped_by(&stopped.row),
                error => shown::stopped(&error.to_string()),
            });
            self.stopped = true;
        }
    }
}
