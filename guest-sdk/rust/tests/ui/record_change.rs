use tidemill::prelude::*;

#[derive(Record)]
struct WrongType {
    #[record(change)]
    does: i64,
}

#[derive(Record)]
struct Twice {
    #[record(change)]
    first: Change,
    #[record(change)]
    second: Change,
}

#[derive(Record)]
struct Both {
    #[record(change, event_time)]
    at: Timestamp,
}

#[derive(Record)]
struct Unmarked {
    does: Change,
}

fn main() {}
