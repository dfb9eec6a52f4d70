//! Events as rows of columns.

use tidemill_rows::LogicalType;

use super::Kind;
use super::event::{Auction, Bid, Event, Person};
use crate::columns::Slot;

const PERSON: [(&str, LogicalType); 6] = [
    ("id", LogicalType::Integer),
    ("name", LogicalType::Text),
    ("email", LogicalType::Text),
    ("credit_card", LogicalType::Text),
    ("city", LogicalType::Text),
    ("state", LogicalType::Text),
];
const AUCTION: [(&str, LogicalType); 8] = [
    ("id", LogicalType::Integer),
    ("item", LogicalType::Text),
    ("description", LogicalType::Text),
    ("initial_bid", LogicalType::Integer),
    ("reserve", LogicalType::Integer),
    ("expires", LogicalType::Time),
    ("seller", LogicalType::Integer),
    ("category", LogicalType::Integer),
];
const BID: [(&str, LogicalType); 5] = [
    ("auction", LogicalType::Integer),
    ("bidder", LogicalType::Integer),
    ("price", LogicalType::Integer),
    ("channel", LogicalType::Text),
    ("url", LogicalType::Text),
];

/// The columns of a kind: name, type, whether null.
pub(super) fn of(kind: Kind) -> Vec<(String, LogicalType, bool)> {
    let own: &[(&str, LogicalType)] = match kind {
        Kind::Persons => &PERSON,
        Kind::Auctions => &AUCTION,
        Kind::Bids => &BID,
        Kind::All => &[],
    };
    let mut columns: Vec<_> = own
        .iter()
        .map(|(name, ty)| ((*name).to_owned(), *ty, false))
        .collect();
    if kind == Kind::All {
        columns.push(("event_type".to_owned(), LogicalType::Integer, false));
    }
    columns.push(("time".to_owned(), LogicalType::Time, false));
    if kind == Kind::All {
        for (prefix, own) in [
            ("person", &PERSON[..]),
            ("auction", &AUCTION),
            ("bid", &BID),
        ] {
            columns.extend(
                own.iter()
                    .map(|(name, ty)| (format!("{prefix}_{name}"), *ty, true)),
            );
        }
    }
    columns.push(("extra".to_owned(), LogicalType::Text, false));
    columns
}

/// The slots of one event, and their text.
#[derive(Default)]
pub(super) struct Row {
    slots: Vec<Slot>,
    text: Vec<u8>,
}

impl Row {
    /// One per column.
    pub fn slots(&self) -> &[Slot] {
        &self.slots
    }

    /// What slots in the row mean.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Takes the values of an event.
    pub fn set(&mut self, event: &Event, kind: Kind) {
        self.slots.clear();
        self.text.clear();
        let made = event.kind;
        if kind == Kind::All {
            self.word(match made {
                Some(Kind::Persons) => 0,
                Some(Kind::Auctions) => 1,
                _ => 2,
            });
            self.word(event.time);
            let is = |kind| made == Some(kind);
            self.own(is(Kind::Persons), PERSON.len(), |row| {
                row.person(&event.person)
            });
            self.own(is(Kind::Auctions), AUCTION.len(), |row| {
                row.auction(&event.auction)
            });
            self.own(is(Kind::Bids), BID.len(), |row| row.bid(&event.bid));
        } else {
            match kind {
                Kind::Persons => self.person(&event.person),
                Kind::Auctions => self.auction(&event.auction),
                _ => self.bid(&event.bid),
            }
            self.word(event.time);
        }
        self.put(&event.extra);
    }

    /// The columns of one kind, all null if the event is of another.
    fn own(&mut self, is: bool, columns: usize, set: impl FnOnce(&mut Self)) {
        if is {
            set(self);
        } else {
            self.slots.extend(std::iter::repeat_n(Slot::Null, columns));
        }
    }

    fn person(&mut self, person: &Person) {
        self.word(person.id);
        let texts = [
            &person.name[..],
            &person.email,
            &person.credit_card,
            person.city,
            person.state,
        ];
        texts.into_iter().for_each(|text| self.put(text));
    }

    fn auction(&mut self, auction: &Auction) {
        self.word(auction.id);
        self.put(&auction.item);
        self.put(&auction.description);
        let Auction {
            initial_bid,
            reserve,
            expires,
            seller,
            category,
            ..
        } = *auction;
        [initial_bid, reserve, expires, seller, category]
            .into_iter()
            .for_each(|w| self.word(w));
    }

    fn bid(&mut self, bid: &Bid) {
        [bid.auction, bid.bidder, bid.price]
            .into_iter()
            .for_each(|word| self.word(word));
        self.put(&bid.channel);
        self.put(&bid.url);
    }

    fn word(&mut self, word: i64) {
        self.slots.push(Slot::Word(word as u64));
    }

    fn put(&mut self, text: &str) {
        let (start, len) = (self.text.len() as u32, text.len() as u32);
        self.text.extend_from_slice(text.as_bytes());
        self.slots.push(Slot::InRow { start, len });
    }
}
