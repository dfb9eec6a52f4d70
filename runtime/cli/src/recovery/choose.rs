//! Which checkpoint a run goes on from.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::str::FromStr;

use anyhow::anyhow;
use tidemill_checkpoint::{
    Checkpoint, Claim, Found, Kind, Location, Number, Recovery, Sequence, Settings,
};
use tidemill_engine::Plan;
use tidemill_pipeline::Pipeline;

use super::RecoveryArgs;
use super::ends::publishes;
use crate::error::Failure;
use crate::talk::Talk;

/// A checkpoint or savepoint, as a person names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum From {
    /// By its number, in the pipeline's own location.
    Number(u64),
    /// In another location, the newest if no number is given.
    Location(String, Option<u64>),
    /// Of a pipeline that several processes share, a number for each task that is named; in the pipeline's own location, or
    /// in another one.
    Tasks(Option<String>, BTreeMap<i32, u64>),
}

impl FromStr for From {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Number(number));
        }
        if let Some(tasks) = numbers_of_tasks(text) {
            return Ok(Self::Tasks(None, tasks));
        }
        if let Some((address, numbers)) = text.rsplit_once('@') {
            let address = address.to_owned();
            if let Ok(number) = numbers.parse() {
                return Ok(Self::Location(address, Some(number)));
            }
            if let Some(tasks) = numbers_of_tasks(numbers) {
                return Ok(Self::Tasks(Some(address), tasks));
            }
        }
        Ok(Self::Location(text.to_owned(), None))
    }
}

/// Reads `0=17,3=9`: of task 0 number 17, of task 3 number 9.
fn numbers_of_tasks(text: &str) -> Option<BTreeMap<i32, u64>> {
    let of_task = |pair: &str| {
        let (task, number) = pair.split_once('=')?;
        let task: i32 = task.parse().ok().filter(|task| *task >= 0)?;
        Some((task, number.parse().ok()?))
    };
    let pairs: Option<Vec<(i32, u64)>> = text.split(',').map(of_task).collect();
    let (pairs, count) = pairs.map(|pairs| (pairs.clone(), pairs.len()))?;
    let tasks: BTreeMap<i32, u64> = pairs.into_iter().collect();
    (tasks.len() == count).then_some(tasks)
}

/// How `--from` takes a checkpoint of a pipeline, or of its task.
pub fn taken_as(sequence: &Sequence, number: Number) -> String {
    match sequence.partition() {
        None => number.to_string(),
        Some(task) => format!("{task}={number}"),
    }
}

/// What a run goes on from.
pub struct Chosen {
    /// The checkpoint.
    pub checkpoint: Checkpoint,
    /// Where it lies, if not in the pipeline's own location.
    elsewhere: Option<Sequence>,
}

/// How locations beside the pipeline's own are opened.
#[derive(Clone, Debug)]
pub struct Place {
    pipeline: String,
    task: Option<i32>,
    /// What its bucket needs to be known.
    options: Vec<(String, String)>,
}

/// The checkpoint to go on from; nothing for a fresh start.
pub fn choose(
    (claim, place): (&Claim, &Place),
    found: Found,
    (plan, args): (&Plan, &RecoveryArgs),
    talk: &Talk,
) -> Result<Option<Chosen>, Failure> {
    let own = |checkpoint: Checkpoint| Chosen {
        checkpoint,
        elsewhere: None,
    };
    if args.fresh {
        if found.recovery != Recovery::Fresh {
            talk.note("starting anew: what was published before is published again");
        }
        return Ok(None);
    }
    if let Some(from) = &args.from {
        return asked_for((claim.sequence(), place), from, (plan, args)).map(Some);
    }
    match found.recovery {
        Recovery::Fresh => Ok(None),
        Recovery::Resume(checkpoint) => Ok(Some(own(*checkpoint))),
        Recovery::Damaged {
            number,
            damage,
            before,
        } => {
            let damage: Vec<String> = damage.iter().map(|d| format!("\n  {d}")).collect();
            let damage = damage.concat();
            let earlier = before.map(|checkpoint| *checkpoint);
            if publishes(plan) {
                let hint = match &earlier {
                    Some(before) => format!(
                        "it has published output: `--from {} --allow-duplicates` goes back before it, and publishes again what \
                         came after that one",
                        taken_as(claim.sequence(), before.number())
                    ),
                    None => "it has published output; no earlier checkpoint is whole: `--fresh` reads everything again"
                        .to_owned(),
                };
                let error = anyhow!("checkpoint {number} is damaged:{damage}");
                return Err(Failure::from(error).hint(hint));
            }
            let instead = match &earlier {
                Some(before) => format!("checkpoint {} is used instead", before.number()),
                None => "everything is read again".to_owned(),
            };
            talk.note(format!(
                "checkpoint {number} is damaged, {instead}:{damage}"
            ));
            Ok(earlier.map(own))
        }
    }
}

/// A checkpoint that a person asks for.
///
/// # Errors
/// If there is none, or what came after it would be published again and that is not allowed.
pub fn asked_for(
    (own, place): (&Sequence, &Place),
    from: &From,
    (plan, args): (&Plan, &RecoveryArgs),
) -> Result<Chosen, Failure> {
    match from {
        From::Number(number) => Ok(Chosen {
            checkpoint: of_number(own, Number(*number), plan, args)?,
            elsewhere: None,
        }),
        From::Location(address, number) => {
            let chosen = place.elsewhere(address, number.map(Number))?;
            chosen.check_newer(own, plan, args)?;
            Ok(chosen)
        }
        From::Tasks(..) => Err(no_tasks(own)),
    }
}

/// A pipeline that runs in one process has been taken for one with tasks.
fn no_tasks(own: &Sequence) -> Failure {
    let error = anyhow!("pipeline {} has no tasks", own.pipeline());
    Failure::wrong(error)
        .hint("it runs in one process: a checkpoint has a number, as in `--from 17`")
}

/// One of its own by number.
fn of_number(
    sequence: &Sequence,
    number: Number,
    plan: &Plan,
    args: &RecoveryArgs,
) -> Result<Checkpoint, Failure> {
    let Some(checkpoint) = sequence.checkpoint(number)? else {
        return Err(sequence.no_checkpoint(number).into());
    };
    if is_newer(sequence, number)? {
        allow_duplicates(&format!("checkpoint {number}"), plan, args)?;
    }
    Ok(checkpoint)
}

/// A checkpoint as a person names it, and where its data files lie.
///
/// # Errors
/// If there is none.
pub fn find(own: &Sequence, place: &Place, from: &From) -> Result<(Sequence, Checkpoint), Failure> {
    match from {
        From::Number(number) => match own.checkpoint(Number(*number))? {
            Some(checkpoint) => Ok((own.clone(), checkpoint)),
            None => Err(own.no_checkpoint(Number(*number)).into()),
        },
        From::Location(address, number) => {
            let chosen = place.elsewhere(address, number.map(Number))?;
            Ok((chosen.sequence(own).clone(), chosen.checkpoint))
        }
        From::Tasks(address, tasks) => match own.partition().and_then(|task| tasks.get(&task)) {
            Some(number) => find(own, place, &of_task(address.as_ref(), *number)),
            None => Err(Failure::wrong(anyhow!("{} is not among them", own.place()))
                .hint("`--task N` says of which task a checkpoint is")),
        },
    }
}

/// What one task is to go on from.
fn of_task(address: Option<&String>, number: u64) -> From {
    match address {
        None => From::Number(number),
        Some(address) => From::Location(address.clone(), Some(number)),
    }
}

/// Whether something was published after a checkpoint.
fn is_newer(sequence: &Sequence, number: Number) -> Result<bool, Failure> {
    let mut later = sequence.numbers()?.into_iter().filter(|n| *n > number);
    // What cannot be read may have been published.
    Ok(later.any(|n| match sequence.checkpoint(n) {
        Ok(later) => later.is_some_and(|later| later.confirmed),
        Err(_) => true,
    }))
}

fn allow_duplicates(of: &str, plan: &Plan, args: &RecoveryArgs) -> Result<(), Failure> {
    if args.allow_duplicates || !publishes(plan) {
        return Ok(());
    }
    let error = anyhow!("what came after {of} would be published again");
    Err(Failure::wrong(error)
        .hint("`--allow-duplicates` says that this is wanted; without `--from` the newest checkpoint is gone on from"))
}

impl Chosen {
    /// Whether it lies in the pipeline's own location.
    pub fn is_own(&self) -> bool {
        self.elsewhere.is_none()
    }

    /// As people know it: `savepoint 7 in s3://bucket/saves/fraud`.
    pub fn name(&self) -> String {
        let word = match self.checkpoint.manifest.contents.kind {
            Kind::Checkpoint => "checkpoint",
            Kind::Savepoint => "savepoint",
        };
        let number = self.checkpoint.number();
        match &self.elsewhere {
            None => format!("{word} {number}"),
            Some(sequence) => format!("{word} {number} in {}", sequence.place()),
        }
    }

    /// Where its data files lie.
    pub fn sequence<'a>(&'a self, own: &'a Sequence) -> &'a Sequence {
        self.elsewhere.as_ref().unwrap_or(own)
    }

    /// Of one from elsewhere: whether the pipeline's own location says that more has been published since.
    fn check_newer(&self, own: &Sequence, plan: &Plan, args: &RecoveryArgs) -> Result<(), Failure> {
        let (manifest, number) = (&self.checkpoint.manifest, self.checkpoint.number());
        let same = own.id()?.as_ref() == Some(&manifest.pipeline_id);
        let after = if same { number } else { Number(0) };
        if is_newer(own, after)? {
            allow_duplicates(&format!("savepoint {number}"), plan, args)?;
        }
        Ok(())
    }
}

impl Place {
    /// How a pipeline's locations are opened; addresses of the command line are relative to where it was called.
    pub fn of(pipeline: &Pipeline) -> Self {
        let settings = pipeline.checkpoints.as_ref().map(|c| &c.settings);
        let options = settings.into_iter().flatten();
        Self {
            pipeline: pipeline.name.value.clone(),
            task: None,
            options: options
                .map(|(key, value)| (key.value.clone(), value.value.clone()))
                .collect(),
        }
    }

    /// The same for one of several tasks.
    pub fn of_task(&self, partition: i32) -> Self {
        Self {
            task: Some(partition),
            ..self.clone()
        }
    }

    /// The pipeline's savepoints in another location.
    ///
    /// # Errors
    /// If it is none.
    pub fn sequence(&self, address: &str) -> Result<Sequence, Failure> {
        let bucket = address.contains("://") && !address.starts_with("file://");
        let settings = Settings {
            relative_to: std::env::current_dir().unwrap_or_default(),
            options: if bucket {
                self.options.clone()
            } else {
                Vec::new()
            },
        };
        let sequence = Location::open(address, &settings)?.pipeline(&self.pipeline)?;
        Ok(match self.task {
            None => sequence,
            Some(partition) => sequence.task(partition),
        })
    }

    /// A savepoint in another location, the newest if no number is given.
    fn elsewhere(&self, address: &str, number: Option<Number>) -> Result<Chosen, Failure> {
        let sequence = self.sequence(address)?;
        let found = match number {
            Some(number) => sequence.checkpoint(number)?,
            None => sequence.newest_checkpoint()?,
        };
        let Some(checkpoint) = found.filter(|found| found.confirmed) else {
            let error = match number {
                Some(number) => anyhow!(sequence.no_checkpoint(number)),
                None => anyhow!(
                    "no savepoint of pipeline {} in {}",
                    self.pipeline,
                    sequence.place()
                ),
            };
            return Err(Failure::wrong(error).hint(
                "`tidemill savepoint --to LOCATION` copies one there; `--from LOCATION@NUMBER` names one of several",
            ));
        };
        Ok(Chosen {
            checkpoint,
            elsewhere: Some(sequence),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_is_named_by_its_number_or_its_place() {
        let at = |address: &str, number| From::Location(address.to_owned(), number);
        let tasks = |address: Option<&str>, numbers: &[(i32, u64)]| {
            From::Tasks(
                address.map(str::to_owned),
                numbers.iter().copied().collect(),
            )
        };
        for (text, named) in [
            ("7", From::Number(7)),
            ("saves", at("saves", None)),
            ("saves@7", at("saves", Some(7))),
            ("s3://bucket/a@b", at("s3://bucket/a@b", None)),
            ("s3://bucket/a@12", at("s3://bucket/a", Some(12))),
            ("../7@x", at("../7@x", None)),
            ("3=17", tasks(None, &[(3, 17)])),
            ("0=17,3=9", tasks(None, &[(0, 17), (3, 9)])),
            ("saves@0=17,3=9", tasks(Some("saves"), &[(0, 17), (3, 9)])),
            ("0=17,0=9", at("0=17,0=9", None)),
            ("-1=17", at("-1=17", None)),
            ("a=1", at("a=1", None)),
        ] {
            assert_eq!(text.parse(), Ok(named), "{text}");
        }
    }
}
