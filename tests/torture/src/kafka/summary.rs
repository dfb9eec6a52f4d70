//! What came of a run of rounds.

use std::collections::BTreeMap;
use std::fmt;

use super::moment::Moment;
use crate::Wrong;

/// See the module.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many rounds there were.
    pub rounds: u64,
    /// Processes that were killed, by moment and side of the request.
    pub kills: BTreeMap<(Moment, &'static str), u64>,
    /// Processes that were stopped while another one took over.
    pub stops: BTreeMap<Moment, u64>,
    /// Of those, how many ended as fenced when they were woken.
    pub fenced: u64,
    /// Of those, how many were refused, since the other one had the lock.
    pub refused: u64,
    /// Of those, how many had not claimed, went on and fenced the other one.
    pub went_on: u64,
    /// How often both ended as fenced, the other one by the woken one's last act.
    pub both: u64,
    /// Of all strikes, how many met one of two processes that shared the pipeline and was started again, by its name.
    pub again: u64,
    /// And how many times another one went on with its tasks, since it was dead or slept.
    pub taken_over: u64,
    /// How often the broker was killed and started again.
    pub brokers: u64,
    /// Connections that were disturbed at a request, by how.
    pub disturbed: BTreeMap<&'static str, u64>,
    /// Lives that went on until they were killed at a moment of the clock, since what was aimed at did not come.
    pub missed: u64,
    /// How many rows were compared.
    pub rows: u64,
    /// What went wrong.
    pub wrong: Vec<Wrong>,
}

impl Summary {
    /// How many processes were killed at a moment.
    pub fn kills_at(&self, moment: Moment) -> u64 {
        let kills = self.kills.iter().filter(|((at, _), _)| *at == moment);
        kills.map(|(_, kills)| kills).sum()
    }

    /// How many strikes there were.
    pub fn strikes(&self) -> u64 {
        let kills: u64 = self.kills.values().sum();
        let stops: u64 = self.stops.values().sum();
        kills + stops + self.brokers + self.disturbed.values().sum::<u64>()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let points = ["before", "unanswered", "answered", "clock"];
        write!(f, "{:<12}", "killed at")?;
        points
            .iter()
            .try_for_each(|point| write!(f, "{point:>12}"))?;
        writeln!(f)?;
        for moment in Moment::ALL {
            write!(f, "{:<12}", moment.name())?;
            for point in points {
                let kills = self.kills.get(&(moment, point)).unwrap_or(&0);
                write!(f, "{kills:>12}")?;
            }
            writeln!(f)?;
        }
        let stops = self
            .stops
            .iter()
            .map(|(moment, n)| format!("{} {n}", moment.name()));
        let stops: Vec<String> = stops.collect();
        writeln!(
            f,
            "stopped while another took over: {} ({})\n  woken: {} fenced, {} refused, {} went on and fenced the other one, {} times both were fenced",
            self.stops.values().sum::<u64>(),
            stops.join(", "),
            self.fenced,
            self.refused,
            self.went_on,
            self.both
        )?;
        let disturbed = self.disturbed.iter().map(|(how, n)| format!("{how} {n}"));
        let disturbed: Vec<String> = disturbed.collect();
        writeln!(
            f,
            "connections disturbed around a commit: {}",
            disturbed.join(", ")
        )?;
        writeln!(
            f,
            "one of two processes struck: {} started again under its name, {} times another went on with its tasks",
            self.again, self.taken_over
        )?;
        writeln!(f, "broker killed and started again: {}", self.brokers)?;
        writeln!(
            f,
            "{} strikes in {} rounds ({} aims missed); {} rows compared; {} rounds differ or failed",
            self.strikes(),
            self.rounds,
            self.missed,
            self.rows,
            self.wrong.len()
        )
    }
}
