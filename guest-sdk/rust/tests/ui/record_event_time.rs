use tidemill::prelude::*;

#[derive(Record)]
struct Payment {
    #[record(event_time)]
    at: i64,
}

#[derive(Record)]
struct Twice {
    #[record(event_time)]
    at: Timestamp,
    #[record(event_time)]
    paid_at: Timestamp,
}

fn main() {}
