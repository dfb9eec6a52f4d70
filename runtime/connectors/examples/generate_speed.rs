//! How fast rows are generated: those of the benchmarks (a key, a float, a time), keys in bursts,
//! and Nexmark's bids.
//!
//! `cargo run --release -p tidemill-connectors --example generate_speed [rows]`

use std::io::Write;
use std::sync::Arc;

use tidemill_connectors::datagen::{DatagenSpec, Generate, GeneratedColumn};
use tidemill_connectors::nexmark::{Kind, NexmarkSpec};
use tidemill_connectors::{SourceSpec, Then, open};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let rows = std::env::args()
        .nth(1)
        .map_or(Ok(20_000_000), |n| n.parse())?;
    let key = Generate::Integers {
        low: 0,
        high: 99_999,
    };
    let bursts = Generate::Bursts {
        keys: 100_000,
        rows: 20,
        groups: 10,
    };
    let bids = NexmarkSpec {
        kind: Kind::Bids,
        events: Some(rows / 10),
        ..NexmarkSpec::default()
    };
    let sources = [
        ("key, value, time", datagen(rows, key)),
        ("keys in bursts", datagen(rows, bursts)),
        ("nexmark bids", SourceSpec::Nexmark(bids)),
    ];
    for (name, source) in sources {
        let start = cpu_ns();
        let mut opened = open(&source, 0, 1, Arc::new(|| {}))?;
        let mut read = 0;
        for (_, split) in &mut opened.splits {
            loop {
                let chunk = split.read(4096)?;
                read += chunk.rows.num_rows();
                if chunk.then == Then::End {
                    break;
                }
            }
        }
        let ns = (cpu_ns() - start) / read as f64;
        writeln!(
            std::io::stderr(),
            "{name}: {ns:.1} ns per row, {:.1} M rows/s",
            1e3 / ns
        )?;
    }
    Ok(())
}

fn datagen(rows: u64, key: Generate) -> SourceSpec {
    let start = 1_356_998_400_000_000;
    SourceSpec::Datagen(DatagenSpec {
        columns: vec![
            GeneratedColumn::new("key", key),
            GeneratedColumn::new(
                "value",
                Generate::Floats {
                    low: 0.0,
                    high: 1.0,
                },
            ),
            GeneratedColumn::new(
                "time",
                Generate::Time {
                    start,
                    step: 1,
                    jitter: 0,
                },
            ),
        ],
        rows: Some(rows),
        rate: None,
        splits: 4,
        seed: 1,
    })
}

/// The CPU time of this thread: what else the machine does shall not show.
fn cpu_ns() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
