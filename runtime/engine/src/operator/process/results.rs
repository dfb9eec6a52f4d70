//! What rows and timers gave: rows of each target, each with its place, put into the one order.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch};
use arrow_buffer::ScalarBuffer;
use arrow_schema::SchemaRef;
use tidemill_core::process::Place;
use tidemill_rows::{Batch, RowTimes};
use tidemill_wasm::{Emitted, Output as Shape, Produced};

use crate::aggregate::carry_out::take_columns;
use crate::state::{EncodedTable, KeyTable};

/// What came of the event at hand.
#[derive(Default)]
pub struct Results {
    pieces: Vec<Piece>,
    /// Whether pieces may be out of order.
    mixed: bool,
    /// Of how many pieces the places name keys by numbers of their own, and the keys that these stand for.
    settled: usize,
    settled_keys: EncodedTable,
}

/// Rows of one target that one call gave.
struct Piece {
    target: usize,
    rows: Batch,
    places: Vec<Place>,
}

/// Rows that a call was given, for what it emitted.
pub struct Caused<'a> {
    /// The rows themselves; timers have none.
    pub batch: Option<&'a Batch>,
    /// The key columns of each, in full.
    pub keys: &'a [ArrayRef],
    /// What the function was given, for columns that it hands through.
    pub given: &'a [ArrayRef],
    /// Their times.
    pub times: &'a [i64],
    /// Their stamps.
    pub stamps: &'a [i64],
    /// What their operator had passed on when they came.
    pub w: &'a [i64],
    /// Their places.
    pub places: &'a [Place],
}

impl Results {
    /// Adds what a call emitted to one target. What comes of several calls is put in order.
    pub fn add(
        &mut self,
        emitted: Emitted,
        caused: &Caused<'_>,
        (shape, schema): &(Shape, SchemaRef),
    ) {
        if emitted.origins.is_empty() {
            return;
        }
        let target = emitted.target;
        let places: Vec<Place> = emitted
            .origins
            .iter()
            .map(|&origin| caused.places[origin as usize])
            .collect();
        let rows = caused.rows(emitted, (shape, schema));
        self.mixed |= self.pieces.iter().any(|piece| piece.target == target);
        self.pieces.push(Piece {
            target,
            rows,
            places,
        });
    }

    /// Keys may lose their numbers from now on.
    pub fn settle(&mut self, keys: &KeyTable) {
        let mut encoded = Vec::new();
        let places = self.pieces[self.settled..].iter_mut();
        for place in places.flat_map(|piece| &mut piece.places) {
            encoded.clear();
            keys.encode(place.key(), &mut encoded);
            *place = place.with_key(self.settled_keys.number(&encoded));
        }
        self.settled = self.pieces.len();
    }

    /// All of it by target, in order. Nothing is left.
    pub fn in_order(&mut self, keys: &KeyTable) -> Vec<(usize, Batch)> {
        if self.settled == 0 {
            return self.ordered(keys);
        }
        self.settle(keys);
        let settled = KeyTable::Encoded(std::mem::take(&mut self.settled_keys));
        self.settled = 0;
        self.ordered(&settled)
    }

    fn ordered(&mut self, keys: &KeyTable) -> Vec<(usize, Batch)> {
        let mut pieces = std::mem::take(&mut self.pieces);
        if !std::mem::take(&mut self.mixed) {
            let rows = |piece: Piece| (piece.target, piece.rows);
            return pieces.into_iter().map(rows).collect();
        }
        pieces.sort_by_key(|piece| piece.target);
        let targets = pieces.chunk_by(|a, b| a.target == b.target);
        targets
            .map(|pieces| (pieces[0].target, together(pieces, keys)))
            .collect()
    }
}

fn together(pieces: &[Piece], keys: &KeyTable) -> Batch {
    let places: Vec<&Place> = pieces.iter().flat_map(|piece| &piece.places).collect();
    let mut order: Vec<u32> = (0..places.len() as u32).collect();
    // Stable: several rows of one cause keep their order.
    order.sort_by(|&a, &b| places[a as usize].cmp(places[b as usize], keys));
    let columns = pieces.iter().map(|piece| &piece.rows.columns);
    let columns = arrow_select::concat::concat_batches(&pieces[0].rows.schema(), columns)
        .expect("pieces of a target have its schema");
    let all = |of: fn(&Batch) -> &[i64]| -> ScalarBuffer<i64> {
        let values = pieces.iter().flat_map(|piece| of(&piece.rows));
        values.copied().collect()
    };
    let changes = pieces.iter().any(|piece| piece.rows.changes.is_some());
    let changes_of = |piece: &Piece| match &piece.rows.changes {
        Some(changes) => changes.to_vec(),
        None => vec![0; piece.rows.len()],
    };
    let whole = Batch {
        columns,
        times: RowTimes {
            times: all(|rows| &rows.times.times),
            stamps: all(|rows| &rows.times.stamps),
            w: Some(all(|rows| rows.times.w())),
        },
        changes: changes.then(|| pieces.iter().flat_map(changes_of).collect()),
        origin: None,
    };
    whole.take(&order)
}

impl Caused<'_> {
    fn rows(&self, emitted: Emitted, (shape, schema): (&Shape, &SchemaRef)) -> Batch {
        let origins = &emitted.origins;
        let every = origins.len() == self.times.len()
            && origins.iter().zip(0..).all(|(&origin, i)| origin == i);
        let at_origins = |columns: &[ArrayRef]| match every {
            true => columns.to_vec(),
            false => take_columns(columns, origins),
        };
        let each = |values: &[i64]| -> ScalarBuffer<i64> {
            match every {
                true => values.to_vec().into(),
                false => origins.iter().map(|&row| values[row as usize]).collect(),
            }
        };
        let mut columns = match (shape, self.batch) {
            (Shape::New(_), _) => at_origins(self.keys),
            (_, Some(batch)) => at_origins(batch.columns.columns()),
            (_, None) => unreachable!("timers emit to outputs of their own columns only"),
        };
        for column in emitted.columns {
            columns.push(match column {
                Produced::Made(column) => column,
                Produced::Input(n) => at_origins(&self.given[n as usize..=n as usize]).remove(0),
            });
        }
        let of_rows = self.batch.and_then(|batch| batch.changes.as_ref());
        let changes = match (emitted.changes, of_rows) {
            (Some(changes), _) => Some(changes.into()),
            (None, Some(of)) => Some(origins.iter().map(|&row| of[row as usize]).collect()),
            (None, None) => None,
        };
        let columns = RecordBatch::try_new(Arc::clone(schema), columns);
        Batch {
            columns: columns.expect("emitted rows are as the function's checked output says"),
            times: RowTimes {
                times: emitted.times.map_or_else(|| each(self.times), Into::into),
                stamps: each(self.stamps),
                w: Some(each(self.w)),
            },
            changes,
            origin: None,
        }
    }
}
