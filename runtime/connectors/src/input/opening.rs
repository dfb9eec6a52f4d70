//! How a split comes to its input: opened when it is first read, and again where a file has a successor.

use std::path::PathBuf;
use std::sync::Arc;

use super::Input;
use super::follow::{Following, Growth};
use super::reader::Reader;
use crate::ConnectorError;
use crate::position::Fingerprint;

/// Opens what a split reads.
pub(crate) trait Opening: Send {
    /// Opens it, once.
    fn open(&mut self) -> Result<Box<dyn Input>, ConnectorError>;

    /// What comes after an input that ended, which was the file of that fingerprint.
    fn next(&mut self, _ended: Option<Fingerprint>) -> Result<Next, ConnectorError> {
        Ok(Next::End)
    }

    /// Whether files have successors.
    fn is_followed(&self) -> bool {
        false
    }

    /// Whether files that were read could be found again under other names.
    fn remembers(&self) -> bool {
        false
    }

    /// Whether it is a stream, of which nothing can be had twice.
    fn is_stream(&self) -> bool {
        false
    }
}

/// What comes after an input.
pub(crate) enum Next {
    /// Another, to be read from its beginning.
    Input(Box<dyn Input>),
    /// Nothing yet.
    Pending,
    /// Nothing any more.
    End,
}

/// Opens an input.
type Open = Box<dyn FnOnce() -> Result<Box<dyn Input>, ConnectorError> + Send>;

/// A stream, and how it is opened; nothing of it is left once it was.
pub(crate) struct Stream(Option<Open>);

impl Stream {
    /// A stream that is opened so.
    pub fn new(open: Open) -> Self {
        Self(Some(open))
    }
}

impl Opening for Stream {
    fn open(&mut self) -> Result<Box<dyn Input>, ConnectorError> {
        let again = || ConnectorError::Internal("a stream was opened twice".to_owned());
        self.0.take().ok_or_else(again)?()
    }

    fn is_stream(&self) -> bool {
        true
    }
}

/// A file that does not change.
pub(crate) struct Still(pub PathBuf);

impl Opening for Still {
    fn open(&mut self) -> Result<Box<dyn Input>, ConnectorError> {
        Ok(Box::new(Reader::open(&self.0)?))
    }
}

/// A file that grows, and its successors.
pub(crate) struct Growing {
    /// Where it stands.
    path: PathBuf,
    /// Where the file stands that is read first, if it was moved.
    first: Option<PathBuf>,
    growth: Arc<Growth>,
    /// Whether files are looked for by patterns, which those that were moved may meet.
    among_others: bool,
    following: Option<Following>,
}

impl Growing {
    /// The file at this path, and what comes to stand there.
    pub fn new(path: PathBuf, growth: Arc<Growth>) -> Self {
        Self {
            path,
            first: None,
            growth,
            among_others: false,
            following: None,
        }
    }

    /// Begins with the file that stood there before it was moved.
    pub fn first(self, first: Option<PathBuf>) -> Self {
        Self { first, ..self }
    }

    /// One of the files that are looked for by patterns.
    pub fn among_others(self, among_others: bool) -> Self {
        Self {
            among_others,
            ..self
        }
    }
}

impl Opening for Growing {
    fn open(&mut self) -> Result<Box<dyn Input>, ConnectorError> {
        let path = self.first.take().unwrap_or_else(|| self.path.clone());
        let following = Following::of(self.path.clone(), self.growth.clone());
        let followed = following.begin(&path)?;
        self.following = Some(following);
        Ok(Box::new(Reader::follow(followed, &path)?))
    }

    fn next(&mut self, ended: Option<Fingerprint>) -> Result<Next, ConnectorError> {
        let Some(following) = &self.following else {
            return Ok(Next::End);
        };
        Ok(match following.go_on(ended)? {
            Some(followed) => Next::Input(Box::new(Reader::follow(followed, &self.path)?)),
            None => Next::Pending,
        })
    }

    fn is_followed(&self) -> bool {
        true
    }

    fn remembers(&self) -> bool {
        self.among_others
    }
}
