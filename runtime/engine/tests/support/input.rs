//! Made-up input: rows far out of order, few keys and many, null and empty keys, ties and duplicates.

use std::fmt::Write;

use super::Bench;

/// The columns of the made-up rows, for a pipeline file.
pub const COLUMNS: &str = r#"
[sources.rows.columns]
key = "text?"
id = "integer"
value = "integer"
real = "float"
bad = "bool"
line = "text"
at = { type = "time", format = "epoch-us" }
"#;

/// A made-up row. `at` in microseconds.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    pub key: Option<String>,
    pub id: i64,
    pub value: i64,
    pub real: f64,
    pub bad: bool,
    pub line: &'static str,
    pub at: i64,
}

impl Row {
    /// A row that stands for itself; its value is its time.
    pub fn new(key: &str, at: i64) -> Self {
        Self {
            key: Some(key.to_owned()),
            id: 0,
            value: at,
            real: 0.5,
            bad: false,
            line: "a b",
            at,
        }
    }

    pub fn bad(self) -> Self {
        Self { bad: true, ..self }
    }

    pub fn json(&self) -> String {
        let key = serde_json::Value::from(self.key.clone());
        let Self {
            id,
            value,
            real,
            bad,
            line,
            at,
            ..
        } = self;
        format!(
            r#"{{"key":{key},"id":{id},"value":{value},"real":{real},"bad":{bad},"line":"{line}","at":{at}}}"#
        )
    }
}

/// Rows as JSON lines.
pub fn lines(rows: &[Row]) -> String {
    rows.iter().fold(String::new(), |mut text, row| {
        writeln!(text, "{}", row.json()).expect("a string takes all");
        text
    })
}

/// Writes each split as a file `in-<n>.jsonl`.
pub fn write(bench: &Bench, splits: &[Vec<Row>]) {
    for (n, rows) in splits.iter().enumerate() {
        bench.write(&format!("in-{n}.jsonl"), &lines(rows));
    }
}

/// What input looks like.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub seed: u64,
    /// Rows of all splits together.
    pub rows: usize,
    pub splits: usize,
    pub keys: u64,
    /// The time of the first row.
    pub from: i64,
    /// How much later each row is, on average.
    pub step: i64,
    /// How far a row may lie off its place.
    pub disorder: i64,
    /// One in so many rows is marked as bad; none if 0.
    pub bad: u64,
}

/// Randomness that a seed decides (splitmix64).
pub struct Random(pub u64);

impl Random {
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn around(&mut self, far: i64) -> i64 {
        self.below(2 * far as u64 + 1) as i64 - far
    }
}

impl Shape {
    /// The shape with its seed moved on by the environment's `TIDEMILL_SEED`, to try others than those that every run tries.
    pub fn of_this_run(self) -> Self {
        let more = std::env::var("TIDEMILL_SEED").map_or(0, |seed| seed.parse().expect("a number"));
        Self {
            seed: self.seed + more,
            ..self
        }
    }

    /// The splits. Their clocks drift apart, and one of several may be empty.
    pub fn make(&self) -> Vec<Vec<Row>> {
        let mut random = Random(self.seed);
        let mut splits = vec![Vec::new(); self.splits];
        let mut clocks = vec![self.from; self.splits];
        for n in 0..self.rows {
            let split = random.below(self.splits as u64) as usize;
            // Times stand still now and then, and now and then make a leap over several windows.
            clocks[split] += match random.below(40) {
                0 => self.step * 60,
                1..10 => 0,
                _ => random.below(2 * self.step as u64) as i64,
            };
            let duplicate = splits[split].last().filter(|_| random.below(12) == 0);
            let row = match duplicate.cloned() {
                Some(row) => row,
                None => self.row(n, clocks[split], &mut random),
            };
            splits[split].push(row);
        }
        splits
    }

    fn row(&self, n: usize, clock: i64, random: &mut Random) -> Row {
        let off = match random.below(6) {
            0 => random.around(self.disorder),
            1 | 2 => random.around(self.disorder / 20),
            _ => 0,
        };
        let key = match random.below(self.keys + 2) {
            0 => None,
            1 => Some(String::new()),
            key => Some(format!("k{key}")),
        };
        Row {
            key,
            id: random.below(5) as i64,
            value: n as i64 + 1,
            real: 1.0 / (random.below(1 << 20) as f64 + 3.0) * 10f64.powi(random.below(9) as i32),
            bad: self.bad > 0 && random.below(self.bad) == 0,
            line: ["a b", "b a c", "", "a a", "c"][random.below(5) as usize],
            // Times end in zeros, so that some meet bounds and each other.
            at: (clock + off).div_euclid(10) * 10,
        }
    }
}
