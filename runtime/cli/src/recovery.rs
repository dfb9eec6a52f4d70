//! What a run with checkpoints goes on from: claims the pipeline, finds its newest checkpoint, and decides, or says what a
//! person has to decide.

pub mod choose;
mod decided;
pub mod ends;
pub mod ordered;
mod told;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::anyhow;
use clap::ValueEnum;
use tidemill_checkpoint::{Claim, Incarnation, Life, OnLock, Sequence};
use tidemill_connectors::Missing;
use tidemill_connectors::kafka::Member;
use tidemill_engine::checkpoint::changes::{self, Changes};
use tidemill_engine::checkpoint::kafka::KafkaPart;
use tidemill_engine::checkpoint::location::{self, InLocation};
use tidemill_engine::checkpoint::{AtEnd, Pace, Restored, Told};
use tidemill_engine::{Checkpoints, Plan, Writer};
use tidemill_pipeline::Pipeline;

use self::choose::{Chosen, From, Place};
use self::ordered::Ordered;
use crate::cmd::checkpoint;
use crate::cmd::run::lives::Restarts;
use crate::desk::Desk;
use crate::error::Failure;
use crate::talk::Talk;

/// How a run begins, and how it ends.
#[derive(clap::Args, Clone, Debug, Default)]
pub struct RecoveryArgs {
    /// Start anew, although there are checkpoints: everything is read again, and what was published is published again
    #[arg(long, conflicts_with = "from")]
    pub fresh: bool,
    /// Go on from this checkpoint or savepoint instead of the newest: a number, or `LOCATION` or `LOCATION@NUMBER` elsewhere
    ///
    /// Of a pipeline that several processes share each task has numbers of its own: `0=17,3=9` or `LOCATION@0=17,3=9`. Tasks
    /// that are not named go on from their newest.
    #[arg(long, value_name = "SAVEPOINT")]
    pub from: Option<From>,
    /// Accept that output is published again which later checkpoints have published
    #[arg(long, requires = "from")]
    pub allow_duplicates: bool,
    /// Let go what was kept of a source, operator or sink that is there no more or was changed; or of one column
    #[arg(long, value_name = "NAME", conflicts_with = "fresh")]
    pub allow_dropped_state: Vec<String>,
    /// Go on although another process holds the lock of the checkpoints: it was stopped, or hangs, and will not be needed
    #[arg(long)]
    pub take_over: bool,
    /// What becomes of open windows when all input has ended
    #[arg(long, value_enum, default_value = "fire")]
    pub at_end: End,
}

/// What becomes of open windows when all input has ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum End {
    /// They fire: nothing comes after it
    #[default]
    Fire,
    /// They stay open, and the next run goes on with what input there is then
    Keep,
}

impl RecoveryArgs {
    /// The same, but to go on from the newest checkpoint.
    pub fn newest(&self) -> Self {
        Self {
            fresh: false,
            from: None,
            allow_duplicates: false,
            allow_dropped_state: Vec::new(),
            ..self.clone()
        }
    }

    /// The same for a task: what it is to begin with by a person's order stands in the location.
    pub fn by_order(&self) -> Self {
        Self {
            fresh: false,
            from: None,
            allow_duplicates: false,
            ..self.clone()
        }
    }

    /// Without checkpoints there is nothing to go on from, nor will there be.
    ///
    /// # Errors
    /// If something was asked for that needs them.
    pub fn check_without_checkpoints(&self) -> Result<(), Failure> {
        let asked = [
            (self.from.is_some(), "--from"),
            (
                !self.allow_dropped_state.is_empty(),
                "--allow-dropped-state",
            ),
            (self.take_over, "--take-over"),
            (self.at_end == End::Keep, "--at-end keep"),
        ];
        match asked.iter().find(|(asked, _)| *asked) {
            None => Ok(()),
            Some((_, argument)) => {
                let error = anyhow!("`{argument}` needs checkpoints, and the pipeline makes none");
                Err(Failure::wrong(error)
                    .hint("a section `[checkpoints]` of the pipeline file says where they lie"))
            }
        }
    }
}

/// How checkpoints are taken, as the pipeline file says.
#[derive(Clone)]
pub struct Wanted {
    sequence: Sequence,
    place: Place,
    pace: Pace,
    keep: usize,
    /// How often the run goes on by itself.
    pub restarts: Restarts,
    /// Of a task: what belongs to the pipeline.
    shared: Option<SharedBy>,
}

/// What a task has of its pipeline.
#[derive(Clone)]
struct SharedBy {
    /// Who commits where the group stands.
    member: Member,
    /// The pipeline's own sequence, where orders are.
    pipeline: Sequence,
}

impl Wanted {
    /// What a pipeline says; nothing if it takes none.
    ///
    /// # Errors
    /// If the location is none.
    pub fn of(pipeline: &Pipeline) -> Result<Option<Self>, Failure> {
        let Some(wanted) = &pipeline.checkpoints else {
            return Ok(None);
        };
        let location = checkpoint::location(pipeline)?;
        Ok(Some(Self {
            sequence: location.pipeline(&pipeline.name.value)?,
            place: Place::of(pipeline),
            pace: Pace {
                interval: wanted.interval,
                min_pause: wanted.min_pause,
                timeout: wanted.timeout,
                tolerated_failures: wanted.tolerated_failures,
            },
            keep: wanted.keep,
            restarts: Restarts {
                most: wanted.restarts,
                pause: wanted.restart_pause,
            },
            shared: None,
        }))
    }

    /// The same for one of several tasks.
    pub fn of_task(&self, partition: i32, member: Member) -> Self {
        Self {
            sequence: self.sequence.task(partition),
            place: self.place.of_task(partition),
            shared: Some(SharedBy {
                member,
                pipeline: self.sequence.clone(),
            }),
            ..self.clone()
        }
    }

    /// Where else its savepoints may lie.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// The checkpoints of the pipeline, or of its task.
    pub fn sequence(&self) -> &Sequence {
        &self.sequence
    }

    /// What is ordered of the task that is claimed, if it is a task.
    fn ordered(
        &self,
        claim: &Claim,
        kafka: &KafkaPart,
        args: &RecoveryArgs,
    ) -> Result<Option<Ordered>, Failure> {
        match &self.shared {
            Some(shared) => ordered::of_claim((&shared.pipeline, claim), kafka, args),
            None => Ok(None),
        }
    }

    /// A failure as it is, or, if another process has taken over, that: what an incarnation does not find any more, its
    /// successor has removed, and it must not begin anew behind it.
    pub fn or_fenced(&self, incarnation: Incarnation, failure: Failure) -> Failure {
        match self.sequence.taken_over(incarnation) {
            Ok(Some(fenced)) => Failure::from(fenced).taken_over(),
            _ => failure,
        }
    }
}

/// How a run begins.
pub enum Start {
    /// It runs, as this incarnation, and can be asked for something.
    Run(Incarnation, Box<Checkpoints>, Desk),
    /// There is nothing to do: everything has been read, and published.
    Finished(u64),
}

/// Claims the pipeline and decides what it goes on from. `taken` is set whenever a checkpoint is taken.
///
/// # Errors
/// If another process runs it, or nothing can be gone on from without a person's decision.
pub fn start(
    wanted: &Wanted,
    (plan, args): (&Plan, &RecoveryArgs),
    taken: Arc<AtomicBool>,
    talk: &Talk,
) -> Result<Start, Failure> {
    // Whose turn it is to run a task, the group says; a process that was stopped may still hold its lock.
    let on_lock = match args.take_over || plan.task.is_some() {
        true => OnLock::TakeOver,
        false => OnLock::Refuse,
    };
    let claim = wanted.sequence.claim(&Life::of_this_process()?, on_lock)?;
    let incarnation = claim.incarnation();
    go_on((wanted, claim), (plan, args), taken, talk)
        .map_err(|failure| wanted.or_fenced(incarnation, failure))
}

/// Goes on from what the claim finds.
fn go_on(
    (wanted, mut claim): (&Wanted, Claim),
    (plan, args): (&Plan, &RecoveryArgs),
    taken: Arc<AtomicBool>,
    talk: &Talk,
) -> Result<Start, Failure> {
    let kafka = KafkaPart::start(
        plan,
        (wanted.sequence.pipeline(), claim.pipeline_id()),
        &wanted.pace,
        wanted.shared.as_ref().map(|shared| &shared.member),
    )?;
    let ordered = wanted.ordered(&claim, &kafka, args)?;
    let args = ordered.as_ref().map_or(args, |ordered| &ordered.args);
    let found = decided::recovery(&mut claim, &kafka, args, talk)?;
    for number in &found.never_happened {
        talk.note(format!(
            "checkpoint {number} was begun and never completed: it never happened"
        ));
    }
    let chosen = choose::choose((&claim, &wanted.place), found, (plan, args), talk)?;
    // What lies elsewhere has no number here.
    let own = chosen.as_ref().filter(|chosen| chosen.is_own());
    claim.resume(own.map(|chosen| &chosen.checkpoint));
    let restored = match &chosen {
        Some(chosen) => Some(restored(chosen, &wanted.sequence, (plan, args), talk)?),
        None => None,
    };
    let (incarnation, writer) = (claim.incarnation(), writer(&claim, &kafka, args));
    if args.fresh || args.from.is_some() {
        decided::go_back(&claim, &kafka, chosen.as_ref().zip(restored.as_ref()))?;
    }
    if let Some(ordered) = &ordered {
        claim.note_restored(ordered.number)?;
    }
    if let (Some(chosen), Some(restored)) = (&chosen, &restored) {
        let number = chosen.checkpoint.number().0;
        if chosen.checkpoint.manifest.contents.finished {
            if location::has_new_input(plan, restored)? {
                return Err(closed(number));
            }
            location::publish(plan, restored, &writer)?;
            return Ok(Start::Finished(number));
        }
        talk.note(format!("going on from {}", chosen.name()));
    }
    let (desk, requests) = Desk::open(claim.requests(), talk)?;
    let talk = talk.clone();
    let mut store = InLocation::new(claim, wanted.keep, plan).with_kafka(kafka);
    if let Some(own) = own {
        store = store.going_on_from(&own.checkpoint.manifest);
    }
    let checkpoints = Checkpoints {
        store: Box::new(store),
        pace: wanted.pace,
        writer,
        restored,
        told: Box::new(move |told| {
            taken.fetch_or(matches!(told, Told::Taken { .. }), Relaxed);
            told::tell(&told, &talk);
        }),
        at_end: match args.at_end {
            End::Fire => AtEnd::Fire,
            End::Keep => AtEnd::Keep,
        },
        requests: Some(requests),
    };
    Ok(Start::Run(incarnation, Box::new(checkpoints), desk))
}

/// Who writes.
fn writer(claim: &Claim, kafka: &KafkaPart, args: &RecoveryArgs) -> Writer {
    let name = claim.incarnation().to_string();
    let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let mut writer = Writer::new(claim.pipeline_id(), name);
    if args.from.is_some() {
        writer.missing = Missing::LeaveOut;
    }
    writer.transactions = kafka.transactions();
    writer
}

fn restored(
    chosen: &Chosen,
    own: &Sequence,
    (plan, args): (&Plan, &RecoveryArgs),
    talk: &Talk,
) -> Result<Restored, Failure> {
    let manifest = &chosen.checkpoint.manifest;
    let changes = changes_since(chosen, (plan, args))?;
    for note in &changes.notes {
        talk.note(note);
    }
    let restored = location::read(chosen.sequence(own), manifest)?;
    Ok(restored.changed(changes))
}

/// How the pipeline differs from the one that has taken a checkpoint.
///
/// # Errors
/// If it cannot go on from it.
pub fn changes_since(
    chosen: &Chosen,
    (plan, args): (&Plan, &RecoveryArgs),
) -> Result<Changes, Failure> {
    let manifest = &chosen.checkpoint.manifest;
    let changes = changes::between(plan, manifest, &args.allow_dropped_state);
    changes.map_err(|reasons| {
        let all: Vec<String> = reasons.iter().map(|reason| format!("\n  {reason}")).collect();
        let error = anyhow!(
            "the pipeline cannot go on from {}, nothing was started:{}",
            chosen.name(),
            all.concat()
        );
        Failure::wrong(error).hint(
            "undo the change; `--allow-dropped-state NAME` lets go what was kept of an operator, source or sink, or of a \
             column (`operator.column`); `--fresh` starts anew",
        )
    })
}

fn closed(number: u64) -> Failure {
    let error = anyhow!(
        "there is new input, but with checkpoint {number} the input had ended, and all windows were closed"
    );
    Failure::from(error).hint(
        "`--fresh` reads everything again, and publishes it again; a run with `--at-end keep` leaves windows open for the next",
    )
}
