//! An aggregate that keeps a sum, a count, and what it saw as text. Where it fails it has changed two fields first, and a
//! row after such a one fails too, if and only if it sees that.

use crate::bindings::exports::tidemill::operator::aggregate::Accumulated;
use crate::bindings::tidemill::operator::columns::{Arena, Batch, Column, Table, Values};
use crate::bindings::tidemill::operator::outcome::{Emitted, Failure, Firings, Output, Produced};

const BAD: i64 = 13;
/// What a failing row leaves behind in the sum.
const SPOILED: i64 = 1_000_000_000;

struct Acc {
    sum: i64,
    count: i64,
    seen: String,
}

pub fn create(how: &str) -> Table {
    if how == "create-trap" {
        panic!("no accumulator today");
    }
    let rows = if how == "create-two" { 2 } else { 1 };
    let accs: Vec<Acc> = (0..rows)
        .map(|_| Acc {
            sum: 0,
            count: 0,
            seen: String::new(),
        })
        .collect();
    table(&accs)
}

pub fn accumulate(
    how: &str,
    rows: &Batch,
    groups: &[u32],
    accs: Table,
    marks: &[u32],
) -> Accumulated {
    let Values::Words(n) = &rows.columns[0].values else {
        unreachable!()
    };
    let mut accs = read(&accs);
    let mut marked = Vec::new();
    let mut failures = Vec::new();
    let mut mark = marks.iter().peekable();
    for (row, (&n, &group)) in n.iter().zip(groups).enumerate() {
        if let Err(code) = add(how, &mut accs[group as usize], n) {
            let message = format!("n is {n}");
            failures.push(Failure {
                row: row as u32,
                severity: 0,
                code: code.into(),
                message,
            });
        }
        if mark.next_if(|&&m| m as usize == row).is_some() {
            marked.push(copy(&accs[group as usize]));
        }
    }
    if how == "accs-short" {
        accs.pop();
    }
    Accumulated {
        accs: table(&accs),
        marked: table(&marked),
        failures,
        clean: false,
    }
}

/// Changes two fields, then fails.
fn add(how: &str, acc: &mut Acc, n: i64) -> Result<(), &'static str> {
    if acc.sum >= SPOILED {
        match how {
            "trap" => panic!("saw what a failed row left"),
            _ => return Err("saw-a-trace"),
        }
    }
    acc.count += 1;
    acc.sum += n;
    if n == BAD {
        acc.sum += SPOILED;
        match how {
            "trap" => panic!("n is {BAD}"),
            "fail" => return Err("thirteen"),
            _ => acc.sum -= SPOILED,
        }
    }
    acc.seen.push_str(&format!("{n},"));
    Ok(())
}

pub fn merge(how: &str, into: Table, others: &Table, groups: &[u32]) -> Accumulated {
    let mut into = read(&into);
    let mut failures = Vec::new();
    for (row, (other, &group)) in read(others).into_iter().zip(groups).enumerate() {
        if other.sum == BAD {
            match how {
                "trap" => panic!("merging {BAD}"),
                "fail" => {
                    let (code, message) = ("thirteen".into(), "sum is 13".into());
                    failures.push(Failure {
                        row: row as u32,
                        severity: 0,
                        code,
                        message,
                    });
                    continue;
                }
                _ => {}
            }
        }
        let acc = &mut into[group as usize];
        acc.sum += other.sum;
        acc.count += other.count;
        acc.seen.push_str(&other.seen);
    }
    Accumulated {
        accs: table(&into),
        marked: table(&[]),
        failures,
        clean: true,
    }
}

pub fn finish(how: &str, firings: &Firings, accs: Table) -> Output {
    if read(&accs).iter().any(|acc| acc.sum == BAD) && how == "trap" {
        panic!("finishing {BAD}");
    }
    let rows = firings.starts.len() as u32;
    let times = (how == "times").then(|| firings.starts.clone());
    let main = Emitted {
        target: 0,
        origins: (0..rows).collect(),
        times,
        changes: None,
        columns: accs.columns.into_iter().map(Produced::Made).collect(),
    };
    Output {
        emitted: vec![main],
        failures: Vec::new(),
    }
}

fn copy(acc: &Acc) -> Acc {
    Acc {
        sum: acc.sum,
        count: acc.count,
        seen: acc.seen.clone(),
    }
}

fn read(table: &Table) -> Vec<Acc> {
    let [sum, count, seen] = table.columns.as_slice() else {
        unreachable!()
    };
    let (Values::Words(sum), Values::Words(count), Values::Arena(seen)) =
        (&sum.values, &count.values, &seen.values)
    else {
        unreachable!()
    };
    let text = |row: usize| {
        let bytes = &seen.bytes[seen.offsets[row] as usize..seen.offsets[row + 1] as usize];
        String::from_utf8(bytes.to_vec()).unwrap()
    };
    (0..table.rows as usize)
        .map(|row| Acc {
            sum: sum[row],
            count: count[row],
            seen: text(row),
        })
        .collect()
}

fn table(accs: &[Acc]) -> Table {
    let mut seen = Arena {
        offsets: vec![0],
        bytes: Vec::new(),
    };
    for acc in accs {
        seen.bytes.extend_from_slice(acc.seen.as_bytes());
        seen.offsets.push(seen.bytes.len() as u32);
    }
    let whole = |values| Column {
        values,
        valid: None,
    };
    let columns = vec![
        whole(Values::Words(accs.iter().map(|acc| acc.sum).collect())),
        whole(Values::Words(accs.iter().map(|acc| acc.count).collect())),
        whole(Values::Arena(seen)),
    ];
    Table {
        rows: accs.len() as u32,
        columns,
    }
}
