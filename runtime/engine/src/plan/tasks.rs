//! Pipelines that several processes share: each partition number of the topics is a task, with operators, state and time of its
//! own, and nothing goes from one to another.
//!
//! So a keyed operator sees all rows of a key only if they are in partitions of one number. That is known of the columns that
//! hold the record's key, and of those of which the file says so (`partitioned-by`).

use tidemill_connectors::SourceSpec;
use tidemill_pipeline::{
    Connector, Diagnostics, Instances, KafkaTopics, NullKey, Operator, Pipeline, RecordPart,
    SinkConnector, Source,
};
use tidemill_rows::SchemaRef;

use super::streams::{Found, Planner, Wanted};
use super::{Plan, StatePlan, StationKind};

/// A task of a pipeline that several processes share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TaskOf {
    /// Which partition of each topic it reads.
    pub partition: i32,
    /// How many there are of each.
    pub partitions: i32,
}

impl Plan {
    /// The plan of one task: it reads the partitions of one number, on one worker.
    pub fn of_task(&self, task: TaskOf) -> Self {
        let mut plan = self.clone();
        (plan.workers, plan.task) = (1, Some(task));
        for station in &mut plan.stations {
            if let StationKind::Source(source) = &mut station.kind
                && let SourceSpec::Kafka(kafka) = &mut source.spec
            {
                kafka.partition = Some(task.partition);
            }
        }
        if let StatePlan::RocksDb(state) = &mut plan.state {
            // Each may come to run in the same process.
            state.memory /= usize::try_from(task.partitions).unwrap_or(1).max(1);
            state.folder.push(format!("task-{}", task.partition));
        }
        plan
    }
}

/// Says what of a pipeline cannot be shared by several processes.
pub(super) fn check(pipeline: &Pipeline, diagnostics: &mut Diagnostics) {
    if !pipeline.instances.value.has_tasks() {
        return;
    }
    if pipeline.checkpoints.is_none() {
        diagnostics
            .error(
                &pipeline.instances.span,
                "a pipeline that several processes share makes no checkpoints",
            )
            .label("what one process leaves, another goes on from")
            .help("a section `[checkpoints]` says where they lie");
    }
    if let Some(checkpoints) = &pipeline.checkpoints
        && pipeline.instances.value == Instances::Several
        && is_folder(&checkpoints.location.value)
    {
        diagnostics
            .error(
                &checkpoints.location.span,
                "checkpoints lie in a folder of this host, and processes of other hosts need them",
            )
            .label("not there for a process on another host")
            .also(&pipeline.instances.span, "on any hosts, as this says")
            .help(
                "a bucket (`s3://bucket/mill`) can be reached from everywhere; `instances = \"on-one-host\"` keeps all \
                 processes here",
            );
    }
    for source in &pipeline.sources {
        check_source(source, diagnostics);
    }
    for sink in &pipeline.sinks {
        if let SinkConnector::File(_) = sink.connector.value {
            diagnostics
                .error(
                    &sink.connector.span,
                    format!(
                        "sink `{}` writes one file, and has several writers",
                        sink.name
                    ),
                )
                .label("each partition number is a task of its own")
                .help("`folder` has parts of all of them");
        }
    }
}

fn is_folder(location: &str) -> bool {
    location.starts_with("file://") || !location.contains("://")
}

fn check_source(source: &Source, diagnostics: &mut Diagnostics) {
    let (title, label) = match &source.connector.value {
        Connector::Kafka(kafka) => match &kafka.topics {
            KafkaTopics::Named(_) => return,
            KafkaTopics::Like(_) => (
                format!("source `{}` reads topics by pattern", source.name),
                "several processes share topics that are named, with equal numbers of partitions",
            ),
        },
        _ => (
            format!("source `{}` has no partitions to share", source.name),
            "several processes share the topics of a source `kafka`",
        ),
    };
    diagnostics
        .error(&source.connector.span, title)
        .label(label)
        .help("`instances = \"one\"` runs the pipeline in one process, with `workers`");
}

/// The columns of which rows with equal values are in partitions of one number, as far as that is known.
pub(super) fn columns_of(source: &Source) -> Option<Vec<String>> {
    let Connector::Kafka(kafka) = &source.connector.value else {
        return None;
    };
    let columns: Vec<String> = match kafka.partitioned_by.is_empty() {
        false => kafka
            .partitioned_by
            .iter()
            .map(|name| name.value.clone())
            .collect(),
        true => {
            let keys = source
                .columns
                .iter()
                .filter(|column| column.from == RecordPart::Key);
            keys.map(|column| column.name.value.clone()).collect()
        }
    };
    (!columns.is_empty()).then_some(columns)
}

impl Planner<'_> {
    /// Whether each partition number of the topics is a task of its own.
    pub fn has_tasks(&self) -> bool {
        self.pipeline.instances.value.has_tasks()
    }

    /// Whether rows that a function has made anew are spread by these columns: if the file says so of columns of these names.
    pub fn is_told(&self, by: &[String], schema: &SchemaRef) -> bool {
        let told = |source: &Source| match &source.connector.value {
            Connector::Kafka(kafka) => kafka.partitioned_by.iter().map(|name| &name.value).eq(by),
            _ => false,
        };
        self.has_tasks()
            && self.pipeline.sources.iter().any(told)
            && by.iter().all(|column| schema.index_of(column).is_ok())
    }

    /// Refuses an operator whose keys may have rows in several tasks.
    pub fn check_tasks(&mut self, operator: &Operator, inputs: &[Found], wanted: &Wanted) {
        if !self.has_tasks() {
            return;
        }
        let span = operator
            .key
            .first()
            .map_or(&operator.name.span, |key| &key.span);
        for input in inputs {
            let by = input.output.partitioned.as_ref();
            if by.is_some_and(|by| by.iter().all(|column| wanted.columns.contains(column))) {
                continue;
            }
            let title = match operator.key.is_empty() {
                true => format!(
                    "operator `{}` takes all rows, and several processes share them",
                    operator.name
                ),
                false => format!(
                    "rows of one key of operator `{}` may be in several partitions",
                    operator.name
                ),
            };
            let of = self.stations[input.station].name.clone();
            let label = match by {
                None => {
                    format!("nothing is known of how rows of `{of}` are spread over partitions")
                }
                Some(by) => format!(
                    "rows of `{of}` are spread over partitions by {}",
                    by.join(", ")
                ),
            };
            self.diagnostics.error(span, title).label(label).help(
                "key it by the record's key (a column `from = \"key\"`); or, if producers spread records by other columns, say so at the source: `partitioned-by = \"account\"`; `instances = \"one\"` runs it in one process",
            );
            return;
        }
        let known = |name: &String| {
            let mut by = inputs
                .iter()
                .filter_map(|input| input.output.partitioned.as_ref());
            by.any(|by| by.contains(name))
        };
        let nullable = |input: &Found| {
            let fields = input.output.schema.fields().iter();
            let mut keys =
                fields.filter(|field| wanted.columns.contains(field.name()) && known(field.name()));
            keys.find(|field| field.is_nullable())
                .map(|field| field.name().clone())
        };
        if operator.null_key.value == NullKey::Keep
            && let Some(column) = inputs.iter().find_map(nullable)
        {
            self.diagnostics
                .error(
                    span,
                    format!("rows without `{column}` may be in several partitions"),
                )
                .label("null is a key like any other here, and records without a key are spread anyhow")
                .help("`null-key = \"skip\"` passes over them, `null-key = \"fail\"` makes them bad rows");
        }
    }
}
