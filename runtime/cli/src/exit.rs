//! Exit codes.

use std::process::ExitCode;

/// How a command ends. A second signal ends `run` with 128 and its number: 130 or 143.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// What was asked for could not be done, or the pipeline stopped on an error.
    Failed = 1,
    /// The command line, the pipeline file or a module is wrong: nothing was read or written.
    Wrong = 2,
    /// A defect of Tidemill.
    Internal = 3,
}

/// What `tidemill run --help` says of them, behind examples.
pub const HELP: &str = "\
Examples:
  tidemill run
  tidemill run fraud.toml --workers 1 --set sources.payments.files=yesterday.jsonl
  tail -f log.jsonl | tidemill run --set 'sources.log.stdin={}'

Exit codes:
  0        done; also after a graceful stop, and when the reader of standard output has gone
  1        the pipeline stopped on an error: a row, a function, a file
  2        the command line, the pipeline file or a module is wrong; nothing was read
  3        a defect of Tidemill
  130, 143 ended at once by a second SIGINT or SIGTERM";

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
