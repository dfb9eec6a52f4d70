//! Process functions through the harness, and through the calls that the host makes, on this machine.

use tidemill::native::{Batch, Column, Held, Table, Values, configure, describe};
use tidemill::prelude::*;
use tidemill::{Function, Harness};

#[derive(Record)]
struct Payment {
    amount: f64,
    #[record(event_time)]
    at: Timestamp,
}

#[derive(Record, Debug, PartialEq)]
struct Alert {
    what: String,
    total: f64,
}

#[derive(Record)]
struct Customer {
    customer: i64,
}

#[derive(State)]
struct Account {
    total: Value<f64>,
    #[state(ttl = "10s")]
    warned: Value<bool>,
    #[state(ttl = "10s", clock = "processing", read)]
    looked: Value<i64>,
    #[state(most = 3)]
    amounts: List<f64>,
    shops: Map<i64, Seen>,
}

#[derive(Record, Clone, Debug, PartialEq)]
struct Seen {
    at: Timestamp,
}

#[derive(Timers)]
struct Timers {
    silent: Timer,
    #[timer(processing)]
    clock: Timer,
}

#[derive(Sides)]
struct Sides {
    refused: Output<Same>,
}

/// Alerts of customers.
#[derive(Config)]
struct Watch {
    limit: f64,
}

#[process]
impl Watch {
    fn on_row(
        &self,
        payment: Payment,
        account: &mut Account,
        timers: &mut Timers,
        out: &mut Output<Alert>,
        sides: &mut Sides,
    ) -> Result<(), Failure> {
        let total = account.total.get().copied().unwrap_or_default() + payment.amount;
        account.total.set(total);
        account.amounts.push(payment.amount);
        account
            .shops
            .set(payment.amount as i64 % 10, Seen { at: payment.at });
        timers.silent.move_to(payment.at.plus_micros(20_000_000));
        if payment.amount < 0.0 {
            out.push(Alert {
                what: "never seen".to_owned(),
                total,
            });
            return Err(Failure::invalid("negative", "a payment below 0"));
        }
        if payment.amount == 0.0 {
            sides.refused.push(Same);
        }
        if total > self.limit && account.warned.get().is_none() {
            account.warned.set(true);
            let what = format!(
                "{:?} {:?}",
                account.amounts.all(),
                account.shops.entries().len()
            );
            out.push(Alert { what, total });
        }
        Ok(())
    }

    fn on_timer(
        &self,
        customer: Customer,
        fired: Fired,
        account: &mut Account,
        timers: &mut Timers,
        out: &mut Output<Alert>,
        _sides: &mut Sides,
    ) {
        let what = format!("{} {} {}", fired.name(), customer.customer, fired.ended());
        let total = account.total.get().copied().unwrap_or_default();
        out.push(Alert { what, total });
        if fired.name() == "silent" {
            timers.clock.set(Timestamp::from_seconds(500));
        }
        account.amounts.clear();
    }
}

fn second(second: i64) -> Timestamp {
    Timestamp::from_seconds(second)
}

fn paid(amount: f64, at: i64) -> Payment {
    Payment {
        amount,
        at: second(at),
    }
}

fn alert(what: &str, total: f64) -> Alert {
    Alert {
        what: what.to_owned(),
        total,
    }
}

#[test]
fn time_moves_as_the_test_says() {
    let mut harness = Harness::new(Watch { limit: 10.0 });
    harness
        .row(7, paid(6.0, 1))
        .row(7, paid(6.0, 2))
        .row(8, paid(1.0, 2));
    assert_eq!(harness.rows::<Alert>(), [alert("[6.0, 6.0] 1", 12.0)]);
    // What was written with the time of second 2 has expired once W stands at second 12.
    harness.advance_to(second(11)).row(7, paid(1.0, 12));
    assert_eq!(harness.rows::<Alert>().len(), 1);
    harness.advance_to(second(12)).row(7, paid(1.0, 13));
    assert_eq!(harness.rows::<Alert>()[1], alert("[6.0, 1.0, 1.0] 2", 14.0));
    harness.forget_rows().advance_to(second(22));
    assert_eq!(harness.rows::<Alert>(), [alert("silent 8 false", 1.0)]);
    assert_eq!(
        harness.timers(),
        [("silent", second(33)), ("clock", second(500))]
    );
    harness.clock_to(second(499)).clock_to(second(500)).end();
    let rest = [alert("clock 8 false", 1.0), alert("silent 7 true", 14.0)];
    assert_eq!(harness.rows::<Alert>()[1..], rest);
    assert_eq!(harness.timers(), [], "what is set at the end is dropped");
}

#[test]
fn a_failed_row_leaves_no_trace() {
    let mut harness = Harness::new(Watch { limit: 1.0 });
    harness
        .row(7, paid(0.0, 1))
        .row(7, paid(-5.0, 2))
        .row(7, paid(2.0, 3));
    assert_eq!(harness.rows::<Alert>(), [alert("[0.0, 2.0] 2", 2.0)]);
    assert_eq!(harness.side::<Same>(0), [Same]);
    assert_eq!(harness.failures(), ["negative: a payment below 0"]);
    assert_eq!(harness.timers(), [("silent", second(23))]);
}

#[test]
fn rows_of_several_keys_share_a_call() {
    let watch = configure::<Watch>(r#"{"limit": 1000.0}"#).unwrap();
    let watch: Box<dyn Function> = Box::new(watch);
    let floats = |floats: &[f64]| Column {
        values: Values::Floats(floats.to_vec()),
        valid: None,
    };
    let none = || Table {
        rows: 0,
        columns: Vec::new(),
    };
    let held = |present: &[u8], entries| Held {
        present: present.to_vec(),
        entries,
    };
    let totals = Table {
        rows: 1,
        columns: vec![floats(&[50.0])],
    };
    let values = [
        held(&[0, 1], totals),
        held(&[0, 0], none()),
        held(&[0, 0], none()),
    ];
    let rows = Batch {
        rows: 4,
        times: vec![1, 2, 3, 4],
        stamps: None,
        changes: None,
        columns: vec![floats(&[1.0, 2.0, -1.0, 4.0])],
    };
    let keys = Table {
        rows: 2,
        columns: vec![Column {
            values: Values::Words(vec![7, 8]),
            valid: None,
        }],
    };
    let processed = watch.on_rows(&keys, &rows, &[0, 1, 0, 1], &values).unwrap();
    assert!(processed.clean);
    assert_eq!(processed.output.failures[0].row, 2);
    assert_eq!(processed.values[0].changes, [1, 1]);
    let Values::Floats(totals) = &processed.values[0].entries.columns[0].values else {
        panic!("totals are floats");
    };
    assert_eq!(totals, &[1.0, 56.0]);
    assert_eq!(processed.values[1].touched, [u32::MAX; 2]);
    assert_eq!(
        processed.timers.rows,
        [0, 0, 1, 1, 3, 3],
        "the failed row sets none"
    );
    assert_eq!(processed.lists[0].rows, [0, 1, 3]);
}

#[test]
fn it_says_what_it_keeps() {
    let said = describe::<Watch>();
    let parts = [
        r#""kind":"process""#,
        r#""key":[{"name":"customer","type":"integer"}]"#,
        r#"{"name":"total","kind":"value","columns":[{"name":"value","type":"float"}]}"#,
        r#""columns":[{"name":"value","type":"bool"}],"ttl":10000000}"#,
        r#""ttl":10000000,"clock":"processing","touch":"read"}"#,
        r#"{"name":"amounts","kind":"list","columns":[{"name":"value","type":"float"}],"most":3}"#,
        r#""kind":"map","key":[{"name":"value","type":"integer"}],"columns":[{"name":"at","type":"time"}]}"#,
        r#""timers":[{"name":"silent"},{"name":"clock","clock":"processing"}]"#,
        r#""sides":[{"name":"refused","output":"same"}]"#,
    ];
    for part in parts {
        assert!(said.contains(part), "{part} is missing in {said}");
    }
}
