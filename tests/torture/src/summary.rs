//! What came of a run of rounds.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use crate::moment::Moment;
use crate::scene::BACKENDS;

/// With how many workers a round's lives run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Workers {
    /// With one.
    One,
    /// With two.
    Two,
    /// Each life with another number, from one to three, and another backend.
    Changing,
}

impl Workers {
    /// All.
    pub const ALL: [Self; 3] = [Self::One, Self::Two, Self::Changing];

    fn name(self) -> &'static str {
        match self {
            Self::One => "1 worker",
            Self::Two => "2 workers",
            Self::Changing => "changing",
        }
    }
}

/// A round that went wrong.
#[derive(Debug)]
pub struct Wrong {
    /// Which.
    pub round: u64,
    /// What.
    pub why: String,
    /// Where everything lies that it left.
    pub folder: PathBuf,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Summary {
    /// How many rounds there were.
    pub rounds: u64,
    /// Kills by moment, backend and workers.
    pub kills: BTreeMap<(Moment, &'static str, Workers), u64>,
    /// Lives that were asked to stop, by SIGTERM.
    pub terminated: u64,
    /// Lives in which writing failed, by the moment from which on.
    pub failures: BTreeMap<Moment, u64>,
    /// Of those, how many went on to their end.
    pub put_up_with: u64,
    /// Processes that were stopped while another one took over.
    pub stops: BTreeMap<Moment, u64>,
    /// Of those that were woken, how many ended as fenced.
    pub fenced: u64,
    /// Of those that were woken, how many had nothing more to do.
    pub had_done: u64,
    /// Of those that were woken, how many had claimed nothing before, and went on.
    pub went_on: u64,
    /// How many processes were refused, since a stopped one held the lock.
    pub refused: u64,
    /// Lives that ended before the moment that was aimed at came.
    pub missed: u64,
    /// How often a process went on from what an earlier one had left.
    pub recoveries: u64,
    /// How many published rows were compared.
    pub rows: u64,
    /// How many published files.
    pub files: u64,
    /// What went wrong.
    pub wrong: Vec<Wrong>,
}

impl Summary {
    /// How many kills there were.
    pub fn kills(&self) -> u64 {
        self.kills.values().sum()
    }

    /// How many kills there were at a moment.
    pub fn kills_at(&self, moment: Moment) -> u64 {
        let at = self.kills.iter().filter(|((is, ..), _)| *is == moment);
        at.map(|(_, kills)| kills).sum()
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<12}", "killed at")?;
        for backend in BACKENDS {
            for workers in Workers::ALL {
                write!(f, "{:>18}", format!("{} {}", backend.name, workers.name()))?;
            }
        }
        writeln!(f, "{:>8}", "all")?;
        for moment in Moment::ALL {
            write!(f, "{:<12}", moment.name())?;
            for backend in BACKENDS {
                for workers in Workers::ALL {
                    let kills = self.kills.get(&(moment, backend.name, workers));
                    write!(f, "{:>18}", kills.unwrap_or(&0))?;
                }
            }
            writeln!(f, "{:>8}", self.kills_at(moment))?;
        }
        writeln!(
            f,
            "writing failed: {} ({}); {} lives went on to their end all the same, the others stopped and said why",
            self.failures.values().sum::<u64>(),
            by_moment(&self.failures),
            self.put_up_with
        )?;
        let stops: u64 = self.stops.values().sum();
        writeln!(
            f,
            "stopped while another took over: {stops} ({})",
            by_moment(&self.stops)
        )?;
        writeln!(
            f,
            "  woken: {} fenced, {} had done everything, {} had claimed nothing before and went on; {} refused without --take-over",
            self.fenced, self.had_done, self.went_on, self.refused
        )?;
        writeln!(
            f,
            "{} kills in {} rounds ({} aims missed); {} lives asked to stop by SIGTERM; {} recoveries; {} rows in {} files compared; {} rounds differ or failed",
            self.kills(),
            self.rounds,
            self.missed,
            self.terminated,
            self.recoveries,
            self.rows,
            self.files,
            self.wrong.len()
        )
    }
}

fn by_moment(counts: &BTreeMap<Moment, u64>) -> String {
    let each = counts.iter();
    let each: Vec<String> = each
        .map(|(moment, n)| format!("{} {n}", moment.name()))
        .collect();
    each.join(", ")
}
