//! What a guest logs during one call: `log.write`, and the standard output and error of modules that use WASI.
//!
//! Lines are collected per attempt and cut at two limits, so that a function that logs per row costs memory at most
//! `log-bytes` a call. Control characters in them are written out: lines are shown on terminals. Which attempt's lines are shown is decided by who calls ([`crate::slot`]): the last one's.

use std::fmt;

use tidemill_rows::visible::visible_within;

use crate::limits::Limits;

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed; also panic messages.
    Error,
    /// Something is odd.
    Warn,
    /// Something is worth knowing.
    Info,
    /// For whoever writes the function.
    Debug,
}

impl Level {
    /// The level of the interface's number; larger ones are debug.
    pub fn from_number(level: u8) -> Self {
        match level {
            0 => Self::Error,
            1 => Self::Warn,
            2 => Self::Info,
            _ => Self::Debug,
        }
    }

    /// `error`, `warn`, `info`, `debug`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One line of a guest's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// How much it matters.
    pub level: Level,
    /// Its text, without the line's end.
    pub text: String,
}

/// The lines of one attempt.
#[derive(Debug, Default)]
pub(crate) struct CallLog {
    lines: Vec<LogLine>,
    bytes: usize,
    dropped: u64,
}

impl CallLog {
    /// Adds a line, cut to the limits. What no longer fits is counted; a last line says how many.
    pub fn write(&mut self, level: Level, text: &str, limits: &Limits) {
        if self.bytes >= limits.log_bytes {
            self.dropped += 1;
            return;
        }
        let room = limits.log_line_bytes.min(limits.log_bytes - self.bytes);
        let text = visible_within(text, room);
        self.bytes += text.len() + 1;
        self.lines.push(LogLine { level, text });
    }

    /// Whether there is anything to take.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.dropped == 0
    }

    /// The lines so far, which are then forgotten.
    pub fn take(&mut self) -> Vec<LogLine> {
        self.bytes = 0;
        let dropped = std::mem::take(&mut self.dropped);
        let mut lines = std::mem::take(&mut self.lines);
        if dropped > 0 {
            let text = format!("{dropped} more lines were dropped: limit log-bytes");
            lines.push(LogLine {
                level: Level::Warn,
                text,
            });
        }
        lines
    }
}
