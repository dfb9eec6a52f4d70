//! One output for all workers: standard output, or one file. A lock is taken per batch, never per
//! row.

use std::io::{ErrorKind, Write};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tidemill_rows::{Batch, Schema};

use super::effects::Disk;
use super::file::Whole;
use super::{Sink, Writers};
use crate::ConnectorError;
use crate::encode::{Encoder, Encoding};

/// An output and who writes to it.
pub(super) struct SharedOutput {
    state: Arc<State>,
    encoder: Encoder,
}

struct State {
    output: Mutex<Output>,
    /// Where all workers share one.
    encoder: Option<Mutex<Encoder>>,
    rows: AtomicU64,
    /// Hands that have not finished.
    hands: AtomicU64,
}

enum Output {
    Stream(Box<dyn Write + Send>),
    File(Whole),
    /// In its place: nothing more can be written.
    Done,
}

impl SharedOutput {
    /// Standard output, or what stands for it in tests.
    pub fn stdout(
        out: Box<dyn Write + Send>,
        encoding: Encoding,
        schema: &Schema,
        changes: bool,
    ) -> Result<Self, ConnectorError> {
        Self::new(Output::Stream(out), Encoder::new(encoding, schema, changes))
    }

    /// One file.
    pub fn file(
        path: &Path,
        encoding: Encoding,
        schema: &Schema,
        changes: bool,
    ) -> Result<Self, ConnectorError> {
        let file = Whole::create(path, Arc::new(Disk))?;
        Self::new(Output::File(file), Encoder::new(encoding, schema, changes))
    }

    fn new(mut output: Output, mut encoder: Encoder) -> Result<Self, ConnectorError> {
        let mut head = Vec::new();
        let one = encoder.clone();
        encoder.begin(&mut head)?;
        output.write(&head)?;
        let shared = encoder.is_shared().then(|| Mutex::new(encoder));
        let (rows, hands) = (AtomicU64::new(0), AtomicU64::new(0));
        let state = State {
            output: Mutex::new(output),
            encoder: shared,
            rows,
            hands,
        };
        Ok(Self {
            state: Arc::new(state),
            encoder: one,
        })
    }
}

impl Writers for SharedOutput {
    fn writer(&self, _worker: usize) -> Box<dyn Sink> {
        self.state.hands.fetch_add(1, Ordering::AcqRel);
        let (state, encoder) = (self.state.clone(), self.encoder.clone());
        Box::new(Hand {
            state,
            encoder,
            encoded: Vec::new(),
        })
    }

    fn rows(&self) -> u64 {
        self.state.rows.load(Ordering::Relaxed)
    }
}

struct Hand {
    state: Arc<State>,
    encoder: Encoder,
    encoded: Vec<u8>,
}

impl Hand {
    fn with_output<T>(&self, act: impl FnOnce(&mut Output) -> T) -> T {
        act(&mut self
            .state
            .output
            .lock()
            .unwrap_or_else(PoisonError::into_inner))
    }

    /// Ends what all workers have written.
    fn end(&mut self) -> Result<(), ConnectorError> {
        self.encoded.clear();
        if let Some(encoder) = &self.state.encoder {
            let mut encoder = encoder.lock().unwrap_or_else(PoisonError::into_inner);
            encoder.end(&mut self.encoded)?;
        }
        self.with_output(|output| {
            output.write(&self.encoded)?;
            output.place()
        })
    }
}

impl Sink for Hand {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        self.encoded.clear();
        if let Some(encoder) = &self.state.encoder {
            let mut encoder = encoder.lock().unwrap_or_else(PoisonError::into_inner);
            encoder.rows(batch, &mut self.encoded)?;
            // The lock is held until its lines are out: the header must come first.
            self.with_output(|output| output.write(&self.encoded))?;
        } else {
            self.encoder.rows(batch, &mut self.encoded)?;
            self.with_output(|output| output.write(&self.encoded))?;
        }
        self.state
            .rows
            .fetch_add(batch.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        self.with_output(Output::flush)
    }

    fn finish(mut self: Box<Self>) -> Result<(), ConnectorError> {
        let last = self.state.hands.fetch_sub(1, Ordering::AcqRel) == 1;
        if last { self.end() } else { self.flush() }
    }
}

impl Output {
    fn write(&mut self, bytes: &[u8]) -> Result<(), ConnectorError> {
        match self {
            // Written out at once: a lone row must not wait for others.
            Self::Stream(out) => out
                .write_all(bytes)
                .and_then(|()| out.flush())
                .map_err(stream),
            Self::File(file) => {
                let writing = file.writing();
                writing.settle()?;
                writing.buffer().extend_from_slice(bytes);
                Ok(())
            }
            Self::Done => Err(ConnectorError::Internal(
                "a sink was written after its end".into(),
            )),
        }
    }

    fn flush(&mut self) -> Result<(), ConnectorError> {
        match self {
            Self::Stream(out) => out.flush().map_err(stream),
            Self::File(file) => file.writing().flush(),
            Self::Done => Ok(()),
        }
    }

    fn place(&mut self) -> Result<(), ConnectorError> {
        match std::mem::replace(self, Self::Done) {
            Self::Stream(mut out) => out.flush().map_err(stream),
            Self::File(file) => file.place(),
            Self::Done => Ok(()),
        }
    }
}

fn stream(error: std::io::Error) -> ConnectorError {
    if error.kind() == ErrorKind::BrokenPipe {
        return ConnectorError::OutputClosed;
    }
    let what = "cannot write standard output".to_owned();
    ConnectorError::Unavailable {
        what,
        error,
        hint: "see what reads it",
    }
}
