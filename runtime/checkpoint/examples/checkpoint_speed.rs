//! How fast checkpoints are put, completed, listed and read back in a location.
//!
//! `cargo run --release -p tidemill-checkpoint --example checkpoint_speed [location] [MiB]`

use std::io::Write;
use std::time::Instant;

use bytes::Bytes;
use tidemill_checkpoint::*;

const MIB: usize = 1 << 20;
/// A data file is at most so long, and its blocks.
const FILE_BYTES: usize = 64 * MIB;
const BLOCK_BYTES: usize = MIB;
const EMPTY: usize = 50;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let location = arguments
        .next()
        .unwrap_or_else(|| "checkpoint-speed".to_owned());
    let mib: usize = arguments.next().map_or(Ok(256), |n| n.parse())?;
    let sequence = Location::open(&location, &Settings::default())?.pipeline("speed")?;
    let mut out = std::io::stdout();

    let begun = Instant::now();
    let mut claim = sequence.claim(&Life::of_this_process()?, OnLock::Refuse)?;
    writeln!(out, "claim: {:?}", begun.elapsed())?;

    let begun = Instant::now();
    let draft = claim.begin()?;
    let block = Bytes::from(vec![0x5a; BLOCK_BYTES]);
    let mut parts = Vec::new();
    for index in 0..mib.div_ceil(FILE_BYTES / MIB) {
        let mut file = draft.part("state", 0, index as u32)?;
        for _ in 0..(FILE_BYTES / MIB).min(mib - index * (FILE_BYTES / MIB)) {
            file.block(block.clone());
        }
        let content = Content {
            label: "value".into(),
            form: Form::Base,
            key_groups: None,
        };
        parts.push(draft.put(file, content)?);
    }
    let put = begun.elapsed();
    let full = claim.complete(&draft, contents(parts))?;
    let rate = mib as f64 / put.as_secs_f64();
    writeln!(
        out,
        "put {mib} MiB: {put:?}, {rate:.0} MiB/s; with its manifest {:?}",
        begun.elapsed()
    )?;

    let begun = Instant::now();
    for part in full.manifest.parts() {
        sequence.read(part)?;
    }
    let read = begun.elapsed();
    writeln!(
        out,
        "read and checked: {read:?}, {:.0} MiB/s",
        mib as f64 / read.as_secs_f64()
    )?;

    let begun = Instant::now();
    for _ in 0..EMPTY {
        let draft = claim.begin()?;
        claim.complete(&draft, contents(Vec::new()))?;
        claim.retain(3)?;
    }
    writeln!(
        out,
        "an empty checkpoint with retention: {:?}",
        begun.elapsed() / EMPTY as u32
    )?;
    Ok(())
}

fn contents(parts: Vec<Part>) -> Contents {
    Contents {
        kind: Kind::Checkpoint,
        decided_by: DecidedBy::Manifest,
        finished: false,
        workers: 1,
        max_parallelism: 128,
        modules: Default::default(),
        operators: vec![Operator {
            name: "state".into(),
            kind: "process".into(),
            schemas: Default::default(),
            parts,
            more: Default::default(),
        }],
        sources: Default::default(),
        pending: Default::default(),
    }
}
