//! Where the schema of values is from that do not hold it themselves, as they are read and as they are written.

use std::path::PathBuf;

use crate::place::Spanned;

/// Where the schema of Avro and Protobuf values is from.
#[derive(Clone, Debug)]
pub enum ValueSchema {
    /// A file has it.
    File {
        /// The file.
        path: PathBuf,
        /// Which message of it values are, of Protobuf.
        message: Option<String>,
    },
    /// A registry has it.
    Registry(Registry),
}

/// A schema registry.
#[derive(Clone)]
pub struct Registry {
    /// Its address.
    pub url: Spanned<String>,
    /// Who asks.
    pub user: Option<String>,
    /// The user's password.
    pub password: Option<String>,
}

impl std::fmt::Debug for Registry {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({})", self.url.value)
    }
}

/// With which schema a sink writes values.
#[derive(Clone, Debug)]
pub struct WrittenSchema {
    /// The file that has it.
    pub path: Option<PathBuf>,
    /// Which message of it values are, of Protobuf.
    pub message: Option<String>,
    /// Where it has a number.
    pub registration: Option<Registration>,
}

/// Where a schema that values are written with has a number.
#[derive(Clone, Debug)]
pub struct Registration {
    /// There.
    pub registry: Registry,
    /// Whether the sink may put it there.
    pub register: bool,
    /// Under which subject; absent: the topic's name and `-value`.
    pub subject: Option<String>,
}
