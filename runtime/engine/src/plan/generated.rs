//! Planning generators.

use tidemill_connectors::datagen::{DatagenSpec, Generate, GeneratedColumn};
use tidemill_connectors::nexmark::{Kind, NexmarkSpec};
use tidemill_pipeline as file;
use tidemill_pipeline::Generator;

/// The events of the Nexmark benchmark.
pub fn nexmark(nexmark: &file::Nexmark) -> NexmarkSpec {
    NexmarkSpec {
        kind: match nexmark.only.as_ref().map(|only| only.value) {
            None => Kind::All,
            Some(file::NexmarkKind::Persons) => Kind::Persons,
            Some(file::NexmarkKind::Auctions) => Kind::Auctions,
            Some(file::NexmarkKind::Bids) => Kind::Bids,
        },
        events: nexmark.events.as_ref().map(|events| events.value),
        events_per_second: nexmark.event_rate.value as f64,
        rate: nexmark.rate.as_ref().map(|rate| rate.value),
        splits: nexmark.splits.value as usize,
        seed: nexmark.seed.value,
        base_time: nexmark.start.value,
        out_of_order_group: nexmark.shuffle.value,
    }
}

/// Rows made up from the declared columns.
pub fn datagen(datagen: &file::Datagen, columns: &[file::Column]) -> DatagenSpec {
    DatagenSpec {
        columns: columns.iter().map(column).collect(),
        rows: datagen.rows.as_ref().map(|rows| rows.value),
        rate: datagen.rate.as_ref().map(|rate| rate.value),
        splits: datagen.splits.value as usize,
        seed: datagen.seed.value,
    }
}

fn column(column: &file::Column) -> GeneratedColumn {
    let generator = column
        .generator
        .clone()
        .expect("every column of a generator has one");
    let values = match generator {
        Generator::Bools => Generate::Bools,
        Generator::IntegerRange { min, max } => Generate::Integers {
            low: min,
            high: max,
        },
        Generator::HotInteger { min, max, hot } => Generate::HotInteger {
            low: min,
            high: max,
            hot,
        },
        Generator::Sequence { start } => Generate::Sequence { start, step: 1 },
        Generator::Bursts { keys, rows, groups } => Generate::Bursts { keys, rows, groups },
        Generator::FloatRange { min, max } => Generate::Floats {
            low: min,
            high: max,
        },
        Generator::Letters { length } => Generate::RandomText {
            shortest: length as usize,
            longest: length as usize,
        },
        Generator::OneOf { texts } => Generate::Choice(texts),
        Generator::Clock {
            start,
            step,
            jitter,
        } => Generate::Time {
            start,
            step,
            jitter,
        },
    };
    GeneratedColumn {
        name: column.name.value.clone(),
        values,
        nulls: column.nulls,
    }
}
