//! A text that is there whole, such as the lines of a scenario: decoded as a split of a source would be.

use std::io::{Cursor, Read};
use std::sync::Arc;

use super::{Fill, Input, TextSplit};
use crate::ConnectorError;
use crate::format::FormatSpec;
use crate::split::{Chunk, Split};

/// Bytes in memory as an input.
struct Memory(Cursor<Vec<u8>>);

impl Input for Memory {
    fn fill(&mut self, space: &mut [u8]) -> Result<Fill, ConnectorError> {
        match self.0.read(space) {
            Ok(0) => Ok(Fill::End),
            Ok(len) => Ok(Fill::Bytes(len)),
            Err(error) => Err(ConnectorError::Internal(format!(
                "a text in memory could not be read: {error}"
            ))),
        }
    }
}

/// Decodes at most `most` rows of a text; of CSV, its first record is the header. `name` stands for the text in messages.
///
/// # Errors
/// If the format cannot be, or the header is not one. Bad rows are in [`Chunk::bad`].
pub fn decode_text(
    format: &FormatSpec,
    name: &str,
    text: Vec<u8>,
    most: usize,
) -> Result<Chunk, ConnectorError> {
    let open = move || -> Result<Box<dyn Input>, ConnectorError> {
        Ok(Box::new(Memory(Cursor::new(text))))
    };
    let format = Arc::new(format.clone());
    let schema = format.schema();
    TextSplit::new(name.into(), format, schema, Box::new(open)).read(most)
}
