//! What is said at the end of a run.

use std::sync::Arc;
use std::time::Duration;

use comfy_table::{CellAlignment, Table, presets};
use serde_json::{Value, json};
use tidemill_engine::Totals;
use tidemill_engine::metrics::Metrics;

use crate::board::{Board, Kind, Station};
use crate::clocks::now;
use crate::figures::{count, counted, per_second, rate, took};
use crate::hot_keys;
use crate::talk::Talk;
use crate::waits::Wait;
use crate::{lateness, waits};

/// How a run went.
pub struct Ran {
    /// How long it took.
    pub time: Duration,
    /// What it took of all cores together.
    pub cpu: Duration,
    /// Each station's counters.
    pub totals: Vec<Totals>,
    /// The same as they were when it began: of runs from which it went on.
    pub before: Vec<Totals>,
    /// How it ended.
    pub end: End,
    /// What sources say of their watermarks and of the order of their rows.
    pub metrics: Arc<Metrics>,
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

impl Ran {
    /// Each station with its counters and how many rows it took in this run.
    fn stations<'a>(
        &'a self,
        board: &'a Board,
    ) -> impl Iterator<Item = (&'a Station, &'a Totals, u64)> {
        let rows = |(own, before): (&Totals, &Totals)| own.rows_in.saturating_sub(before.rows_in);
        let rows = self.totals.iter().zip(&self.before).map(rows);
        let stations = board.with(&self.totals).zip(rows);
        stations.map(|((station, own), rows)| (station, own, rows))
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
    let (read, before) = (board.rows_read(&ran.totals), board.rows_read(&ran.before));
    let mut stations: Vec<Value> = ran
        .stations(board)
        .map(|(station, own, rows)| {
            let mut event = station.event(own, &ran.totals, (rows, ran.time));
            hot_keys::add(&mut event, station, (own, rows));
            event
        })
        .collect();
    waits::add(&mut stations, &waiting(board, ran), now());
    for (index, station) in stations.iter_mut().enumerate() {
        if let Some(lateness) = lateness::event(&ran.metrics, index) {
            station["lateness"] = lateness;
        }
    }
    json!({
        "event": "summary", "pipeline": board.pipeline, "end": ran.end.word(),
        "elapsed_s": ran.time.as_secs_f64(), "cpu_s": ran.cpu.as_secs_f64(),
        "rows_read": read, "rows_read_before": before,
        "rows_per_s": per_second(read.saturating_sub(before), ran.time).round(),
        "stations": stations,
    })
}

/// Who waited for whom when it was stopped. At the end of the input everything has fired.
fn waiting(board: &Board, ran: &Ran) -> Vec<Wait> {
    if ran.end == End::Done {
        return Vec::new();
    }
    waits::find(board, &ran.totals, &ran.metrics)
}

fn text(board: &Board, ran: &Ran) -> String {
    let before = board.rows_read(&ran.before);
    let read = board.rows_read(&ran.totals).saturating_sub(before);
    let with_those_before = match before {
        0 => String::new(),
        before => format!(" (and {} before it went on)", counted(before, "row")),
    };
    let mut text = format!(
        "{}: {} in {} ({} of CPU time): {} read{with_those_before}, {} rows/s\n{}",
        board.pipeline,
        ran.end.word(),
        took(ran.time),
        took(ran.cpu),
        counted(read, "row"),
        rate(per_second(read, ran.time)),
        table(board, ran).trim_fmt(),
    );
    for line in remarks(board, ran) {
        text.push_str(&format!("\n  {line}"));
    }
    text
}

/// A column of the table: its heading, its figure, the kinds of stations for which it means
/// something, and whether it is shown where it is 0 everywhere.
struct Column {
    heading: &'static str,
    figure: fn(&Totals) -> u64,
    kinds: &'static [Kind],
    always: bool,
}

const ROWS: &[Kind] = &[Kind::Source, Kind::Transform, Kind::Window, Kind::Process];
const ALL: &[Kind] = &[
    Kind::Source,
    Kind::Transform,
    Kind::Window,
    Kind::Process,
    Kind::Sink,
];
const PROCESS: &[Kind] = &[Kind::Process];
const KEYED: &[Kind] = &[Kind::Window, Kind::Process];
const WINDOW: &[Kind] = &[Kind::Window];
const TRANSFORM: &[Kind] = &[Kind::Transform];

/// Every way that a row can go has its column.
const COLUMNS: [Column; 12] = [
    Column {
        heading: "rows in",
        figure: |t| t.rows_in,
        kinds: ALL,
        always: true,
    },
    Column {
        heading: "rows out",
        figure: |t| t.rows_out,
        kinds: ROWS,
        always: true,
    },
    Column {
        heading: "filtered",
        figure: |t| t.filtered,
        kinds: TRANSFORM,
        always: false,
    },
    Column {
        heading: "late",
        figure: |t| t.late,
        kinds: WINDOW,
        always: true,
    },
    Column {
        heading: "behind",
        figure: |t| t.behind,
        kinds: WINDOW,
        always: false,
    },
    Column {
        heading: "in gaps",
        figure: |t| t.in_gaps,
        kinds: WINDOW,
        always: false,
    },
    Column {
        heading: "windows missed",
        figure: |t| t.windows_missed,
        kinds: WINDOW,
        always: false,
    },
    Column {
        heading: "never sent",
        figure: |t| t.never_sent,
        kinds: WINDOW,
        always: false,
    },
    Column {
        heading: "null keys",
        figure: |t| t.null_keys,
        kinds: KEYED,
        always: false,
    },
    Column {
        heading: "failed",
        figure: |t| t.failed,
        kinds: ROWS,
        always: true,
    },
    Column {
        heading: "failed results",
        figure: |t| t.failed_results,
        kinds: KEYED,
        always: false,
    },
    Column {
        heading: "timers dropped",
        figure: |t| t.timers_dropped,
        kinds: PROCESS,
        always: false,
    },
];

fn table(board: &Board, ran: &Ran) -> Table {
    let somewhere = |c: &&Column| c.always || ran.totals.iter().any(|t| (c.figure)(t) > 0);
    let shown: Vec<&Column> = COLUMNS.iter().filter(somewhere).collect();
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    let mut head = vec!["", ""];
    head.extend(shown.iter().map(|column| column.heading));
    head.extend(["busy", "rows/s"]);
    table.set_header(head);
    for (station, own, rows) in ran.stations(board) {
        let mut cells = vec![station.kind.word().to_owned(), station.name.clone()];
        cells.extend(shown.iter().map(|column| column.cell(station, own)));
        cells.push(took(Duration::from_nanos(own.busy_ns)));
        cells.push(rate(per_second(rows, ran.time)));
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(2) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

impl Column {
    fn cell(&self, station: &Station, own: &Totals) -> String {
        let means_something = self.kinds.contains(&station.kind);
        if means_something {
            count((self.figure)(own))
        } else {
            String::new()
        }
    }
}

/// What the figures do not say by themselves.
fn remarks(board: &Board, ran: &Ran) -> Vec<String> {
    let mut lines: Vec<String> = board.with(&ran.totals).filter_map(accounts).collect();
    if ran.end == End::Stopped {
        lines.push("stopped before the end of its input: open windows were not fired".to_owned());
    }
    lines.extend(waiting(board, ran).iter().map(|wait| wait.text(now())));
    lines.extend(lateness::lines(board, &ran.metrics));
    lines.extend(ran.stations(board).flat_map(hot_keys::lines));
    lines.extend(ran.totals.iter().filter_map(impure));
    lines
}

/// Where the rows of a source or a transform that lost some have gone.
fn accounts((station, own): (&Station, &Totals)) -> Option<String> {
    let lost = own.filtered + own.failed;
    let adds_up = own.rows_in == own.rows_out + lost;
    (lost > 0 && adds_up && matches!(station.kind, Kind::Source | Kind::Transform)).then(|| {
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
