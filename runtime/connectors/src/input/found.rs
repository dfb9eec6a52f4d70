//! What is found where bytes are cut into records.

use std::ops::Range;

use crate::format::FormatKind;

/// How records end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// At a newline.
    Lines,
    /// At a newline outside quotation marks, which open at the start of a field.
    Quoted {
        /// What stands between fields.
        delimiter: u8,
    },
}

impl Framing {
    /// How the records of a format end.
    pub fn of(format: FormatKind) -> Self {
        match format {
            FormatKind::Json => Self::Lines,
            FormatKind::Csv { delimiter } => Self::Quoted { delimiter },
            // Nothing else is offered of files; a line of such values is a bad row.
            FormatKind::Avro | FormatKind::Protobuf => Self::Lines,
        }
    }
}

/// What comes next. Ranges are of [`super::records::Records::bytes`], until the next call.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A record.
    Record {
        at: Place,
        bytes: Range<usize>,
        utf8: bool,
    },
    /// A record beyond the limit, as much of it as that allows.
    TooLong { at: Place, bytes: Range<usize> },
    /// What was left when the input turned out to be broken. The end comes next.
    Broken {
        at: Place,
        bytes: Range<usize>,
        message: String,
    },
    /// Nothing now.
    Pending,
    /// Nothing any more.
    End,
}

/// Where a record begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// The offset of its first byte.
    pub position: u64,
    /// Its line, from 1.
    pub line: u64,
}
