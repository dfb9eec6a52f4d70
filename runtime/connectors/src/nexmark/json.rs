//! Events as JSON lines, nested as the Nexmark generator for Flink writes them: for benchmarks of
//! reading JSON.

use std::io::{self, Write};

use tidemill_rows::{json, time_text};

use super::event::{Auction, Bid, Event, Person};
use super::{Kind, NexmarkSpec};

/// Writes the events of a specification, in the order of their numbers, as JSON lines; how many
/// there were.
///
/// Only those of the kind asked for are written, each as
/// `{"event_type":2,"person":null,"auction":null,"bid":{"auction":1000,…,"date_time":"2015-07-15
/// 00:00:00.000",…}}`.
///
/// # Errors
/// If they cannot be written.
///
/// # Panics
/// If the specification has no number of events.
pub fn write_json_lines(spec: &NexmarkSpec, out: &mut impl Write) -> io::Result<u64> {
    let events = spec
        .events
        .unwrap_or_else(|| panic!("a file of endless events"));
    let mut event = Event::default();
    let mut line = Vec::new();
    let mut written = 0;
    for n in 0..events {
        if spec.kind != Kind::All && spec.kind != event.kind(spec, n) {
            continue;
        }
        event.make(spec, n);
        line.clear();
        write_event(&event, &mut line);
        out.write_all(&line)?;
        written += 1;
    }
    Ok(written)
}

fn write_event(event: &Event, out: &mut Vec<u8>) {
    let time = event.time;
    match event.kind {
        Some(Kind::Persons) => {
            out.extend(b"{\"event_type\":0,\"person\":");
            write_person(&event.person, time, &event.extra, out);
            out.extend(b",\"auction\":null,\"bid\":null}\n");
        }
        Some(Kind::Auctions) => {
            out.extend(b"{\"event_type\":1,\"person\":null,\"auction\":");
            write_auction(&event.auction, time, &event.extra, out);
            out.extend(b",\"bid\":null}\n");
        }
        _ => {
            out.extend(b"{\"event_type\":2,\"person\":null,\"auction\":null,\"bid\":");
            write_bid(&event.bid, time, &event.extra, out);
            out.extend(b"}\n");
        }
    }
}

fn write_person(person: &Person, time: i64, extra: &str, out: &mut Vec<u8>) {
    integer(b'{', "id", person.id, out);
    text("name", &person.name, out);
    text("email_address", &person.email, out);
    text("credit_card", &person.credit_card, out);
    text("city", person.city, out);
    text("state", person.state, out);
    write_time("date_time", time, out);
    text("extra", extra, out);
    out.push(b'}');
}

fn write_auction(auction: &Auction, time: i64, extra: &str, out: &mut Vec<u8>) {
    integer(b'{', "id", auction.id, out);
    text("item_name", &auction.item, out);
    text("description", &auction.description, out);
    integer(b',', "initial_bid", auction.initial_bid, out);
    integer(b',', "reserve", auction.reserve, out);
    write_time("date_time", time, out);
    write_time("expires", auction.expires, out);
    integer(b',', "seller", auction.seller, out);
    integer(b',', "category", auction.category, out);
    text("extra", extra, out);
    out.push(b'}');
}

fn write_bid(bid: &Bid, time: i64, extra: &str, out: &mut Vec<u8>) {
    integer(b'{', "auction", bid.auction, out);
    integer(b',', "bidder", bid.bidder, out);
    integer(b',', "price", bid.price, out);
    text("channel", &bid.channel, out);
    text("url", &bid.url, out);
    write_time("date_time", time, out);
    text("extra", extra, out);
    out.push(b'}');
}

fn key(before: u8, name: &str, out: &mut Vec<u8>) {
    out.push(before);
    json::write_text(name, out);
    out.push(b':');
}

fn integer(before: u8, name: &str, value: i64, out: &mut Vec<u8>) {
    key(before, name, out);
    json::write_integer(value, out);
}

fn text(name: &str, value: &str, out: &mut Vec<u8>) {
    key(b',', name, out);
    json::write_text(value, out);
}

fn write_time(name: &str, time: i64, out: &mut Vec<u8>) {
    key(b',', name, out);
    out.push(b'"');
    time_text::write_sql(time, out);
    out.push(b'"');
}
