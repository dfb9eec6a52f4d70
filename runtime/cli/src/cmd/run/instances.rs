//! One of several processes that share a pipeline: it is given partition numbers, and runs a task for each.
//!
//! ```text
//!   group: given 0, 1 ──► claim, fence, restore ──► task 0, task 1     each with checkpoints and transactions of its own
//!          asks 1 back ─► task 1 ends with a checkpoint ──► given back
//! ```
//!
//! Who is given a number says the group. That nothing is lost or doubled meanwhile does not depend on it: who begins a task
//! claims its sequence of checkpoints and its transactional id, and with that fences whoever had them (decision 0036).

mod count;
mod order;
mod presence;
mod process;
mod shown;

use std::time::Duration;

use anyhow::anyhow;
use tidemill_connectors::kafka::{Membership, MembershipSpec, Topics};
use tidemill_engine::Plan;
use tidemill_engine::checkpoint::kafka;

use self::count::Count;
use self::order::Order;
use self::presence::Presence;
use self::process::{About, Process};
use self::shown::Tasks;
use super::Run;
use crate::error::Failure;
use crate::recovery::{RecoveryArgs, Wanted};

/// How often topics are looked for that are not there.
const LOOK: Duration = Duration::from_millis(500);

/// Refuses a pipeline to run in one process that others have shared.
///
/// # Errors
/// If it has tasks.
pub fn check_alone(wanted: &Wanted) -> Result<(), Failure> {
    let sequence = wanted.sequence();
    match sequence.partitions()?.last() {
        None => Ok(()),
        Some(tasks) => {
            let error = anyhow!(
                "pipeline {} has run in several processes, as {tasks} tasks: {} has their checkpoints",
                sequence.pipeline(),
                sequence.place()
            );
            Err(Failure::wrong(error).hint(
                "`--instance NAME`, or `instances` in the pipeline file, goes on with them; another `location` begins anew",
            ))
        }
    }
}

/// Runs what this process is given, until it is stopped or all of that has ended.
///
/// # Errors
/// What has ended a task, or the membership.
pub fn run(
    run: &Run<'_>,
    wanted: &Wanted,
    (name, recovery): (Option<&str>, &RecoveryArgs),
) -> Result<(), Failure> {
    order::check_form(recovery)?;
    let instance = called(name)?;
    let presence = Presence::of(wanted.sequence(), &instance, run.talk)?;
    let Some(partitions) = Count::new(run, wanted)?.wait(&presence)? else {
        return Ok(());
    };
    let spec = spec(run.plan, &instance)?;
    let order = Order::of(wanted, (run, recovery), partitions, spec.session())?;
    let membership = Membership::join(spec)?;
    let about = About {
        run,
        wanted,
        recovery,
        instance: &instance,
        presence: &presence,
        membership: &membership,
        tasks: &Tasks::default(),
    };
    std::thread::scope(|scope| Process::new(about, (partitions, order), scope).work())
}

/// What a process is called: as it was told, or as its host is.
fn called(name: Option<&str>) -> Result<String, Failure> {
    let name = match name {
        Some(name) => name.to_owned(),
        None => {
            let system = rustix::system::uname();
            system.nodename().to_string_lossy().into_owned()
        }
    };
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.len() > 249 || !name.chars().all(known) || name.trim_matches('.').is_empty() {
        let error = anyhow!("no name for an instance: {name:?}");
        return Err(Failure::wrong(error)
            .hint("`--instance` takes up to 249 letters, digits, `.`, `_` and `-`, not dots alone, such as `--instance fraud-1`"));
    }
    Ok(name)
}

/// The group and the topic whose partitions are shared: those of the first source.
fn spec(plan: &Plan, instance: &str) -> Result<MembershipSpec, Failure> {
    let first = kafka::sources(plan).next().map(|(_, _, source)| source);
    let topic = first.and_then(|source| match &source.topics {
        Topics::Named(names) => names.first().cloned(),
        Topics::Like(_) => None,
    });
    match (first, topic) {
        (Some(source), Some(topic)) => Ok(MembershipSpec {
            client: source.client.clone(),
            group: source.group.clone(),
            topic,
            instance: instance.to_owned(),
        }),
        _ => Err(Failure::defect(anyhow!(
            "a plan with tasks has no topic to share"
        ))),
    }
}
