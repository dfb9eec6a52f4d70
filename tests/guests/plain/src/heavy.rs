//! An aggregate that does what no honest one does: endless calls, accumulators beyond all limits, wrong tables.

use std::hint::black_box;

use crate::bindings::exports::tidemill::operator::aggregate::Accumulated;
use crate::bindings::tidemill::operator::columns::{Arena, Batch, Column, Table, Values};
use crate::bindings::tidemill::operator::outcome::{Emitted, Failure, Firings, Output, Produced};
use crate::hostile::endless;

const BAD: i64 = 13;
const FAR: u32 = 1_000_000;

#[derive(Clone, Default)]
struct Acc {
    sum: f64,
    blob: Vec<u8>,
}

pub fn create(how: &str) -> Table {
    match how {
        "create-loops" => endless(),
        "create-panics" => panic!("no accumulator today"),
        _ => {}
    }
    let mut table = table(&[Acc::default()]);
    match how {
        "create-columns" => drop(table.columns.pop()),
        "create-null" => table.columns[0].valid = Some(vec![0]),
        "create-rows" => table.rows = u32::MAX,
        _ => {}
    }
    table
}

pub fn accumulate(
    how: &str,
    rows: &Batch,
    groups: &[u32],
    accs: &Table,
    marks: &[u32],
) -> Accumulated {
    let Values::Words(n) = &rows.columns[0].values else {
        unreachable!()
    };
    let mut accs = read(accs);
    let mut marked = Vec::new();
    let mut marks = marks.iter().peekable();
    for (row, (&n, &group)) in n.iter().zip(groups).enumerate() {
        let acc = &mut accs[group as usize];
        if n == BAD {
            act(how, acc);
        }
        acc.sum += n as f64;
        if how == "add-nan" {
            acc.sum = [f64::NAN, f64::INFINITY][n as usize % 2];
        }
        if marks.next_if(|&&mark| mark as usize == row).is_some() {
            marked.push(acc.clone());
        }
    }
    let mut done = accumulated(&accs, &marked);
    if n.contains(&BAD) {
        spoil(how, &mut done);
    }
    done
}

/// What adding a bad row does.
fn act(how: &str, acc: &mut Acc) {
    match how {
        "add-loops" => endless(),
        "add-panics" => panic!("13 cannot be added"),
        "add-1gb" => acc.blob = black_box(vec![1; 1 << 30]),
        "add-80mb" => acc.blob = black_box(vec![1; 80 << 20]),
        _ => {}
    }
}

fn spoil(how: &str, done: &mut Accumulated) {
    match how {
        "accs-more" => {
            let mut accs = read(&done.accs);
            accs.push(Acc::default());
            done.accs = table(&accs);
        }
        "accs-rows" => done.accs.rows = u32::MAX,
        "accs-columns" => drop(done.accs.columns.pop()),
        "accs-layout" => done.accs.columns.swap(0, 1),
        "marked-more" => done.marked = table(&[Acc::default()]),
        "failure-far" => done.failures.push(failure(FAR)),
        "clean-lies" => {
            done.accs = table(&[]);
            done.clean = true;
            done.failures.push(failure(0));
        }
        _ => {}
    }
}

fn failure(row: u32) -> Failure {
    Failure {
        row,
        severity: 0,
        code: "wrong".into(),
        message: "is wrong".into(),
    }
}

pub fn merge(how: &str, into: &Table, others: &Table, groups: &[u32]) -> Accumulated {
    match how {
        "merge-loops" => endless(),
        "merge-panics" => panic!("nothing can be merged"),
        _ => {}
    }
    let mut into = read(into);
    for (other, &group) in read(others).into_iter().zip(groups) {
        into[group as usize].sum += other.sum;
    }
    let mut done = accumulated(&into, &[]);
    match how {
        "merge-drops" => done.accs = table(&into[1..]),
        "merge-marks" => done.marked = table(&[Acc::default()]),
        _ => {}
    }
    done
}

pub fn finish(how: &str, firings: &Firings, accs: &Table) -> Output {
    match how {
        "finish-loops" => endless(),
        "finish-panics" => panic!("no results today"),
        _ => {}
    }
    let accs = read(accs);
    let rows = firings.starts.len() as u32;
    let whole = |values| {
        Produced::Made(Column {
            values,
            valid: None,
        })
    };
    let mut main = Emitted {
        target: 0,
        origins: (0..rows).collect(),
        times: None,
        changes: None,
        columns: vec![
            whole(Values::Floats(accs.iter().map(|acc| acc.sum).collect())),
            whole(Values::Words(
                accs.iter().map(|acc| acc.blob.len() as i64).collect(),
            )),
        ],
    };
    match how {
        "finish-far" => main.origins.fill(FAR),
        "finish-times" => main.times = Some(firings.starts.clone()),
        "finish-changes" => main.changes = Some(vec![2; main.origins.len()]),
        "finish-input" => main.columns[1] = Produced::Input(0),
        _ => {}
    }
    Output {
        emitted: vec![main],
        failures: Vec::new(),
    }
}

fn accumulated(accs: &[Acc], marked: &[Acc]) -> Accumulated {
    Accumulated {
        accs: table(accs),
        marked: table(marked),
        failures: Vec::new(),
        clean: false,
    }
}

fn read(table: &Table) -> Vec<Acc> {
    let (Values::Floats(sums), Values::Arena(blobs)) =
        (&table.columns[0].values, &table.columns[1].values)
    else {
        unreachable!()
    };
    let blob = |pair: &[u32]| blobs.bytes[pair[0] as usize..pair[1] as usize].to_vec();
    let blobs = blobs.offsets.windows(2).map(blob);
    let both = sums.iter().zip(blobs);
    both.map(|(&sum, blob)| Acc { sum, blob }).collect()
}

fn table(accs: &[Acc]) -> Table {
    let mut blobs = Arena {
        offsets: vec![0],
        bytes: Vec::new(),
    };
    for acc in accs {
        blobs.bytes.extend_from_slice(&acc.blob);
        blobs.offsets.push(blobs.bytes.len() as u32);
    }
    let whole = |values| Column {
        values,
        valid: None,
    };
    Table {
        rows: accs.len() as u32,
        columns: vec![
            whole(Values::Floats(accs.iter().map(|acc| acc.sum).collect())),
            whole(Values::Arena(blobs)),
        ],
    }
}
