//! The functions of the bench: run as a module in the sandbox, and compiled into the bench for the ratio between them.

use tidemill::prelude::*;

/// Six columns: three numbers, two texts, a time.
#[derive(Record)]
pub struct Wide<'a> {
    pub id: i64,
    pub quantity: i64,
    pub amount: f64,
    pub account: &'a str,
    pub city: &'a str,
    pub at: Timestamp,
}

impl Wide<'_> {
    /// All numbers, the time, and the length and first byte of each text.
    fn sum(&self) -> f64 {
        let first = |text: &str| i64::from(text.as_bytes().first().copied().unwrap_or(0));
        let text = |value: &str| value.len() as i64 + first(value);
        let whole = self
            .id
            .wrapping_add(self.quantity)
            .wrapping_add(self.at.micros());
        whole
            .wrapping_add(text(self.account))
            .wrapping_add(text(self.city)) as f64
            + self.amount
    }
}

/// Reads every field. No sum is `never`, which a compiler cannot know, so no row comes out.
#[derive(Config)]
pub struct ReadAll {
    #[config(default = 0.5)]
    pub never: f64,
}

#[transform]
impl ReadAll {
    fn filter(&self, row: Wide) -> bool {
        row.sum() == self.never
    }
}

/// Reads every field, and makes every second row again with all of its columns.
#[derive(Config)]
pub struct HalfOut {
    #[config(default = 0.5)]
    pub never: f64,
}

#[transform]
impl HalfOut {
    fn map<'a>(&self, row: Wide<'a>) -> Option<Wide<'a>> {
        (row.sum() != self.never && row.id & 1 == 0).then_some(row)
    }
}

/// What the filter looks at.
#[derive(Record)]
pub struct Bid {
    pub auction: i64,
}

/// Bids on every so many-th auction.
#[derive(Config)]
pub struct EveryNth {
    #[config(default = 123)]
    pub n: i64,
}

#[transform]
impl EveryNth {
    fn filter(&self, bid: Bid) -> bool {
        bid.auction % self.n == 0
    }
}

/// What the filter that fails looks at.
#[derive(Record)]
pub struct Priced {
    pub auction: i64,
    pub price: i64,
}

/// As `EveryNth`, but that it fails bids with a price of -1, and panics at one of -2.
#[derive(Config)]
pub struct Picky {
    #[config(default = 123)]
    pub n: i64,
}

#[transform]
impl Picky {
    fn filter(&self, bid: Priced) -> Result<bool, Failure> {
        match bid.price {
            -1 => Err(Failure::invalid("no-price", "a price of -1")),
            -2 => panic!("a price of -2"),
            _ => Ok(bid.auction % self.n == 0),
        }
    }
}

/// A row of which nothing is read.
#[derive(Record)]
pub struct Nothing {}

/// How many rows there were.
#[derive(Record, Default, Clone)]
pub struct Counted {
    pub rows: i64,
}

/// Counts rows.
#[derive(Config)]
pub struct Count {}

#[aggregate]
impl Count {
    fn add(&self, counted: &mut Counted, _row: Nothing) {
        counted.rows += 1;
    }

    fn merge(&self, counted: &mut Counted, other: Counted) {
        counted.rows += other.rows;
    }

    fn finish(&self, _window: Window, counted: &Counted) -> Counted {
        counted.clone()
    }
}

/// Passes every bid on, but never comes back from one of this auction.
#[derive(Config)]
pub struct LoopsAt {
    #[config(default = 13)]
    pub auction: i64,
}

#[transform]
impl LoopsAt {
    fn filter(&self, bid: Bid) -> bool {
        if bid.auction == self.auction {
            loop {
                std::hint::spin_loop();
            }
        }
        true
    }
}

/// A row with a whole number.
#[derive(Record)]
pub struct Whole {
    pub value: i64,
}

/// A sum of whole numbers.
#[derive(Record, Default, Clone)]
pub struct Summed {
    pub sum: i64,
}

/// Adds up whole numbers.
#[derive(Config)]
pub struct Sum {}

#[aggregate(combinable)]
impl Sum {
    fn add(&self, summed: &mut Summed, row: Whole) {
        summed.sum = summed.sum.wrapping_add(row.value);
    }

    fn merge(&self, summed: &mut Summed, other: Summed) {
        summed.sum = summed.sum.wrapping_add(other.sum);
    }

    fn finish(&self, _window: Window, summed: &Summed) -> Summed {
        summed.clone()
    }
}

/// A row with a part of a whole.
#[derive(Record)]
pub struct Part {
    pub value: f64,
}

/// What came of the rows of a key so far.
#[derive(Record, Clone, Default)]
pub struct SoFar {
    pub rows: i64,
    pub total: f64,
}

#[derive(State)]
pub struct Running {
    so_far: Value<SoFar>,
}

/// Adds up the rows of each key for ever, and says every tenth time how far it has come.
#[derive(Config)]
pub struct EveryTenth {}

#[process]
impl EveryTenth {
    fn on_row(&self, part: Part, running: &mut Running, out: &mut Output<SoFar>) {
        running.so_far.change(|so_far| {
            so_far.rows += 1;
            so_far.total += part.value;
        });
        if let Some(so_far) = running.so_far.get()
            && so_far.rows % 10 == 0
        {
            out.push(so_far.clone());
        }
    }
}

/// What is known of a key: a hundred bytes or so.
#[derive(Record, Clone, Default)]
pub struct Known {
    pub rows: i64,
    pub total: f64,
    pub least: f64,
    pub most: f64,
    pub last: f64,
    pub before_last: f64,
    pub squares: f64,
    pub mean: f64,
    pub rises: i64,
    pub falls: i64,
    pub asked: i64,
}

#[derive(State)]
pub struct Profile {
    known: Value<Known>,
}

/// Learns about each key from its values, and says what it knows when it is asked: by a value below zero.
#[derive(Config)]
pub struct Learn {}

#[process]
impl Learn {
    fn on_row(&self, part: Part, profile: &mut Profile, out: &mut Output<Known>) {
        let asked = part.value < 0.0;
        profile.known.change(|known| match asked {
            true => known.asked += 1,
            false => known.learn(part.value),
        });
        if asked && let Some(known) = profile.known.get() {
            out.push(known.clone());
        }
    }
}

impl Known {
    fn learn(&mut self, value: f64) {
        self.rises += i64::from(value > self.last);
        self.falls += i64::from(value < self.last);
        self.rows += 1;
        self.total += value;
        self.squares += value * value;
        self.least = self.least.min(value);
        self.most = self.most.max(value);
        self.mean = self.total / self.rows as f64;
        (self.before_last, self.last) = (self.last, value);
    }
}

tidemill::module!(
    ReadAll, HalfOut, EveryNth, Picky, Count, LoopsAt, Sum, EveryTenth, Learn
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_counts() {
        let at = Timestamp::from_micros(1_000);
        let row = Wide {
            id: 1,
            quantity: 2,
            amount: 0.25,
            account: "a",
            city: "",
            at,
        };
        assert_eq!(
            row.sum(),
            1.0 + 2.0 + 1_000.0 + 1.0 + f64::from(b'a') + 0.25
        );
        assert!(HalfOut { never: 0.5 }.map(row).is_none());
    }
}
