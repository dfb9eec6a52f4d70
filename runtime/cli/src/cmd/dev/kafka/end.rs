//! What ends a command that would go on for ever: signals, and the end of standard input.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::error::Failure;

/// Whether the command is to end. Cheap to ask.
#[derive(Clone, Debug)]
pub struct End(Arc<AtomicBool>);

impl End {
    /// Catches SIGINT, SIGTERM and SIGHUP from now on; the last one not under `nohup`.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn caught() -> Result<Self, Failure> {
        let asked = Arc::new(AtomicBool::new(false));
        let hangup = (!ignores_hangup()).then_some(SIGHUP);
        for signal in [SIGINT, SIGTERM].into_iter().chain(hangup) {
            let caught = signal_hook::flag::register(signal, Arc::clone(&asked));
            caught.context("signals cannot be caught")?;
        }
        Ok(Self(asked))
    }

    /// Takes the end of standard input for a signal, too.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn with_input(&self) -> Result<(), Failure> {
        let asked = Arc::clone(&self.0);
        let wait = move || {
            // What comes is of no interest, and an error is an end like any other.
            let _ = io::copy(&mut io::stdin().lock(), &mut io::sink());
            asked.store(true, Ordering::Relaxed);
        };
        let thread = std::thread::Builder::new().name("input".to_owned());
        let started = thread.spawn(wait);
        started.context("no thread could be started for standard input")?;
        Ok(())
    }

    /// Whether it has been asked for.
    pub fn asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Whether this process was told not to end with its terminal, as `nohup` does. The first bit of the mask is signal 1.
fn ignores_hangup() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 1)
}
