//! Partitions that come about while a pipeline runs, and topics that it waits for. One thread per source looks for them and
//! hands each to a worker as a split, by turns. Such a partition is read from its oldest record: nothing of it was missed.

use std::sync::Weak;
use std::time::{Duration, Instant};

use super::gauge::Missing;
use super::source::Opener;
use super::start::{Partition, Start};
use super::topic_id;
use super::topics::Found;
use crate::ConnectorError;
use crate::input::finder::{Later, Senders};
use crate::split::Wake;

/// How often new partitions are looked for (`kafka-find-interval`).
const INTERVAL: Duration = Duration::from_secs(5);

/// How often topics are looked for that are not there.
const MISSING: Duration = Duration::from_millis(500);

/// How long the thread sleeps at most.
const NAP: Duration = Duration::from_millis(100);

/// What is known.
pub(super) struct Discovery {
    pub opener: Opener,
    /// The partitions that are read.
    pub known: Found,
    /// Who is told which topics are not there.
    pub missing: Missing,
    pub wakes: Vec<Wake>,
    /// How many splits there are, which decides whose turn it is.
    pub next: usize,
}

/// Looks for partitions from now on; what each worker gets.
pub(super) fn start(discovery: Discovery) -> Vec<Later> {
    let (senders, laters, asked) = Later::all(&discovery.wakes);
    crate::thread::start("tidemill-find", move || discovery.run(&senders, &asked));
    laters
}

impl Discovery {
    fn run(mut self, senders: &Senders, asked: &Weak<()>) {
        let mut looked = Instant::now();
        while asked.strong_count() > 0 {
            let interval = match self.known.is_empty() {
                true => MISSING,
                false => INTERVAL,
            };
            if looked.elapsed() >= interval {
                match self.look(senders) {
                    // A cluster that is away for a while comes back: the splits say so if it does not matter to them.
                    Err(error) if !error.may_pass() => {
                        senders.send(0, Err(error));
                        return;
                    }
                    _ => looked = Instant::now(),
                }
            }
            std::thread::sleep(NAP);
        }
    }

    fn look(&mut self, senders: &Senders) -> Result<(), ConnectorError> {
        let found = self.opener.spec.topics.find(&self.opener.reader.client)?;
        self.missing.note(&self.opener.spec.topics, &found);
        let known = |topic: &String| self.known.get(topic).copied().unwrap_or(0);
        let new = self
            .opener
            .spec
            .partitions(&found)
            .filter(|partition| partition.number >= known(&partition.topic));
        let new: Vec<Partition> = new.collect();
        let ids = topic_id::of(&self.opener.reader.client, new.iter().map(|p| &p.topic))?;
        for partition in new {
            let at = self.opener.begin(
                &partition,
                &Start::Earliest,
                ids.get(&partition.topic).cloned(),
            )?;
            let worker = self.next % self.wakes.len();
            let split = self.opener.split(&partition, at, &self.wakes[worker])?;
            let split = self.opener.opened(split)?;
            self.next += 1;
            self.known.insert(partition.topic, partition.number + 1);
            senders.send(worker, Ok(split));
        }
        Ok(())
    }
}
