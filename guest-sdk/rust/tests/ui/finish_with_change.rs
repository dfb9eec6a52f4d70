use tidemill::prelude::*;

#[derive(Record, Default, Clone)]
struct Count {
    rows: i64,
}

#[derive(Record)]
struct Any {
    #[record(change)]
    does: Change,
}

#[derive(Record)]
struct Total {
    rows: i64,
    #[record(change)]
    does: Change,
}

#[derive(Config)]
struct Counting {}

#[aggregate]
impl Counting {
    fn add(&self, count: &mut Count, _row: Any) {
        count.rows += 1;
    }

    fn merge(&self, count: &mut Count, other: Count) {
        count.rows += other.rows;
    }

    fn finish(&self, _window: Window, count: &Count) -> Total {
        let rows = count.rows;
        Total { rows, does: Change::Insert }
    }
}

fn main() {}
