//! Functions of kind window through the calls that the host makes, on this machine.

use tidemill::Function;
use tidemill::native::{
    Arena, Batch, Column, Firings, Produced, Table, Values, configure, describe,
};
use tidemill::prelude::*;

#[derive(Record, Clone, Copy)]
struct Payment<'a> {
    to: &'a str,
    amount: f64,
    #[record(event_time)]
    at: Timestamp,
}

#[derive(Record)]
struct Account<'a> {
    account: &'a str,
}

#[derive(Record, Debug, PartialEq)]
struct Largest<'a> {
    to: &'a str,
    share: f64,
}

/// The largest payment of a window, and its share.
#[derive(Config)]
struct LargestPayment {}

#[window]
impl LargestPayment {
    fn apply<'a>(&self, _window: Window, payments: &[Payment<'a>]) -> Option<Largest<'a>> {
        let total: f64 = payments.iter().map(|payment| payment.amount).sum();
        let largest = payments
            .iter()
            .max_by(|a, b| a.amount.total_cmp(&b.amount))?;
        let (to, share) = (largest.to, largest.amount / total);
        Some(Largest { to, share })
    }
}

#[derive(Record)]
struct Gap<'a> {
    account: &'a str,
    before: &'a str,
    micros: i64,
}

/// Gaps between payments; a window without payments is refused.
#[derive(Config)]
struct Gaps {
    at_least: i64,
}

#[window]
impl Gaps {
    fn apply<'a>(
        &self,
        key: Account<'a>,
        window: Window,
        payments: &'a [Payment<'a>],
        out: &mut Output<Gap<'a>>,
    ) -> Result<(), Failure> {
        for pair in payments.windows(2) {
            let micros = pair[1].at.micros_since(pair[0].at);
            if micros >= self.at_least {
                let (account, before) = (key.account, pair[1].to);
                out.push(Gap {
                    account,
                    before,
                    micros,
                });
            }
        }
        match payments.last() {
            Some(last) if last.at < window.end => Ok(()),
            _ => Err(Failure::invalid(
                "no-payments",
                format!("account {}", key.account),
            )),
        }
    }
}

fn texts(texts: &[&str]) -> Column {
    let mut arena = Arena {
        offsets: vec![0],
        bytes: Vec::new(),
    };
    for text in texts {
        arena.bytes.extend(text.bytes());
        arena.offsets.push(arena.bytes.len() as u32);
    }
    Column {
        values: Values::Arena(arena),
        valid: None,
    }
}

fn payments(rows: &[(&str, f64, i64)]) -> Batch {
    let to: Vec<&str> = rows.iter().map(|row| row.0).collect();
    let amounts = Column {
        values: Values::Floats(rows.iter().map(|row| row.1).collect()),
        valid: None,
    };
    Batch {
        rows: rows.len() as u32,
        times: rows.iter().map(|row| row.2).collect(),
        stamps: None,
        changes: None,
        columns: vec![texts(&to), amounts],
    }
}

/// Windows [0, 100).
fn firings(count: usize) -> Firings {
    Firings {
        starts: vec![0; count],
        ends: vec![100; count],
        moments: vec![1; count],
        numbers: vec![1; count],
        last: vec![1; count],
    }
}

/// Keys without columns, for functions that do not ask for them.
fn no_keys(rows: u32) -> Table {
    let columns = Vec::new();
    Table { rows, columns }
}

fn text_of(column: &Produced) -> String {
    match column {
        Produced::Made(Column {
            values: Values::Arena(arena),
            ..
        }) => String::from_utf8(arena.bytes.clone()).unwrap(),
        other => panic!("no text: {other:?}"),
    }
}

#[test]
fn a_unit_test_gives_a_slice_of_rows() {
    let payment = |to, amount| Payment {
        to,
        amount,
        at: Timestamp::default(),
    };
    let payments = [payment("a", 1.0), payment("b", 3.0)];
    let largest = LargestPayment {}.apply(Window::default(), &payments);
    assert_eq!(
        largest,
        Some(Largest {
            to: "b",
            share: 0.75
        })
    );
    assert_eq!(LargestPayment {}.apply(Window::default(), &[]), None);
}

#[test]
fn describes_itself() {
    let expected = concat!(
        r#"{"interface":"0.1.0","sdk":"tidemill-rust 0.1.0","functions":[{"name":"gaps","#,
        r#""kind":"window","doc":"Gaps between payments; a window without payments is refused.","#,
        r#""input":[{"name":"to","type":"text"},{"name":"amount","type":"float"}],"#,
        r#""key":[{"name":"account","type":"text"}],"#,
        r#""output":{"new":[{"name":"account","type":"text"},{"name":"before","type":"text"},"#,
        r#"{"name":"micros","type":"integer"}]},"#,
        r#""config":[{"name":"at_least","type":"integer"}]}]}"#,
    );
    assert_eq!(describe::<Gaps>(), expected);
}

#[test]
fn each_firing_sees_its_own_rows_and_results_may_borrow_from_them() {
    let function: Box<dyn Function> = Box::new(configure::<LargestPayment>("{}").unwrap());
    let rows = payments(&[("a", 1.0, 1), ("b", 3.0, 2), ("c", 5.0, 3)]);
    let output = function
        .apply_window(&no_keys(3), &firings(3), &rows, &[0, 2, 2, 3])
        .unwrap();
    let [emitted] = &output.emitted[..] else {
        panic!("{output:?}")
    };
    assert_eq!(
        emitted.origins,
        [0, 2],
        "the second has no rows, so no result"
    );
    assert!(emitted.times.is_none());
    assert_eq!(text_of(&emitted.columns[0]), "bc");
}

#[test]
fn a_failed_firing_leaves_nothing_in_the_output() {
    let function: Box<dyn Function> = Box::new(configure::<Gaps>(r#"{"at_least":5}"#).unwrap());
    let keys = Table {
        rows: 3,
        columns: vec![texts(&["x", "y", "z"])],
    };
    let rows = payments(&[
        ("a", 1.0, 1),
        ("b", 1.0, 9),
        ("c", 1.0, 90),
        ("d", 1.0, 100),
        ("e", 1.0, 7),
    ]);
    let output = function
        .apply_window(&keys, &firings(3), &rows, &[0, 2, 4, 5])
        .unwrap();
    // The second window holds a row that lies behind its end, and pushed a gap before it said so.
    let failed: Vec<(u32, &str)> = output
        .failures
        .iter()
        .map(|failure| (failure.row, failure.code.as_str()))
        .collect();
    assert_eq!(failed, [(1, "no-payments")]);
    assert_eq!(output.emitted[0].origins, [0]);
    assert_eq!(text_of(&output.emitted[0].columns[0]), "x");
    assert_eq!(text_of(&output.emitted[0].columns[1]), "b");
}

#[test]
fn refuses_what_does_not_fit() {
    let function: Box<dyn Function> = Box::new(configure::<LargestPayment>("{}").unwrap());
    let rows = payments(&[("a", 1.0, 1)]);
    let calls = [
        function.apply_window(&no_keys(2), &firings(2), &rows, &[0, 1]),
        function.apply_window(&no_keys(1), &firings(1), &rows, &[0, 2]),
        function.apply_window(&no_keys(2), &firings(1), &rows, &[0, 1, 1]),
        function.apply(&rows),
    ];
    for call in calls {
        let said = call.unwrap_err();
        assert!(
            said.contains("the host sent") || said.contains("kind"),
            "{said}"
        );
    }
}
