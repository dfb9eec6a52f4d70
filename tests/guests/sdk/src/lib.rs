//! The function `folding` of `plain-guest`, with the SDK: where it fails it has changed two fields first, and a row after
//! such a one fails too, if and only if it sees that.

use tidemill::prelude::*;

const BAD: i64 = 13;
/// What a failing row leaves behind in the sum.
const SPOILED: i64 = 1_000_000_000;

#[derive(Record)]
struct Row {
    n: i64,
}

#[derive(Record, Default, Clone)]
struct Acc {
    sum: i64,
    count: i64,
    seen: String,
}

#[derive(Config)]
struct Folding {
    how: String,
}

#[aggregate]
impl Folding {
    fn add(&self, acc: &mut Acc, row: Row) -> Result<(), Failure> {
        if acc.sum >= SPOILED {
            assert!(self.how != "trap", "saw what a failed row left");
            return Err(Failure::invalid(
                "saw-a-trace",
                "a row before left something",
            ));
        }
        acc.count += 1;
        acc.sum += row.n;
        if row.n == BAD {
            acc.sum += SPOILED;
            assert!(self.how != "trap", "n is {BAD}");
            return Err(Failure::invalid("thirteen", format!("n is {BAD}")));
        }
        acc.seen.push_str(&format!("{},", row.n));
        Ok(())
    }

    fn merge(&self, acc: &mut Acc, other: Acc) {
        acc.sum += other.sum;
        acc.count += other.count;
        acc.seen.push_str(&other.seen);
    }

    fn finish(&self, _window: Window, acc: &Acc) -> Acc {
        acc.clone()
    }
}

tidemill::module!(Folding);
