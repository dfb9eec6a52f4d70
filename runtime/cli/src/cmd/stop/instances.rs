//! The processes that share a pipeline, which are asked to end whether they run a task or not.

use std::time::{Duration, Instant};

use tidemill_checkpoint::{Asked, CheckpointError, Life, Newest, Sequence, Wish};

use crate::cmd::savepoint::{SOON, ended};
use crate::error::Failure;

/// How many looks a process has time for that nobody can see run.
const LOOKS: u32 = 3;

/// How long one is waited for that certainly runs, and may be asleep.
const ASLEEP: Duration = Duration::from_secs(10);

/// Those that were asked. What was asked of them lasts as long as this is kept.
pub struct Instances {
    pipeline: Sequence,
    all: Vec<Instance>,
}

struct Instance {
    name: String,
    sequence: Sequence,
    by: Newest,
    asked: Option<Asked>,
    answers: bool,
}

impl Instances {
    /// None of them.
    pub fn none(pipeline: Sequence) -> Self {
        Self {
            pipeline,
            all: Vec::new(),
        }
    }

    /// Asks all that may run, and waits until they have heard it: from then on none begins a task.
    ///
    /// # Errors
    /// If one cannot be asked.
    pub fn ask(pipeline: Sequence) -> Result<Self, Failure> {
        let mut instances = Self::none(pipeline);
        for name in instances.pipeline.instances()? {
            let sequence = instances.pipeline.instance(&name);
            let newest = sequence.newest()?;
            let Some(by) = newest.filter(|newest| newest.runs != Some(false)) else {
                continue;
            };
            let asked = sequence.ask(by.incarnation, Wish::Stop, &Life::of_this_process()?)?;
            instances.all.push(Instance {
                name,
                sequence,
                by,
                asked: Some(asked),
                answers: false,
            });
        }
        let began = Instant::now();
        let mut all = instances.all.iter_mut();
        all.try_for_each(|instance| instance.hears(began))?;
        Ok(instances)
    }

    /// Whether none runs, as far as is known.
    pub fn is_empty(&self) -> bool {
        !self.all.iter().any(|instance| instance.answers)
    }

    /// Waits until they have ended: what each process is known by, and whether it has; nobody knows where there are no locks.
    ///
    /// # Errors
    /// If that cannot be looked at.
    pub fn ended(&self, until: Instant) -> Result<Vec<(&str, Option<bool>)>, Failure> {
        let mut all = Vec::new();
        for instance in &self.all {
            // Who has not heard it may sleep for long.
            let until = match instance.answers {
                true => until,
                false => Instant::now(),
            };
            let ended = ended(&instance.sequence, until)?;
            match (ended, instance.answers) {
                // Who has not answered in a bucket has died long ago, most likely.
                (None, false) => {
                    self.pipeline.forget_instance(&instance.name);
                    continue;
                }
                (None, true) => instance.is_forgotten_soon()?,
                (Some(_), _) => {}
            }
            all.push((instance.by.process.as_str(), ended));
        }
        Ok(all)
    }
}

impl Drop for Instances {
    fn drop(&mut self) {
        let asked = self
            .all
            .iter_mut()
            .filter_map(|instance| instance.asked.take());
        asked.for_each(Asked::withdraw);
    }
}

impl Instance {
    /// Waits for its answer, as long as it makes sense since all were asked.
    fn hears(&mut self, began: Instant) -> Result<(), Failure> {
        let (pause, patience) = match self.by.runs {
            Some(_) => (SOON, ASLEEP),
            None => (Duration::from_secs(1), self.sequence.look_every() * LOOKS),
        };
        loop {
            if self
                .asked
                .as_ref()
                .map(Asked::answer)
                .transpose()?
                .flatten()
                .is_some()
            {
                self.answers = true;
                return Ok(());
            }
            if began.elapsed() > patience || self.sequence.is_locked()? == Some(false) {
                return Ok(());
            }
            std::thread::sleep(pause);
        }
    }

    /// Waits until it has taken its name out of the location, where there are no locks.
    fn is_forgotten_soon(&self) -> Result<(), CheckpointError> {
        let began = Instant::now();
        while began.elapsed() < self.sequence.look_every() * LOOKS
            && self
                .sequence
                .newest()?
                .is_some_and(|newest| newest.incarnation == self.by.incarnation)
        {
            std::thread::sleep(Duration::from_millis(500));
        }
        Ok(())
    }
}
