//! The sink operator: hands rows to a connector, in batches.

use std::sync::Arc;

use tidemill_connectors::Sink as Connector;
use tidemill_rows::Batch;

use super::Operator;
use crate::error::EngineError;
use crate::event::Output;
use crate::metrics::{Counters, add};

/// A sink on one worker.
pub struct Sink {
    name: String,
    connector: Option<Box<dyn Connector>>,
    counters: Arc<Counters>,
    unflushed: bool,
}

impl Sink {
    /// A sink that writes to this connector.
    pub fn new(name: String, connector: Box<dyn Connector>, counters: Arc<Counters>) -> Self {
        Self {
            name,
            connector: Some(connector),
            counters,
            unflushed: false,
        }
    }

    fn with(
        &mut self,
        act: impl FnOnce(&mut dyn Connector) -> Result<(), tidemill_connectors::ConnectorError>,
    ) -> Result<(), EngineError> {
        let Some(connector) = &mut self.connector else {
            return Ok(());
        };
        act(&mut **connector).map_err(|source| failed(&self.name, source))
    }
}

impl Operator for Sink {
    fn rows(&mut self, batch: Batch, _out: &mut Output) -> Result<(), EngineError> {
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

    fn finish(&mut self) -> Result<(), EngineError> {
        match self.connector.take() {
            Some(connector) => connector
                .finish()
                .map_err(|source| failed(&self.name, source)),
            None => Ok(()),
        }
    }
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
