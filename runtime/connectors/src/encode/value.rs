//! How a row becomes the value of a record.

use tidemill_rows::arrow_array::ArrayRef;
use tidemill_rows::json::{self, RowWriter};
use tidemill_rows::{RecordBatch, Schema};

use super::avro::{AvroRows, AvroWriter};
use super::csv::CsvWriter;
use super::protobuf::{ProtobufRows, ProtobufWriter};
use super::written::{Written, WrittenSchema};
use crate::ConnectorError;
use crate::decode::protobuf::{types_of, types_of_file};

/// How values are written.
#[derive(Clone, Debug, PartialEq)]
pub enum ValueFormat {
    /// A JSON object.
    Json,
    /// Fields with this between them.
    Csv {
        /// What stands between fields.
        delimiter: u8,
    },
    /// A datum of Avro.
    Avro(WrittenSchema),
    /// A message of Protobuf.
    Protobuf(WrittenSchema),
}

/// Writes rows of one schema as values.
#[derive(Clone)]
pub(crate) enum ValueWriter {
    Json(RowWriter),
    Csv(CsvWriter),
    Avro(AvroWriter),
    Protobuf(ProtobufWriter),
}

/// The rows of one batch, ready to be written.
pub(crate) enum Values<'a> {
    Json(json::Rows<'a>),
    Csv(&'a CsvWriter, &'a [ArrayRef]),
    Avro(AvroRows<'a>),
    Protobuf(ProtobufRows<'a>),
}

impl ValueFormat {
    /// What is wrong with it for rows of a schema, as far as that is known without asking a registry.
    ///
    /// # Errors
    /// If the rows cannot be written so.
    pub fn check(&self, schema: &Schema) -> Result<(), ConnectorError> {
        match self {
            Self::Json | Self::Csv { .. } => Ok(()),
            Self::Avro(of) => match of.avro_here(schema)? {
                Some(written) => avro(schema, &written).map(|_| ()),
                None => Ok(()),
            },
            Self::Protobuf(of) => match of.protobuf_here()? {
                Some(written) => protobuf(schema, of, &written).map(|_| ()),
                None => Ok(()),
            },
        }
    }

    /// A writer of rows of a schema, with the number of the values' schema where a registry has it.
    ///
    /// # Errors
    /// If the rows cannot be written so, or the registry cannot be asked or does not take the schema.
    pub(crate) fn open(&self, schema: &Schema) -> Result<ValueWriter, ConnectorError> {
        Ok(match self {
            Self::Json => ValueWriter::Json(RowWriter::new(schema)),
            Self::Csv { delimiter } => ValueWriter::Csv(CsvWriter::new(schema, *delimiter, false)),
            Self::Avro(of) => {
                let written = of.numbered("AVRO", of.avro_here(schema)?)?;
                ValueWriter::Avro(avro(schema, &written)?)
            }
            Self::Protobuf(of) => {
                let written = of.numbered("PROTOBUF", of.protobuf_here()?)?;
                ValueWriter::Protobuf(protobuf(schema, of, &written)?)
            }
        })
    }
}

fn avro(schema: &Schema, written: &Written) -> Result<AvroWriter, ConnectorError> {
    AvroWriter::new(schema, written).map_err(|why| written.refuse(&why))
}

fn protobuf(
    schema: &Schema,
    of: &WrittenSchema,
    written: &Written,
) -> Result<ProtobufWriter, ConnectorError> {
    let types = match &of.path {
        Some(path) => types_of_file(path)?,
        None => types_of(&written.text, &written.references).map_err(|why| written.refuse(&why))?,
    };
    let name = of.message.as_deref().unwrap_or_default();
    ProtobufWriter::new(schema, (&types, name), written).map_err(|why| written.refuse(&why))
}

impl ValueWriter {
    /// Sets the batch whose rows are to be written.
    pub fn of<'a>(&'a self, rows: &'a RecordBatch) -> Values<'a> {
        match self {
            Self::Json(json) => Values::Json(json.of(rows)),
            Self::Csv(csv) => Values::Csv(csv, rows.columns()),
            Self::Avro(avro) => Values::Avro(avro.of(rows)),
            Self::Protobuf(protobuf) => Values::Protobuf(protobuf.of(rows)),
        }
    }
}

impl Values<'_> {
    /// Writes a row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<(), ConnectorError> {
        match self {
            Self::Json(json) => json.write(row, out),
            Self::Csv(csv, columns) => csv.row(columns, row, out),
            Self::Avro(avro) => avro.write(row, out)?,
            Self::Protobuf(protobuf) => protobuf.write(row, out)?,
        }
        Ok(())
    }
}
