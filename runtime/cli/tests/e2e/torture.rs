//! The short form of `make torture`: the command is killed at every kind of moment, and stopped, and what it publishes is what
//! an undisturbed run publishes, row for row. `TIDEMILL_SEED=1000` kills at other moments, `TIDEMILL_KILLS=1000` more often.

use std::path::PathBuf;

use tidemill_torture::{Moment, Settings, torture};

use crate::support::{kinds, tidemill};

/// How many processes are killed.
const KILLS: u64 = 60;

#[test]
fn killed_runs_publish_every_row_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let command = tidemill();
    let environment = command.get_envs().filter_map(|(name, value)| {
        let text = |text: &std::ffi::OsStr| text.to_str().expect("a name that is text").to_owned();
        Some((text(name), text(value?)))
    });
    let settings = Settings {
        command: PathBuf::from(command.get_program()),
        environment: environment.collect(),
        module: kinds().into(),
        folder: folder.path().canonicalize().expect("it is there"),
        seed: number("TIDEMILL_SEED", 1),
        kills: number("TIDEMILL_KILLS", KILLS),
        each_moment: true,
        round: None,
        moments: Moment::ALL.to_vec(),
    };
    let mut log = Vec::new();
    let summary = torture(settings, &mut |line| log.push(line.to_owned())).expect("rounds");
    if !summary.wrong.is_empty() {
        let left = folder.keep();
        panic!("{}\n{summary}\nin {}", log.join("\n"), left.display());
    }
    assert!(summary.recoveries > 0, "{summary}");
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}
