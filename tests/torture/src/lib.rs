//! Kills the `tidemill` command, again and again, and compares what it publishes with what an undisturbed run publishes, row for
//! row: `make torture`, and a short form among the tests of the command.
//!
//! ```text
//!  scene   the input, by the seed; what undisturbed runs publish, which is what is expected
//!  round   one pipeline in a folder of its own
//!    life    a process: ended, killed at an act (`aim/aim.c`) or after a time, or stopped
//!            after each: what readers see is whole, unchanged, and no more than expected (`published`)
//!    ...
//!    the last life is left alone: now everything is there; and one more finds nothing to do
//! ```
//!
//! A seed decides the input, and with the number of a round its backend, its workers, and the moments that are aimed at. How far a
//! life gets before a moment of the clock, and which thread comes first, it does not decide.

mod disk;
mod expected;
pub mod kafka;
mod life;
mod moment;
mod published;
mod random;
mod round;
mod scene;
mod stop;
mod summary;

use std::fs;
use std::path::PathBuf;

use anyhow::Result;

pub use moment::Moment;
pub use summary::{Summary, Workers, Wrong};

use round::Round;
use scene::Scene;

/// Of so many rounds two stop a process instead of killing it, and one has a disk that fails. Not a multiple of how
/// many sorts of workers and backends there are, so that all come together.
const SORTS: u64 = 7;

/// So many rounds may go wrong before it ends.
const MOST_WRONG: usize = 10;

/// What is asked for, with moments of this sort.
#[derive(Clone, Debug)]
pub struct Settings<M = Moment> {
    /// The `tidemill` command.
    pub command: PathBuf,
    /// Variables of its environment.
    pub environment: Vec<(String, String)>,
    /// The module of `tests/guests/sdk-kinds`.
    pub module: PathBuf,
    /// A folder for rounds; those that went wrong are left in it.
    pub folder: PathBuf,
    /// Decides what can be decided.
    pub seed: u64,
    /// How often a process is to be struck, about; on Kafka also the broker and connections.
    pub strikes: u64,
    /// Whether there are to be more, until each moment has come.
    pub each_moment: bool,
    /// Only this round.
    pub round: Option<u64>,
    /// The moments that are aimed at.
    pub moments: Vec<M>,
}

impl<M> Settings<M> {
    /// The same with these moments.
    pub fn with<N>(self, moments: Vec<N>) -> Settings<N> {
        Settings {
            command: self.command,
            environment: self.environment,
            module: self.module,
            folder: self.folder,
            seed: self.seed,
            strikes: self.strikes,
            each_moment: self.each_moment,
            round: self.round,
            moments,
        }
    }
}

/// Rounds until there were enough kills. What happens is told line by line.
///
/// # Errors
/// If there can be no rounds at all. What goes wrong in a round stands in the summary.
pub fn torture(settings: Settings, say: &mut dyn FnMut(&str)) -> Result<Summary> {
    let scene = Scene::new(settings)?;
    let only = scene.settings.round;
    let mut summary = Summary::default();
    let mut number = only.unwrap_or(0);
    while !is_enough(&scene.settings, &summary) {
        round(&scene, number, &mut summary, say)?;
        number += 1;
        if only.is_some() {
            break;
        }
    }
    Ok(summary)
}

fn is_enough(settings: &Settings, summary: &Summary) -> bool {
    let mut moments = settings.moments.iter();
    let each = !settings.each_moment || moments.all(|moment| summary.kills_at(*moment) > 0);
    summary.wrong.len() >= MOST_WRONG || summary.kills() >= settings.strikes && each
}

fn round(
    scene: &Scene,
    number: u64,
    summary: &mut Summary,
    say: &mut dyn FnMut(&str),
) -> Result<()> {
    let mut round = Round::new(scene, number, summary, say)?;
    let ended = match number % SORTS {
        3 => round.fails(),
        1 | 5 => round.stops(),
        _ => round.kills(),
    };
    let folder = round.folder;
    summary.rounds += 1;
    settle(ended, (number, folder), &mut summary.wrong, say)
}

/// A round has ended: its folder goes, or stays with what went wrong in it.
fn settle(
    ended: Result<()>,
    (round, folder): (u64, PathBuf),
    wrong: &mut Vec<Wrong>,
    say: &mut dyn FnMut(&str),
) -> Result<()> {
    match ended {
        Ok(()) => fs::remove_dir_all(folder)?,
        Err(why) => {
            let why = format!("{why:#}");
            say(&format!("round {round} WRONG: {why}"));
            wrong.push(Wrong { round, why, folder });
        }
    }
    Ok(())
}
