//! What is wrong with an object that is there, or that ought to be.

use std::fmt;

/// An object of a location that is not what it must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// Where a person finds the object.
    pub place: String,
    /// What is wrong with it.
    pub why: Why,
}

/// What can be wrong with an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// It is named and not there.
    Missing,
    /// It has another length than its manifest says.
    Length {
        /// What the manifest says, in bytes.
        expected: u64,
        /// What is there, in bytes.
        found: u64,
    },
    /// It ends before its end.
    Truncated,
    /// Something stands behind its end.
    Trailing,
    /// A checksum does not match what it covers.
    Checksum {
        /// What it covers.
        of: &'static str,
        /// Where that begins, in bytes from the beginning.
        at: u64,
    },
    /// It is whole, and not the one that it ought to be.
    Other {
        /// What ought to be there.
        expected: String,
        /// What is.
        found: String,
    },
    /// It belongs to another pipeline.
    Foreign {
        /// The id of the pipeline whose location this is.
        expected: String,
        /// The id that it carries.
        found: String,
    },
    /// It was written in a format that this version of Tidemill does not read.
    Version {
        /// The version of its format.
        found: u64,
        /// The newest that is read.
        newest: u64,
    },
    /// It is not of the form that it must have.
    Form(String),
    /// Something lies where it does not belong.
    Stray,
    /// What must have been there once is gone.
    Gone(String),
}

impl Damage {
    pub(crate) fn new(place: impl Into<String>, why: Why) -> Self {
        Self {
            place: place.into(),
            why,
        }
    }

    /// What to do about it, on one line.
    pub fn hint(&self) -> &'static str {
        match self.why {
            Why::Version { .. } => "run the version of tidemill that wrote it, or a later one",
            Why::Foreign { .. } => {
                "every pipeline needs a name, or a location, of its own; nothing may be copied between them"
            }
            Why::Stray => "move it away: nothing else may lie in this folder",
            _ => {
                "bring it back from a backup, or go back on purpose to a checkpoint that \
                 `tidemill checkpoint verify` finds whole, or move the folder away and start anew"
            }
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = &self.place;
        match &self.why {
            Why::Missing => write!(f, "missing: {place}"),
            Why::Length { expected, found } => {
                write!(
                    f,
                    "damaged: {place}: {expected} bytes expected, {found} there"
                )
            }
            Why::Truncated => write!(f, "damaged: {place}: it ends before its end"),
            Why::Trailing => write!(f, "damaged: {place}: something stands behind its end"),
            Why::Checksum { of, at } => {
                write!(
                    f,
                    "damaged: {place}: the checksum of {of} does not match, from byte {at}"
                )
            }
            Why::Other { expected, found } => {
                write!(
                    f,
                    "not the right one: {place}: expected {expected}, found {found}"
                )
            }
            Why::Foreign { expected, found } => write!(
                f,
                "of another pipeline: {place}: this location's pipeline has id {expected}, this is of {found}"
            ),
            Why::Version { found, newest } => write!(
                f,
                "not readable: {place}: format version {found}, this tidemill reads up to {newest}"
            ),
            Why::Form(what) => write!(f, "damaged: {place}: {what}"),
            Why::Stray => write!(f, "does not belong here: {place}"),
            Why::Gone(what) => write!(f, "gone: {place}: {what}"),
        }
    }
}
