//! `tidemill run --watch`: the pipeline again, each time its file, a module or a module's source changes.
//!
//! This process watches, builds and checks; another one, started by it with the same arguments, runs. What is wrong is said,
//! and what runs goes on until there is something sound to take its place.
//!
//! ```text
//!   changed ─► settled ─► build ─► check ─► stop the run ─► start another
//!                           └── wrong: said; the run goes on ──┘
//! ```

mod looked_at;

use std::ffi::OsString;
use std::io;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::anyhow;
use rustix::process::{Pid, Signal, kill_process};
use tidemill_pipeline::{Connector, Pipeline};
use tidemill_wasm::Host;

use self::looked_at::{LookedAt, Place};
use super::Args;
use crate::cmd::build;
use crate::error::Failure;
use crate::signals::Caught;
use crate::talk::Talk;
use crate::{folders, load};

/// How often files are looked at. Looking works on every file system, also where nobody tells of changes.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// How long nothing more must change: an editor or a compiler may write several files.
const SETTLED_AFTER: Duration = Duration::from_millis(200);

/// How often the run and the signals are looked at.
const TURN: Duration = Duration::from_millis(25);

/// How long a run may take to stop gracefully before it is ended.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

/// Watches until a signal ends it.
pub fn watch(args: &Args, talk: &Talk) -> Result<(), Failure> {
    let mut watch = Watch {
        args,
        talk,
        host: folders::host()?,
        signals: Caught::new()?,
        run: None,
        seen: LookedAt::default(),
    };
    let mut why = None;
    loop {
        watch.renew(why.as_deref());
        match watch.wait() {
            Some(changed) => why = Some(changed),
            None => return watch.end(),
        }
    }
}

struct Watch<'a> {
    args: &'a Args,
    talk: &'a Talk,
    host: Host,
    signals: Caught,
    /// The process that runs the pipeline.
    run: Option<Child>,
    /// Files as they were when what runs was built.
    seen: LookedAt,
}

impl Watch<'_> {
    /// Builds and checks what is there now, and runs it in place of what ran before; says so where it cannot be.
    fn renew(&mut self, changed: Option<&str>) {
        if let Some(changed) = changed {
            self.talk.note(format!("watch: {changed} changed"));
        }
        // From before the build: what changes meanwhile is a change.
        self.seen = LookedAt::at(self.places());
        match self.build_and_check() {
            Ok(()) => self.replace(),
            Err(failure) => {
                self.talk.failure(&failure);
                self.talk.note(match self.run {
                    Some(_) => {
                        "watch: that cannot run: what ran before goes on; waiting for a change"
                    }
                    None => "watch: that cannot run: waiting for a change",
                });
            }
        }
    }

    /// What is looked at: the pipeline file, its modules and their sources, as far as the file can be read.
    fn places(&self) -> Vec<Place> {
        let mut places = vec![Place::File(self.args.pipeline.pipeline.clone())];
        if let Ok(pipeline) = load::as_far_as_it_goes(&self.args.pipeline) {
            for module in pipeline.modules {
                let source = module.source.map(|source| source.value);
                places.push(match source {
                    // The build writes the file itself.
                    Some(folder) => Place::Source(folder),
                    None => Place::File(module.file.value),
                });
            }
        }
        places
    }

    fn build_and_check(&self) -> Result<(), Failure> {
        let pipeline = load::read(&self.args.pipeline)?.pipeline;
        refuse_stdin(&pipeline)?;
        build::all(&pipeline, &self.host, self.talk)?;
        // The run will tell the warnings.
        let silent = Talk::new(self.args.format, true);
        load::plan(&self.args.pipeline, &self.args.workers, &self.host, &silent)?;
        Ok(())
    }

    fn replace(&mut self) {
        let again = self.run.is_some();
        if let Some(ended) = self.stop() {
            self.talk.note(format!(
                "watch: the run before did not end well: {}",
                said(ended)
            ));
        }
        match start() {
            Ok(child) => {
                self.run = Some(child);
                self.talk.note(match again {
                    true => "watch: running anew",
                    false => "watch: running; changes of the pipeline file, modules and their sources begin it anew",
                });
            }
            Err(error) => self
                .talk
                .note(format!("watch: cannot run: {error}; waiting for a change")),
        }
    }

    /// Waits for a change, and says of what; nothing if a signal came.
    fn wait(&mut self) -> Option<String> {
        let mut look = Instant::now();
        while !self.signals.any() {
            if let Some(child) = &mut self.run
                && let Ok(Some(ended)) = child.try_wait()
            {
                self.run = None;
                self.talk.note(format!(
                    "watch: the run has ended ({}): waiting for a change",
                    said(ended)
                ));
            }
            if look.elapsed() >= LOOK_EVERY {
                look = Instant::now();
                if let Some(changed) = self.seen.changed() {
                    return self.settle().then_some(changed);
                }
            }
            sleep(TURN);
        }
        None
    }

    /// Waits until nothing changes any more; false if a signal came.
    fn settle(&mut self) -> bool {
        let mut last = self.seen.again();
        let mut since = Instant::now();
        while since.elapsed() < SETTLED_AFTER {
            if self.signals.any() {
                return false;
            }
            sleep(TURN);
            if last.changed().is_some() {
                last = self.seen.again();
                since = Instant::now();
            }
        }
        true
    }

    /// Stops the run gracefully, if there is one; gives how it ended unless that was well.
    fn stop(&mut self) -> Option<ExitStatus> {
        let mut child = self.run.take()?;
        let asked = Instant::now();
        // It may have ended already: then there is nobody to tell.
        let _ = kill_process(Pid::from_child(&child), Signal::TERM);
        loop {
            match child.try_wait() {
                Ok(Some(ended)) => return (!ended.success()).then_some(ended),
                Ok(None) if asked.elapsed() < STOPS_WITHIN => sleep(TURN),
                _ => {
                    let _ = child.kill();
                    return child.wait().ok();
                }
            }
        }
    }

    /// Ends with the run.
    fn end(mut self) -> Result<(), Failure> {
        match self.stop() {
            None => Ok(()),
            Some(ended) => Err(anyhow!("the run did not end well: {}", said(ended)).into()),
        }
    }
}

/// Standard input can be read once only.
fn refuse_stdin(pipeline: &Pipeline) -> Result<(), Failure> {
    let source = pipeline
        .sources
        .iter()
        .find(|source| matches!(source.connector.value, Connector::Stdin));
    match source {
        None => Ok(()),
        Some(source) => {
            let error = anyhow!(
                "source {} reads standard input, which a second run could not read again",
                source.name
            );
            Err(Failure::wrong(error).hint(
                "watch with files: --set sources.<name>.files=<file>, or run without --watch",
            ))
        }
    }
}

/// Starts this command with the same arguments, but to run and not to watch.
fn start() -> io::Result<Child> {
    let args: Vec<OsString> = std::env::args_os()
        .skip(1)
        .filter(|arg| arg != "--watch")
        .collect();
    let exe: PathBuf = std::env::current_exe()?;
    Command::new(exe)
        .args(args)
        .stdin(Stdio::null())
        // A signal from the terminal comes to this process alone, which hands it on once.
        .process_group(0)
        .spawn()
}

fn said(ended: ExitStatus) -> String {
    match (ended.code(), ended.signal()) {
        (Some(code), _) => format!("exit code {code}"),
        (None, Some(signal)) => format!("signal {signal}"),
        (None, None) => "not known how".to_owned(),
    }
}
