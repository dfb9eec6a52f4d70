//! What the clock does to a run (`docs/semantics.md`, Rows 2 and 3, Watermarks 6 to 8): idle splits, alignment, files that are
//! found later, operators that work by the clock. The clock is the test's: nothing here waits for a time-out.

mod support;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use support::followed::{SECOND, row, rows, source, sums};
use support::{Bench, How, NOW, totals};
use tidemill_engine::functions::InModules;
use tidemill_engine::watch::{HeldBy, Holder};
use tidemill_engine::{Options, Running, Summary, Totals};

/// How long something that must come may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often each worker has looked at the clock.
type Looks = Arc<Mutex<BTreeMap<String, u64>>>;

/// A run whose clock is set by hand.
struct ByHand {
    running: Running,
    clock: Arc<AtomicI64>,
    looks: Looks,
}

impl ByHand {
    fn start(bench: &Bench, how: How) -> Self {
        let clock = Arc::new(AtomicI64::new(NOW));
        let looks = Looks::default();
        let (now, looked) = (clock.clone(), looks.clone());
        let look = move || {
            if let Some(worker) = thread::current()
                .name()
                .filter(|n| n.starts_with("worker-"))
            {
                *looked.lock().unwrap().entry(worker.to_owned()).or_default() += 1;
            }
            now.load(SeqCst)
        };
        let options = Options {
            now: Arc::new(look),
            ..how.options_with(Arc::new(InModules))
        };
        let running = tidemill_engine::start(&bench.plan(how.workers), &options);
        let run = Self {
            running: running.expect("a start"),
            clock,
            looks,
        };
        run.wait("every worker begins", || {
            run.looks.lock().unwrap().len() == how.workers
        });
        run
    }

    fn sleep(&self, seconds: i64) {
        self.clock.fetch_add(seconds * SECOND, SeqCst);
    }

    fn totals(&self, name: &str) -> Totals {
        let totals = self.running.totals();
        let found = totals.into_iter().find(|totals| totals.name == name);
        found.unwrap_or_else(|| panic!("no station {name}"))
    }

    /// Waits until a station has come so far.
    fn until(&self, name: &str, reached: impl Fn(&Totals) -> bool) {
        self.wait(name, || reached(&self.totals(name)));
    }

    fn wait(&self, what: &str, reached: impl Fn() -> bool) {
        let until = Instant::now() + PATIENCE;
        while !reached() {
            let totals = self.running.totals();
            assert!(!self.running.is_finished(), "{what}: it ended: {totals:#?}");
            assert!(Instant::now() < until, "{what}: it hangs: {totals:#?}");
            thread::sleep(Duration::from_millis(1));
        }
    }

    /// Lets every worker look at the clock a few times, in different turns, and do what it finds due.
    fn rest(&self) {
        for _ in 0..3 {
            let before = self.looks.lock().unwrap().clone();
            self.wait("every worker looks at the clock", || {
                let looks = self.looks.lock().unwrap();
                before
                    .iter()
                    .all(|(worker, looked)| looks[worker] > *looked)
            });
        }
    }

    fn held(&self) -> Option<HeldBy> {
        self.running.metrics().held(0)
    }

    fn stop(self) -> Summary {
        self.running.stopper().stop();
        self.running.wait().expect("a stop is no error")
    }
}

/// Watermarks 6: a file that gives nothing is given up after time in which it could have delivered, and comes back.
#[test]
fn a_file_that_goes_idle_holds_nothing_back() {
    for workers in [1, 2] {
        let text = source(
            "rows",
            "[\"a.jsonl\", \"b.jsonl\"]",
            "idle-timeout = \"30s\"",
        );
        let bench = Bench::new(&(text + &sums("\"rows\"", "")));
        bench.write("a.jsonl", &row("k", 0));
        bench.write("b.jsonl", &row("k", 1));
        let run = ByHand::start(&bench, How::new(16, workers));
        run.until("sums", |sums| sums.rows_in == 2);
        bench.append("b.jsonl", &row("k", 100));
        run.until("sums", |sums| sums.rows_in == 3);
        run.rest();
        let held = run.held().expect("somebody holds it");
        assert_eq!(held.holder, Holder::Split("a.jsonl".into()));
        assert_eq!((held.watermark, held.since), (-1, NOW));
        assert_eq!(held.idle_at, Some(NOW + 30 * SECOND));
        run.sleep(20);
        bench.append("b.jsonl", &row("k", 101));
        run.until("sums", |sums| sums.rows_in == 4);
        run.rest();
        run.sleep(10);
        run.rest();
        assert_eq!(run.totals("sums").rows_out, 0, "not for longer than 30 s");
        run.sleep(1);
        run.until("sums", |sums| sums.rows_out == 1);
        let held = run.held().expect("somebody holds it");
        assert_eq!(held.holder, Holder::Split("b.jsonl".into()));
        // It returns, behind; the window is gone.
        bench.append("a.jsonl", &row("k", 5));
        run.until("sums", |sums| sums.late == 1);
        bench.append("b.jsonl", &row("k", 200));
        run.until("sums", |sums| sums.rows_out == 2);
        // It has caught up, and counts again.
        bench.append("a.jsonl", &row("k", 201));
        run.until("sums", |sums| sums.rows_in == 7);
        bench.append("b.jsonl", &row("k", 500));
        run.until("sums", |sums| sums.rows_in == 8);
        run.rest();
        assert_eq!(run.totals("sums").rows_out, 2, "{workers} workers");
        run.stop();
        assert_eq!(bench.read("out").integers("sum"), [2, 2]);
    }
}

/// A source of which all splits are idle is left out; where all are, `when-idle` decides.
#[test]
fn idle_sources_are_left_out() {
    for (when_idle, fires) in [("hold", false), ("advance", true)] {
        let when_idle = format!("idle-timeout = \"5s\"\nwhen-idle = \"{when_idle}\"");
        let text = source("one", "\"a.jsonl\"", "idle-timeout = \"5s\"")
            + &source("two", "\"b.jsonl\"", &when_idle)
            + &sums("[\"one\", \"two\"]", "");
        let bench = Bench::new(&text);
        bench.write("a.jsonl", &row("k", 0));
        bench.write("b.jsonl", &row("k", 1));
        let run = ByHand::start(&bench, How::new(16, 2));
        run.until("sums", |sums| sums.rows_in == 2);
        run.rest();
        run.sleep(6);
        run.rest();
        bench.append("b.jsonl", &row("k", 15));
        run.until("sums", |sums| sums.rows_out == 1);
        // Now both are.
        run.rest();
        run.sleep(6);
        run.rest();
        assert_eq!(run.totals("sums").rows_out, 1);
        run.sleep(6);
        if fires {
            run.until("sums", |sums| sums.rows_out == 2);
        } else {
            run.rest();
            assert_eq!(run.totals("sums").rows_out, 1, "it holds");
        }
        // Back again: it counts, and the other does not.
        bench.append("b.jsonl", &row("k", 40));
        run.until("sums", |sums| sums.rows_out == 2);
        run.stop();
        assert_eq!(bench.read("out").integers("sum"), [2, 1]);
    }
}

/// Watermarks 8: who is more than `max-drift` ahead waits, to the row where one worker reads all.
#[test]
fn splits_wait_for_each_other() {
    for (batch_rows, workers) in [(1, 1), (7, 1), (4096, 1), (1, 2)] {
        let text = source("rows", "[\"a.jsonl\", \"b.jsonl\"]", "max-drift = \"10s\"");
        let bench = Bench::new(&(text + &sums("\"rows\"", "")));
        bench.write("a.jsonl", "");
        bench.write("b.jsonl", &row("k", 0));
        let run = ByHand::start(&bench, How::new(batch_rows, workers));
        run.until("sums", |sums| sums.rows_in == 1);
        run.rest();
        bench.append("a.jsonl", &rows(0..100));
        run.until("sums", |sums| sums.rows_in == 13);
        run.rest();
        assert_eq!(
            run.totals("sums").rows_in,
            13,
            "0 to 11, which is ahead by more"
        );
        let held = run.held().expect("somebody holds it");
        assert_eq!(held.holder, Holder::Split("b.jsonl".into()));
        bench.append("b.jsonl", &row("k", 50));
        run.until("sums", |sums| sums.rows_in == 64);
        run.rest();
        assert_eq!(run.totals("sums").rows_in, 64, "12 to 61, and one of b");
        // Once b is idle nobody waits for it.
        run.sleep(61);
        run.until("sums", |sums| sums.rows_in == 102);
        let summary = run.stop();
        assert_eq!(totals(&summary, "sums").late, 0);
    }
}

/// Alignment also holds where files end: the worker that is ahead waits for the others, and nobody waits for ever.
#[test]
fn aligned_files_are_read_to_their_ends() {
    let text = source(
        "rows",
        "[\"a.jsonl\", \"b.jsonl\", \"c.jsonl\"]",
        "max-drift = \"10s\"",
    );
    let text = text.replace("follow = true", "follow = false");
    let bench = Bench::new(&(text + &sums("\"rows\"", "")));
    bench.write("a.jsonl", &rows(0..5000));
    bench.write("b.jsonl", &rows((0..5000).map(|i| i * 2)));
    bench.write("c.jsonl", &rows(0..3));
    for how in [How::new(64, 1), How::new(64, 3), How::new(7, 2)] {
        let summary = bench.run(how);
        let sums = totals(&summary, "sums");
        assert_eq!(
            (sums.rows_in, sums.rows_out, sums.late),
            (10_003, 1000, 0),
            "{how:?}"
        );
    }
}

/// Watermarks 7: files that appear in a followed folder are splits found later. They start at the watermark.
#[test]
fn files_are_found_while_it_runs() {
    for workers in [1, 3] {
        let text = source("rows", "\"in\"", "") + &sums("\"rows\"", "");
        let bench = Bench::new(&text);
        bench.write("in/a.jsonl", &row("k", 0));
        let run = ByHand::start(&bench, How::new(16, workers));
        run.until("sums", |sums| sums.rows_in == 1);
        bench.append("in/a.jsonl", &row("k", 100));
        run.until("sums", |sums| sums.rows_out == 1);
        bench.write("in/.hidden", "no row\n");
        bench.write("in/b.jsonl", &(row("k", 7) + &row("k", 150)));
        run.until("sums", |sums| sums.rows_in == 4);
        bench.rename("in/a.jsonl", "in/renamed.jsonl");
        bench.write("in/c.jsonl", &row("k", 160));
        run.until("sums", |sums| sums.rows_in == 5);
        run.rest();
        let summary = run.stop();
        assert_eq!(
            totals(&summary, "sums").late,
            1,
            "7 is behind what the source has passed on"
        );
        assert_eq!(
            totals(&summary, "rows").rows_in,
            5,
            "a renamed file is the same"
        );
    }
}

/// A followed folder may be empty at first; then the source is left out.
#[test]
fn an_empty_folder_is_waited_for() {
    let text = source("rows", "\"in/*.jsonl\"", "")
        + &source("others", "\"b.jsonl\"", "")
        + &sums("[\"rows\", \"others\"]", "");
    let bench = Bench::new(&text);
    bench.write("in/other.txt", "");
    bench.write("b.jsonl", &rows([0, 20].into_iter()));
    let run = ByHand::start(&bench, How::new(16, 2));
    run.until("sums", |sums| sums.rows_out == 1);
    let held = run.held().expect("it has no split");
    assert_eq!(held.holder, Holder::NoSplit);
    bench.write("in/a.jsonl", &row("k", 30));
    run.until("sums", |sums| sums.rows_in == 3);
    run.stop();
}

/// Rows 3: rows get the clock as the operator takes them, and W follows the clock, rows or none.
#[test]
fn an_operator_works_by_the_clock() {
    for workers in [1, 2] {
        let text = "[sources.rows]\nfiles = { path = \"a.jsonl\", follow = true }\n\
                    columns = { key = \"text\", value = \"integer\" }\n"
            .to_owned();
        let bench = Bench::new(&(text + &sums("\"rows\"", "time = \"processing\"")));
        let values = |n: usize| "{\"key\":\"k\",\"value\":1}\n".repeat(n);
        bench.write("a.jsonl", &values(3));
        let run = ByHand::start(&bench, How::new(2, workers));
        run.until("sums", |sums| sums.rows_in == 3);
        run.sleep(9);
        bench.append("a.jsonl", &values(1));
        run.until("sums", |sums| sums.rows_in == 4);
        run.rest();
        assert_eq!(run.totals("sums").rows_out, 0, "ten seconds are not over");
        run.sleep(1);
        run.until("sums", |sums| sums.rows_out == 1);
        bench.append("a.jsonl", &values(5));
        run.until("sums", |sums| sums.rows_in == 9);
        // A clock that is set back stands still.
        run.sleep(-5);
        bench.append("a.jsonl", &values(1));
        run.until("sums", |sums| sums.rows_in == 10);
        let summary = run.stop();
        let station = totals(&summary, "sums");
        assert_eq!((station.late, station.behind, station.rows_out), (0, 0, 1));
        let out = bench.read("out").values();
        assert_eq!(out[0]["window_start"], "2024-01-01T00:00:00Z");
        assert_eq!(
            (&out[0]["sum"], &out[0]["firing"]),
            (&4.into(), &"on-time".into())
        );
    }
}

/// The end of the input fires what is open, also by the clock; windows behind have the time that it gave.
#[test]
fn by_the_clock_to_the_end() {
    let text = "[sources.rows]\nfiles = \"a.jsonl\"\ncolumns = { key = \"text\", value = \"integer\" }\n\
                [operators.now]\ninput = \"rows\"\ntime = \"processing\"\nfunction = \"kinds/trapping\"\nconfig = { at = -1 }\n"
        .to_owned();
    let bench = Bench::new(&(text + &sums("\"now\"", "")));
    bench.write("a.jsonl", &"{\"key\":\"k\",\"value\":1}\n".repeat(7));
    for how in [How::new(1, 1), How::new(4096, 2)] {
        let summary = bench.run(how);
        assert_eq!(totals(&summary, "sums").behind, 0);
        let out = bench.read("out").values();
        assert_eq!(out.len(), 1, "{out:?}");
        assert_eq!(out[0]["sum"], 7);
        assert_eq!(out[0]["window_start"], "2024-01-01T00:00:00Z");
    }
}
