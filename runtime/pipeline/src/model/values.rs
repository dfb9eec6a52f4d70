//! Where the schema of values is from that do not hold it themselves.

use std::path::PathBuf;

use crate::place::Spanned;

/// Where the schema of Avro values is from.
#[derive(Clone, Debug)]
pub enum ValueSchema {
    /// A file has it.
    File {
        /// The file.
        path: PathBuf,
    },
    /// A registry has it.
    Registry {
        /// Its address.
        url: Spanned<String>,
        /// Who asks.
        user: Option<String>,
        /// The user's password.
        password: Option<String>,
    },
}
