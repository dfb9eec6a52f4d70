//! Planning sources.

use tidemill_connectors::format::{
    ColumnSpec, FileSchema, FormatKind, FormatSpec, SchemaSpec, TimeFormat, Unknown,
};
use tidemill_connectors::registry::{Registry, RegistrySpec};
use tidemill_connectors::{FilesSpec, SourceSpec, StdinSpec};
use tidemill_core::clock::{SourceConfig, Strategy, WhenIdle};
use tidemill_pipeline as file;
use tidemill_pipeline::{Connector, FAILED, Source};
use tidemill_rows::SchemaRef;
use tidemill_rows::time_text::EpochUnit;
use tidemill_wasm::Kind;

use super::functions::{self, Called};
use super::streams::{Planned, Planner};
use super::{
    FunctionPlan, Inputs, Port, SourcePlan, StationKind, WorkTime, generated, places, tasks,
};
use crate::failure::failed_schema;
use crate::operator::source::prepare::{EventTime, Timing};

/// Plans one source.
pub fn plan(planner: &mut Planner<'_>, source: &Source) {
    if !planner.is_sound(&source.name.value) {
        return;
    }
    let base = planner.pipeline.folder.clone();
    let spec = match &source.connector.value {
        Connector::Files(files) => SourceSpec::Files(FilesSpec {
            paths: files
                .patterns
                .iter()
                .map(|pattern| pattern.value.clone())
                .collect(),
            base,
            follow: files.follow.value,
            format: format(source),
        }),
        Connector::Stdin => SourceSpec::Stdin(StdinSpec {
            format: format(source),
        }),
        Connector::Kafka(kafka) => SourceSpec::Kafka(Box::new(super::kafka::source(
            &planner.pipeline.name.value,
            kafka,
            format(source),
        ))),
        Connector::Nexmark(nexmark) => SourceSpec::Nexmark(generated::nexmark(nexmark)),
        Connector::Datagen(datagen) => {
            SourceSpec::Datagen(generated::datagen(datagen, &source.columns))
        }
    };
    if let Err(error) = spec.check() {
        planner
            .diagnostics
            .error(&source.connector.span, error.to_string())
            .label("this source cannot be read");
    } else if planner.reads == Inputs::MustBeThere {
        // Files are looked up now, so that a missing one is found before anything runs.
        places::check_source(planner.diagnostics, source, &spec);
    }
    let schema = spec.schema();
    let event_time = match &source.event_time {
        file::EventTime::Columns(names) => {
            let columns: Vec<Option<usize>> = names
                .iter()
                .map(|name| super::columns::named(planner, name, &schema))
                .collect();
            match columns.into_iter().collect::<Option<Vec<usize>>>() {
                Some(columns) => EventTime::Columns(columns),
                // That was said, so nothing runs; what takes the rows is still held against them.
                None => EventTime::Ingestion,
            }
        }
        file::EventTime::Own => match schema.index_of("time") {
            Ok(time) => EventTime::Columns(vec![time]),
            Err(_) => unreachable!("every event of the generator has a time"),
        },
        file::EventTime::Ingestion | file::EventTime::Unstated => EventTime::Ingestion,
    };
    let clock = SourceConfig {
        strategy: match source.strategy.value {
            file::Strategy::OutOfOrderness(d) => Strategy::OutOfOrderness(d),
            file::Strategy::Custom => Strategy::Custom,
            file::Strategy::None => Strategy::None,
        },
        idle_timeout: source.idle_timeout.filter(|_| !spec.bounded()),
        when_idle: match source.when_idle.value {
            file::WhenIdle::Hold => WhenIdle::Hold,
            file::WhenIdle::Advance => WhenIdle::Advance,
        },
        bounded: spec.bounded(),
    };
    let timing = Timing {
        event_time,
        max_ahead: source.max_ahead,
        max_jump: source.max_jump,
    };
    // Where it does not fit, that was said, and nothing runs.
    let watermark = source.watermark.as_ref();
    let custom = watermark.and_then(|watermark| custom(planner, source, watermark, &schema));
    let policy = super::operators::policy(&source.failure);
    let deletes = spec.deleted_columns().is_some();
    let port = |name: &str, schema, partitioned| Port {
        name: name.to_owned(),
        schema,
        partitioned,
        changes: name.is_empty() && deletes,
    };
    let partitioned = tasks::columns_of(source).filter(|_| planner.has_tasks());
    let ports = vec![
        port("", schema, partitioned),
        port(FAILED, failed_schema(), None),
    ];
    let kind = StationKind::Source(SourcePlan {
        spec,
        timing,
        clock,
        custom,
        max_drift: source.max_drift,
        policy,
    });
    planner.add(
        Planned {
            name: source.name.value.clone(),
            kind: Some(kind),
            ports,
            time: WorkTime::Event,
        },
        &[],
        None,
    );
}

/// The function that makes the watermarks of a source.
fn custom(
    planner: &mut Planner<'_>,
    source: &Source,
    watermark: &file::WatermarkFunction,
    schema: &SchemaRef,
) -> Option<FunctionPlan> {
    let called = Called {
        by: &source.name.value,
        function: &watermark.function,
        rename: &watermark.rename,
        config: watermark.config.as_ref(),
    };
    let found = functions::find(planner, called)?;
    let described = found.described();
    let refused = if described.kind != Kind::Watermark {
        Some((
            format!("{} is of kind {}", described.name, described.kind.name()),
            "name a function of kind watermark",
        ))
    } else if described.stamps {
        Some((
            format!(
                "{} takes stamps, which follow from what it says",
                described.name
            ),
            "let its description not ask for stamps",
        ))
    } else {
        None
    };
    if let Some((title, help)) = refused {
        let span = &watermark.function.span;
        let problem = planner.diagnostics.error(span, title);
        problem
            .label("expected a function that says how far event time has come")
            .help(help);
        return None;
    }
    let inputs = super::columns::of_function(planner, called, &described.input.clone(), schema);
    let config = functions::config(planner, called, found.described());
    Some(FunctionPlan {
        inputs: inputs?,
        config: config?,
        module: found.module.clone(),
        function: found.index,
        limits: found.limits.clone(),
    })
}

fn format(source: &Source) -> FormatSpec {
    let kind = match source.format.value {
        file::Format::Json => FormatKind::Json,
        file::Format::Csv => FormatKind::Csv {
            delimiter: source.delimiter,
        },
        file::Format::Avro => FormatKind::Avro,
        file::Format::Protobuf => FormatKind::Protobuf,
    };
    let column = |column: &file::Column| ColumnSpec {
        name: column.name.value.clone(),
        ty: column.ty,
        nullable: column.nullable,
        path: column.path.value.clone(),
        time_format: match column.time_format {
            file::TimeFormat::Rfc3339 => TimeFormat::Rfc3339,
            file::TimeFormat::Sql => TimeFormat::Sql,
            file::TimeFormat::EpochSeconds => TimeFormat::Epoch(EpochUnit::Seconds),
            file::TimeFormat::EpochMillis => TimeFormat::Epoch(EpochUnit::Millis),
            file::TimeFormat::EpochMicros => TimeFormat::Epoch(EpochUnit::Micros),
        },
        from: super::kafka::field(column),
    };
    let mut format = FormatSpec::new(kind, source.columns.iter().map(column).collect());
    format.schema = schema(source.schema.as_ref());
    format.line_limit = source.line_limit.value as usize;
    format.unknown = match source.unknown_fields.value {
        file::UnknownFields::Ignore => Unknown::Ignore,
        file::UnknownFields::Refuse => Unknown::Refuse,
    };
    format
}

/// Where the schema of values is from.
fn schema(schema: Option<&file::ValueSchema>) -> SchemaSpec {
    match schema {
        None => SchemaSpec::None,
        Some(file::ValueSchema::File { path, message }) => SchemaSpec::File(FileSchema {
            path: path.clone(),
            message: message.clone(),
        }),
        Some(file::ValueSchema::Registry(of)) => SchemaSpec::Registry(registry(of)),
    }
}

/// A registry of the pipeline file.
pub(super) fn registry(registry: &file::Registry) -> Registry {
    Registry::new(RegistrySpec {
        url: registry.url.value.clone(),
        user: registry.user.clone(),
        password: registry.password.clone(),
    })
}
