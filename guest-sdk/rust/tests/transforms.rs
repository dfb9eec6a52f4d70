//! Transforms through the calls that the host makes, on this machine.

use tidemill::Function;
use tidemill::native::{Arena, Batch, Column, Emitted, Produced, Values, configure, describe};
use tidemill::prelude::*;

#[derive(Record)]
struct Line<'a> {
    line: &'a str,
    #[record(event_time)]
    at: Timestamp,
}

#[derive(Record)]
struct Word<'a> {
    word: &'a str,
    length: Option<i64>,
    #[record(event_time)]
    at: Timestamp,
}

#[derive(Record)]
struct Why {
    why: &'static str,
}

#[derive(Sides)]
struct Sides<'a> {
    long: Output<Word<'a>>,
    odd: Output<Extended<Why>>,
    whole: Output<Same>,
}

#[derive(Config)]
struct Words {
    long_from: i64,
}

#[transform]
impl Words {
    fn flat_map(
        &self,
        line: Line,
        out: &mut Output<Word>,
        sides: &mut Sides,
    ) -> Result<(), Failure> {
        sides.whole.push(Same);
        for (nth, word) in line.line.split(' ').enumerate() {
            let (length, at) = (word.len() as i64, line.at.plus_micros(nth as i64));
            let row = Word {
                word,
                length: (length > 0).then_some(length),
                at,
            };
            match word {
                "bad" => return Err(Failure::fatal("bad-word", word)),
                "odd" => sides.odd.push(Extended(Why { why: "odd word" })),
                _ if length >= self.long_from => sides.long.push(row),
                _ => out.push(row),
            }
        }
        Ok(())
    }
}

fn lines(lines: &[&str]) -> Batch {
    let mut arena = Arena {
        offsets: vec![0],
        bytes: Vec::new(),
    };
    for line in lines {
        arena.bytes.extend(line.bytes());
        arena.offsets.push(arena.bytes.len() as u32);
    }
    let columns = vec![Column {
        values: Values::Arena(arena),
        valid: None,
    }];
    let times = (1..=lines.len() as i64).map(|nth| nth * 100).collect();
    Batch {
        rows: lines.len() as u32,
        times,
        stamps: None,
        changes: None,
        columns,
    }
}

/// One emitted column as text: values joined by commas.
fn shown(emitted: &Emitted, column: usize) -> String {
    let Produced::Made(column) = &emitted.columns[column] else {
        panic!("not made")
    };
    let rows = 0..emitted.origins.len();
    let value = |row: usize| match &column.values {
        _ if column.valid.as_ref().is_some_and(|valid| valid[row] == 0) => "-".to_owned(),
        Values::Words(words) => words[row].to_string(),
        Values::Arena(Arena { offsets, bytes }) => {
            let text = &bytes[offsets[row] as usize..offsets[row + 1] as usize];
            String::from_utf8(text.to_vec()).unwrap()
        }
        other => panic!("{other:?}"),
    };
    rows.map(value).collect::<Vec<_>>().join(",")
}

#[test]
fn rows_go_where_they_are_pushed_with_times_of_their_own() {
    let words: Words = configure(r#"{"long_from": 4}"#).unwrap();
    let output = words.apply(&lines(&["high tide", "", "odd sea"])).unwrap();
    let [main, long, odd, whole] = &output.emitted[..] else {
        panic!("{output:?}")
    };
    assert_eq!((main.target, &main.origins[..]), (0, &[1, 2][..]));
    assert_eq!(shown(main, 0), ",sea");
    assert_eq!(shown(main, 1), "-,3");
    assert_eq!(main.times, Some(vec![200, 301]));
    assert_eq!((long.target, &long.origins[..]), (1, &[0, 0][..]));
    assert_eq!(shown(long, 0), "high,tide");
    assert_eq!(long.times, Some(vec![100, 101]));
    assert_eq!(
        (odd.target, &odd.origins[..], shown(odd, 0)),
        (2, &[2][..], "odd word".to_owned())
    );
    assert_eq!(
        (whole.target, &whole.origins[..], whole.columns.len()),
        (3, &[0, 1, 2][..], 0)
    );
    assert!(odd.times.is_none() && whole.times.is_none());
}

#[test]
fn what_a_failed_row_pushed_is_taken_back() {
    let words: Words = configure(r#"{"long_from": 4}"#).unwrap();
    let output = words
        .apply(&lines(&["a long odd bad", "b", "c bad", "long"]))
        .unwrap();
    let targets = output
        .emitted
        .iter()
        .map(|each| (each.target, each.origins.clone()));
    assert_eq!(
        targets.collect::<Vec<_>>(),
        [(0, vec![1]), (1, vec![3]), (3, vec![1, 3])]
    );
    assert_eq!(shown(&output.emitted[0], 0), "b");
    assert_eq!(shown(&output.emitted[1], 0), "long");
    let failures: Vec<_> = output
        .failures
        .iter()
        .map(|each| (each.row, each.severity))
        .collect();
    assert_eq!(failures, [(0, 1), (2, 1)]);
}

#[test]
fn describes_its_outputs() {
    let expected = concat!(
        r#""input":[{"name":"line","type":"text"}],"#,
        r#""output":{"new":[{"name":"word","type":"text"},{"name":"length","type":"integer?"}]},"#,
        r#""sides":[{"name":"long","output":{"new":[{"name":"word","type":"text"},"#,
        r#"{"name":"length","type":"integer?"}]}},"#,
        r#"{"name":"odd","output":{"extended":[{"name":"why","type":"text"}]}},"#,
        r#"{"name":"whole","output":"same"}],"#,
    );
    let json = describe::<Words>();
    assert!(json.contains(expected), "{json}");
}
