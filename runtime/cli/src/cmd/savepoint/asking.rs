//! How whoever runs a pipeline, or its tasks, is asked for savepoints, and what they answer.
//!
//! All are asked before one is waited for. A task may move to another process meanwhile: that one is asked again.

use std::time::{Duration, Instant};

use anyhow::anyhow;
use tidemill_checkpoint::{
    Asked, Checkpoint, CheckpointError, Kind, Life, Newest, Number, Outcome, Sequence, Wish,
};
use tidemill_pipeline::Pipeline;

use crate::error::Failure;
use crate::recovery::choose::{Place, taken_as};
use crate::sequences::{self, Found, TaskArgs};
use crate::talk::Talk;

/// How often an answer is looked for at most.
pub const SOON: Duration = Duration::from_millis(20);

/// How long after a refusal another process may show up that has the task now.
const MOVES: Duration = Duration::from_secs(3);

/// All that is asked for one savepoint each.
pub struct Asking {
    all: Vec<Found>,
    began: Instant,
    until: Instant,
}

/// A savepoint that was asked for and has happened; of a task that no process ran, what it stands at.
pub struct Taken {
    /// Of which task, where it is one's.
    pub task: Option<i32>,
    /// Where it lies.
    pub sequence: Sequence,
    /// Its number.
    pub number: Number,
    /// How long it took.
    pub after: Duration,
    /// Where copies of it may lie.
    pub place: Place,
    /// Who took it.
    pub by: Option<Newest>,
}

/// A request to one process that was put.
struct Put {
    by: Newest,
    asked: Asked,
}

/// What became of one.
enum Answer {
    Done(Number),
    /// It ended, or has given the task away, without having done it.
    Gone,
}

impl Asking {
    /// Whoever runs a pipeline, or its tasks, or one of them.
    ///
    /// # Errors
    /// If the location cannot be read, or there is no such task.
    pub fn of(pipeline: &Pipeline, task: TaskArgs, patience: Duration) -> Result<Self, Failure> {
        let began = Instant::now();
        Ok(Self {
            all: sequences::all(pipeline, task)?,
            began,
            until: began + patience,
        })
    }

    /// Until when is waited.
    pub fn until(&self) -> Instant {
        self.until
    }

    /// Asks them, and waits for the answers. Nothing if nobody runs any.
    ///
    /// # Errors
    /// If it has not been done.
    pub fn ask(&self, wish: Wish, talk: &Talk) -> Result<Vec<Taken>, Failure> {
        let put = self.all.iter().map(|found| put(&found.sequence, wish));
        let put: Vec<Option<Put>> = put.collect::<Result<_, _>>()?;
        if put.iter().all(Option::is_none) {
            return Ok(Vec::new());
        }
        // All are waited for, so that none is left behind.
        let answered = self.all.iter().zip(put);
        let answered: Vec<Result<Option<Taken>, Failure>> = answered
            .map(|(found, put)| self.answered(found, put, wish, talk))
            .collect();
        answered.into_iter().filter_map(Result::transpose).collect()
    }

    /// Why nobody can be asked.
    ///
    /// # Errors
    /// If the location cannot be read.
    pub fn nobody(&self) -> Result<Failure, Failure> {
        let Some(Found { sequence, .. }) = self.all.last() else {
            return Ok(Failure::defect(anyhow!("a pipeline has no sequence")));
        };
        let error = anyhow!(
            "pipeline {} does not run: nobody holds the lock of {}",
            sequence.pipeline(),
            sequence.place()
        );
        Ok(
            Failure::from(error).hint(match sequence.newest_checkpoint()? {
                Some(newest) => format!(
                    "its newest checkpoint is {0}: `tidemill run --from {0}` goes on from it",
                    taken_as(sequence, newest.number())
                ),
                None => "`tidemill run` begins it".to_owned(),
            }),
        )
    }

    /// What became of one, whoever runs it in the end.
    fn answered(
        &self,
        found: &Found,
        mut put: Option<Put>,
        wish: Wish,
        talk: &Talk,
    ) -> Result<Option<Taken>, Failure> {
        let mut said = false;
        loop {
            if let Some(Put { by, asked }) = put.take() {
                let answer = wait(found, &asked, (&by, self.until));
                asked.withdraw();
                if let Answer::Done(number) = answer? {
                    return Ok(Some(self.taken(found, number, Some(by))));
                }
            }
            put = self::put(&found.sequence, wish)?;
            if put.is_some() {
                continue;
            }
            let newest = found.sequence.newest_checkpoint()?;
            if wish != Wish::Savepoint || newest.as_ref().is_some_and(stands) {
                return Ok(newest.map(|newest| self.taken(found, newest.number(), None)));
            }
            if Instant::now() > self.until {
                let error = anyhow!("no process runs {}", found.sequence.place());
                return Err(
                    Failure::from(error).hint("see what `tidemill run --instance` says of it")
                );
            }
            if !std::mem::replace(&mut said, true) {
                talk.note(format!("waits for who runs {}", found.sequence.place()));
            }
            std::thread::sleep(SOON * 5);
        }
    }

    fn taken(&self, found: &Found, number: Number, by: Option<Newest>) -> Taken {
        Taken {
            task: found.task,
            sequence: found.sequence.clone(),
            number,
            after: self.began.elapsed(),
            place: found.place.clone(),
            by,
        }
    }
}

/// Asks whoever runs a pipeline or a task, as far as that can be known; nothing if certainly nobody does.
fn put(sequence: &Sequence, wish: Wish) -> Result<Option<Put>, CheckpointError> {
    let newest = sequence.newest()?;
    let Some(by) = newest.filter(|newest| newest.runs != Some(false)) else {
        return Ok(None);
    };
    let asked = sequence.ask(by.incarnation, wish, &Life::of_this_process()?)?;
    Ok(Some(Put { by, asked }))
}

/// Whether a task at such a checkpoint needs nobody to save it.
fn stands(newest: &Checkpoint) -> bool {
    let contents = &newest.manifest.contents;
    contents.finished || contents.kind == Kind::Savepoint
}

fn wait(
    Found { task, sequence, .. }: &Found,
    asked: &Asked,
    (by, until): (&Newest, Instant),
) -> Result<Answer, Failure> {
    // Looking may cost something where nobody can be seen to run.
    let pause = match by.runs {
        Some(_) => SOON,
        None => Duration::from_secs(1),
    };
    loop {
        // Looked at before the answer, which comes before the end.
        let gone = has_gone(sequence, by)?;
        match asked.answer()? {
            Some(Outcome::Done(number)) => return Ok(Answer::Done(number)),
            Some(Outcome::Refused(why)) => {
                if task.is_some() && goes(sequence, by, pause)? {
                    return Ok(Answer::Gone);
                }
                return Err(anyhow!("there is no savepoint: {why}").into());
            }
            None if gone && task.is_some() => return Ok(Answer::Gone),
            None if gone && by.runs.is_some() => {
                let error = anyhow!("{} has ended without an answer", by.process);
                return Err(Failure::from(error)
                    .hint("`tidemill checkpoint list` shows whether there is a savepoint"));
            }
            None if Instant::now() > until => {
                let error = anyhow!("{} has not answered in time", by.process);
                return Err(Failure::from(error).hint(match by.runs {
                    Some(_) => "it holds the lock, and is busy or stopped; `--wait` waits longer",
                    None => "nobody can know whether it still runs; `--wait` waits longer",
                }));
            }
            None => std::thread::sleep(pause),
        }
    }
}

/// Whether who was asked runs it no more: nobody does, or another one has claimed it.
fn has_gone(sequence: &Sequence, by: &Newest) -> Result<bool, CheckpointError> {
    if by.runs.is_some() && sequence.is_locked()? == Some(false) {
        return Ok(true);
    }
    let moved = |newest: Newest| newest.incarnation != by.incarnation;
    Ok(sequence.partition().is_some() && sequence.newest()?.is_some_and(moved))
}

/// Whether it goes soon: it has refused since it ends.
fn goes(sequence: &Sequence, by: &Newest, pause: Duration) -> Result<bool, CheckpointError> {
    let began = Instant::now();
    while began.elapsed() < MOVES {
        if has_gone(sequence, by)? {
            return Ok(true);
        }
        std::thread::sleep(pause);
    }
    Ok(false)
}

impl Taken {
    /// How `--from` takes it.
    pub fn taken_as(&self) -> String {
        taken_as(&self.sequence, self.number)
    }

    /// Waits until the process has ended that has taken it. Whether it has; nobody knows where there are no locks.
    ///
    /// # Errors
    /// If the lock cannot be looked at.
    pub fn ended(&self, until: Instant) -> Result<Option<bool>, Failure> {
        ended(&self.sequence, until)
    }
}

/// Waits until nobody holds a sequence. Whether nobody does; nobody knows where there are no locks.
///
/// # Errors
/// If the lock cannot be looked at.
pub fn ended(sequence: &Sequence, until: Instant) -> Result<Option<bool>, Failure> {
    loop {
        match sequence.is_locked()? {
            Some(true) if Instant::now() < until => std::thread::sleep(SOON),
            locked => return Ok(locked.map(|locked| !locked)),
        }
    }
}
