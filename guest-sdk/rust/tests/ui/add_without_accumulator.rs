use tidemill::prelude::*;

#[derive(Record)]
struct Row {
    value: i64,
}

#[derive(Config)]
struct Count {}

#[aggregate]
impl Count {
    fn add(&self, row: Row) {}
    fn merge(&self, acc: &mut Row, other: Row) {}
    fn finish(&self, window: Window, acc: &Row) -> Row {
        todo!()
    }
}

fn main() {}
