//! From what a split delivered to rows with times: event times taken, bad rows set apart.

use arrow_array::cast::AsArray;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{Array, ArrayRef, UInt32Array};
use arrow_buffer::{ArrowNativeType, ScalarBuffer};
use tidemill_connectors::{BadRow, Chunk};
use tidemill_core::{clock, time};
use tidemill_rows::{RecordBatch, json, time_text};

use crate::blame::Blame;
use crate::failure::FailedRow;

/// Where event times come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventTime {
    /// The first of these columns that is not null.
    Columns(Vec<usize>),
    /// The clock of reading.
    Ingestion,
}

/// Rows of one split with their event times, all of them good.
#[derive(Clone, Debug)]
pub struct Prepared {
    /// The rows.
    pub rows: RecordBatch,
    /// Their event times.
    pub times: ScalarBuffer<i64>,
    /// Their positions.
    pub positions: ScalarBuffer<u64>,
    /// Their lines, where the split has lines.
    pub lines: Option<ScalarBuffer<u64>>,
    /// What they do to a table, where some delete.
    pub changes: Option<ScalarBuffer<u8>>,
    /// What a function says of the watermark after each, where one does.
    pub watermarks: Option<ScalarBuffer<i64>>,
}

/// How event times are taken and judged.
#[derive(Clone, Debug)]
pub struct Timing {
    /// Where they come from.
    pub event_time: EventTime,
    /// A row further ahead of the clock than this is a bad row; microseconds.
    pub max_ahead: Option<i64>,
    /// A row further ahead of the largest time of its split than this is a bad row; microseconds.
    pub max_jump: Option<i64>,
}

/// Where a chunk was read, and when.
#[derive(Debug)]
pub struct Reader<'a> {
    /// The split's name.
    pub split: &'a str,
    /// The clock of reading, in microseconds.
    pub now: i64,
    /// The largest time of the split's rows before, and then of these too.
    pub largest: &'a mut i64,
}

impl Timing {
    /// Sets bad rows apart from a chunk.
    pub fn prepare(
        &self,
        chunk: Chunk,
        reader: &mut Reader<'_>,
        blame: &Blame,
    ) -> (Prepared, Vec<FailedRow>) {
        let (split, now) = (reader.split, reader.now);
        let mut failed: Vec<FailedRow> = chunk
            .bad
            .into_iter()
            .map(|bad| undecoded(bad, split, blame))
            .collect();
        let len = chunk.rows.num_rows();
        let mut prepared = Prepared {
            times: ScalarBuffer::default(),
            positions: chunk.positions.into(),
            lines: chunk.lines.map(Into::into),
            changes: chunk.changes.map(Into::into),
            watermarks: None,
            rows: chunk.rows,
        };
        prepared.times = match &self.event_time {
            EventTime::Ingestion => std::iter::repeat_n(now, len).collect(),
            EventTime::Columns(columns) => match self.whole_column(&prepared.rows) {
                Some(times) => times,
                None => first_not_null(&prepared.rows, columns),
            },
        };
        let mut bad = Vec::new();
        clock::out_of_range(&prepared.times, &mut bad);
        if let Some(max_ahead) = self.max_ahead {
            clock::ahead(&prepared.times, now, max_ahead, &mut bad);
            bad.sort_unstable();
            bad.dedup();
        }
        if let Some(max_jump) = self.max_jump {
            clock::jumps(&prepared.times, reader.largest, max_jump, &mut bad);
        }
        if bad.is_empty() {
            return (prepared, failed);
        }
        failed.extend(
            bad.iter()
                .map(|&row| self.untimely(&prepared, row as usize, (split, now), blame)),
        );
        (prepared.without(&bad), failed)
    }

    /// The usual case: one column without nulls is the event time as it stands.
    pub fn whole_column(&self, rows: &RecordBatch) -> Option<ScalarBuffer<i64>> {
        let EventTime::Columns(columns) = &self.event_time else {
            return None;
        };
        let first = rows.column(*columns.first()?);
        (first.null_count() == 0).then(|| values(first).clone())
    }

    /// A row whose event time is no event time.
    fn untimely(
        &self,
        rows: &Prepared,
        row: usize,
        (split, now): (&str, i64),
        blame: &Blame,
    ) -> FailedRow {
        let at = rows.times[row];
        let ahead = |limit: &i64| at > now.saturating_add(*limit);
        let message = if at == NO_TIME {
            "its event time is null".to_owned()
        } else if !(time::FIRST..=time::LAST).contains(&at) {
            format!("its event time lies outside the years 1 to 9999: {at} us")
        } else if self.max_ahead.as_ref().is_some_and(ahead) {
            format!(
                "its event time is further ahead of the clock than `max-ahead` allows: {} at {}",
                time_text::rfc3339(at),
                time_text::rfc3339(now)
            )
        } else {
            format!(
                "its event time is further ahead of the rows before it in its split than `max-jump` allows: {}",
                time_text::rfc3339(at),
            )
        };
        FailedRow {
            split: Some(split.to_owned()),
            position: Some(rows.positions[row]),
            line: rows.lines.as_ref().map(|lines| lines[row]),
            time: (time::FIRST..=time::LAST).contains(&at).then_some(at),
            row: Some(json::row(&rows.rows, row)),
            ..blame.row("time", message)
        }
    }
}

impl Prepared {
    /// What is left without these rows, which ascend.
    pub fn without(&self, bad: &[u32]) -> Self {
        let is_good = |row: &u32| bad.binary_search(row).is_err();
        let good: Vec<u32> = (0..self.len() as u32).filter(is_good).collect();
        let indices = UInt32Array::from(good.clone());
        let times = |from: &ScalarBuffer<i64>| good.iter().map(|&i| from[i as usize]).collect();
        let changes = |from: &ScalarBuffer<u8>| good.iter().map(|&i| from[i as usize]).collect();
        let places = |from: &ScalarBuffer<u64>| good.iter().map(|&i| from[i as usize]).collect();
        Self {
            rows: arrow_select::take::take_record_batch(&self.rows, &indices)
                .expect("rows named are rows of the chunk"),
            times: times(&self.times),
            positions: places(&self.positions),
            lines: self.lines.as_ref().map(places),
            changes: self.changes.as_ref().map(changes),
            watermarks: self.watermarks.as_ref().map(times),
        }
    }

    /// Several, one behind the other.
    pub fn concat(mut pieces: Vec<Self>) -> Self {
        if pieces.len() == 1 {
            return pieces.remove(0);
        }
        let schema = pieces[0].rows.schema();
        let rows = pieces.iter().map(|piece| &piece.rows);
        Self {
            rows: arrow_select::concat::concat_batches(&schema, rows)
                .expect("chunks of a split have one schema"),
            times: joined(&pieces, |piece| Some(&piece.times)).unwrap_or_default(),
            positions: joined(&pieces, |piece| Some(&piece.positions)).unwrap_or_default(),
            lines: joined(&pieces, |piece| piece.lines.as_ref()),
            changes: joined(&pieces, |piece| piece.changes.as_ref()),
            watermarks: joined(&pieces, |piece| piece.watermarks.as_ref()),
        }
    }

    /// What the clock is given of each row: its time, or what a function says of the watermark after it.
    pub fn for_clock(&self) -> &[i64] {
        self.watermarks.as_ref().unwrap_or(&self.times)
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.times.len()
    }
}

/// A list of all pieces, one behind the other; nothing if one has none.
fn joined<T: ArrowNativeType>(
    pieces: &[Prepared],
    of: impl Fn(&Prepared) -> Option<&ScalarBuffer<T>>,
) -> Option<ScalarBuffer<T>> {
    let all: Option<Vec<&ScalarBuffer<T>>> = pieces.iter().map(of).collect();
    Some(
        all?.into_iter()
            .flat_map(|list| list.iter().copied())
            .collect(),
    )
}

/// Stands for "null": no event time is so small.
const NO_TIME: i64 = i64::MIN;

fn first_not_null(rows: &RecordBatch, columns: &[usize]) -> ScalarBuffer<i64> {
    let columns: Vec<&ArrayRef> = columns.iter().map(|&i| rows.column(i)).collect();
    let of_row = |row| {
        let column = columns.iter().find(|column| column.is_valid(row));
        column.map_or(NO_TIME, |column| values(column)[row])
    };
    (0..rows.num_rows()).map(of_row).collect()
}

fn values(column: &ArrayRef) -> &ScalarBuffer<i64> {
    column.as_primitive::<TimestampMicrosecondType>().values()
}

fn undecoded(bad: BadRow, split: &str, blame: &Blame) -> FailedRow {
    FailedRow {
        split: Some(split.to_owned()),
        position: Some(bad.position),
        line: bad.line,
        bytes: Some(bad.bytes),
        recorded: bad.recorded,
        ..blame.row("decode", format!("{}: {}", bad.code, bad.message))
    }
}
