//! Accumulators and bad rows: `add` changes two fields, then fails; the next row fails if and only if it sees that.

mod support;

use std::collections::BTreeSet;

use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;
use support::{Rows, plain, sdk, settings};
use tidemill_wasm::{
    Accumulated, Aggregate, Arena, CallError, Firing, Firings, Module, Produced, Reason, RowsIn,
    Table, Values, table_to_arrow,
};

fn aggregate(how: &str) -> Aggregate {
    aggregate_of(&plain(), how)
}

fn aggregate_of(module: &Module, how: &str) -> Aggregate {
    module.aggregate(settings(module, "folding", how)).unwrap()
}

/// What the engine does: gives the call again without failed rows, until none fails. `batch` rows a call; a row's key is
/// its group.
fn run(function: &mut Aggregate, n: &[i64], groups: &[u32], batch: usize) -> (Table, Vec<u32>) {
    let created = function.create().unwrap();
    let count = groups.iter().max().unwrap() + 1;
    let mut accs = created.gather(&vec![0; count as usize]);
    let mut failed = Vec::new();
    for start in (0..n.len()).step_by(batch) {
        let mut rows: Vec<usize> = (start..n.len().min(start + batch)).collect();
        while !rows.is_empty() {
            let (done, named) = call(function, n, groups, &rows, &accs);
            let bad: BTreeSet<u32> = done.failed.iter().map(|f| f.row).collect();
            failed.extend(bad.iter().map(|&at| rows[at as usize] as u32));
            if done.clean {
                accs.scatter(&named, &done.accs);
                break;
            }
            rows = rows
                .into_iter()
                .enumerate()
                .filter(|(at, _)| !bad.contains(&(*at as u32)))
                .map(|(_, row)| row)
                .collect();
        }
    }
    failed.sort_unstable();
    (accs, failed)
}

/// One call with dense groups in order of first appearance.
fn call(
    function: &mut Aggregate,
    n: &[i64],
    groups: &[u32],
    rows: &[usize],
    accs: &Table,
) -> (Accumulated, Vec<u32>) {
    let mut named: Vec<u32> = Vec::new();
    let dense: Vec<u32> = rows
        .iter()
        .map(|&row| {
            let at = named.iter().position(|&g| g == groups[row]);
            at.unwrap_or_else(|| {
                named.push(groups[row]);
                named.len() - 1
            }) as u32
        })
        .collect();
    let picked = Rows::folding(&rows.iter().map(|&row| n[row]).collect::<Vec<_>>());
    let given = accs.gather(&named);
    let done = function
        .accumulate(&picked.rows_in(), &dense, &given, &[], &named)
        .unwrap();
    (done, named)
}

fn sums(table: &Table) -> Vec<i64> {
    match &table.columns[0].values {
        Values::Words(words) => words.clone(),
        other => panic!("sums are words, not {other:?}"),
    }
}

fn texts(table: &Table) -> Vec<String> {
    let Values::Arena(Arena { offsets, bytes }) = &table.columns[2].values else {
        panic!("arena")
    };
    let text = |pair: &[u32]| String::from_utf8(bytes[pair[0] as usize..pair[1] as usize].to_vec());
    offsets.windows(2).map(|pair| text(pair).unwrap()).collect()
}

#[test]
fn a_failed_row_leaves_no_trace_wherever_it_stands() {
    let groups = [0, 1, 0, 1, 0, 1, 0, 1, 0];
    for (guest, module) in [("without", plain()), ("with", sdk())] {
        for how in ["fail", "trap"] {
            for bad in [0usize, 4, 8] {
                for batch in [1, 2, 3, 9] {
                    let mut n = [1i64, 20, 3, 40, 5, 60, 7, 80, 9];
                    n[bad] = 13;
                    let mut function = aggregate_of(&module, how);
                    let (accs, failed) = run(&mut function, &n, &groups, batch);
                    let case = format!("{guest} the SDK, {how}, row {bad}, batches of {batch}");
                    assert_eq!(failed, [bad as u32], "{case}");
                    let even = (0..9)
                        .step_by(2)
                        .filter(|&row| row != bad)
                        .map(|row| n[row]);
                    assert_eq!(sums(&accs), [even.sum::<i64>(), 200], "{case}");
                    assert_eq!(texts(&accs)[1], "20,40,60,80,", "{case}");
                }
            }
        }
    }
}

#[test]
fn several_bad_rows_of_several_keys() {
    let n = [13, 13, 1, 2, 13, 13, 3, 4, 13];
    let groups = [0, 1, 0, 1, 0, 1, 0, 1, 2];
    for (guest, module) in [("without", plain()), ("with", sdk())] {
        for how in ["fail", "trap"] {
            for batch in [1, 4, 9] {
                let mut function = aggregate_of(&module, how);
                let (accs, failed) = run(&mut function, &n, &groups, batch);
                let case = format!("{guest} the SDK, {how}, batches of {batch}");
                assert_eq!(failed, [0, 1, 4, 5, 8], "{case}");
                assert_eq!(sums(&accs), [4, 6, 0], "{case}");
            }
        }
    }
}

#[test]
fn the_sdk_spares_calls_for_failures_by_value() {
    let mut function = aggregate_of(&sdk(), "fail");
    let accs = function.create().unwrap();
    let rows = Rows::folding(&[1, 13, 2, 13, 3]);
    function.take_notes();
    let done = function
        .accumulate(&rows.rows_in(), &[0; 5], &accs, &[], &[0])
        .unwrap();
    assert!(done.clean, "it puts the accumulator back");
    assert_eq!(
        done.failed.iter().map(|f| f.row).collect::<Vec<_>>(),
        [1, 3]
    );
    assert_eq!(
        (sums(&done.accs), function.take_notes().calls),
        (vec![6], 1)
    );
}

#[test]
fn only_the_first_failure_of_a_key_counts() {
    let mut function = aggregate("fail");
    let accs = function.create().unwrap().gather(&[0, 0]);
    let rows = Rows::folding(&[1, 13, 2, 3]);
    let done = function
        .accumulate(&rows.rows_in(), &[0, 0, 1, 0], &accs, &[], &[0, 1])
        .unwrap();
    assert!(!done.clean);
    let failed: Vec<_> = done
        .failed
        .iter()
        .map(|f| (f.row, f.code.as_str()))
        .collect();
    assert_eq!(failed, [(1, "thirteen")], "row 3 saw what row 1 left");
}

#[test]
fn one_trapping_row_costs_few_calls() {
    for rows in [2usize, 64, 1000] {
        for bad in [0, rows / 2, rows - 1] {
            let mut n = vec![1; rows];
            n[bad] = 13;
            let mut function = aggregate("trap");
            let accs = function.create().unwrap();
            let given = Rows::folding(&n);
            function.take_notes();
            let groups = vec![0; rows];
            let done = function
                .accumulate(&given.rows_in(), &groups, &accs, &[], &[0])
                .unwrap();
            assert_eq!(
                done.failed
                    .iter()
                    .map(|f| f.row as usize)
                    .collect::<Vec<_>>(),
                [bad]
            );
            assert_eq!(done.failed[0].reason, Reason::Panic);
            let notes = function.take_notes();
            let levels = ((rows as f64).log2() / 4.0).ceil() as u64;
            assert!(
                notes.stopped <= levels + 2,
                "{notes:?} for row {bad} of {rows}"
            );
            assert!(
                notes.calls <= 16 * levels + levels + 3,
                "{notes:?} for row {bad} of {rows}"
            );
        }
    }
}

#[test]
fn merging_isolates_the_accumulator_that_fails() {
    for how in ["well", "fail", "trap"] {
        let mut function = aggregate(how);
        let created = function.create().unwrap();
        let single = |function: &mut Aggregate, n: i64| {
            let rows = Rows::folding(&[n, 0]);
            let rows = RowsIn {
                len: 2,
                ..rows.rows_in()
            };
            function
                .accumulate(&rows, &[0, 0], &created, &[], &[0])
                .unwrap()
                .accs
        };
        let mut well = aggregate("well");
        let parts: Vec<Table> = [1, 13, 2, 3].map(|n| single(&mut well, n)).into();
        let others = Table::concat(&parts.iter().collect::<Vec<_>>());
        let into = created.gather(&[0, 0]);
        let done = function.merge(&into, &others, &[0, 0, 1, 1]).unwrap();
        let failed: Vec<u32> = done.failed.iter().map(|f| f.row).collect();
        match how {
            "well" => assert_eq!((failed, sums(&done.accs)), (vec![], vec![14, 5])),
            "fail" => assert_eq!(
                (failed, done.clean, sums(&done.accs)),
                (vec![1], true, vec![1, 5])
            ),
            _ => assert_eq!((failed, done.clean), (vec![1], false)),
        }
    }
}

fn firing(start: i64) -> Firing {
    Firing {
        start,
        end: start + 10,
        moment: 1,
        number: 1,
        last: true,
    }
}

#[test]
fn finishing_isolates_the_firing_that_fails() {
    let mut function = aggregate("trap");
    let created = function.create().unwrap();
    let mut accs = created.gather(&[0; 5]);
    let Values::Words(sums) = &mut accs.columns[0].values else {
        panic!("words")
    };
    sums.copy_from_slice(&[1, 2, 13, 3, 4]);
    let firings: Firings = (0..5).map(firing).collect();
    let outcome = function.finish(&[], &firings, &accs).unwrap();
    assert_eq!(
        outcome.failed.iter().map(|f| f.row).collect::<Vec<_>>(),
        [2]
    );
    assert_eq!(outcome.emitted[0].origins, [0, 1, 3, 4]);
    let Produced::Made(sums) = &outcome.emitted[0].columns[0] else {
        panic!("made")
    };
    assert_eq!(sums.as_primitive::<Int64Type>().values(), &[1, 2, 3, 4]);
}

#[test]
fn times_of_finish_are_the_hosts() {
    let mut function = aggregate("times");
    let accs = function.create().unwrap();
    let outcome = function
        .finish(&[], &Firings::from_iter([firing(0)]), &accs)
        .unwrap();
    assert_eq!(
        outcome.failed[0].message,
        "finish returned a malformed outcome: main output: times are set by the host here, the \
         function must leave them out"
    );
}

#[test]
fn accumulators_that_come_back_short_are_refused() {
    let mut function = aggregate("accs-short");
    let accs = function.create().unwrap();
    let rows = Rows::folding(&[1]);
    let done = function
        .accumulate(&rows.rows_in(), &[0], &accs, &[], &[0])
        .unwrap();
    assert_eq!(
        done.failed[0].message,
        "accumulate returned a malformed outcome: accs: 0 rows, expected 1"
    );
}

#[test]
fn a_failing_create_is_an_error() {
    let error = aggregate("create-trap").create().unwrap_err();
    assert!(matches!(error, CallError::Failed { .. }), "{error}");
    assert!(
        error.to_string().contains("no accumulator today"),
        "{error}"
    );
    let error = aggregate("create-two").create().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("accumulator: 2 rows, expected 1"),
        "{error}"
    );
}

#[test]
fn accumulators_can_be_shown() {
    let mut function = aggregate("well");
    let created = function.create().unwrap();
    let module = plain();
    let (_, described) = module.description().function("folding").unwrap();
    let arrays = table_to_arrow(&created, &described.accumulator).unwrap();
    assert_eq!(arrays.len(), 3);
    assert_eq!(arrays[2].as_string::<i32>().value(0), "");
}
