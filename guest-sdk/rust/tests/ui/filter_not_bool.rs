use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

#[derive(Config)]
struct Large {}

#[transform]
impl Large {
    fn filter(&self, row: Row) -> i64 {
        row.value
    }
}

#[derive(Config)]
struct Small {}

#[transform]
impl Small {
    fn filter(&self, row: Row) {}
}

fn main() {}
