//! Functions of kind watermark through the calls that the host makes, on this machine.

use tidemill::Function;
use tidemill::native::{Batch, Column, Values, configure, describe};
use tidemill::prelude::*;

#[derive(Record)]
struct Reading {
    complete: bool,
    #[record(event_time)]
    at: Timestamp,
}

/// Time has come as far as a row says that all is there.
#[derive(Config)]
struct Punctuated;

#[watermark]
impl Punctuated {
    fn observe(&self, reading: Reading) -> Option<Timestamp> {
        reading.complete.then_some(reading.at)
    }
}

#[derive(Record, Default, Debug, PartialEq)]
struct Seen {
    largest: Option<Timestamp>,
    rows: i64,
}

/// As far as the largest time less a tolerance; a jump is refused.
#[derive(Config)]
struct Tolerant {
    tolerance: i64,
}

#[watermark]
impl Tolerant {
    fn observe(&self, seen: &mut Seen, reading: Reading) -> Result<Timestamp, Failure> {
        seen.rows += 1;
        let largest = seen.largest.unwrap_or(reading.at).max(reading.at);
        if seen
            .largest
            .is_some_and(|before| largest.micros_since(before) > 1_000)
        {
            return Err(Failure::invalid("jump", format!("to {}", largest.micros())));
        }
        seen.largest = Some(largest);
        Ok(largest.plus_micros(-self.tolerance - 1))
    }
}

fn readings(rows: &[(bool, i64)]) -> Batch {
    let complete = Column {
        values: Values::Octets(rows.iter().map(|row| u8::from(row.0)).collect()),
        valid: None,
    };
    Batch {
        rows: rows.len() as u32,
        times: rows.iter().map(|row| row.1).collect(),
        stamps: None,
        changes: None,
        columns: vec![complete],
    }
}

#[test]
fn a_unit_test_calls_the_method() {
    let at = Timestamp::from_seconds(10);
    assert_eq!(
        Punctuated.observe(Reading {
            complete: false,
            at
        }),
        None
    );
    assert_eq!(Punctuated.observe(Reading { complete: true, at }), Some(at));
}

#[test]
fn describes_itself() {
    let expected = concat!(
        r#"{"interface":"0.1.0","sdk":"tidemill-rust 0.1.0","functions":[{"name":"tolerant","#,
        r#""kind":"watermark","doc":"As far as the largest time less a tolerance; a jump is refused.","#,
        r#""input":[{"name":"complete","type":"bool"}],"#,
        r#""state":[{"name":"largest","type":"time?"},{"name":"rows","type":"integer"}],"#,
        r#""config":[{"name":"tolerance","type":"integer"}]}]}"#,
    );
    assert_eq!(describe::<Tolerant>(), expected);
    assert!(!describe::<Punctuated>().contains("state"));
}

#[test]
fn rows_that_say_nothing_leave_the_watermark() {
    let function: Box<dyn Function> = Box::new(configure::<Punctuated>("{}").unwrap());
    let state = function.create().unwrap();
    assert_eq!((state.rows, state.columns.len()), (1, 0));
    let rows = readings(&[(false, 5), (true, 7), (false, 9)]);
    let observed = function.observe(&rows, &state).unwrap();
    assert_eq!(observed.watermarks, [i64::MIN, 7, i64::MIN]);
    assert_eq!(observed.state.rows, 1);
}

#[test]
fn a_failed_row_leaves_no_trace_in_the_state_and_batching_changes_nothing() {
    let function: Box<dyn Function> =
        Box::new(configure::<Tolerant>(r#"{"tolerance":9}"#).unwrap());
    let rows = [
        (false, 100),
        (false, 90),
        (false, 9_000),
        (false, 120),
        (true, 5_000),
    ];
    for batch in [1, 2, 5] {
        let mut state = function.create().unwrap();
        let (mut watermarks, mut failed) = (Vec::new(), Vec::new());
        for rows in rows.chunks(batch) {
            let mut observed = function.observe(&readings(rows), &state).unwrap();
            assert!(observed.clean);
            let before = watermarks.len() as u32;
            failed.extend(observed.failures.iter().map(|failure| failure.row + before));
            watermarks.append(&mut observed.watermarks);
            state = observed.state;
        }
        assert_eq!(
            watermarks,
            [90, 90, i64::MIN, 110, i64::MIN],
            "batches of {batch}"
        );
        assert_eq!(failed, [2, 4], "batches of {batch}");
        let Values::Words(words) = &state.columns[1].values else {
            panic!("words")
        };
        assert_eq!(words, &[3], "failed rows are not counted");
    }
}

#[test]
fn refuses_what_does_not_fit() {
    let function: Box<dyn Function> =
        Box::new(configure::<Tolerant>(r#"{"tolerance":0}"#).unwrap());
    let mut state = function.create().unwrap();
    assert!(function.apply(&readings(&[])).unwrap_err().contains("kind"));
    state.columns.pop();
    let refused = function.observe(&readings(&[(true, 1)]), &state);
    assert!(refused.unwrap_err().contains("index 1"));
}
