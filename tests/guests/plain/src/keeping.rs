//! A sum per key, which every row gives and every timer doubles. A row of 13 fails, or breaks; what else is wrong is named.

use crate::bindings::exports::tidemill::operator::process::{Due, Held, Kept, Processed, Timed};
use crate::bindings::tidemill::operator::columns::{Batch, Column, Table, Values};
use crate::bindings::tidemill::operator::outcome::{Emitted, Failure, Output, Produced};

const BAD: i64 = 13;
const NONE: u32 = u32::MAX;

/// What a call is making.
struct Making {
    sums: Vec<Option<i64>>,
    touched: Vec<u32>,
    origins: Vec<u32>,
    given: Vec<i64>,
    failures: Vec<Failure>,
    timed: Timed,
}

impl Making {
    fn of(keys: u32, values: &[Held]) -> Self {
        let held = &values[0];
        let entries = match held.entries.columns.first().map(|column| &column.values) {
            Some(Values::Words(words)) => words.clone(),
            _ => Vec::new(),
        };
        let mut entries = entries.into_iter();
        let sums = held.present.iter().map(|&present| match present {
            0 => None,
            _ => entries.next(),
        });
        Self {
            sums: sums.collect(),
            touched: vec![NONE; keys as usize],
            origins: Vec::new(),
            given: Vec::new(),
            failures: Vec::new(),
            timed: Timed {
                rows: Vec::new(),
                names: Vec::new(),
                changes: Vec::new(),
                times: Vec::new(),
            },
        }
    }

    fn put(&mut self, row: usize, key: usize, sum: i64) {
        self.sums[key] = Some(sum);
        self.touched[key] = row as u32;
        self.origins.push(row as u32);
        self.given.push(sum);
    }

    fn processed(self, how: &str) -> Processed {
        let put = |touched: &u32| *touched != NONE;
        let changes = self.touched.iter().map(|touched| u8::from(put(touched)));
        let changed = self.sums.iter().zip(&self.touched);
        let changed = changed.filter(|(_, touched)| put(touched));
        let entries = words(changed.filter_map(|(sum, _)| *sum).collect());
        let mut kept = Kept {
            changes: changes.collect(),
            entries,
            touched: self.touched,
        };
        let mut timed = self.timed;
        wrong(how, &mut kept, &mut timed);
        let columns = vec![Produced::Made(column(self.given))];
        let main = Emitted {
            target: 0,
            origins: self.origins,
            times: None,
            changes: None,
            columns,
        };
        let passed = Emitted {
            target: 1,
            origins: main.origins.clone(),
            times: None,
            changes: None,
            columns: Vec::new(),
        };
        let clean = self.failures.is_empty() || how == "unclean-said-clean";
        Processed {
            output: Output {
                emitted: if how == "pass" {
                    vec![main, passed]
                } else {
                    vec![main]
                },
                failures: self.failures,
            },
            values: if how == "no-values" {
                Vec::new()
            } else {
                vec![kept]
            },
            lists: Vec::new(),
            maps: Vec::new(),
            timers: timed,
            clean,
        }
    }
}

/// What is returned wrongly.
fn wrong(how: &str, kept: &mut Kept, timed: &mut Timed) {
    let mut change = |row: u32, name: u32, change: u8, at: i64| {
        timed.rows.push(row);
        timed.names.push(name);
        timed.changes.push(change);
        timed.times.push(at);
    };
    match how {
        "few-changes" => drop(kept.changes.pop()),
        "change-9" => kept.changes[0] = 9,
        "more-entries" => kept.entries = words(vec![1; kept.changes.len() + 1]),
        "no-touched" => kept.touched.clear(),
        "touched-none" => kept.touched[0] = NONE,
        "touched-beyond" => kept.touched[0] = 10_000,
        "timer-name" => change(0, 1, 0, 5),
        "timer-time" => change(0, 0, 0, i64::MAX),
        "timer-row" => change(10_000, 0, 0, 5),
        "timer-change" => change(0, 0, 3, 5),
        "timer-lengths" => timed.times.push(5),
        _ => {}
    }
}

pub fn on_rows(how: &str, keys: u32, rows: &Batch, groups: &[u32], values: &[Held]) -> Processed {
    let Values::Words(n) = &rows.columns[0].values else {
        unreachable!()
    };
    let mut making = Making::of(keys, values);
    for (row, (&n, &key)) in n.iter().zip(groups).enumerate() {
        let key = key as usize;
        let sum = making.sums[key].unwrap_or_default() + n;
        if n == BAD && how == "trap" {
            panic!("n is {BAD}");
        }
        if n == BAD && how.starts_with("unclean") {
            // The trace that it leaves: all that comes behind it sees a sum that is wrong.
            making.sums[key] = Some(1_000_000);
            making.touched[key] = row as u32;
            if how == "unclean-said-clean" {
                making.timed.rows.push(row as u32);
                making.timed.names.push(0);
                making.timed.changes.push(0);
                making.timed.times.push(5);
            }
            making.failures.push(failure(row));
            continue;
        }
        making.put(row, key, sum);
    }
    making.processed(how)
}

pub fn on_timers(how: &str, due: &Due, values: &[Held]) -> Processed {
    let mut making = Making::of(due.names.len() as u32, values);
    for (timer, &at) in due.times.iter().enumerate() {
        if at == BAD && how == "trap" {
            panic!("the time is {BAD}");
        }
        let sum = 2 * making.sums[timer].unwrap_or_default();
        making.put(timer, timer, sum);
    }
    making.processed(how)
}

fn failure(row: usize) -> Failure {
    Failure {
        row: row as u32,
        severity: 0,
        code: "thirteen".into(),
        message: format!("n is {BAD}"),
    }
}

fn column(words: Vec<i64>) -> Column {
    Column {
        values: Values::Words(words),
        valid: None,
    }
}

fn words(words: Vec<i64>) -> Table {
    Table {
        rows: words.len() as u32,
        columns: vec![column(words)],
    }
}
