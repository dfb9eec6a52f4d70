//! Where a process is struck.

use tidemill_test_kafka::{Point, Request};

use crate::random::Random;

/// What a process is about when it is struck.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Moment {
    /// It takes its transactional id, which fences those before it.
    Fence,
    /// It reads what was committed last.
    Record,
    /// It reads rows.
    Fetch,
    /// It writes rows.
    Produce,
    /// It says which partitions take part in the transaction.
    Partitions,
    /// It sends offsets with the checkpoint's identity.
    Offsets,
    /// It commits.
    Commit,
    /// It joins those with whom it shares the pipeline, or hears what it is given of it.
    Rebalance,
    /// Whenever it happens to be.
    Random,
}

impl Moment {
    /// All, in the order of a life.
    pub const ALL: [Self; 9] = [
        Self::Fence,
        Self::Record,
        Self::Fetch,
        Self::Produce,
        Self::Partitions,
        Self::Offsets,
        Self::Commit,
        Self::Rebalance,
        Self::Random,
    ];

    /// What it is called.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fence => "fence",
            Self::Record => "record",
            Self::Fetch => "fetch",
            Self::Produce => "produce",
            Self::Partitions => "partitions",
            Self::Offsets => "offsets",
            Self::Commit => "commit",
            Self::Rebalance => "rebalance",
            Self::Random => "random",
        }
    }

    /// Its request, and how many of these a life has, about.
    fn request(self) -> Option<(Request, u64)> {
        match self {
            Self::Fence => Some((Request::InitProducerId, 1)),
            Self::Record => Some((Request::OffsetFetch, 1)),
            Self::Fetch => Some((Request::Fetch, 40)),
            Self::Produce => Some((Request::Produce, 30)),
            Self::Partitions => Some((Request::AddPartitionsToTxn, 8)),
            Self::Offsets => Some((Request::TxnOffsetCommit, 10)),
            Self::Commit => Some((Request::EndTxn, 10)),
            Self::Rebalance => Some((Request::SyncGroup, 1)),
            Self::Random => None,
        }
    }
}

/// A request of a life, and on which side of it.
#[derive(Clone, Copy, Debug)]
pub struct Aim {
    /// What is asked.
    pub request: Request,
    /// So many of its kind come before it.
    pub after: u32,
    /// Before it, or behind what it does.
    pub point: Point,
}

impl Aim {
    /// Draws a request of a moment; none for a moment of the clock.
    pub fn drawn(random: &mut Random, moment: Moment) -> Option<Self> {
        let (request, count) = moment.request()?;
        let points = [
            Point::Before,
            Point::Unanswered,
            Point::Unanswered,
            Point::Answered,
        ];
        Some(Self {
            request,
            after: u32::try_from(random.rather_small(count) - 1).unwrap_or(0),
            point: random.one_of(&points),
        })
    }
}
