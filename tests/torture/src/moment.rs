//! Moments of a life, and aims at them.
//!
//! `aim/aim.c` gives each act of the process on its files a moment, by the names that stand here.

use crate::random::Random;

/// What a process is about when it is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// The lock, the probe, the pipeline's id, and the claim of the next number.
    Claim,
    /// Reading manifests and the state of the newest.
    Recovery,
    /// Publishing what an earlier life had complete.
    Republish,
    /// Writing rows to pending files and making them durable.
    Pending,
    /// Writing the state of operators.
    Snapshot,
    /// Writing and putting the manifest.
    Manifest,
    /// When the manifest is there and none of its parts is published.
    Between,
    /// Publishing parts.
    Publish,
    /// Removing pending files that were published, or that nobody needs.
    Tidy,
    /// Removing old manifests and their files.
    Retention,
    /// Whenever it happens to be.
    Random,
}

impl Moment {
    /// All, in the order of a life.
    pub const ALL: [Self; 11] = [
        Self::Claim,
        Self::Recovery,
        Self::Republish,
        Self::Pending,
        Self::Snapshot,
        Self::Manifest,
        Self::Between,
        Self::Publish,
        Self::Tidy,
        Self::Retention,
        Self::Random,
    ];

    /// What it is called, here and in `aim/aim.c`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Recovery => "recovery",
            Self::Republish => "republish",
            Self::Pending => "pending",
            Self::Snapshot => "snapshot",
            Self::Manifest => "manifest",
            Self::Between => "between",
            Self::Publish => "publish",
            Self::Tidy => "tidy",
            Self::Retention => "retention",
            Self::Random => "random",
        }
    }

    /// How many acts of it a life has, about: the number of the act that is aimed at is drawn up to this.
    fn acts(self) -> u64 {
        match self {
            Self::Claim => 18,
            Self::Recovery => 10,
            Self::Republish => 24,
            Self::Pending => 250,
            Self::Snapshot => 300,
            Self::Manifest => 24,
            Self::Between => 8,
            Self::Publish => 50,
            Self::Tidy => 60,
            Self::Retention => 40,
            Self::Random => 1,
        }
    }
}

/// On which side of an act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It has not been done.
    Before,
    /// Half of it has, if it is a write; otherwise as after.
    Torn,
    /// It has been done.
    After,
}

/// An act of a life.
#[derive(Clone, Copy, Debug)]
pub struct Aim {
    /// Its moment.
    pub moment: Moment,
    /// Which of that moment's acts, from 1.
    pub number: u64,
    /// Before it or after it.
    pub side: Side,
}

impl Aim {
    /// Draws an act of a moment in a life that has a share of the work before it: where less is left, fewer acts come.
    pub fn drawn(random: &mut Random, moment: Moment, left: f64) -> Self {
        let acts = match moment {
            Moment::Claim | Moment::Recovery | Moment::Republish => moment.acts(),
            _ => (moment.acts() as f64 * left).ceil() as u64,
        };
        Self {
            moment,
            number: random.rather_small(acts.max(1)),
            side: random.one_of(&[Side::Before, Side::Before, Side::Torn, Side::After]),
        }
    }

    /// As `aim/aim.c` reads it.
    pub fn text(&self, hit: Hit) -> String {
        let Self { moment, number, .. } = self;
        let how = match hit {
            Hit::Signal(signal) => format!("signal {signal}"),
            Hit::Error { error, acts } => format!("error {error} {acts}"),
        };
        format!("{} {number} {} {how}", moment.name(), self.side.name())
    }
}

/// What happens at an act.
#[derive(Clone, Copy, Debug)]
pub enum Hit {
    /// The process gets a signal.
    Signal(i32),
    /// From there on so many acts that write fail with this error.
    Error {
        /// As the system numbers it.
        error: i32,
        /// How many.
        acts: u64,
    },
}

impl Side {
    /// What it is called, here and in `aim/aim.c`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Torn => "torn",
            Self::After => "after",
        }
    }
}
