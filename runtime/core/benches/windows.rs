//! What the core costs per row: 100,000 keys at random, time rising by a microsecond per row, batches of 4,096.
//!
//! `cargo bench -p tidemill-core`
#![expect(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "a bench has a clock"
)]

use std::cmp::Ordering;
use std::io::Write;
use std::time::Instant;

use tidemill_core::clock::{SourceClock, SourceConfig, Strategy, WhenIdle};
use tidemill_core::time;
use tidemill_core::window::{KeyId, KeyOrder, Plan, Rows, WindowKind, WindowOperator, WindowSpec};

const ROWS: usize = 20_000_000;
const BATCH: usize = 4096;
const KEYS: u64 = 100_000;
const SECOND: i64 = 1_000_000;

struct ByNumber;

impl KeyOrder for ByNumber {
    fn prefix(&self, key: KeyId) -> u64 {
        u64::from(key)
    }
    fn cmp(&self, a: KeyId, b: KeyId) -> Ordering {
        a.cmp(&b)
    }
}

/// Nanoseconds per row: of deciding on rows, of firing.
struct Cost {
    take: f64,
    advance: f64,
    firings: usize,
    ops: usize,
}

/// Which key a row has, by its time and a random number below [`KEYS`].
type Keys = fn(i64, u64) -> KeyId;

/// Any key.
fn uniform(_: i64, random: u64) -> KeyId {
    random as KeyId
}

/// Each key has 20 rows within 0.2 s, then 1.8 s of silence.
fn bursts(time: i64, random: u64) -> KeyId {
    let group = time / (SECOND / 5) % 10;
    (group as u64 * KEYS / 10 + random / 10) as KeyId
}

fn windows(kind: WindowKind, key: Keys) -> Cost {
    let spec = WindowSpec::new(kind);
    let (mut operator, mut plan) = (WindowOperator::new(spec), Plan::default());
    let (mut times, mut stamps, mut keys) = (vec![0; BATCH], vec![0; BATCH], vec![0; BATCH]);
    let (mut take, mut advance, mut firings, mut ops) = (0.0, 0.0, 0, 0);
    let mut random = 1u64;
    for batch in 0..ROWS / BATCH {
        for i in 0..BATCH {
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            times[i] = (batch * BATCH + i) as i64;
            stamps[i] = times[i] - SECOND - 2;
            keys[i] = key(times[i], (random >> 33) % KEYS);
        }
        let rows = Rows {
            times: &times,
            stamps: &stamps,
            w: &stamps,
            keys: &keys,
            failed: None,
        };
        let start = Instant::now();
        operator.take(&rows, &mut plan);
        operator.commit(&plan);
        let middle = Instant::now();
        ops += plan.ops.len();
        firings += plan.firings.len();
        while {
            let more = operator.advance(stamps[BATCH - 1] + 1, &ByNumber, &mut plan);
            operator.commit(&plan);
            ops += plan.ops.len();
            firings += plan.firings.len();
            more
        } {}
        take += (middle - start).as_nanos() as f64;
        advance += middle.elapsed().as_nanos() as f64;
    }
    let rows = ROWS as f64;
    Cost {
        take: take / rows,
        advance: advance / rows,
        firings,
        ops,
    }
}

fn clock() -> f64 {
    let config = SourceConfig {
        strategy: Strategy::OutOfOrderness(SECOND),
        idle_timeout: None,
        when_idle: WhenIdle::Hold,
        bounded: true,
    };
    let mut clock = SourceClock::new(config, 4);
    let (mut stamps, mut w) = (Vec::with_capacity(BATCH), Vec::with_capacity(BATCH));
    let times: Vec<Vec<i64>> = (0..4)
        .map(|split| (0..ROWS as i64 / 4).map(|i| 4 * i + split).collect())
        .collect();
    let mut next = [0; 4];
    let start = Instant::now();
    while let Some(split) = clock.next_split() {
        if w.len() >= BATCH {
            stamps.clear();
            w.clear();
        }
        let rest = &times[split][next[split]..];
        next[split] += clock.take(split, rest, &mut stamps, &mut w);
        if next[split] == times[split].len() {
            clock.finish(split);
        }
    }
    assert!(clock.watermark() > time::MIN);
    start.elapsed().as_nanos() as f64 / ROWS as f64
}

fn main() -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let (size, step, offset, gap) = (10 * SECOND, SECOND, 0, SECOND / 2);
    let kinds: [(&str, WindowKind, Keys); 4] = [
        ("tumble 10 s", WindowKind::Tumble { size, offset }, uniform),
        (
            "hop 10 s / 1 s",
            WindowKind::Hop { size, step, offset },
            uniform,
        ),
        ("slide 10 s", WindowKind::Slide { range: size }, uniform),
        ("session 0.5 s", WindowKind::Session { gap }, bursts),
    ];
    for (name, kind, key) in kinds {
        let Cost {
            take,
            advance,
            firings,
            ops,
        } = windows(kind, key);
        let per_row = ops as f64 / ROWS as f64;
        writeln!(
            out,
            "{name:15} take {take:5.1} ns, advance {advance:5.1} ns a row; {firings} firings, {per_row:.2} operations a row"
        )?;
    }
    writeln!(out, "reading order of 4 splits {:5.1} ns a row", clock())
}
