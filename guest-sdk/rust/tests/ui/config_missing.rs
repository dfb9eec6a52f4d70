use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

struct Large {
    at_least: i64,
}

#[transform]
impl Large {
    fn filter(&self, row: Row) -> bool {
        row.value >= self.at_least
    }
}

fn main() {}
