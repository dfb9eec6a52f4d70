//! What functions say: log lines under their operator's name, and counts of what may not decide a result.

use std::sync::Arc;

use tidemill_wasm::{LogLine, Notes};

use crate::metrics::{Counters, add};

/// Takes a line that an operator's function logged: operator, line. Called by workers, one line at a time.
pub type Log = Arc<dyn Fn(&str, &LogLine) + Send + Sync>;

/// Where one operator's function is heard.
#[derive(Clone)]
pub struct Talk {
    /// The operator's name.
    pub operator: String,
    /// Where lines go.
    pub log: Log,
}

impl Talk {
    /// Hands on what was said and counts what was called since the last time.
    pub fn hear(&self, lines: &[LogLine], notes: Notes, counters: &Counters) {
        lines
            .iter()
            .for_each(|line| (self.log)(&self.operator, line));
        add(&counters.clock_calls, notes.clock_calls);
        add(&counters.random_calls, notes.random_calls);
    }
}
