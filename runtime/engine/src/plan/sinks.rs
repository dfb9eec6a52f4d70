//! Planning sinks.

use std::time::Duration;

use tidemill_connectors::encode::Encoding;
use tidemill_connectors::{FolderSpec, Roll, SinkSpec};
use tidemill_pipeline as file;

use super::streams::{Planned, Planner};
use super::{SinkPlan, StationKind, WorkTime};
use crate::operator::sink::{CHANGE, with_change};

/// Plans one sink.
pub fn plan(planner: &mut Planner<'_>, sink: &file::Sink) {
    let Some((inputs, schema)) = planner.inputs(&sink.inputs) else {
        return;
    };
    let changes = inputs.iter().any(|input| input.output.changes);
    if changes && schema.column_with_name(CHANGE).is_some() {
        let span = &sink.inputs[0].span;
        let problem = planner.diagnostics.error(
            span,
            format!("two columns of sink {} are called {CHANGE}", sink.name),
        );
        problem
            .label(format!(
                "a column {CHANGE} of its own, beside the one that says what each row does"
            ))
            .help("rename the column in the function's output");
        return;
    }
    let schema = if changes {
        with_change(&schema)
    } else {
        schema
    };
    let format = match sink.format.value {
        // The last two are for Kafka alone, which has formats of its own.
        file::SinkFormat::Json | file::SinkFormat::Avro | file::SinkFormat::Protobuf => {
            Encoding::Json
        }
        file::SinkFormat::Csv => Encoding::Csv { delimiter: b',' },
        file::SinkFormat::Table => Encoding::Table,
        file::SinkFormat::Parquet => Encoding::Parquet,
    };
    let spec = match &sink.connector.value {
        file::SinkConnector::Stdout => SinkSpec::Stdout { format },
        file::SinkConnector::File(path) => SinkSpec::File {
            path: path.clone(),
            format,
        },
        file::SinkConnector::Folder(folder) => SinkSpec::Folder(FolderSpec {
            path: folder.path.clone(),
            format,
            roll: Roll {
                rows: folder.part_rows.value,
                bytes: folder.part_size.value,
                age: folder
                    .part_age
                    .map(|age| Duration::from_micros(age.unsigned_abs())),
            },
        }),
        file::SinkConnector::Kafka(kafka) => {
            let letters = super::kafka::letters(planner.pipeline, sink);
            SinkSpec::Kafka(Box::new(super::kafka::sink(sink, kafka, letters)))
        }
        file::SinkConnector::Blackhole => SinkSpec::Blackhole,
    };
    if let Err(error) = spec.check(&schema) {
        let problem = planner
            .diagnostics
            .error(&sink.connector.span, error.to_string());
        problem.label("this sink cannot be written");
    }
    let kind = StationKind::Sink(SinkPlan {
        spec,
        schema,
        changes,
    });
    let station = Planned {
        name: sink.name.value.clone(),
        kind: Some(kind),
        ports: Vec::new(),
        time: WorkTime::Event,
    };
    planner.add(station, &inputs, None);
}
