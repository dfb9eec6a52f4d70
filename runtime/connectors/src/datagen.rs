//! Rows made up from a schema: seeded, so that the same specification always gives the same rows.
//!
//! Row i (from 0) is in split i mod splits, whatever the number of workers. Each value depends on
//! the seed, its column and i alone, so splits are read independently and a row is the same however
//! many are read at once.

mod column;

use std::sync::Arc;

use tidemill_rows::time_text;
use tidemill_rows::{LogicalType, RecordBatch, Schema, SchemaRef};

use crate::ConnectorError;
use crate::generated::{self, Numbers};
use crate::pace::Pace;
use crate::position::Position;
use crate::random::mix;
use crate::source::{NamesAndSplits, Share};
use crate::split::{Chunk, Split, Wake};

/// Rows to make up.
#[derive(Clone, Debug, PartialEq)]
pub struct DatagenSpec {
    /// The columns, in the order of the schema.
    pub columns: Vec<GeneratedColumn>,
    /// How many rows in all splits together; `None`: without end.
    pub rows: Option<u64>,
    /// Rows per second of the clock, over all splits; `None`: flat out.
    pub rate: Option<f64>,
    /// How many splits.
    pub splits: usize,
    /// Another seed makes other rows.
    pub seed: u64,
}

/// A column and what is in it.
#[derive(Clone, Debug, PartialEq)]
pub struct GeneratedColumn {
    /// Its name.
    pub name: String,
    /// Its values.
    pub values: Generate,
    /// The share of rows, 0 to 1, in which it is null; with 0 it is not nullable.
    pub nulls: f64,
}

impl GeneratedColumn {
    /// A column without nulls.
    pub fn new(name: impl Into<String>, values: Generate) -> Self {
        Self {
            name: name.into(),
            values,
            nulls: 0.0,
        }
    }
}

/// What a column's values are. i is the row's number, from 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Generate {
    /// The integer `start` + i * `step`.
    Sequence {
        /// Of row 0.
        start: i64,
        /// From row to row.
        step: i64,
    },
    /// An integer from `low` to `high`, both included, each as often.
    Integers {
        /// The smallest.
        low: i64,
        /// The largest.
        high: i64,
    },
    /// The integer `low` in a share of the rows; in the others an integer from `low` to `high`, both included, each as
    /// often.
    HotInteger {
        /// The smallest, and the hot one.
        low: i64,
        /// The largest.
        high: i64,
        /// The share, 0 to 1.
        hot: f64,
    },
    /// A float from `low` up to `high`, without `high`.
    Floats {
        /// The smallest.
        low: f64,
        /// None reaches it.
        high: f64,
    },
    /// True or false, each as often.
    Bools,
    /// One of some texts, each as often.
    Choice(Vec<String>),
    /// A text of so many small letters.
    RandomText {
        /// The fewest.
        shortest: usize,
        /// The most.
        longest: usize,
    },
    /// The same in every row.
    Constant(Constant),
    /// The time `start` + i * `step` - j, where j is at random from 0 to `jitter`: with 0 times
    /// rise, otherwise rows are out of order by at most the jitter. All in microseconds.
    Time {
        /// Of row 0, since the epoch.
        start: i64,
        /// From row to row.
        step: i64,
        /// How far rows are out of order.
        jitter: i64,
    },
    /// Integer keys that come in bursts, for sessions. The `keys` keys, 0 to `keys` - 1, are in
    /// `groups` equal groups that take turns; in a turn each key of the group has `rows` rows, in
    /// rounds through the group, in an order that changes.
    ///
    /// With 100,000 keys, 20 rows and 10 groups, a turn is 200,000 rows long: at a microsecond per
    /// row each key has 20 rows within 0.2 s, then 1.8 s of silence.
    Bursts {
        /// How many keys; a multiple of `groups`.
        keys: u64,
        /// How many rows a key has in one burst.
        rows: u64,
        /// How many groups take turns.
        groups: u64,
    },
}

/// A value that never changes.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub enum Constant {
    Bool(bool),
    Integer(i64),
    Float(f64),
    Text(String),
    /// Microseconds since the epoch.
    Time(i64),
}

impl Generate {
    /// The type of the column.
    pub fn ty(&self) -> LogicalType {
        match self {
            Self::Sequence { .. }
            | Self::Integers { .. }
            | Self::HotInteger { .. }
            | Self::Bursts { .. } => LogicalType::Integer,
            Self::Floats { .. } => LogicalType::Float,
            Self::Bools => LogicalType::Bool,
            Self::Choice(_) | Self::RandomText { .. } => LogicalType::Text,
            Self::Time { .. } => LogicalType::Time,
            Self::Constant(constant) => match constant {
                Constant::Bool(_) => LogicalType::Bool,
                Constant::Integer(_) => LogicalType::Integer,
                Constant::Float(_) => LogicalType::Float,
                Constant::Text(_) => LogicalType::Text,
                Constant::Time(_) => LogicalType::Time,
            },
        }
    }

    /// What is wrong with it, if something is.
    fn fault(&self, rows: Option<u64>) -> Option<String> {
        match self {
            Self::HotInteger { hot, .. } if !(0.0..=1.0).contains(hot) => {
                Some(format!("`hot` must be a share from 0 to 1: {hot}"))
            }
            Self::Integers { low, high } | Self::HotInteger { low, high, .. } if low > high => {
                Some(format!("no integer from {low} to {high}"))
            }
            Self::Floats { low, high } if !(low.is_finite() && high.is_finite() && low < high) => {
                Some(format!("no float from {low} up to {high}"))
            }
            Self::Choice(texts) if texts.is_empty() => Some("a choice of no texts".to_owned()),
            Self::RandomText { shortest, longest }
                if shortest > longest || *longest > LONGEST_TEXT =>
            {
                Some(format!(
                    "`length` must be at most {LONGEST_TEXT}: {shortest} to {longest}"
                ))
            }
            Self::Time {
                start,
                step,
                jitter,
            } => {
                let last = step.checked_mul(rows.unwrap_or(1).saturating_sub(1) as i64);
                let last = last.and_then(|last| last.checked_add(*start));
                let in_years = |time: i64| (time_text::FIRST..=time_text::LAST).contains(&time);
                let fits = *jitter >= 0
                    && in_years(start.saturating_sub(*jitter))
                    && last.is_some_and(in_years);
                (!fits).then(|| "times beyond the years 1 to 9999, or a negative jitter".to_owned())
            }
            Self::Bursts { keys, rows, groups }
                if *groups == 0 || *rows == 0 || *keys == 0 || keys % groups != 0 =>
            {
                Some(format!(
                    "{keys} keys do not make {groups} groups of bursts of {rows} rows"
                ))
            }
            _ => None,
        }
    }
}

/// The longest random text.
const LONGEST_TEXT: usize = 64 * 1024;

const NAME: &str = "datagen";

impl DatagenSpec {
    /// The columns of its rows.
    pub fn schema(&self) -> SchemaRef {
        let field = |c: &GeneratedColumn| c.values.ty().field(&c.name, c.nulls > 0.0);
        Arc::new(Schema::new(
            self.columns.iter().map(field).collect::<Vec<_>>(),
        ))
    }

    /// The names of its splits.
    pub fn names(&self) -> Vec<Arc<str>> {
        generated::names(NAME, self.splits)
    }

    pub(crate) fn check(&self) -> Result<(), ConnectorError> {
        generated::check(self.splits, self.rate)?;
        if self.columns.is_empty() {
            let message = "a generator needs at least one column".to_owned();
            return Err(ConnectorError::Configuration(message));
        }
        for column in &self.columns {
            let share = (0.0..=1.0).contains(&column.nulls);
            let nulls =
                (!share).then(|| format!("`nulls` must be a share from 0 to 1: {}", column.nulls));
            if let Some(fault) = column.values.fault(self.rows).or(nulls) {
                let message = format!("column `{}`: {fault}", column.name);
                return Err(ConnectorError::Configuration(message));
            }
        }
        Ok(())
    }

    pub(crate) fn open(
        &self,
        schema: &SchemaRef,
        (share, begins): (Share, &[u64]),
        wake: &Wake,
    ) -> NamesAndSplits {
        let names = self.names();
        let begin = begins.iter().copied().min().unwrap_or_default();
        let pace = self.rate.map(|rate| Pace::start(rate, begin, wake));
        let split = |i: usize| -> (usize, Box<dyn Split>) {
            let numbers = Numbers::new(begins[i], self.splits, self.rows, pace.clone());
            let spec = self.clone();
            (
                i,
                Box::new(Generated {
                    name: names[i].clone(),
                    schema: schema.clone(),
                    spec,
                    numbers,
                }),
            )
        };
        let splits = share.of(self.splits).map(split).collect();
        (names, splits)
    }
}

/// One split.
struct Generated {
    name: Arc<str>,
    schema: SchemaRef,
    spec: DatagenSpec,
    numbers: Numbers,
}

impl Split for Generated {
    fn name(&self) -> &Arc<str> {
        &self.name
    }

    fn position(&self) -> Position {
        self.numbers.position()
    }

    fn read(&mut self, max_rows: usize) -> Result<Chunk, ConnectorError> {
        let (first, len, then) = self.numbers.take(max_rows);
        let step = self.spec.splits as u64;
        let numbers = column::Range { first, step, len };
        let columns = self.spec.columns.iter().enumerate().map(|(i, column)| {
            column::make(column, mix(self.spec.seed ^ mix(i as u64 + 1)), numbers)
        });
        let rows = RecordBatch::try_new(self.schema.clone(), columns.collect()).map_err(|e| {
            ConnectorError::Internal(format!("generated columns make no batch: {e}"))
        })?;
        let positions = numbers.iter().collect();
        Ok(Chunk {
            rows,
            positions,
            lines: None,
            changes: None,
            bad: Vec::new(),
            then,
        })
    }
}
