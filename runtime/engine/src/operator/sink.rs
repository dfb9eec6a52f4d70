//! The sink operator: hands rows to a connector, in batches.

use std::sync::Arc;

use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{Schema, SchemaRef};
use tidemill_connectors::{Cut, Sink as Connector};
use tidemill_rows::{Batch, LogicalType};

use super::Operator;
use crate::checkpoint::cut::At;
use crate::checkpoint::kept::OperatorKept;
use crate::error::EngineError;
use crate::event::Output;
use crate::metrics::{Counters, add};

/// The column that says what a row does to those before it.
pub const CHANGE: &str = "change";

/// Its words, by number.
const CHANGES: [&str; 4] = ["insert", "update-before", "update-after", "delete"];

/// A schema with that column before the others.
pub fn with_change(schema: &SchemaRef) -> SchemaRef {
    let change = Arc::new(LogicalType::Text.field(CHANGE, false));
    let fields = std::iter::once(change).chain(schema.fields().iter().cloned());
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

/// A sink on one worker.
pub struct Sink {
    name: String,
    connector: Option<Box<dyn Connector>>,
    counters: Arc<Counters>,
    /// Where rows may take others back: the schema with the column that says so.
    changes: Option<SchemaRef>,
    unflushed: bool,
    /// Whether rows are published with checkpoints: then the last one ends them.
    published: bool,
}

impl Sink {
    /// A sink that writes to this connector.
    pub fn new(name: String, connector: Box<dyn Connector>, counters: Arc<Counters>) -> Self {
        Self {
            name,
            connector: Some(connector),
            counters,
            changes: None,
            unflushed: false,
            published: false,
        }
    }

    /// A sink that writes what each row does to those before it, in a first column of this schema.
    pub fn with_changes(self, schema: SchemaRef) -> Self {
        Self {
            changes: Some(schema),
            ..self
        }
    }

    /// Whether its rows are published with checkpoints.
    pub fn published_with_checkpoints(self, published: bool) -> Self {
        Self { published, ..self }
    }

    /// What the connector gives; nothing once it has ended.
    fn with<T: Default>(
        &mut self,
        act: impl FnOnce(&mut dyn Connector) -> Result<T, tidemill_connectors::ConnectorError>,
    ) -> Result<T, EngineError> {
        let Some(connector) = &mut self.connector else {
            return Ok(T::default());
        };
        act(&mut **connector).map_err(|source| failed(&self.name, source))
    }
}

impl Operator for Sink {
    fn rows(&mut self, batch: Batch, _out: &mut Output) -> Result<(), EngineError> {
        let batch = match &self.changes {
            Some(schema) => shown(batch, schema.clone()),
            None => batch,
        };
        self.with(|connector| connector.write(&batch))?;
        self.unflushed = true;
        add(&self.counters.rows_in, batch.len() as u64);
        add(&self.counters.rows_out, batch.len() as u64);
        Ok(())
    }

    fn advance(&mut self, _w: i64, _out: &mut Output) -> Result<(), EngineError> {
        Ok(())
    }

    fn flush(&mut self) -> Result<(), EngineError> {
        if std::mem::take(&mut self.unflushed) {
            self.with(|connector| connector.flush())?;
        }
        Ok(())
    }

    fn is_full(&self) -> bool {
        self.connector.as_ref().is_some_and(|c| c.is_full())
    }

    fn cut(&mut self, at: &At) -> Result<OperatorKept, EngineError> {
        let cut = Cut {
            checkpoint: at.number,
            ending: at.ending,
        };
        let pending = self.with(|connector| connector.cut(&cut))?;
        self.unflushed = false;
        Ok(OperatorKept::Pending(pending))
    }

    fn finish(&mut self) -> Result<(), EngineError> {
        if self.published {
            return Ok(());
        }
        match self.connector.take() {
            Some(connector) => connector
                .finish()
                .map_err(|source| failed(&self.name, source)),
            None => Ok(()),
        }
    }
}

/// A batch with what each row does in its first column.
fn shown(batch: Batch, schema: SchemaRef) -> Batch {
    let change = |row: usize| batch.changes.as_ref().map_or(0, |changes| changes[row]);
    let words = (0..batch.len()).map(|row| CHANGES[usize::from(change(row))]);
    let column: ArrayRef = Arc::new(StringArray::from_iter_values(words));
    let columns = std::iter::once(column).chain(batch.columns.columns().iter().cloned());
    let columns = RecordBatch::try_new(schema, columns.collect())
        .expect("the columns of the input, behind one text");
    Batch { columns, ..batch }
}

fn failed(name: &str, source: tidemill_connectors::ConnectorError) -> EngineError {
    if source.is_output_closed() {
        return EngineError::OutputClosed;
    }
    EngineError::Connector {
        name: format!("sink {name}"),
        source,
    }
}
