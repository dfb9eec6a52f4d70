//! The events of the Nexmark benchmark: an auction house with persons, auctions and bids.
//!
//! After the generator for Flink (github.com/nexmark/nexmark, itself from Apache Beam): of fifty
//! events one is a person, three are auctions, forty-six bids; sizes, prices, channels, hot
//! auctions, bidders and sellers, auctions in flight and events out of order are as there by
//! default, so that figures compare. The random numbers are not Java's: each event's depend on the
//! seed and its number alone, so splits can be read independently and event n is the same however
//! many there are.
//!
//! Event n (from 0) is in split n mod splits and has that position. Its time is the base time + n
//! / (events per second), cut off at the millisecond, as Nexmark's times are.

mod columns;
mod event;
mod json;
mod words;

use std::sync::Arc;

use tidemill_rows::{LogicalType, Schema, SchemaRef};

use crate::ConnectorError;
use crate::columns::Columns;
use crate::generated::{self, Numbers};
use crate::pace::Pace;
use crate::position::Position;
use crate::source::{NamesAndSplits, Share};
use crate::split::{Chunk, Split, Then, Wake};

pub use json::write_json_lines;

use self::event::Event;

/// 2015-07-15T00:00:00Z, where Nexmark's time begins.
pub const BASE_TIME: i64 = 1_436_918_400_000_000;

/// Events to make.
#[derive(Clone, Debug, PartialEq)]
pub struct NexmarkSpec {
    /// Which events become rows, and so the columns.
    pub kind: Kind,
    /// How many events in all splits together, counting those that become no rows; `None`: without
    /// end.
    pub events: Option<u64>,
    /// Events per second of event time, of all kinds.
    pub events_per_second: f64,
    /// Events per second of the clock; `None`: flat out.
    pub rate: Option<f64>,
    /// How many splits.
    pub splits: usize,
    /// Another seed makes other events.
    pub seed: u64,
    /// The time of event 0, in microseconds since the epoch.
    pub base_time: i64,
    /// Events are shuffled within groups of so many; 1 leaves them in order.
    pub out_of_order_group: u64,
}

impl Default for NexmarkSpec {
    fn default() -> Self {
        Self {
            kind: Kind::All,
            events: None,
            events_per_second: 10_000.0,
            rate: None,
            splits: 1,
            seed: 0,
            base_time: BASE_TIME,
            out_of_order_group: 1,
        }
    }
}

/// Which events become rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// All, in one schema: `event_type` (0 person, 1 auction, 2 bid), `time`, the columns of each
    /// kind behind its name (`person_…`, `auction_…`, `bid_…`), null in events of other kinds, and
    /// `extra`.
    All,
    /// Persons: id, name, email, credit_card, city, state, time, extra.
    Persons,
    /// Auctions: id, item, description, initial_bid, reserve, time, expires, seller, category,
    /// extra.
    Auctions,
    /// Bids: auction, bidder, price, channel, url, time, extra.
    Bids,
}

impl Kind {
    /// The words of pipeline files.
    pub const ALL: [Self; 4] = [Self::All, Self::Persons, Self::Auctions, Self::Bids];

    /// Its word: `all`, `persons`, `auctions`, `bids`.
    pub fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Persons => "persons",
            Self::Auctions => "auctions",
            Self::Bids => "bids",
        }
    }

    /// The kind of a word, if it is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

const NAME: &str = "nexmark";

impl NexmarkSpec {
    /// The columns of its rows.
    pub fn schema(&self) -> SchemaRef {
        let field = |(name, ty, nullable): &(String, LogicalType, bool)| ty.field(name, *nullable);
        let fields: Vec<_> = columns::of(self.kind).iter().map(field).collect();
        Arc::new(Schema::new(fields))
    }

    /// The names of its splits.
    pub fn names(&self) -> Vec<Arc<str>> {
        generated::names(NAME, self.splits)
    }

    pub(crate) fn check(&self) -> Result<(), ConnectorError> {
        generated::check(self.splits, self.rate)?;
        let refuse = |message: String| Err(ConnectorError::Configuration(message));
        let eps = self.events_per_second;
        if !(eps.is_finite() && eps >= 1e-3) {
            return refuse(format!("`events-per-second` must be at least 0.001: {eps}"));
        }
        if self.out_of_order_group == 0 {
            return refuse("`out-of-order-group` must be at least 1".to_owned());
        }
        Ok(())
    }

    pub(crate) fn open(
        &self,
        schema: &SchemaRef,
        (share, begins): (Share, &[u64]),
        wake: &Wake,
    ) -> NamesAndSplits {
        let names = self.names();
        let begin = begins.iter().copied().min().unwrap_or_default();
        let pace = self.rate.map(|rate| Pace::start(rate, begin, wake));
        let split = |i: usize| -> (usize, Box<dyn Split>) {
            let split = Events {
                name: names[i].clone(),
                spec: self.clone(),
                numbers: Numbers::new(begins[i], self.splits, self.events, pace.clone()),
                columns: Columns::new(schema.clone()),
                event: Event::default(),
                row: columns::Row::default(),
            };
            (i, Box::new(split))
        };
        let splits = share.of(self.splits).map(split).collect();
        (names, splits)
    }
}

/// One split.
struct Events {
    name: Arc<str>,
    spec: NexmarkSpec,
    numbers: Numbers,
    columns: Columns,
    event: Event,
    row: columns::Row,
}

impl Split for Events {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn position(&self) -> Position {
        self.numbers.position()
    }

    fn read(&mut self, max_rows: usize) -> Result<Chunk, ConnectorError> {
        let step = self.spec.splits as u64;
        let mut positions = Vec::with_capacity(max_rows);
        let then = loop {
            let (first, len, then) = self.numbers.take(max_rows - positions.len());
            for n in (0..len as u64).map(|i| first + i * step) {
                let kind = self.event.kind(&self.spec, n);
                if self.spec.kind != Kind::All && self.spec.kind != kind {
                    continue;
                }
                self.event.make(&self.spec, n);
                self.row.set(&self.event, self.spec.kind);
                self.columns.push(self.row.slots(), self.row.text(), &[]);
                positions.push(n);
            }
            if then != Then::More || positions.len() == max_rows {
                break then;
            }
        };
        let rows = self.columns.take()?;
        Ok(Chunk {
            rows,
            positions,
            lines: None,
            changes: None,
            bad: Vec::new(),
            then,
        })
    }
}
