//! A life of a process: from its start until it ends, is killed, or is stopped.

use std::fs::{self, File};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::moment::{Aim, Hit};
use crate::scene::{Backend, Scene};

/// A life that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(120);

/// How often a process is looked at.
const LOOK: Duration = Duration::from_millis(1);

/// How a process is started.
#[derive(Clone, Copy, Debug)]
pub struct How {
    /// The backend of the state of keys.
    pub backend: Backend,
    /// With how many workers.
    pub workers: u64,
    /// Whether it goes on without the lock.
    pub take_over: bool,
    /// How often it goes on by itself after a failure.
    pub restarts: u64,
    /// Where it is hit, and by what.
    pub aim: Option<(Aim, Hit)>,
}

/// A process that lives.
#[derive(Debug)]
pub struct Life {
    child: Child,
    began: Instant,
    log: PathBuf,
    said: PathBuf,
}

/// How a process has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// With exit code 0: everything is read and published.
    Done,
    /// Killed.
    Killed,
    /// Told that another one goes on.
    Fenced,
    /// Refused, since another one holds the lock.
    Refused,
    /// With exit code 1, and what it said.
    Stopped(String),
    /// In any other way, and what it said.
    Failed(String),
}

/// What a process did to its files.
#[derive(Clone, Debug, Default)]
pub struct Acts {
    /// Of the claim and then of the manifests that it made.
    pub made: Vec<String>,
    /// Whether it read the state of an earlier life.
    pub recovered: bool,
    /// What was to be written and failed, as it was aimed at.
    pub failed: Vec<String>,
    /// The last thing that it did, or was about to do.
    pub last: String,
}

impl Life {
    /// Starts a process in the folder of a round, as its life of that number.
    pub fn start(scene: &Scene, folder: &Path, number: u32, how: &How) -> Result<Self> {
        let (log, said) = (
            folder.join(format!("life-{number}.acts")),
            folder.join(format!("life-{number}.said")),
        );
        let mut command = Command::new(&scene.settings.command);
        command
            .args(["run", "--quiet", "--workers", &how.workers.to_string()])
            .args(how.backend.arguments)
            .args(["--set", &format!("checkpoints.restarts={}", how.restarts)])
            .args(how.take_over.then_some("--take-over"))
            .current_dir(folder)
            .env("LD_PRELOAD", &scene.library)
            .env("TORTURE_FOLDER", folder)
            .env("TORTURE_LOG", &log)
            .envs(scene.settings.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(&said)?);
        if let Some((aim, hit)) = &how.aim {
            command.env("TORTURE_AIM", aim.text(*hit));
        }
        let child = command.spawn();
        let child = child.with_context(|| scene.settings.command.display().to_string())?;
        Ok(Self {
            child,
            began: Instant::now(),
            log,
            said,
        })
    }

    /// Waits until it has ended.
    pub fn end(mut self) -> Result<(End, Acts)> {
        while self.child.try_wait()?.is_none() {
            self.look()?;
        }
        self.ended()
    }

    /// Gives it a signal when so much time has passed, unless it has ended.
    pub fn end_after(mut self, time: Duration, signal: i32) -> Result<(End, Acts)> {
        while self.child.try_wait()?.is_none() && self.began.elapsed() < time {
            self.look()?;
        }
        if self.child.try_wait()?.is_none() {
            self.signal(signal);
        }
        self.end()
    }

    /// Waits until it is stopped; false if it has ended instead.
    pub fn is_stopped(&mut self) -> Result<bool> {
        while self.child.try_wait()?.is_none() {
            if self.state()? == Some('T') {
                return Ok(true);
            }
            self.look()?;
        }
        Ok(false)
    }

    /// Waits so long, or until it has ended.
    pub fn wait(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        while self.child.try_wait()?.is_none() && Instant::now() < until {
            self.look()?;
        }
        Ok(())
    }

    /// Wakes it.
    pub fn wake(&self) {
        self.signal(libc::SIGCONT);
    }

    fn signal(&self, signal: i32) {
        let id = self.child.id() as libc::pid_t;
        // SAFETY: a signal to a child that nobody has waited for: its id is its own.
        unsafe { libc::kill(id, signal) };
    }

    /// What it has done so far.
    pub fn acts(&self) -> Result<Acts> {
        Acts::read(&self.log)
    }

    /// As the system calls it: `T` is stopped.
    fn state(&self) -> Result<Option<char>> {
        let text = fs::read_to_string(format!("/proc/{}/stat", self.child.id()))?;
        let rest = text.rsplit_once(") ").map(|(_, rest)| rest);
        Ok(rest.and_then(|rest| rest.chars().next()))
    }

    fn look(&mut self) -> Result<()> {
        if self.began.elapsed() > PATIENCE {
            self.child.kill()?;
            bail!("it hangs: {}", self.said()?);
        }
        sleep(LOOK);
        Ok(())
    }

    fn said(&self) -> Result<String> {
        let said = fs::read(&self.said)?;
        Ok(String::from_utf8_lossy(&said).trim().to_owned())
    }

    fn ended(mut self) -> Result<(End, Acts)> {
        let status = self.child.wait()?;
        let (said, acts) = (self.said()?, self.acts()?);
        let end = match (status.code(), status.signal()) {
            (Some(0), _) => End::Done,
            (None, Some(libc::SIGKILL)) => End::Killed,
            (Some(1), _) if said.contains(" was fenced: ") => End::Fenced,
            (Some(_), _) if said.contains("another process runs this pipeline") => End::Refused,
            (Some(1), _) => End::Stopped(said),
            _ => End::Failed(format!("{status}: {said}")),
        };
        Ok((end, acts))
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

impl Acts {
    fn read(log: &Path) -> Result<Self> {
        let mut acts = Self::default();
        // A process may end before it opens its log.
        let text = fs::read_to_string(log).unwrap_or_default();
        for line in text.lines() {
            match line.split_once(' ') {
                Some(("=", what)) => {
                    let (what, path) = what.split_once(' ').unwrap_or_default();
                    let list = match what {
                        "made" => &mut acts.made,
                        _ => &mut acts.failed,
                    };
                    list.push(path.to_owned());
                }
                _ => line.clone_into(&mut acts.last),
            }
            acts.recovered |= line.starts_with("recovery read") && line.contains("/data/");
        }
        Ok(acts)
    }
}
