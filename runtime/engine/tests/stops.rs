//! How runs end before their input does, and that what is full holds up what feeds it: graceful stops, errors and panics
//! of one worker, slow workers, exchanges behind exchanges.

mod support;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::{Duration, Instant};

use support::hooks::Hooked;
use support::{Bench, How, totals};
use tidemill_engine::functions::{Functions, InModules};
use tidemill_engine::{EngineError, Running, Summary};

/// Made-up rows; `more` is what else stands in `datagen`.
fn source(more: &str) -> String {
    format!(
        "[sources.rows]\ndatagen = {{ {more} }}\nevent-time = \"at\"\nout-of-orderness = \"1ms\"\n\
         [sources.rows.columns]\na = {{ type = \"integer\", max = 40 }}\nb = {{ type = \"integer\", max = 7 }}\n\
         value = {{ type = \"integer\", min = 1, max = 1 }}\n\
         at = {{ type = \"time\", step = \"10us\", jitter = \"900us\" }}\n\n"
    )
}

fn operator(name: &str, input: &str, key: &str, size: &str, more: &str) -> String {
    format!(
        "[operators.{name}]\ninput = \"{input}\"\nkey = {key}\nwindow = {{ tumble = \"{size}\" }}\n\
         function = \"kinds/sum\"\n{more}\n[sinks.to-{name}]\ninput = \"{name}\"\nfile = \"{name}.jsonl\"\n\n"
    )
}

fn start(bench: &Bench, how: How, functions: Arc<dyn Functions>) -> Running {
    let plan = bench.plan(how.workers);
    tidemill_engine::start(&plan, &how.options_with(functions)).expect("a start")
}

/// The end of a run that must come soon: a run that hangs fails the test instead of hanging it.
fn end(running: Running) -> Result<Summary, EngineError> {
    let until = Instant::now() + Duration::from_secs(60);
    while !running.is_finished() {
        assert!(Instant::now() < until, "it hangs: {:#?}", running.totals());
        thread::sleep(Duration::from_millis(1));
    }
    running.wait()
}

/// Rows that a station has taken so far.
fn taken(running: &Running, name: &str) -> u64 {
    let totals = running.totals();
    let station = totals.iter().find(|totals| totals.name == name);
    station.expect("a station").rows_in
}

fn wait_for(running: &Running, name: &str, rows: u64) {
    let until = Instant::now() + Duration::from_secs(60);
    while taken(running, name) < rows {
        assert!(!running.is_finished(), "it ended: {:#?}", running.totals());
        assert!(Instant::now() < until, "it hangs: {:#?}", running.totals());
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn a_stop_drains_rows_in_flight_and_fires_no_open_window() {
    for workers in 1..=3 {
        let text = source("splits = 3")
            + &operator("small", "rows", "\"a\"", "1ms", "")
            + &operator(
                "second",
                "small",
                "\"a\"",
                "2ms",
                "rename = { value = \"sum\" }",
            )
            + &operator("open", "rows", "\"b\"", "300000d", "")
            + "[sinks.all]\ninput = \"rows\"\nfile = \"all.jsonl\"\n";
        let bench = Bench::new(&text);
        let running = start(&bench, How::new(50, workers), Arc::new(InModules));
        wait_for(&running, "small", 3000);
        running.stopper().stop();
        let summary = end(running).expect("a stop is no error");
        assert!(summary.stopped);
        let given = totals(&summary, "rows").rows_out;
        for name in ["small", "open"] {
            let station = totals(&summary, name);
            assert_eq!(
                (station.rows_in, station.late),
                (given, 0),
                "{name} on {workers}"
            );
        }
        assert_eq!(bench.read("all").len() as u64, given, "{workers} workers");
        assert_eq!(bench.read("open").len(), 0, "{workers} workers");
        let small = totals(&summary, "small").rows_out;
        assert_eq!(
            totals(&summary, "second").rows_in,
            small,
            "{workers} workers"
        );
        assert_eq!(bench.read("small").len() as u64, small, "{workers} workers");
        let in_windows: i64 = bench.read("small").integers("sum").iter().sum();
        assert!(
            0 < in_windows && (in_windows as u64) < given,
            "{in_windows} of {given}"
        );
    }
}

#[test]
fn a_stop_before_the_first_row_ends_at_once() {
    let bench = Bench::new(&(source("rate = 0.001") + &operator("one", "rows", "\"a\"", "1s", "")));
    let running = start(&bench, How::new(10, 2), Arc::new(InModules));
    running.stopper().stop();
    assert!(end(running).expect("a stop is no error").stopped);
}

#[test]
fn a_slow_worker_holds_up_the_source() {
    let slow = Hooked::new(|worker, _| {
        if worker == 1 {
            thread::sleep(Duration::from_millis(4));
        }
        Ok(())
    });
    const BATCH: u64 = 16;
    let bench = Bench::new(&(source("") + &operator("one", "rows", "\"a\"", "1d", "")));
    let running = start(&bench, How::new(BATCH as usize, 2), Arc::new(slow));
    let mut most = 0;
    let until = Instant::now() + Duration::from_secs(60);
    while taken(&running, "one") < 2000 {
        assert!(Instant::now() < until, "it hangs: {:#?}", running.totals());
        // The window's counter is read first, so that the difference is never too small.
        let done = taken(&running, "one");
        let read = running.totals()[0].rows_out;
        most = most.max(read.saturating_sub(done));
        thread::sleep(Duration::from_micros(500));
    }
    running.stopper().stop();
    let summary = end(running).expect("a stop is no error");
    assert_eq!(
        totals(&summary, "one").rows_in,
        totals(&summary, "rows").rows_out
    );
    // A queue of eight events, what waits before it, what both workers have in hand, and what is read between two looks.
    let bound = (8 + 8) * BATCH;
    assert!(
        most <= bound,
        "{most} rows were on their way, more than {bound}"
    );
}

#[test]
fn a_panic_of_one_worker_stops_all() {
    for workers in [2, 3] {
        let calls = AtomicU64::new(0);
        let panics = Hooked::new(move |worker, operator| {
            let at = worker == 1 && operator == "second" && calls.fetch_add(1, Relaxed) == 3;
            assert!(!at, "a defect for this test");
            Ok(())
        });
        let text = source("splits = 2")
            + &operator("first", "rows", "\"a\"", "1ms", "")
            + &operator("second", "rows", "\"b\"", "1ms", "");
        let bench = Bench::new(&text);
        let error =
            end(start(&bench, How::new(20, workers), Arc::new(panics))).expect_err("a panic");
        let EngineError::Panic { worker, message } = &error else {
            panic!("{error}")
        };
        assert_eq!(
            (worker.as_str(), message.as_str()),
            ("worker 1", "a defect for this test")
        );
        assert!(
            error
                .to_string()
                .contains("worker 1 panicked: a defect for this test; the pipeline was stopped")
        );
        assert!(
            !bench.path("first.jsonl").exists(),
            "no output of half a run"
        );
    }
}

#[test]
fn an_error_of_one_worker_stops_all() {
    let calls = AtomicU64::new(0);
    let fails =
        Hooked::new(
            move |worker, _| match worker == 1 && calls.fetch_add(1, Relaxed) == 5 {
                true => Err("no more".to_owned()),
                false => Ok(()),
            },
        );
    let bench = Bench::new(&(source("splits = 3") + &operator("one", "rows", "\"a\"", "1ms", "")));
    let error = end(start(&bench, How::new(20, 3), Arc::new(fails))).expect_err("an error");
    let text = error.to_string();
    assert!(matches!(error, EngineError::Guest { .. }), "{text}");
    assert!(
        text.starts_with("operator one: ") && text.contains("no more"),
        "{text}"
    );
}

/// A row that fails on one worker ends the others, which read without end.
#[test]
fn a_failed_row_on_one_worker_stops_all() {
    let text = source("splits = 3")
        + "[operators.two]\ninput = \"rows\"\nfunction = \"kinds/trapping\"\nconfig = { at = 1 }\n\
           [sinks.none]\ninput = \"two\"\nblackhole = {}\n";
    let bench = Bench::new(&text);
    for workers in [1, 3] {
        let error = end(bench.start(How::new(64, workers))).expect_err("a row that traps");
        let EngineError::Row(stopped) = &error else {
            panic!("{error}")
        };
        assert!(stopped.row.message.contains("the value is 1"), "{error}");
    }
}

/// Each exchange sends to every worker, also to those that send to it: full queues in a ring must not wait for each other.
#[test]
fn exchanges_behind_exchanges_never_wait_for_each_other() {
    const ROWS: i64 = 30_000;
    let sums = "rename = { value = \"sum\" }";
    let text = source(&format!("rows = {ROWS}, splits = 3"))
        + &operator("first", "rows", "[\"a\", \"b\"]", "1ms", "")
        + &operator("second", "first", "\"b\"", "2ms", sums)
        + &operator("third", "first", "\"a\"", "4ms", sums)
        + &operator("fourth", "third", "[]", "8ms", sums).replace("key = []\n", "");
    let bench = Bench::new(&text);
    for (batch_rows, workers, slow) in [(4, 2, false), (3, 3, false), (64, 2, true), (64, 3, true)]
    {
        let how = How::new(batch_rows, workers);
        // Workers that are slow by turns, so that queues fill and empty.
        let calls = AtomicU64::new(0);
        let by_turns = Hooked::new(move |worker, _| {
            let call = calls.fetch_add(1, Relaxed);
            if slow && call.is_multiple_of(16) && call / 256 % 3 == worker {
                thread::sleep(Duration::from_millis(1));
            }
            Ok(())
        });
        let summary = end(start(&bench, how, Arc::new(by_turns))).expect("a good end");
        assert!(!summary.stopped);
        for name in ["first", "second", "third", "fourth"] {
            assert_eq!(totals(&summary, name).late, 0, "{name}, {how:?}");
            let sum: i64 = bench.read(name).integers("sum").iter().sum();
            assert_eq!(sum, ROWS, "{name}, {how:?}");
        }
    }
}
