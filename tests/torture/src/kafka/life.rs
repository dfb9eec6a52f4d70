//! A life of a process: started, struck, and how it has ended.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::Moment;
use crate::Settings;

/// A life that takes longer hangs: a broker that is started again has taken its time by then.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long a process that is fenced may take to notice.
const GRACE: Duration = Duration::from_secs(5);

/// What a process says that is fenced: by a claim, or by its transactional id.
const FENCED: [&str; 2] = [" was fenced: ", "another process has its id now"];

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// How a process is started.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// With how many workers.
    pub workers: u64,
    /// Whether it goes on without the lock.
    pub take_over: bool,
    /// Whether it ends when it has read what is there.
    pub ends: bool,
    /// What it is called, where it shares the pipeline with another one: its file is called so too.
    pub instance: Option<&'static str>,
}

/// How a process has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With exit code 0.
    Done,
    /// Killed.
    Killed,
    /// Told that another one goes on.
    Fenced,
    /// Refused, since another one holds the lock.
    Refused,
    /// In any other way, and what it said.
    Failed(String),
}

/// Who is struck by a signal: the next process, once it is there.
#[derive(Clone, Debug, Default)]
pub struct Target(Arc<(AtomicI32, AtomicBool)>);

impl Target {
    /// Signals the process, for which it waits. Once.
    pub fn strike(&self, signal: i32) {
        let (id, struck) = &*self.0;
        while id.load(Ordering::Acquire) == 0 {
            sleep(Duration::from_micros(200));
        }
        // SAFETY: a signal to a child that nobody has waited for: its id is its own.
        unsafe { libc::kill(id.load(Ordering::Acquire), signal) };
        struck.store(true, Ordering::Release);
    }

    /// Whether it has been struck.
    pub fn is_struck(&self) -> bool {
        self.0.1.load(Ordering::Acquire)
    }
}

/// A process that lives.
#[derive(Debug)]
pub struct Life {
    child: Child,
    began: Instant,
    said: PathBuf,
}

impl Life {
    /// Starts a process in the folder of a round, as its life of that number.
    pub fn start(
        settings: &Settings<Moment>,
        (folder, number): (&Path, u32),
        how: How,
        target: &Target,
    ) -> Result<Self> {
        let said = folder.join(format!("life-{number}.said"));
        let mut command = Command::new(&settings.command);
        command
            .args(["run", "--workers", &how.workers.to_string()])
            .args(how.take_over.then_some("--take-over"))
            .current_dir(folder)
            .envs(settings.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said)?);
        if let Some(name) = how.instance {
            command.args(["--instance", name, &format!("{name}.toml")]);
        }
        if how.ends {
            command.args(["--set", "sources.rows.kafka.until=\"now\""]);
        }
        let child = command.spawn();
        let child = child.with_context(|| settings.command.display().to_string())?;
        target.0.0.store(child.id() as i32, Ordering::Release);
        Ok(Self {
            child,
            began: Instant::now(),
            said,
        })
    }

    /// It as what is struck next.
    pub fn target(&self) -> Target {
        let target = Target::default();
        target.0.0.store(self.child.id() as i32, Ordering::Release);
        target
    }

    /// Whether it has not ended.
    pub fn lives(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Waits until this holds, or so long, or until it has ended. Whether it holds.
    pub fn wait(&mut self, long: Duration, holds: impl Fn() -> bool) -> Result<bool> {
        let until = Instant::now() + long;
        while !holds() && self.lives()? && Instant::now() < until {
            sleep(LOOK);
        }
        Ok(holds())
    }

    /// Gives it a signal.
    pub fn signal(&self, signal: i32) {
        let id = self.child.id() as libc::pid_t;
        // SAFETY: a signal to a child that nobody has waited for: its id is its own.
        unsafe { libc::kill(id, signal) };
    }

    /// Waits until it has ended.
    pub fn end(mut self) -> Result<End> {
        loop {
            if let Some(end) = self.ended()? {
                return Ok(end);
            }
            if self.began.elapsed() > PATIENCE {
                self.child.kill()?;
                bail!("it hangs: {}", self.said()?);
            }
            sleep(LOOK);
        }
    }

    /// How it has ended, if it has.
    pub fn ended(&mut self) -> Result<Option<End>> {
        let Some(status) = self.child.try_wait()? else {
            return Ok(None);
        };
        let said = self.said()?;
        Ok(Some(match (status.code(), status.signal()) {
            (Some(0), _) => End::Done,
            (None, Some(libc::SIGKILL)) => End::Killed,
            (Some(1), _) if FENCED.iter().any(|text| said.contains(text)) => End::Fenced,
            (Some(_), _) if said.contains("another process runs this pipeline") => End::Refused,
            _ => End::Failed(format!("{status}: {said}")),
        }))
    }

    /// Gives it some time to end by itself, and then this signal.
    pub fn ended_by(mut self, signal: i32) -> Result<End> {
        self.wait(GRACE, || false)?;
        if self.lives()? {
            self.signal(signal);
        }
        self.end()
    }

    fn said(&self) -> Result<String> {
        let said = fs::read(&self.said)?;
        Ok(String::from_utf8_lossy(&said).trim().to_owned())
    }
}

/// Whatever goes wrong, no process is left behind, nor one that is stopped.
impl Drop for Life {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
