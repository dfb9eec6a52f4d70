use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

#[derive(Config)]
struct Split {}

#[transform]
impl Split {
    fn flat_map(&self, row: Row) -> Vec<Row> {
        vec![row]
    }
}

fn main() {}
