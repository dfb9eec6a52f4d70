//! One event, made from its number.

use std::fmt::Write;

use super::words::{
    CITIES, FIRST_NAMES, HOT_CHANNELS, LAST_NAMES, STATES, extra, pick, price, text,
};
use super::{Kind, NexmarkSpec};
use crate::random::{Random, mix};

/// Of fifty events one is a person, three are auctions, the rest bids.
const PERSONS: u64 = 1;
const AUCTIONS: u64 = 3;
const EVENTS: u64 = 50;

const FIRST_ID: i64 = 1_000;
const FIRST_CATEGORY: i64 = 10;
const CATEGORIES: u64 = 5;
/// Ids may be referred to so far ahead of the last that there is.
const ID_LEAD: u64 = 10;
/// One person or auction in so many is hot.
const HOT_OF: u64 = 100;
/// One event in so many refers to one that is not hot: of auctions by bids, of sellers, of bidders.
const HOT_AUCTIONS: u64 = 2;
const HOT_SELLERS: u64 = 4;
const HOT_BIDDERS: u64 = 4;
const AUCTIONS_IN_FLIGHT: u64 = 100;
const ACTIVE_PERSONS: u64 = 1_000;
const CHANNELS: u64 = 10_000;
/// Usual sizes in bytes.
const PERSON_SIZE: u64 = 200;
const AUCTION_SIZE: u64 = 500;
const BID_SIZE: u64 = 100;

/// An event; the fields of its kind are set, the others hold what was there before.
#[derive(Default)]
pub(super) struct Event {
    pub kind: Option<Kind>,
    pub time: i64,
    pub person: Person,
    pub auction: Auction,
    pub bid: Bid,
    pub extra: String,
}

#[derive(Default)]
pub(super) struct Person {
    pub id: i64,
    pub name: String,
    pub email: String,
    pub credit_card: String,
    pub city: &'static str,
    pub state: &'static str,
}

#[derive(Default)]
pub(super) struct Auction {
    pub id: i64,
    pub item: String,
    pub description: String,
    pub initial_bid: i64,
    pub reserve: i64,
    pub expires: i64,
    pub seller: i64,
    pub category: i64,
}

#[derive(Default)]
pub(super) struct Bid {
    pub auction: i64,
    pub bidder: i64,
    pub price: i64,
    pub channel: String,
    pub url: String,
}

impl Event {
    /// The kind of the event with a number.
    #[inline]
    pub fn kind(&self, spec: &NexmarkSpec, number: u64) -> Kind {
        match shuffled(spec, number) % EVENTS {
            0..PERSONS => Kind::Persons,
            PERSONS..4 => Kind::Auctions,
            _ => Kind::Bids,
        }
    }

    /// Makes the event with a number.
    pub fn make(&mut self, spec: &NexmarkSpec, number: u64) {
        let id = shuffled(spec, number);
        let mut random = Random::of(spec.seed, id);
        self.time = time_of(spec, id);
        self.extra.clear();
        let kind = self.kind(spec, number);
        self.kind = Some(kind);
        match kind {
            Kind::Persons => self.make_person(id, &mut random),
            Kind::Auctions => self.make_auction(spec, id, &mut random),
            _ => self.make_bid(id, &mut random, spec.seed),
        }
    }

    fn make_person(&mut self, id: u64, random: &mut Random) {
        let person = &mut self.person;
        person.id = last_person(id) as i64 + FIRST_ID;
        person.name.clear();
        person.name.push_str(pick(random, &FIRST_NAMES));
        person.name.push(' ');
        person.name.push_str(pick(random, &LAST_NAMES));
        person.email.clear();
        text(random, 7, ' ', &mut person.email);
        person.email.push('@');
        text(random, 5, ' ', &mut person.email);
        person.email.push_str(".com");
        person.credit_card.clear();
        for group in 0..4 {
            let blank = if group == 0 { "" } else { " " };
            write_to(
                &mut person.credit_card,
                format_args!("{blank}{:04}", random.below(10_000)),
            );
        }
        person.city = pick(random, &CITIES);
        person.state = pick(random, &STATES);
        let texts = [
            &person.name[..],
            &person.email,
            &person.credit_card,
            person.city,
            person.state,
        ];
        let size = 8 + texts.iter().map(|text| text.len() as u64).sum::<u64>();
        extra(random, size, PERSON_SIZE, &mut self.extra);
    }

    fn make_auction(&mut self, spec: &NexmarkSpec, id: u64, random: &mut Random) {
        let auction = &mut self.auction;
        auction.id = last_auction(id) as i64 + FIRST_ID;
        let seller = if random.below(HOT_SELLERS) > 0 {
            last_person(id) / HOT_OF * HOT_OF
        } else {
            some_person(id, random)
        };
        auction.seller = seller as i64 + FIRST_ID;
        auction.category = FIRST_CATEGORY + random.below(CATEGORIES) as i64;
        auction.initial_bid = price(random);
        auction.expires = self.time + auction_length(spec, id, random);
        auction.item.clear();
        text(random, 20, ' ', &mut auction.item);
        auction.description.clear();
        text(random, 100, ' ', &mut auction.description);
        auction.reserve = auction.initial_bid + price(random);
        let size = 8 + (auction.item.len() + auction.description.len()) as u64 + 8 * 5;
        extra(random, size, AUCTION_SIZE, &mut self.extra);
    }

    fn make_bid(&mut self, id: u64, random: &mut Random, seed: u64) {
        let bid = &mut self.bid;
        let auction = if random.below(HOT_AUCTIONS) > 0 {
            last_auction(id) / HOT_OF * HOT_OF
        } else {
            some_auction(id, random)
        };
        bid.auction = auction as i64 + FIRST_ID;
        // The second person of a hundred, so that hot bidders and hot sellers are not the same.
        let bidder = if random.below(HOT_BIDDERS) > 0 {
            last_person(id) / HOT_OF * HOT_OF + 1
        } else {
            some_person(id, random)
        };
        bid.bidder = bidder as i64 + FIRST_ID;
        bid.price = price(random);
        bid.make_channel(random, seed);
        extra(random, 32, BID_SIZE, &mut self.extra);
    }
}

impl Bid {
    /// Half of the bids come by one of four channels; a channel's address is always the same.
    fn make_channel(&mut self, random: &mut Random, seed: u64) {
        self.channel.clear();
        self.url.clear();
        let hot = random.below(2) > 0;
        let number = random.below(if hot {
            HOT_CHANNELS.len() as u64
        } else {
            CHANNELS
        });
        let mut own = Random::of(mix(seed ^ u64::from(hot)), number);
        self.url.push_str("https://www.nexmark.com/");
        for _ in 0..3 {
            text(&mut own, 5, '_', &mut self.url);
            self.url.push('/');
        }
        self.url.push_str("item.htm?query=1");
        if hot {
            self.channel.push_str(HOT_CHANNELS[number as usize]);
            return;
        }
        write_to(&mut self.channel, format_args!("channel-{number}"));
        if own.below(10) > 0 {
            let id = (number as u32).reverse_bits() & 0x7FFF_FFFF;
            write_to(&mut self.url, format_args!("&channel_id={id}"));
        }
    }
}

fn write_to(out: &mut String, text: std::fmt::Arguments) {
    out.write_fmt(text)
        .unwrap_or_else(|e| panic!("text could not be formatted: {e}"));
}

/// The number that an event has once groups are shuffled (by a prime that no usual group size
/// shares).
#[inline]
fn shuffled(spec: &NexmarkSpec, number: u64) -> u64 {
    let group = spec.out_of_order_group;
    if group == 1 {
        number
    } else {
        number / group * group + number * 953 % group
    }
}

/// Microseconds, in whole milliseconds.
fn time_of(spec: &NexmarkSpec, id: u64) -> i64 {
    let micros = (id as f64 * (1e6 / spec.events_per_second)) as i64;
    spec.base_time.saturating_add(micros - micros % 1_000)
}

/// The number of the last person made up to an event.
fn last_person(id: u64) -> u64 {
    id / EVENTS * PERSONS + PERSONS - 1
}

/// The number of the last auction made up to an event.
fn last_auction(id: u64) -> u64 {
    let made = (id % EVENTS + 1).saturating_sub(PERSONS).min(AUCTIONS);
    (id / EVENTS * AUCTIONS + made).saturating_sub(1)
}

/// One of the persons that are active, or soon will be.
fn some_person(id: u64, random: &mut Random) -> u64 {
    let persons = last_person(id) + 1;
    let active = persons.min(ACTIVE_PERSONS);
    persons - active + random.below(active + ID_LEAD)
}

/// One of the auctions in flight, or soon to come.
fn some_auction(id: u64, random: &mut Random) -> u64 {
    let last = last_auction(id);
    let first = last.saturating_sub(AUCTIONS_IN_FLIGHT);
    first + random.below(last - first + 1 + ID_LEAD)
}

/// How long an auction goes on, in microseconds: on average as long as it takes for as many as are
/// in flight to begin.
fn auction_length(spec: &NexmarkSpec, id: u64, random: &mut Random) -> i64 {
    let events = AUCTIONS_IN_FLIGHT * EVENTS / AUCTIONS;
    let horizon = (time_of(spec, id + events) - time_of(spec, id)) / 1_000;
    (1 + random.below((horizon * 2).max(1) as u64) as i64) * 1_000
}
