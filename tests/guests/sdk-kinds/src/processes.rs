//! Process functions.

use tidemill::prelude::*;

/// A row of the tests' input.
#[derive(Record)]
pub struct Row {
    pub id: i64,
    pub value: i64,
    pub bad: bool,
    #[record(event_time)]
    pub at: Timestamp,
}

/// What a row or a timer has done, and what stood there.
#[derive(Record)]
pub struct Done {
    pub what: String,
    pub rows: i64,
    pub last: Option<Timestamp>,
}

#[derive(State)]
pub struct Kept {
    seen: Value<Seen>,
    #[state(ttl = "2ms")]
    lately: Value<i64>,
    #[state(ttl = "900us", read)]
    read: Value<Timestamp>,
}

#[derive(Record, Clone, Default)]
pub struct Seen {
    rows: i64,
    last: Timestamp,
}

#[derive(Timers)]
pub struct Timers {
    silent: Timer,
    again: Timer,
}

/// Sets, moves and deletes timers as a row's value says; every row and every timer says what it has found.
#[derive(Config)]
pub struct Busy {
    /// How far ahead timers are set, in microseconds.
    pub ahead: i64,
    /// How bad rows and some timers fail, after they have changed all that they can: `no`, `return`, `trap`, `deadline`
    /// or `memory`.
    pub breaking: String,
}

#[process]
impl Busy {
    fn on_row(
        &self,
        row: Row,
        kept: &mut Kept,
        timers: &mut Timers,
        out: &mut Output<Done>,
    ) -> Result<(), Failure> {
        let far = self.ahead + row.value.rem_euclid(7) * self.ahead / 3;
        match row.value.rem_euclid(11) {
            0 => timers.silent.clear(),
            1 => timers.again.set(row.at.plus_micros(-far)),
            2 => timers.again.set(row.at),
            3 => timers.silent.set(row.at.plus_micros(far)),
            4 => timers.again.delete(row.at.plus_micros(far)),
            _ => timers.silent.move_to(row.at.plus_micros(far)),
        }
        if row.value.rem_euclid(13) == 0 {
            kept.lately.delete();
        }
        if row.value.rem_euclid(3) == 0 {
            kept.lately.set(row.id);
        }
        if row.value.rem_euclid(5) == 0 {
            kept.read.set(row.at);
        }
        kept.say("row", out);
        kept.seen.change(|seen| {
            seen.rows += 1;
            seen.last = row.at;
        });
        broken(row.bad, &self.breaking)
    }

    fn on_timer(
        &self,
        fired: Fired,
        kept: &mut Kept,
        timers: &mut Timers,
        out: &mut Output<Done>,
    ) -> Result<(), Failure> {
        kept.say(fired.name(), out);
        let rows = kept.seen.get().map_or(0, |seen| seen.rows);
        if fired.name() == "again" && rows % 3 == 0 {
            kept.seen.delete();
        }
        if fired.name() == "silent" && rows % 4 == 1 {
            // Due already, once more ahead, and once at the same time.
            timers.again.set(fired.time().plus_micros(-1));
            timers
                .silent
                .set(fired.time().plus_micros(self.ahead / 2 + 1));
            kept.seen.change(|seen| seen.rows += 1);
        }
        let one_in = match self.breaking.as_str() {
            "deadline" | "memory" => 89,
            _ => 9,
        };
        broken(rows % one_in == one_in - 1, &self.breaking)
    }
}

/// Fails as it is told; on the machine of a test always by its return value.
fn broken(bad: bool, how: &str) -> Result<(), Failure> {
    match how {
        "no" => return Ok(()),
        _ if !bad => return Ok(()),
        _ if cfg!(not(target_arch = "wasm32")) => {}
        "trap" => panic!("a bad row"),
        "deadline" => {
            let mut n = 0u64;
            while std::hint::black_box(n) < u64::MAX {
                n += 1;
            }
        }
        "memory" => {
            let mut all = Vec::new();
            loop {
                all.push(std::hint::black_box(vec![1u8; 1 << 20]));
            }
        }
        _ => {}
    }
    Err(Failure::invalid("bad", "a bad row or timer"))
}

/// What stays of a key until a row or timer deletes it.
#[derive(State)]
pub struct Standing {
    seen: Value<Seen>,
    sum: Value<i64>,
}

#[derive(Timers)]
pub struct Once {
    once: Timer,
}

/// Keeps values for ever; each row and timer says what it has found.
#[derive(Config)]
pub struct Lasting {
    /// As for `Busy`.
    pub breaking: String,
}

#[process]
impl Lasting {
    fn on_row(
        &self,
        row: Row,
        standing: &mut Standing,
        timers: &mut Once,
        out: &mut Output<Done>,
    ) -> Result<(), Failure> {
        standing.say("row", out);
        if row.value % 5 == 0 {
            standing.seen.delete();
        } else {
            standing.seen.change(|seen| {
                seen.rows += 1;
                seen.last = row.at;
            });
        }
        if row.value % 3 == 0 {
            let sum = standing.sum.get().copied().unwrap_or_default();
            standing.sum.set(sum + row.id);
        }
        if row.value % 7 == 0 {
            timers.once.move_to(row.at.plus_micros(400));
        }
        broken(row.bad, &self.breaking)
    }

    fn on_timer(
        &self,
        fired: Fired,
        standing: &mut Standing,
        _timers: &mut Once,
        out: &mut Output<Done>,
    ) -> Result<(), Failure> {
        standing.say(fired.name(), out);
        standing.sum.delete();
        Ok(())
    }
}

impl Standing {
    fn say(&self, what: &str, out: &mut Output<Done>) {
        let seen = self.seen.get();
        out.push(Done {
            what: format!("{what} {:?}", self.sum.get()),
            rows: seen.map_or(-1, |seen| seen.rows),
            last: seen.map(|seen| seen.last),
        });
    }
}

/// What is known of values that rows have had: in a list, and in a map of how often each.
#[derive(State)]
pub struct Known {
    #[state(most = 7)]
    values: List<i64>,
    #[state(ttl = "1500us")]
    lately: List<Timestamp>,
    counts: Map<i64, Seen>,
    #[state(ttl = "800us")]
    words: Map<Word, i64>,
}

#[derive(Record, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Word {
    word: String,
    odd: bool,
}

/// Keeps lists and maps; each row says what it has found.
#[derive(Config)]
pub struct Keeping {
    /// As for `Busy`.
    pub breaking: String,
}

#[process]
impl Keeping {
    fn on_row(&self, row: Row, known: &mut Known, out: &mut Output<Done>) -> Result<(), Failure> {
        known.say(out);
        let word = |value: i64| Word {
            word: ["ebb", "flood", ""][value.rem_euclid(3) as usize].to_owned(),
            odd: value % 2 != 0,
        };
        match row.value.rem_euclid(17) {
            0 => known.values.clear(),
            1 => known.counts.clear(),
            2 => known.words.clear(),
            3..6 => known.counts.delete(&row.id),
            6 => known.words.delete(&word(row.id)),
            _ => {}
        }
        known.values.push(row.value);
        if row.value % 4 == 0 {
            known.lately.push(row.at);
        }
        let mut seen = known.counts.get(&row.id).unwrap_or_default();
        seen.rows += 1;
        seen.last = row.at;
        known.counts.set(row.id, seen);
        if row.value % 3 == 0 {
            known.words.set(word(row.value), row.id);
        }
        known.say(out);
        broken(row.bad, &self.breaking)
    }
}

impl Known {
    fn say(&self, out: &mut Output<Done>) {
        let counts = self.counts.entries();
        let counts: Vec<(i64, i64)> = counts.iter().map(|(id, seen)| (*id, seen.rows)).collect();
        let words = self.words.entries();
        let words: Vec<(&str, bool, i64)> = words
            .iter()
            .map(|(word, id)| (word.word.as_str(), word.odd, *id))
            .collect();
        let lately: Vec<i64> = self.lately.all().iter().map(|at| at.micros()).collect();
        let (values, newest) = (self.values.all(), self.values.newest(2));
        out.push(Done {
            what: format!("{values:?} {newest:?} {lately:?} {counts:?} {words:?}"),
            rows: self.values.len() as i64,
            last: self.lately.newest(1).pop(),
        });
    }
}

impl Kept {
    fn say(&self, what: &str, out: &mut Output<Done>) {
        let seen = self.seen.get();
        let lately = self.lately.get();
        let read = self.read.get().map(|at| at.micros());
        out.push(Done {
            what: format!("{what} {lately:?} {read:?}"),
            rows: seen.map_or(-1, |seen| seen.rows),
            last: seen.map(|seen| seen.last),
        });
    }
}
