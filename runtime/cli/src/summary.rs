//! What is said at the end of a run.

use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use tidemill_engine::Totals;

use crate::board::{Board, Station};
use crate::figures::{count, counted, per_second, rate, took};
use crate::talk::Talk;

/// How a run went.
pub struct Ran {
    /// How long it took.
    pub time: Duration,
    /// What it took of all cores together.
    pub cpu: Duration,
    /// Each station's counters.
    pub totals: Vec<Totals>,
    /// How it ended.
    pub end: End,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Its input ended.
    Done,
    /// Somebody stopped it.
    Stopped,
    /// An error stopped it.
    Failed,
}

impl End {
    fn word(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
        }
    }
}

/// Says how a run went.
pub fn tell(board: &Board, ran: &Ran, talk: &Talk) {
    if talk.is_json() {
        talk.event(&event(board, ran));
    } else {
        talk.note(text(board, ran));
    }
}

fn event(board: &Board, ran: &Ran) -> Value {
    let read = board.rows_read(&ran.totals);
    let stations: Vec<Value> = board
        .with(&ran.totals)
        .map(|(station, own)| station.event(own, &ran.totals, (own.rows_in, ran.time)))
        .collect();
    json!({
        "event": "summary", "pipeline": board.pipeline, "end": ran.end.word(),
        "elapsed_s": ran.time.as_secs_f64(), "cpu_s": ran.cpu.as_secs_f64(),
        "rows_read": read, "rows_per_s": per_second(read, ran.time).round(),
        "stations": stations,
    })
}

fn text(board: &Board, ran: &Ran) -> String {
    let read = board.rows_read(&ran.totals);
    let mut text = format!(
        "{}: {} in {} ({} of CPU time): {} read, {} rows/s\n{}",
        board.pipeline,
        ran.end.word(),
        took(ran.time),
        took(ran.cpu),
        counted(read, "row"),
        rate(per_second(read, ran.time)),
        table(board, ran),
    );
    for line in remarks(board, ran) {
        text.push_str(&format!("\n  {line}"));
    }
    text
}

/// A column of the table: its heading, its figure, and whether it is shown when it is 0 everywhere.
struct Column {
    heading: &'static str,
    figure: fn(&Totals) -> u64,
    always: bool,
}

/// Every way that a row can go has its column.
const COLUMNS: [Column; 10] = [
    Column { heading: "rows in", figure: |t| t.rows_in, always: true },
    Column { heading: "rows out", figure: |t| t.rows_out, always: true },
    Column { heading: "filtered", figure: |t| t.filtered, always: false },
    Column { heading: "late", figure: |t| t.late, always: true },
    Column { heading: "behind", figure: |t| t.behind, always: false },
    Column { heading: "in gaps", figure: |t| t.in_gaps, always: false },
    Column { heading: "windows missed", figure: |t| t.windows_missed, always: false },
    Column { heading: "null keys", figure: |t| t.null_keys, always: false },
    Column { heading: "failed", figure: |t| t.failed, always: true },
    Column { heading: "failed results", figure: |t| t.failed_results, always: false },
];

fn table(board: &Board, ran: &Ran) -> Table {
    let shown: Vec<&Column> =
        COLUMNS.iter().filter(|c| c.always || ran.totals.iter().any(|t| (c.figure)(t) > 0)).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut head = vec!["", ""];
    head.extend(shown.iter().map(|column| column.heading));
    head.extend(["busy", "rows/s"]);
    let width = head.len();
    table.set_header(head);
    for (station, own) in board.with(&ran.totals) {
        let mut cells = vec![station.kind.to_owned(), station.name.clone()];
        cells.extend(shown.iter().map(|column| count((column.figure)(own))));
        cells.push(took(Duration::from_nanos(own.busy_ns)));
        cells.push(rate(per_second(own.rows_in, ran.time)));
        table.add_row(cells);
    }
    for column in (2..width).filter_map(|i| table.column_mut(i)) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// What the figures do not say by themselves.
fn remarks(board: &Board, ran: &Ran) -> Vec<String> {
    let mut lines: Vec<String> = board.with(&ran.totals).filter_map(accounts).collect();
    if ran.end == End::Stopped {
        lines.push("stopped before the end of its input: open windows were not fired".to_owned());
    }
    lines.extend(ran.totals.iter().filter_map(impure));
    lines
}

/// Where the rows of a source or a transform that lost some have gone.
fn accounts((station, own): (&Station, &Totals)) -> Option<String> {
    let lost = own.filtered + own.failed;
    let adds_up = own.rows_in == own.rows_out + lost;
    (lost > 0 && adds_up && matches!(station.kind, "source" | "transform")).then(|| {
        format!(
            "{}: {} in = {} out + {} filtered + {} failed",
            own.name,
            counted(own.rows_in, "row"),
            count(own.rows_out),
            count(own.filtered),
            count(own.failed)
        )
    })
}

/// Neither may decide a result (docs/limits.md), so whoever asks is named.
fn impure(own: &Totals) -> Option<String> {
    (own.clock_calls + own.random_calls > 0).then(|| {
        format!(
            "{}: its module asked the clock {} and for randomness {} while rows were processed: both are virtual, \
             the clock stands still",
            own.name,
            counted(own.clock_calls, "time"),
            counted(own.random_calls, "time"),
        )
    })
}
