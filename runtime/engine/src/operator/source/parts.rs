//! What a source is made of.

use std::sync::Arc;

use tidemill_connectors::{Later, Split};
use tidemill_core::clock::SourceClock;
use tidemill_core::time;

use super::alignment::Aligned;
use super::custom::Custom;
use super::prepare::Timing;
use super::telling::Told;
use super::{Reading, Source};
use crate::blame::Blame;
use crate::checkpoint::AtEnd;
use crate::metrics::Counters;

/// What a source is made of.
pub struct SourceParts {
    /// Watermarks of the splits read here, in their order.
    pub clock: SourceClock,
    /// The splits read here: index of the name, reader.
    pub splits: Vec<(usize, Box<dyn Split>)>,
    /// The names of all splits of the source.
    pub names: Arc<[Arc<str>]>,
    /// Splits that are found while it runs, where there may be any.
    pub later: Option<Later>,
    /// How splits wait for each other, if they do.
    pub aligned: Option<Aligned>,
    /// The function that makes watermarks, where one does.
    pub custom: Option<Custom>,
    /// How event times are taken and judged.
    pub timing: Timing,
    /// Whether the input ends: its splits are then read in reading order.
    pub bounded: bool,
    /// How many rows a batch has at most.
    pub batch_rows: usize,
    /// Whom failed rows are put down to.
    pub blame: Blame,
    /// Counters of this source on this worker.
    pub counters: Arc<Counters>,
    /// Whether the time spent on decoding is measured.
    pub profile: bool,
    /// Whether checkpoints are taken.
    pub is_cut: bool,
    /// What becomes of windows behind it when the input has ended.
    pub at_end: AtEnd,
}

/// However many splits, so many rows of each are read at once.
const FEWEST_CHUNK_ROWS: usize = 64;

impl Source {
    /// A source that has read nothing.
    pub fn new(parts: SourceParts) -> Self {
        let share = parts.batch_rows / parts.splits.len().max(1);
        Self {
            chunk_rows: if parts.bounded {
                share.max(FEWEST_CHUNK_ROWS.min(parts.batch_rows))
            } else {
                parts.batch_rows
            },
            splits: parts.splits.into_iter().map(Reading::new).collect(),
            clock: parts.clock,
            names: parts.names,
            later: parts.later,
            aligned: parts.aligned,
            custom: parts.custom,
            timing: parts.timing,
            bounded: parts.bounded,
            batch_rows: parts.batch_rows,
            blame: parts.blame,
            counters: parts.counters,
            profile: parts.profile,
            is_cut: parts.is_cut,
            chunks: Vec::new(),
            runs: Vec::new(),
            passed_on: time::MIN,
            idle: false,
            told: Told::default(),
            next: 0,
            ended: false,
            at_end: parts.at_end,
        }
    }
}
