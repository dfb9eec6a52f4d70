//! What is said of out-of-orderness against the rows themselves.

use proptest::prelude::*;
use tidemill_core::clock::{Lateness, Strategy as Watermarks};
use tidemill_core::time::{FIRST, LAST, MIN};

/// How many rows of a split are behind under an out-of-orderness.
fn behind(times: &[i64], d: i64) -> u64 {
    let mut stamp = MIN;
    let mut behind = 0;
    for &time in times {
        behind += u64::from(time <= stamp);
        stamp = stamp.max(Watermarks::OutOfOrderness(d).after(time));
    }
    behind
}

fn observed(splits: &[Vec<i64>], chunk: usize) -> Lateness {
    let mut all = Lateness::default();
    for times in splits {
        let (mut one, mut newest) = (Lateness::default(), MIN);
        let chunks = times.chunks(chunk);
        chunks.for_each(|times| one.observe(&mut newest, times));
        all.merge(&one);
    }
    all
}

#[test]
fn tables() {
    for (times, all, half) in [
        (vec![], 0, 0),
        (vec![1, 2, 2, 3], 0, 0),
        (vec![10, 3, 9, 20], 7, 0),
        (vec![10, 3, 4, 9], 7, 1),
        (vec![LAST, FIRST], LAST - FIRST, 0),
        (vec![5_000_000, 4_000_000, 3_000_000], 2_000_000, 1_015_807),
    ] {
        let lateness = observed(std::slice::from_ref(&times), 2);
        assert_eq!(lateness.most(), all, "{times:?}");
        assert_eq!(lateness.all_but_one_in(2), half, "{times:?}");
        assert_eq!(lateness.rows(), times.len() as u64);
    }
}

fn split() -> impl Strategy<Value = Vec<i64>> {
    let moves = prop_oneof![
        6 => 0i64..1_000,
        3 => -2_000i64..0,
        1 => -100_000_000i64..0,
        1 => 0i64..100_000_000,
    ];
    prop::collection::vec(moves, 0..200).prop_map(|moves| {
        let mut at = 0;
        let times = moves.into_iter().map(|by| {
            at += by;
            at
        });
        times.collect()
    })
}

proptest! {
    /// What is said to keep a share keeps it, what keeps all keeps all and not a microsecond more than it must.
    #[test]
    fn what_is_said_is_true(splits in prop::collection::vec(split(), 1..4), chunk in 1usize..50) {
        let lateness = observed(&splits, chunk);
        let rows: usize = splits.iter().map(Vec::len).sum();
        let lost = |d| splits.iter().map(|times| behind(times, d)).sum::<u64>();
        prop_assert_eq!(lateness.rows(), rows as u64);
        prop_assert_eq!(lost(lateness.most()), 0);
        prop_assert!(lateness.most() == 0 || lost(lateness.most() - 1) > 0);
        for n in [2, 10, 100, 1000] {
            let d = lateness.all_but_one_in(n);
            prop_assert!(lost(d) <= rows as u64 / n, "{} of {} with {}", lost(d), rows, d);
            let less = d - d / 32 - 1;
            prop_assert!(d == 0 || lost(less) > rows as u64 / n, "{} would do as well as {}", less, d);
        }
    }
}
