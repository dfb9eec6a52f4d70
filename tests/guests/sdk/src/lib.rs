//! The functions `folding`, `whole` and `marking` of `plain-guest`, with the SDK. Where `folding` and `marking` fail they have
//! changed two fields first, and a row after such a one fails too, if and only if it sees that.

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

#[derive(Record)]
struct Key<'a> {
    k: &'a str,
}

#[derive(Record)]
struct Seen<'a> {
    k: &'a str,
    seen: String,
    window: String,
}

#[derive(Config)]
struct Whole {
    how: String,
}

#[window]
impl Whole {
    fn apply<'a>(&self, key: Key<'a>, window: Window, rows: &[Row]) -> Result<Seen<'a>, Failure> {
        if rows.iter().any(|row| row.n == BAD) {
            assert!(self.how != "trap", "n is {BAD}");
            if self.how == "fail" {
                return Err(Failure::invalid("thirteen", format!("n is {BAD}")));
            }
        }
        let (start, end) = (window.start.micros(), window.end.micros());
        let (moment, number) = (window.firing as u8, window.firing_number);
        Ok(Seen {
            k: key.k,
            seen: rows.iter().map(|row| format!("{},", row.n)).collect(),
            window: format!("{start}..{end} {moment} {number} {}", window.firing_last),
        })
    }
}

#[derive(Record, Default)]
struct Split {
    largest: i64,
    rows: i64,
}

#[derive(Config)]
struct Marking {
    how: String,
}

#[watermark]
impl Marking {
    fn observe(&self, split: &mut Split, row: Row) -> Result<Option<Timestamp>, Failure> {
        let sees_trace = split.largest >= SPOILED;
        split.rows += 1;
        split.largest = split.largest.max(row.n);
        if sees_trace || row.n == BAD {
            split.largest += SPOILED;
            let code = if sees_trace {
                "saw-a-trace"
            } else {
                "thirteen"
            };
            assert!(self.how != "trap", "{code}");
            return Err(Failure::invalid(code, format!("n is {}", row.n)));
        }
        Ok((row.n % 2 != 0).then_some(Timestamp::from_micros(split.largest)))
    }
}

tidemill::module!(Folding, Whole, Marking);
