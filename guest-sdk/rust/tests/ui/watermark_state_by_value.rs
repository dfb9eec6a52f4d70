use tidemill::prelude::*;

#[derive(Record)]
struct Reading<'a> {
    kind: &'a str,
    #[record(event_time)]
    at: Timestamp,
}

#[derive(Record, Default)]
struct Seen {
    largest: Timestamp,
}

#[derive(Record)]
struct Borrowed<'a> {
    kind: &'a str,
}

#[derive(Config)]
struct Tolerant {}

#[watermark]
impl Tolerant {
    fn observe(&self, seen: Seen, reading: Reading) -> Timestamp {
        seen.largest.max(reading.at)
    }
}

fn main() {}
