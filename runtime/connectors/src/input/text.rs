//! Bytes from elsewhere than a file or standard input: decoded as a split of a source would be.

use std::io::{Cursor, Read};
use std::sync::Arc;

use super::opening::Stream;
use super::reader::Reader;
use super::{Input, TextSplit};
use crate::ConnectorError;
use crate::format::FormatSpec;
use crate::split::{Chunk, Split};

/// A split of the bytes of any reader, which is read to its end; they may be compressed like a file.
///
/// # Errors
/// If the format cannot be.
pub fn of_reader(
    name: &str,
    format: &FormatSpec,
    reader: impl Read + Send + 'static,
) -> Result<impl Split, ConnectorError> {
    format.check()?;
    let schema = format.schema();
    let open = || -> Result<Box<dyn Input>, ConnectorError> { Ok(Box::new(Reader::over(reader)?)) };
    let format = Arc::new(format.clone());
    let opening = Box::new(Stream::new(Box::new(open)));
    Ok(TextSplit::new(name.into(), format, schema, opening))
}

/// Decodes at most `most` rows of a text that is there whole, such as the lines of a scenario; of CSV, its first record is
/// the header. `name` stands for the text in messages.
///
/// # Errors
/// If the format cannot be, or the header is not one. Bad rows are in [`Chunk::bad`].
pub fn decode_text(
    format: &FormatSpec,
    name: &str,
    text: Vec<u8>,
    most: usize,
) -> Result<Chunk, ConnectorError> {
    of_reader(name, format, Cursor::new(text))?.read(most)
}
