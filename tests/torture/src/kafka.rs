//! The kill test on a real Kafka: from a topic to topics and files, judged by a reader of committed records. `make torture-kafka`,
//! and a short form among the tests of the command.
//!
//! ```text
//!   feeder ─► topic ─► proxy ─► the command ─► proxy ─► topics ─► judge (read_committed)
//!                                   └─► files ─► judge
//! ```
//!
//! A round is a pipeline with topics of its own, which is fed while its processes are struck at a request of Kafka's protocol: before
//! the broker gets it, when the broker has done it and the process does not know, or when it has the answer. A process is killed, or
//! stopped until another one has taken over; or the broker is killed and started again, or connections are disturbed.

mod feed;
mod judge;
mod life;
mod moment;
mod round;
mod scene;
mod shared;
mod summary;

use anyhow::Result;

pub use moment::Moment;
pub use summary::Summary;

use crate::{Settings, settle};
use round::Round;
use scene::Scene;

/// So many rounds may go wrong before it ends.
const MOST_WRONG: usize = 5;

/// Rounds until there were enough strikes. What happens is told line by line.
///
/// # Errors
/// If there can be no rounds at all. What goes wrong in a round stands in the summary.
pub fn torture(settings: Settings<Moment>, say: &mut dyn FnMut(&str)) -> Result<Summary> {
    let mut scene = Scene::new(settings)?;
    let only = scene.settings.round;
    let mut summary = Summary::default();
    let mut number = only.unwrap_or(0);
    while !is_enough(&scene.settings, &summary) {
        let mut round = Round::new(&mut scene, number, &mut summary, say)?;
        let ended = round.run();
        let folder = round.end(&ended);
        summary.rounds += 1;
        settle(ended, (number, folder), &mut summary.wrong, say)?;
        number += 1;
        if only.is_some() {
            break;
        }
    }
    Ok(summary)
}

fn is_enough(settings: &Settings<Moment>, summary: &Summary) -> bool {
    let mut moments = settings.moments.iter();
    let each = !settings.each_moment || moments.all(|moment| summary.kills_at(*moment) > 0);
    summary.wrong.len() >= MOST_WRONG || summary.strikes() >= settings.strikes && each
}
