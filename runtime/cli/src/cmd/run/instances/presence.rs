//! That a process is there: it claims its name in the location, so that `tidemill stop` finds it whether it runs a task or not.
//!
//! Tasks are asked by themselves, each for its savepoint. What the process is asked is to begin none any more, and to end when
//! none runs; that lasts until the request is taken back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;

use anyhow::Context;
use tidemill_checkpoint::{
    Claim, Life, Number, OnLock, Outcome, Request, Requests, Sequence, Wish,
};

use crate::error::Failure;
use crate::talk::Talk;

/// A process that can be asked to end, as long as it is kept.
pub struct Presence {
    pipeline: Sequence,
    name: String,
    claim: Claim,
    asked: Arc<AtomicBool>,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What listens, in its thread.
struct Listener {
    requests: Requests,
    /// What its claim has taken: there is no savepoint to name.
    number: Number,
    /// What is obeyed.
    obeyed: Option<Request>,
    asked: Arc<AtomicBool>,
    talk: Talk,
}

impl Presence {
    /// Claims a name. Whoever has it already is no member of the group any more when this process is.
    ///
    /// # Errors
    /// If the location cannot be written.
    pub fn of(pipeline: &Sequence, name: &str, talk: &Talk) -> Result<Self, Failure> {
        let instance = pipeline.instance(name);
        let mut claim = instance.claim(&Life::of_this_process()?, OnLock::TakeOver)?;
        // Names are used for years: what earlier processes have claimed need not stay.
        let _ = claim.retain(1);
        let asked = Arc::<AtomicBool>::default();
        let listener = Listener {
            requests: claim.requests(),
            number: claim.incarnation().claim,
            obeyed: None,
            asked: asked.clone(),
            talk: talk.clone(),
        };
        let (end, ended) = channel();
        let thread = std::thread::Builder::new().name("instance".to_owned());
        let thread = thread
            .spawn(move || listener.listen(&ended))
            .context("no thread could be started for an instance")?;
        Ok(Self {
            pipeline: pipeline.clone(),
            name: name.to_owned(),
            claim,
            asked,
            end: Some(end),
            thread: Some(thread),
        })
    }

    /// Whether somebody wants this process to end when it runs no task.
    pub fn is_asked(&self) -> bool {
        self.asked.load(Relaxed)
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, the hook has said so.
            let _ = thread.join();
        }
        let instance = self.claim.sequence();
        let is_ours = || Some(instance.newest().ok()??.incarnation == self.claim.incarnation());
        // Where there are locks the end of ours says that nobody is there.
        if matches!(instance.is_locked(), Ok(None)) && is_ours() == Some(true) {
            self.pipeline.forget_instance(&self.name);
        }
    }
}

impl Listener {
    fn listen(mut self, ended: &Receiver<()>) {
        while let Err(RecvTimeoutError::Timeout) = ended.recv_timeout(self.requests.look_every()) {
            self.look();
        }
    }

    /// What cannot be read now is read at the next look.
    fn look(&mut self) {
        for request in self.requests.look().unwrap_or_default() {
            let outcome = match request.wish {
                Wish::Stop | Wish::Drain => {
                    self.talk.note(format!(
                        "{} asks for an end: no task is begun any more",
                        request.process
                    ));
                    self.asked.store(true, Relaxed);
                    self.obeyed = Some(request.clone());
                    Outcome::Done(self.number)
                }
                Wish::Savepoint => Outcome::Refused("an instance has no state".to_owned()),
            };
            if let Err(error) = self.requests.answer(&request, outcome) {
                self.talk
                    .note(format!("{} gets no answer: {error}", request.process));
            }
        }
        if let Some(request) = &self.obeyed
            && matches!(self.requests.stands(request), Ok(false))
        {
            self.obeyed = None;
            self.asked.store(false, Relaxed);
        }
    }
}
