#[path = "support/mod.rs"]
mod support;
use std::io::Write;
use std::time::{Duration, Instant};
use support::{Rows, host};
use tidemill_wasm::{Limits, Settings};
#[test]
fn figures() {
    let file = std::env::var("SDK_WASM").unwrap();
    let module = host().load(file.as_ref(), &Limits::default()).unwrap();
    writeln!(std::io::stderr(), "{:?}", module.description()).unwrap();
    for name in ["read-all", "half-out"] {
        for rows in [1024, 128, 16, 1] {
            let given = Rows::figures(rows);
            let (function, _) = module.description().function(name).unwrap();
            let mut transform = module
                .transform(Settings {
                    function,
                    config: r#"{"never":0.5}"#.into(),
                    limits: Limits::default(),
                    operator: "t".into(),
                })
                .unwrap();
            let mut run = |calls: usize| {
                for _ in 0..calls {
                    transform.apply(&given.rows_in()).unwrap();
                }
            };
            run(1000);
            let calls = (1_000_000 / (rows * 10 + 500)).max(10);
            let fastest: Duration = (0..200)
                .map(|_| {
                    let start = Instant::now();
                    run(calls);
                    start.elapsed()
                })
                .min()
                .unwrap();
            let ns = fastest.as_nanos() as f64 / (calls * rows) as f64;
            writeln!(std::io::stderr(), "{name}, {rows} rows: {ns:.1} ns per row").unwrap();
        }
    }
}
