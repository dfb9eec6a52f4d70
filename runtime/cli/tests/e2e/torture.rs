//! The short forms of `make torture` and `make torture-kafka`: the command is killed at every kind of moment, and stopped, and what it
//! publishes is what an undisturbed run publishes, row for row. `TIDEMILL_SEED=1000` kills at other moments, `TIDEMILL_KILLS=1000`
//! more often; on Kafka `TIDEMILL_STRIKES=100`.

use std::path::PathBuf;

use tempfile::TempDir;
use tidemill_torture::{Moment, Settings, kafka, torture};

use crate::support::{kinds, tidemill};

/// How many processes are killed.
const KILLS: u64 = 60;

/// How many are struck on Kafka, about.
const STRIKES: u64 = 10;

#[test]
fn killed_runs_publish_every_row_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = Settings {
        strikes: number("TIDEMILL_KILLS", KILLS),
        each_moment: true,
        ..settings(&folder, &Moment::ALL)
    };
    let mut log = Vec::new();
    let summary = torture(settings, &mut |line| log.push(line.to_owned())).expect("rounds");
    if !summary.wrong.is_empty() {
        let left = folder.keep();
        panic!("{}\n{summary}\nin {}", log.join("\n"), left.display());
    }
    assert!(summary.recoveries > 0, "{summary}");
}

#[test]
fn runs_on_kafka_that_are_struck_publish_every_row_once() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let settings = settings(&folder, &kafka::Moment::ALL);
    let mut log = Vec::new();
    let summary = kafka::torture(settings, &mut |line| log.push(line.to_owned()));
    let summary = summary.expect("rounds");
    if !summary.wrong.is_empty() {
        let left = folder.keep();
        panic!("{}\n{summary}\nin {}", log.join("\n"), left.display());
    }
    assert!(summary.rows > 0, "{summary}");
}

fn settings<M: Copy>(folder: &TempDir, moments: &[M]) -> Settings<M> {
    let (command, environment) = command();
    Settings {
        command,
        environment,
        module: kinds().into(),
        folder: folder.path().canonicalize().expect("it is there"),
        seed: number("TIDEMILL_SEED", 1),
        strikes: number("TIDEMILL_STRIKES", STRIKES),
        each_moment: false,
        round: None,
        moments: moments.to_vec(),
    }
}

/// The command and variables of its environment.
fn command() -> (PathBuf, Vec<(String, String)>) {
    let command = tidemill();
    let environment = command.get_envs().filter_map(|(name, value)| {
        let text = |text: &std::ffi::OsStr| text.to_str().expect("a name that is text").to_owned();
        Some((text(name), text(value?)))
    });
    let environment = environment.collect();
    (PathBuf::from(command.get_program()), environment)
}

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).map_or(otherwise, |text| text.parse().expect("a number"))
}
