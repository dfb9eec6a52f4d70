use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

#[derive(Config)]
struct Double {}

#[transform]
impl Double {
    fn map(&self, row: Row) -> i64 {
        row.value * 2
    }
}

fn main() {}
