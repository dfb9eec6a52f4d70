use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

#[derive(Config)]
struct Large {}

#[transform]
impl Large {
    fn filter(&self, row: Row) -> bool {
        row.value > 0
    }

    fn map(&self, row: Row) -> Row {
        row
    }
}

fn main() {}
