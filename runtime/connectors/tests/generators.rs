//! Generated rows: the same for a seed, whatever the splits, workers and chunks; of the shape asked
//! for.

mod support;

use std::collections::BTreeMap;
use std::sync::Arc;

use support::to_end;
use tidemill_connectors::datagen::{Constant, DatagenSpec, Generate, GeneratedColumn};
use tidemill_connectors::nexmark::{BASE_TIME, Kind, NexmarkSpec, write_json_lines};
use tidemill_connectors::{SourceSpec, Then, open};
use tidemill_rows::arrow_array::cast::AsArray;
use tidemill_rows::arrow_array::types::{Int64Type, TimestampMicrosecondType};

/// All rows of all splits by position.
fn rows(source: &SourceSpec, workers: usize, max_rows: usize) -> BTreeMap<u64, String> {
    let mut rows = BTreeMap::new();
    for worker in 0..workers {
        for (index, mut split) in open(source, worker, workers, Arc::new(|| {}))
            .expect("opens")
            .splits
        {
            assert_eq!(index % workers, worker);
            let read = to_end(&mut *split, max_rows);
            let positions = read.rows.iter().map(|row| {
                let (position, rest) = row.split_once(":0 ").expect("position and row");
                (position.parse::<u64>().expect("a number"), rest.to_owned())
            });
            let before = rows.len();
            let mut last = None;
            for (position, row) in positions {
                assert!(last < Some(position), "positions rise");
                last = Some(position);
                rows.insert(position, row);
            }
            assert_eq!(rows.len() - before, read.rows.len());
        }
    }
    rows
}

fn datagen(splits: usize) -> DatagenSpec {
    let column = GeneratedColumn::new;
    DatagenSpec {
        columns: vec![
            column("n", Generate::Sequence { start: 5, step: 3 }),
            column("i", Generate::Integers { low: -3, high: 3 }),
            column(
                "all",
                Generate::Integers {
                    low: i64::MIN,
                    high: i64::MAX,
                },
            ),
            column(
                "f",
                Generate::Floats {
                    low: 1.0,
                    high: 2.0,
                },
            ),
            column("b", Generate::Bools),
            column("c", Generate::Choice(vec!["red".into(), "green".into()])),
            column(
                "s",
                Generate::RandomText {
                    shortest: 2,
                    longest: 4,
                },
            ),
            column("k", Generate::Constant(Constant::Text("é".into()))),
            column(
                "t",
                Generate::Time {
                    start: 1_000_000,
                    step: 10,
                    jitter: 50,
                },
            ),
            GeneratedColumn {
                nulls: 0.5,
                ..column("o", Generate::Constant(Constant::Integer(1)))
            },
        ],
        rows: Some(1_000),
        rate: None,
        splits,
        seed: 7,
    }
}

#[test]
fn datagen_is_independent_of_splits_workers_and_chunks() {
    let one = rows(&SourceSpec::Datagen(datagen(1)), 1, 4096);
    assert_eq!(one.len(), 1_000);
    assert!(one[&0].starts_with("{\"n\":5,"), "{}", one[&0]);
    assert!(one[&999].starts_with("{\"n\":3002,"), "{}", one[&999]);
    for (splits, workers, max_rows) in [(1, 1, 1), (4, 1, 7), (4, 2, 64), (3, 2, 1000), (5, 3, 11)]
    {
        assert_eq!(
            rows(&SourceSpec::Datagen(datagen(splits)), workers, max_rows),
            one
        );
    }
    let other = rows(
        &SourceSpec::Datagen(DatagenSpec {
            seed: 8,
            ..datagen(1)
        }),
        1,
        4096,
    );
    assert_ne!(other, one);
}

#[test]
fn datagen_is_of_the_shape_asked_for() {
    let source = SourceSpec::Datagen(datagen(1));
    let chunk = open(&source, 0, 1, Arc::new(|| {})).expect("opens").splits[0]
        .1
        .read(1000)
        .expect("read");
    assert_eq!(chunk.then, Then::End);
    let column = |name: &str| chunk.rows.column_by_name(name).expect("the column").clone();
    let integers = column("i").as_primitive::<Int64Type>().values().to_vec();
    for value in -3..=3 {
        let share = integers.iter().filter(|&&i| i == value).count();
        assert!((90..200).contains(&share), "{value}: {share} of 1000");
    }
    assert!(integers.iter().all(|i| (-3..=3).contains(i)));
    let times = column("t")
        .as_primitive::<TimestampMicrosecondType>()
        .values()
        .to_vec();
    assert!(
        times
            .iter()
            .enumerate()
            .all(|(i, t)| (950..=1_000).contains(&(t - i as i64 * 10 - 999_000)))
    );
    assert!(
        times.windows(2).any(|pair| pair[0] > pair[1]),
        "jitter puts rows out of order"
    );
    assert!(
        column("s")
            .as_string::<i32>()
            .iter()
            .flatten()
            .all(|s| (2..=4).contains(&s.len()))
    );
    let nulls = column("o").null_count();
    assert!((400..600).contains(&nulls), "{nulls} nulls of 1000");
}

/// The keys of `gen-session`: twenty rows within 0.2 s, then 1.8 s of silence, at a microsecond per
/// row.
#[test]
fn bursts_have_the_shape_of_sessions() {
    let (keys, burst, groups) = (1_000_u64, 20, 10);
    let source = SourceSpec::Datagen(DatagenSpec {
        columns: vec![GeneratedColumn::new(
            "key",
            Generate::Bursts {
                keys,
                rows: burst,
                groups,
            },
        )],
        rows: Some(keys * burst * 2),
        rate: None,
        splits: 1,
        seed: 0,
    });
    let chunk = open(&source, 0, 1, Arc::new(|| {})).expect("opens").splits[0]
        .1
        .read(1_000_000)
        .expect("read");
    let mut rows_of: BTreeMap<i64, Vec<u64>> = BTreeMap::new();
    for (i, key) in chunk
        .rows
        .column(0)
        .as_primitive::<Int64Type>()
        .values()
        .iter()
        .enumerate()
    {
        rows_of.entry(*key).or_default().push(i as u64);
    }
    assert_eq!(rows_of.len() as u64, keys);
    let turn = keys / groups * burst;
    for (key, rows) in rows_of {
        assert_eq!(rows.len() as u64, 2 * burst, "key {key}");
        let (first, second) = rows.split_at(burst as usize);
        assert!(first[19] - first[0] < turn && second[19] - second[0] < turn);
        assert!(
            second[0] - first[19] > turn * (groups - 2),
            "key {key} is silent"
        );
    }
}

#[test]
fn a_hot_key_has_its_share() {
    let values = Generate::HotInteger {
        low: 10,
        high: 1_009,
        hot: 0.9,
    };
    let source = SourceSpec::Datagen(DatagenSpec {
        columns: vec![GeneratedColumn::new("key", values)],
        rows: Some(100_000),
        rate: None,
        splits: 1,
        seed: 3,
    });
    let chunk = open(&source, 0, 1, Arc::new(|| {})).expect("opens").splits[0]
        .1
        .read(100_000)
        .expect("read");
    let mut rows_of: BTreeMap<i64, usize> = BTreeMap::new();
    let keys = chunk.rows.column(0).as_primitive::<Int64Type>();
    for &key in keys.values() {
        *rows_of.entry(key).or_default() += 1;
    }
    let (key, hot) = rows_of.pop_first().expect("rows");
    assert_eq!(key, 10);
    assert!((89_500..90_700).contains(&hot), "{hot} rows are hot");
    let others: Vec<usize> = rows_of.into_values().collect();
    assert!(others.len() > 990 && others.iter().all(|&rows| rows < 40));
}

#[test]
fn datagen_keeps_to_its_rate_and_wakes() {
    let (sender, woken) = std::sync::mpsc::channel();
    let source = SourceSpec::Datagen(DatagenSpec {
        rate: Some(1000.0),
        rows: None,
        ..datagen(2)
    });
    assert!(!source.bounded());
    let sender = std::sync::Mutex::new(sender);
    let wake = Arc::new(move || {
        let _ = sender.lock().expect("no panic").send(());
    });
    let start = std::time::Instant::now();
    let mut opened = open(&source, 0, 1, wake).expect("opens");
    let mut count = 0;
    while count < 100 {
        for (_, split) in &mut opened.splits {
            let chunk = split.read(10).expect("read");
            count += chunk.rows.num_rows();
            if chunk.then == Then::Pending {
                let wait = std::time::Duration::from_secs(60);
                woken.recv_timeout(wait).expect("a pending split is woken");
            }
        }
    }
    // Whatever the machine does, rows never come before their time.
    assert!(
        start.elapsed().as_secs_f64() > 0.095,
        "{count} rows in {:?}",
        start.elapsed()
    );
}

#[test]
fn faulty_specifications_are_refused() {
    let with = |values| DatagenSpec {
        columns: vec![GeneratedColumn::new("x", values)],
        ..datagen(1)
    };
    let table = [
        (
            DatagenSpec {
                splits: 0,
                ..datagen(1)
            },
            "`splits` must be 1 to 1024: 0",
        ),
        (
            DatagenSpec {
                rate: Some(0.0),
                ..datagen(1)
            },
            "`rate` must be more than 0",
        ),
        (
            DatagenSpec {
                columns: vec![],
                ..datagen(1)
            },
            "at least one column",
        ),
        (
            with(Generate::Integers { low: 2, high: 1 }),
            "column `x`: no integer from 2 to 1",
        ),
        (
            with(Generate::HotInteger {
                low: 2,
                high: 3,
                hot: 1.1,
            }),
            "column `x`: `hot` must be a share from 0 to 1: 1.1",
        ),
        (
            with(Generate::Floats {
                low: 1.0,
                high: 1.0,
            }),
            "no float",
        ),
        (with(Generate::Choice(vec![])), "no texts"),
        (
            with(Generate::Time {
                start: i64::MAX,
                step: 1,
                jitter: 0,
            }),
            "beyond the years",
        ),
        (
            with(Generate::Bursts {
                keys: 10,
                rows: 1,
                groups: 3,
            }),
            "do not make 3 groups",
        ),
    ];
    for (spec, part) in table {
        let error = open(&SourceSpec::Datagen(spec), 0, 1, Arc::new(|| {}))
            .err()
            .expect(part)
            .to_string();
        assert!(error.contains(part), "{error}");
    }
}

fn nexmark(kind: Kind, splits: usize) -> SourceSpec {
    SourceSpec::Nexmark(NexmarkSpec {
        kind,
        events: Some(5_000),
        splits,
        seed: 3,
        ..NexmarkSpec::default()
    })
}

#[test]
fn nexmark_has_its_proportions_whatever_the_splits() {
    let all = rows(&nexmark(Kind::All, 1), 1, 1000);
    let of_type = |n: u8| {
        all.values()
            .filter(|row| row.starts_with(&format!("{{\"event_type\":{n},")))
            .count()
    };
    assert_eq!((of_type(0), of_type(1), of_type(2)), (100, 300, 4_600));
    for (splits, workers, max_rows) in [(4, 2, 7), (3, 1, 1), (50, 2, 1000)] {
        assert_eq!(rows(&nexmark(Kind::All, splits), workers, max_rows), all);
    }
    for (kind, count) in [
        (Kind::Persons, 100),
        (Kind::Auctions, 300),
        (Kind::Bids, 4_600),
    ] {
        assert_eq!(rows(&nexmark(kind, 4), 1, 64).len(), count);
    }
}

#[test]
fn nexmark_bids_are_hot_and_in_time() {
    let source = nexmark(Kind::Bids, 1);
    let chunk = open(&source, 0, 1, Arc::new(|| {})).expect("opens").splits[0]
        .1
        .read(5_000)
        .expect("read");
    let column = |name: &str| chunk.rows.column_by_name(name).expect("the column").clone();
    let times = column("time")
        .as_primitive::<TimestampMicrosecondType>()
        .values()
        .to_vec();
    for (time, n) in times.iter().zip(&chunk.positions) {
        assert_eq!(
            *time,
            BASE_TIME + (n / 10) as i64 * 1_000,
            "10,000 events per second, in milliseconds"
        );
    }
    let auctions = column("auction")
        .as_primitive::<Int64Type>()
        .values()
        .to_vec();
    let hot = auctions
        .iter()
        .filter(|&&auction| auction % 100 == 0)
        .count();
    assert!(
        (2_200..2_600).contains(&hot),
        "{hot} of 4600 bids are for hot auctions"
    );
    let bidders = column("bidder")
        .as_primitive::<Int64Type>()
        .values()
        .to_vec();
    let hot = bidders.iter().filter(|&&bidder| bidder % 100 == 1).count();
    assert!(
        (3_300..3_700).contains(&hot),
        "{hot} of 4600 bids are from hot bidders"
    );
    let extra: usize = column("extra")
        .as_string::<i32>()
        .iter()
        .flatten()
        .map(str::len)
        .sum();
    assert!(
        (64..73).contains(&(extra / 4_600)),
        "extra is {} long",
        extra / 4_600
    );
}

#[test]
fn nexmark_lines_are_json_of_the_usual_size() {
    let SourceSpec::Nexmark(bids) = nexmark(Kind::Bids, 1) else {
        unreachable!()
    };
    let mut lines = Vec::new();
    assert_eq!(write_json_lines(&bids, &mut lines).expect("written"), 4_600);
    let text = String::from_utf8(lines).expect("UTF-8");
    assert!(
        (290..330).contains(&(text.len() / 4_600)),
        "{} bytes",
        text.len() / 4_600
    );
    for line in text.lines() {
        let event: serde_json::Value = serde_json::from_str(line).expect("JSON");
        assert_eq!(event["event_type"], 2);
        assert!(event["person"].is_null() && event["bid"]["auction"].is_i64());
    }
    let SourceSpec::Nexmark(all) = nexmark(Kind::All, 1) else {
        unreachable!()
    };
    let mut lines = Vec::new();
    assert_eq!(write_json_lines(&all, &mut lines).expect("written"), 5_000);
    let events: Vec<serde_json::Value> = String::from_utf8(lines)
        .expect("UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(events[0]["person"]["id"], 1_000);
    assert_eq!(events[1]["auction"]["id"], 1_000);
    assert_eq!(events[50]["person"]["date_time"], "2015-07-15 00:00:00.005");
}

#[test]
fn nexmark_out_of_order_groups_hold_the_same_events() {
    let ordered = rows(&nexmark(Kind::All, 1), 1, 100);
    let SourceSpec::Nexmark(spec) = nexmark(Kind::All, 1) else {
        unreachable!()
    };
    let shuffled = rows(
        &SourceSpec::Nexmark(NexmarkSpec {
            out_of_order_group: 100,
            ..spec
        }),
        1,
        100,
    );
    assert_ne!(shuffled, ordered);
    let sorted = |rows: &BTreeMap<u64, String>| {
        let mut rows: Vec<_> = rows.values().cloned().collect();
        rows.sort();
        rows
    };
    assert_eq!(sorted(&shuffled), sorted(&ordered));
}
