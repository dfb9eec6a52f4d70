//! Figures of the boundary without an SDK: from an Arrow batch to the result, deadlines on. And of `finish` with it.
//!
//! `cargo bench -p tidemill-wasm`. What `make bench` prints goes through the SDK; this one is the floor.

#![expect(clippy::print_stdout, reason = "figures are what this prints")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::{Rows, plain, sdk, settings};
use tidemill_wasm::{Firing, Firings};

fn main() {
    let only: Option<usize> = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let skip = usize::from(std::env::args().any(|arg| arg == "out"));
    let module = plain();
    for (function, name) in [("read", "in"), ("read-and-return", "in and out")]
        .into_iter()
        .skip(skip)
    {
        for rows in sizes([1024, 128, 16, 1], only) {
            let given = Rows::figures(rows);
            let mut transform = module.transform(settings(&module, function, "")).unwrap();
            let ns = fastest(rows, || drop(transform.apply(&given.rows_in()).unwrap()));
            println!("{name}, {rows} rows: {:.1} ns per row", ns / rows as f64);
        }
    }
    let module = sdk();
    for firings in sizes([1024, 64, 1], only) {
        let mut folding = module.aggregate(settings(&module, "folding", "")).unwrap();
        let accs = folding.create().unwrap().gather(&vec![0; firings]);
        let told: Firings = (0..firings as i64).map(firing).collect();
        let ns = fastest(firings, || drop(folding.finish(&[], &told, &accs).unwrap()));
        println!("finish, {firings} firings: {ns:.0} ns per call");
    }
}

fn sizes<const N: usize>(all: [usize; N], only: Option<usize>) -> impl Iterator<Item = usize> {
    all.into_iter()
        .filter(move |size| only.is_none_or(|only| only == *size))
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

/// Nanoseconds per call. Of many short runs the fastest is the one that was not disturbed.
fn fastest(rows: usize, mut call: impl FnMut()) -> f64 {
    (0..1000).for_each(|_| call());
    let calls = (1_000_000 / (rows * 10 + 500)).max(10);
    let run = |_| {
        let start = Instant::now();
        (0..calls).for_each(|_| call());
        start.elapsed()
    };
    let fastest: Duration = (0..200).map(run).min().unwrap_or_default();
    fastest.as_nanos() as f64 / calls as f64
}
