//! The first records of files as they stand there, for who wants to know what is in them.

use super::found::{Found, Framing};
use super::reader::Reader;
use super::records::Records;
use crate::ConnectorError;
use crate::input::files::FilesSpec;

/// So many files of a source are looked into.
const FILES: usize = 16;

impl FilesSpec {
    /// The first `most` records of each of the first files, without their newlines: lines, or CSV records with the header
    /// first. What is not UTF-8 is replaced; a record beyond the limit ends its file.
    ///
    /// # Errors
    /// If a file is not there or cannot be read.
    pub fn sample(&self, most: usize) -> Result<Vec<Vec<String>>, ConnectorError> {
        let framing = Framing::of(self.format.kind);
        let paths = self.paths()?;
        paths
            .iter()
            .take(FILES)
            .map(|path| {
                let records = Records::new(
                    Box::new(Reader::open(path)?),
                    framing,
                    self.format.line_limit,
                );
                first(records, most)
            })
            .collect()
    }
}

fn first(mut records: Records, most: usize) -> Result<Vec<String>, ConnectorError> {
    let mut texts = Vec::new();
    while texts.len() < most {
        match records.next()? {
            Found::Record { bytes, .. } => {
                texts.push(String::from_utf8_lossy(records.bytes(bytes)).into_owned());
            }
            Found::TooLong { .. } | Found::Broken { .. } | Found::Pending | Found::End => break,
        }
    }
    Ok(texts)
}
