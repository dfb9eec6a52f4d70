//! Segments joined into one file: bytes one after the other, or row groups of Parquet as they are.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::ParquetMetaDataReader;
use parquet::file::writer::SerializedFileWriter;

use super::effects::Effects;
use super::pending::Segment;
use crate::ConnectorError;
use crate::encode::parquet::properties;

/// So much is copied at a time.
const BLOCK: usize = 256 * 1024;

/// A file that segments are joined into.
pub(super) struct Joined {
    folder: PathBuf,
    path: PathBuf,
    out: Out,
}

/// What is written, and how far.
struct Out {
    effects: Arc<dyn Effects>,
    file: Arc<File>,
    at: u64,
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.effects.write_at(&self.file, bytes, self.at)?;
        self.at += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Joined {
    /// Begins a file at a path, of segments in a folder.
    pub fn create(
        folder: &Path,
        path: &Path,
        effects: Arc<dyn Effects>,
    ) -> Result<Self, ConnectorError> {
        let file = effects.create(path);
        let file = Arc::new(file.map_err(|error| ConnectorError::writing(path, error))?);
        Ok(Self {
            folder: folder.to_owned(),
            path: path.to_owned(),
            out: Out {
                effects,
                file,
                at: 0,
            },
        })
    }

    /// Joins bytes: the header of the first segment stands for all. Whether all segments are there.
    pub fn bytes(&mut self, segments: &[&Segment]) -> Result<bool, ConnectorError> {
        for (i, segment) in segments.iter().enumerate() {
            let head = if i == 0 { 0 } else { segment.head };
            let written = |out: &mut Out, bytes: &[u8]| out.write_all(bytes);
            if !self.read(segment, head, written)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Joins the row groups of Parquet. Whether all segments are there.
    pub fn row_groups(&mut self, segments: &[&Segment]) -> Result<bool, ConnectorError> {
        let mut files = Vec::new();
        for segment in segments {
            if !self.read(segment, 0, |_, _| Ok(()))? {
                return Ok(false);
            }
            let path = self.folder.join(&segment.file);
            files.push(File::open(&path).map_err(|error| ConnectorError::reading(&path, error))?);
        }
        let joined = join_row_groups(&files, &mut self.out);
        joined.map_err(|error| match error {
            ParquetError::External(error) => match error.downcast::<std::io::Error>() {
                Ok(error) => ConnectorError::writing(&self.path, *error),
                Err(error) => ConnectorError::Internal(format!("parts of Parquet: {error}")),
            },
            error => {
                ConnectorError::Internal(format!("parts of Parquet cannot be joined: {error}"))
            }
        })?;
        Ok(true)
    }

    /// Makes it durable.
    pub fn end(self) -> Result<(), ConnectorError> {
        let synced = self.out.effects.sync(&self.out.file);
        synced.map_err(|error| ConnectorError::writing(&self.path, error))
    }

    /// Reads a segment as far as it counts, hands on what stands behind its first bytes, and holds it against its checksum.
    /// Whether it is there.
    fn read(
        &mut self,
        segment: &Segment,
        skip: u64,
        mut hand_on: impl FnMut(&mut Out, &[u8]) -> std::io::Result<()>,
    ) -> Result<bool, ConnectorError> {
        let path = self.folder.join(&segment.file);
        let reading = |error| ConnectorError::reading(&path, error);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
            file => file.map_err(reading)?.take(segment.bytes),
        };
        let (mut crc, mut skip, mut read) = (0, skip, 0);
        let mut space = vec![0; BLOCK];
        loop {
            let len = match file.read(&mut space) {
                Ok(0) => break,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                len => len.map_err(reading)?,
            };
            crc = crc32c::crc32c_append(crc, &space[..len]);
            read += len as u64;
            let head = usize::try_from(skip).unwrap_or(len).min(len);
            skip -= head as u64;
            hand_on(&mut self.out, &space[head..len])
                .map_err(|error| ConnectorError::writing(&self.path, error))?;
        }
        if (read, crc) != (segment.bytes, segment.crc) {
            return Err(ConnectorError::Lost(format!(
                "{} is damaged: it is not what was written",
                path.display()
            )));
        }
        Ok(true)
    }
}

/// Copies all row groups of files of one schema, without decoding them.
fn join_row_groups(files: &[File], out: &mut Out) -> Result<(), ParquetError> {
    let mut writer: Option<SerializedFileWriter<_>> = None;
    let mut out = Some(out);
    for file in files {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(file)?;
        if let Some(out) = out.take() {
            let schema = metadata.file_metadata().schema_descr().root_schema_ptr();
            let properties = Arc::new(properties().build());
            writer = Some(SerializedFileWriter::new(out, schema, properties)?);
        }
        let Some(writer) = &mut writer else { continue };
        for group in metadata.row_groups() {
            let mut copy = writer.next_row_group()?;
            for column in group.columns() {
                let closed = ColumnCloseResult {
                    bytes_written: u64::try_from(column.compressed_size()).unwrap_or_default(),
                    rows_written: u64::try_from(group.num_rows()).unwrap_or_default(),
                    metadata: column.clone(),
                    bloom_filter: None,
                    column_index: None,
                    offset_index: None,
                };
                copy.append_column(file, closed)?;
            }
            copy.close()?;
        }
    }
    if let Some(writer) = writer {
        writer.close()?;
    }
    Ok(())
}
