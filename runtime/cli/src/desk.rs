//! What other processes ask of this run: a savepoint, or to stop with one (`tidemill savepoint`, `tidemill stop`).
//!
//! A thread beside the run looks into the location from time to time, hands on what is asked, and puts the answers there.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use tidemill_checkpoint::{Number, Outcome, Request, Requests};
use tidemill_engine::checkpoint::Request as Asked;

use crate::error::Failure;
use crate::talk::Talk;

/// How often an answer is looked for that is waited for.
const SOON: Duration = Duration::from_millis(20);

/// Where other processes ask, as long as it is kept.
pub struct Desk {
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a desk does, in its thread.
struct Clerk {
    requests: Requests,
    to_run: Sender<Asked>,
    waiting: Vec<(Request, Receiver<Result<u64, String>>)>,
    /// What was said last of a look that failed: it is said once.
    said: Option<String>,
    talk: Talk,
}

impl Desk {
    /// Opens it; what is asked for comes through the channel.
    pub fn open(requests: Requests, talk: &Talk) -> Result<(Self, Receiver<Asked>), Failure> {
        let (end, ended) = channel();
        let (to_run, asked) = channel();
        let clerk = Clerk {
            requests,
            to_run,
            waiting: Vec::new(),
            said: None,
            talk: talk.clone(),
        };
        let thread = std::thread::Builder::new().name("requests".to_owned());
        let thread = thread
            .spawn(move || clerk.work(&ended))
            .context("no thread could be started for requests")?;
        let desk = Self {
            end: Some(end),
            thread: Some(thread),
        };
        Ok((desk, asked))
    }
}

impl Drop for Desk {
    /// The run has ended, so every request that it had taken has an answer, which is put before the process may end.
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // If it panicked, the hook has said so.
            let _ = thread.join();
        }
    }
}

impl Clerk {
    fn work(mut self, ended: &Receiver<()>) {
        let mut open = true;
        while open || !self.waiting.is_empty() {
            let pause = match self.waiting.is_empty() {
                true => self.requests.look_every(),
                false => SOON,
            };
            match ended.recv_timeout(pause) {
                Err(RecvTimeoutError::Timeout) => self.look(),
                Ok(()) | Err(RecvTimeoutError::Disconnected) => open = false,
            }
            self.answer();
        }
    }

    fn look(&mut self) {
        match self.requests.look() {
            Ok(new) => {
                self.said = None;
                for request in new {
                    let (answer, answered) = channel();
                    let wish = request.wish;
                    // A run that has ended drops it, which is its answer.
                    let _ = self.to_run.send(Asked { wish, answer });
                    self.waiting.push((request, answered));
                }
            }
            Err(error) => {
                let text = error.to_string();
                if self.said.as_ref() != Some(&text) {
                    let note = format!("what other processes ask for cannot be read: {text}");
                    self.talk.note(note);
                    self.said = Some(text);
                }
            }
        }
    }

    fn answer(&mut self) {
        let (requests, talk) = (&self.requests, &self.talk);
        self.waiting.retain(|(request, answered)| {
            let outcome = match answered.try_recv() {
                Ok(Ok(number)) => Outcome::Done(Number(number)),
                Ok(Err(why)) => Outcome::Refused(why),
                Err(TryRecvError::Disconnected) => {
                    Outcome::Refused("the run has ended before".to_owned())
                }
                Err(TryRecvError::Empty) => return true,
            };
            if let Err(error) = requests.answer(request, outcome) {
                talk.note(format!("{} gets no answer: {error}", request.process));
            }
            false
        });
    }
}
