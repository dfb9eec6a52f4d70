//! Figures of the boundary without an SDK: from an Arrow batch to the result, deadlines on.
//!
//! `cargo bench -p tidemill-wasm`. What `make bench` prints goes through the SDK; this one is the floor.

#![expect(clippy::print_stdout, reason = "figures are what this prints")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use support::{Rows, plain, settings};

fn main() {
    let only: Option<usize> = std::env::args().skip(1).find_map(|arg| arg.parse().ok());
    let skip = usize::from(std::env::args().any(|arg| arg == "out"));
    let module = plain();
    for (function, name) in [("read", "in"), ("read-and-return", "in and out")]
        .into_iter()
        .skip(skip)
    {
        for rows in [1024, 128, 16, 1]
            .into_iter()
            .filter(|rows| only.is_none_or(|o| o == *rows))
        {
            let given = Rows::figures(rows);
            let mut transform = module.transform(settings(&module, function, "")).unwrap();
            let mut run = |calls: usize| {
                for _ in 0..calls {
                    transform.apply(&given.rows_in()).unwrap();
                }
            };
            run(1000);
            // Many short runs: the fastest is the one that was not disturbed.
            let calls = (1_000_000 / (rows * 10 + 500)).max(10);
            let fastest: Duration = (0..200)
                .map(|_| {
                    let start = Instant::now();
                    run(calls);
                    start.elapsed()
                })
                .min()
                .unwrap_or_default();
            let ns = fastest.as_nanos() as f64 / (calls * rows) as f64;
            println!("{name}, {rows} rows: {ns:.1} ns per row");
        }
    }
}
