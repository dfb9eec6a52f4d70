//! Where the checkpoints of a pipeline lie: one sequence of numbers, or one for each of its tasks where several processes share it.

use anyhow::anyhow;
use tidemill_checkpoint::Sequence;
use tidemill_pipeline::Pipeline;

use crate::cmd::checkpoint;
use crate::error::Failure;
use crate::recovery::choose::Place;

/// Which task.
#[derive(clap::Args, Clone, Copy, Debug, Default)]
pub struct TaskArgs {
    /// Of a pipeline that several processes share: only this task, by its partition number
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(i32).range(0..))]
    pub task: Option<i32>,
}

/// A sequence, and how others of it are found elsewhere.
pub struct Found {
    /// Whose it is, where it is a task's.
    pub task: Option<i32>,
    /// The sequence.
    pub sequence: Sequence,
    /// Where else its savepoints may lie.
    pub place: Place,
}

/// The pipeline's own sequence, beside those of its tasks.
///
/// # Errors
/// If the location cannot be opened.
pub fn of(pipeline: &Pipeline) -> Result<Sequence, Failure> {
    Ok(checkpoint::location(pipeline)?.pipeline(&pipeline.name.value)?)
}

/// All that a command is about: the pipeline's own, or those of all its tasks, or of one.
///
/// # Errors
/// If the location cannot be read, or there is no such task.
pub fn all(pipeline: &Pipeline, TaskArgs { task }: TaskArgs) -> Result<Vec<Found>, Failure> {
    let (sequence, place) = (of(pipeline)?, Place::of(pipeline));
    let tasks = sequence.partitions()?.last().copied().unwrap_or(0);
    let of_task = |number: i32| Found {
        task: Some(number),
        sequence: sequence.task(number),
        place: place.of_task(number),
    };
    let name = sequence.pipeline();
    match (tasks, task) {
        (0, None) => Ok(vec![Found {
            task: None,
            sequence,
            place,
        }]),
        (0, Some(_)) => Err(Failure::wrong(anyhow!("pipeline {name} has no tasks"))
            .hint("it runs in one process: leave `--task` out")),
        (tasks, None) => Ok((0..i32::try_from(tasks).unwrap_or(i32::MAX))
            .map(of_task)
            .collect()),
        (tasks, Some(number)) if u64::try_from(number).is_ok_and(|number| number < tasks) => {
            Ok(vec![of_task(number)])
        }
        (tasks, Some(number)) => {
            let error = anyhow!("pipeline {name} has no task {number}");
            Err(Failure::wrong(error).hint(format!("its tasks are 0 to {}", tasks - 1)))
        }
    }
}

/// The one that a command is about.
///
/// # Errors
/// As [`all`], and if there are several.
pub fn one(pipeline: &Pipeline, task: TaskArgs) -> Result<Found, Failure> {
    let mut all = all(pipeline, task)?;
    match (all.pop(), all.len()) {
        (Some(one), 0) => Ok(one),
        (_, before) => {
            let error = anyhow!(
                "pipeline {} has a sequence of checkpoints for each task",
                pipeline.name.value
            );
            Err(Failure::wrong(error).hint(format!("`--task N` names one, from 0 to {before}")))
        }
    }
}
