//! Marks: the accumulator of a row's group right after that row, with bad rows before, at and behind it.

mod support;

use std::collections::BTreeSet;

use support::{Rows, plain, sdk, settings};
use tidemill_wasm::{Aggregate, Module, Table, Values};

fn aggregate(module: &Module, how: &str) -> Aggregate {
    module.aggregate(settings(module, "folding", how)).unwrap()
}

fn sums(table: &Table) -> Vec<i64> {
    match &table.columns[0].values {
        Values::Words(words) => words.clone(),
        other => panic!("sums are words, not {other:?}"),
    }
}

/// What the engine does with marks: gives the call again without failed rows, until none fails. The sums that marks of rows
/// that did not fail show, by row.
fn marked(
    function: &mut Aggregate,
    n: &[i64],
    groups: &[u32],
    marks: &[usize],
) -> Vec<(usize, i64)> {
    let created = function.create().unwrap();
    let mut rows: Vec<usize> = (0..n.len()).collect();
    loop {
        let given = Rows::folding(&rows.iter().map(|&row| n[row]).collect::<Vec<_>>());
        let of: Vec<u32> = rows.iter().map(|&row| groups[row]).collect();
        let at = |row: usize| marks.contains(&rows[row]);
        let named: Vec<u32> = (0..rows.len())
            .filter(|&row| at(row))
            .map(|row| row as u32)
            .collect();
        let done = function
            .accumulate(
                &given.rows_in(),
                &of,
                &created.gather(&[0, 0]),
                &named,
                &[0, 1],
            )
            .unwrap();
        if done.failed.is_empty() {
            let rows = named.iter().map(|&row| rows[row as usize]);
            return rows.zip(sums(&done.marked)).collect();
        }
        if done.clean {
            assert_eq!(done.marked.rows as usize, named.len(), "one row per mark");
        }
        let failed: BTreeSet<u32> = done.failed.iter().map(|failed| failed.row).collect();
        let mut at = 0..;
        rows.retain(|_| !failed.contains(&at.next().unwrap()));
    }
}

#[test]
fn marks_show_the_accumulator_right_after_their_row() {
    let groups = [0, 1, 0, 1, 0, 0, 1, 0];
    let marks = [0, 1, 3, 4, 7];
    for (guest, module) in [("without", plain()), ("with", sdk())] {
        for how in ["well", "fail", "trap"] {
            // None; before, at and behind marks; at the first and the last; several of both keys.
            let bad: [&[usize]; 8] = [&[], &[2], &[4], &[5], &[0], &[7], &[1, 2], &[0, 3, 4, 6]];
            for bad in bad
                .into_iter()
                .filter(|bad| how != "well" || bad.is_empty())
            {
                let mut n = [1i64, 20, 3, 40, 5, 6, 80, 9];
                bad.iter().for_each(|&row| n[row] = 13);
                let mut sums = [0; 2];
                let mut expected = Vec::new();
                for row in (0..n.len()).filter(|row| !bad.contains(row)) {
                    let sum = &mut sums[groups[row] as usize];
                    *sum += n[row];
                    if marks.contains(&row) {
                        expected.push((row, *sum));
                    }
                }
                let is = marked(&mut aggregate(&module, how), &n, &groups, &marks);
                assert_eq!(is, expected, "{guest} the SDK, {how}, bad rows {bad:?}");
            }
        }
    }
}

#[test]
fn every_row_can_be_marked_whatever_the_calls_are_cut_into() {
    let n: Vec<i64> = (1..=300).map(|n| if n == 13 { 0 } else { n }).collect();
    let groups: Vec<u32> = (0..300).map(|row| row % 2).collect();
    let every: Vec<usize> = (0..300).collect();
    let mut sums = [0; 2];
    let expected: Vec<(usize, i64)> = (0..300)
        .map(|row| {
            sums[row % 2] += n[row];
            (row, sums[row % 2])
        })
        .collect();
    for module in [plain(), sdk()] {
        // The first call of a function has few rows, whatever it is given; a trap has the rest given in parts.
        let mut function = aggregate(&module, "trap");
        assert_eq!(marked(&mut function, &n, &groups, &every), expected);
        let mut spoiled = n.clone();
        spoiled[299] = 13;
        let is = marked(&mut function, &spoiled, &groups, &every);
        assert_eq!(is, expected[..299]);
    }
}
