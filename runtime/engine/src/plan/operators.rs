//! Planning operators, each after what feeds it.

mod changes;
mod process;

use std::sync::Arc;

use arrow_schema::{Field, FieldRef, SchemaRef};
use tidemill_core::window::{Combining, Keep, Mode, WindowSpec};
use tidemill_pipeline as file;
use tidemill_pipeline::{FAILED, FailurePolicy, LATE, OnFailure, Operator};
use tidemill_rows::LogicalType;
use tidemill_wasm::{Function, Kind, Output};

use self::changes::{give_changes, have_changes, takes_changes};
use super::functions::{self, FoundFunction};
use super::streams::{Found, Planned, Planner, Wanted};
use super::{
    FunctionPlan, PolicyPlan, Port, StationKind, TransformPlan, WindowPlan, WorkTime, columns,
    schema,
};
use crate::exchange::Partitioning;
use crate::failure::{Action, failed_schema};
use crate::operator::keying::NullKey;

/// Columns of every result, between its key and what the function made.
const WINDOW_COLUMNS: [(&str, LogicalType); 5] = [
    ("window_start", LogicalType::Time),
    ("window_end", LogicalType::Time),
    ("firing", LogicalType::Text),
    ("firing_number", LogicalType::Integer),
    ("firing_last", LogicalType::Bool),
];

/// Plans all operators. Where the file has no cycle, in every round at least one has all its inputs; what is in a cycle,
/// which was said, is not planned.
pub fn plan_all(planner: &mut Planner<'_>) {
    let mut left: Vec<&Operator> = planner.pipeline.operators.iter().collect();
    while !left.is_empty() {
        let waits_for_none = |operator: &&Operator, left: &[&Operator]| {
            let waits = |name: &str| left.iter().any(|other| other.name.value == name);
            operator.inputs.iter().all(|input| !waits(&input.name))
        };
        let (ready, waiting): (Vec<&Operator>, Vec<&Operator>) = left
            .iter()
            .copied()
            .partition(|operator| waits_for_none(operator, &left));
        if ready.is_empty() {
            assert!(
                planner.diagnostics.has_errors(),
                "the file was checked for cycles"
            );
            for operator in left {
                functions::find(planner, operator.into());
            }
            return;
        }
        for operator in ready {
            plan_one(planner, operator);
        }
        left = waiting;
    }
}

fn plan_one(planner: &mut Planner<'_>, operator: &Operator) {
    let inputs = planner.inputs(&operator.inputs);
    let function = functions::find(planner, operator.into());
    let (Some((inputs, input)), Some(function)) = (inputs, function) else {
        return;
    };
    if !planner.is_sound(&operator.name.value) {
        return;
    }
    if !functions::fits(planner, operator, function.described()) {
        return;
    }
    if !takes_changes(planner, operator, &inputs, function.described()) {
        return;
    }
    let columns = columns::of_function(
        planner,
        operator.into(),
        &function.described().input.clone(),
        &input,
    );
    let config = functions::config(planner, operator.into(), function.described());
    let made_ready = columns.zip(config).map(|(inputs, config)| FunctionPlan {
        module: function.module.clone(),
        function: function.index,
        config,
        limits: function.limits.clone(),
        inputs,
    });
    match function.described().kind {
        Kind::Transform => transform(
            planner,
            operator,
            (&inputs, &input),
            (&function, made_ready),
        ),
        Kind::Aggregate | Kind::Window => window(
            planner,
            operator,
            (&inputs, &input),
            (&function, made_ready),
        ),
        Kind::Process => process::plan(
            planner,
            operator,
            (&inputs, &input),
            (&function, made_ready),
        ),
        Kind::Watermark => unreachable!("it fits no operator"),
    }
}

fn transform(
    planner: &mut Planner<'_>,
    operator: &Operator,
    (inputs, input): (&[Found], &SchemaRef),
    (function, made_ready): (&FoundFunction, Option<FunctionPlan>),
) {
    let described = function.described();
    let shapes = shapes(described);
    let mut targets = Vec::new();
    for shape in &shapes {
        let fields: Vec<FieldRef> = match shape {
            Output::Same => input.fields().to_vec(),
            Output::Extended(added) => input
                .fields()
                .iter()
                .cloned()
                .chain(added.iter().cloned().map(Arc::new))
                .collect(),
            Output::New(fields) => fields.iter().cloned().map(Arc::new).collect(),
        };
        if !no_clash(planner, operator, &fields) {
            return;
        }
        targets.push((shape.clone(), schema(fields)));
    }
    let common = common_partitioning(inputs);
    let kept = |(shape, schema): &(Output, SchemaRef)| match shape {
        Output::New(_) => common.clone().filter(|by| planner.is_told(by, schema)),
        _ => common.clone(),
    };
    let made = targets.iter().map(|target| (&target.1, kept(target)));
    let ports = ports(described, made, give_changes(inputs, described));
    let policy = policy(&operator.failure);
    let kind = made_ready.map(|function| {
        StationKind::Transform(TransformPlan {
            function,
            targets,
            policy,
        })
    });
    planner.add(
        Planned {
            name: operator.name.value.clone(),
            kind,
            ports,
            time: work_time(operator),
        },
        inputs,
        None,
    );
}

/// The key columns as indices of the input, and their fields.
fn key(
    planner: &mut Planner<'_>,
    operator: &Operator,
    input: &SchemaRef,
) -> Option<(Vec<usize>, Vec<FieldRef>)> {
    let key: Vec<Option<usize>> = operator
        .key
        .iter()
        .map(|name| columns::named(planner, name, input))
        .collect();
    let key = key.into_iter().collect::<Option<Vec<usize>>>()?;
    let fields = key.iter().map(|&i| input.fields()[i].clone()).collect();
    Some((key, fields))
}

/// How a keyed operator wants its rows spread.
fn wanted(key: &[usize], fields: &[FieldRef]) -> Wanted {
    Wanted {
        partitioning: if key.is_empty() {
            Partitioning::Single
        } else {
            Partitioning::Key(key.to_vec())
        },
        columns: fields.iter().map(|field| field.name().clone()).collect(),
    }
}

/// By which columns rows of keys are spread when they leave a keyed operator.
fn spread(planner: &Planner<'_>, inputs: &[Found], wanted: &Wanted) -> Option<Vec<String>> {
    match planner.has_tasks() {
        // They stay in their task.
        true => common_partitioning(inputs),
        false => (!wanted.columns.is_empty()).then(|| wanted.columns.clone()),
    }
}

fn null_key(operator: &Operator) -> NullKey {
    match operator.null_key.value {
        file::NullKey::Keep => NullKey::Keep,
        file::NullKey::Skip => NullKey::Skip,
        file::NullKey::Fail => NullKey::Fail,
    }
}

fn window(
    planner: &mut Planner<'_>,
    operator: &Operator,
    (inputs, input): (&[Found], &SchemaRef),
    (function, made_ready): (&FoundFunction, Option<FunctionPlan>),
) {
    let described = function.described();
    let Some((key, key_fields)) = key(planner, operator, input) else {
        return;
    };
    let finish_keys = finish_keys(planner, operator, described, &key_fields);
    let mut schemas = Vec::new();
    for shape in shapes(described) {
        let window_columns = WINDOW_COLUMNS.map(|(name, ty)| Arc::new(ty.field(name, false)));
        let made = shape.fields().iter().cloned().map(Arc::new);
        let fields: Vec<FieldRef> = key_fields
            .iter()
            .cloned()
            .chain(window_columns)
            .chain(made)
            .collect();
        if !no_clash(planner, operator, &fields) {
            return;
        }
        schemas.push(schema(fields));
    }
    let wanted = wanted(&key, &key_fields);
    planner.check_tasks(operator, inputs, &wanted);
    let partitioned = spread(planner, inputs, &wanted);
    let window = operator.window.as_ref();
    let mut spec = window.expect("it was seen to have a window").spec;
    if described.kind == Kind::Window {
        spec.stored.get_or_insert(Keep::All);
    }
    if !functions::fits_rows_limit(planner, operator, &spec) {
        return;
    }
    let retract = spec.mode == Mode::Retract;
    let made = schemas.iter().map(|schema| (schema, partitioned.clone()));
    let mut ports = ports(described, made, retract);
    ports.insert(
        1,
        Port {
            name: LATE.to_owned(),
            schema: input.clone(),
            partitioned,
            changes: have_changes(inputs),
        },
    );
    let policy = policy(&operator.failure);
    let kind = made_ready.zip(finish_keys).map(|(function, finish_keys)| {
        StationKind::Window(WindowPlan {
            function,
            spec,
            key,
            key_fields,
            combining: combining(operator, described, &spec),
            rows_limit: usize::try_from(operator.rows_limit).unwrap_or(usize::MAX),
            null_key: null_key(operator),
            finish_keys,
            schemas,
            policy,
        })
    });
    planner.add(
        Planned {
            name: operator.name.value.clone(),
            kind,
            ports,
            time: work_time(operator),
        },
        inputs,
        Some(&wanted),
    );
}

/// Which rows may be added up before they cross to the worker of their key, or why none may.
fn combining(
    operator: &Operator,
    function: &Function,
    spec: &WindowSpec,
) -> Result<Combining, &'static str> {
    if !operator.combine {
        return Err("the pipeline says `combine = false`");
    }
    if !function.combinable {
        return Err("its function is not combinable");
    }
    Combining::of(spec)
}

/// The shapes of a function's outputs: the main one, then the side outputs.
fn shapes(function: &Function) -> Vec<Output> {
    let sides = function.sides.iter().map(|side| side.output.clone());
    std::iter::once(function.output.clone())
        .chain(sides)
        .collect()
}

/// The names of its ports: the main one has none.
fn names(function: &Function) -> impl Iterator<Item = String> {
    let sides = function.sides.iter().map(|side| side.name.clone());
    std::iter::once(String::new()).chain(sides)
}

/// The ports of what a function makes, of each the schema and partitioning, with that of failed rows behind the main one.
fn ports<'a>(
    function: &Function,
    made: impl Iterator<Item = (&'a SchemaRef, Option<Vec<String>>)>,
    changes: bool,
) -> Vec<Port> {
    let port = |(name, (schema, partitioned)): (String, (&SchemaRef, _))| Port {
        name,
        schema: schema.clone(),
        partitioned,
        changes,
    };
    let mut ports: Vec<Port> = names(function).zip(made).map(port).collect();
    let failed = Port {
        name: FAILED.to_owned(),
        schema: failed_schema(),
        partitioned: None,
        changes: false,
    };
    ports.insert(1, failed);
    ports
}

/// The partitioning that all inputs share, if they do.
fn common_partitioning(inputs: &[Found]) -> Option<Vec<String>> {
    let first = inputs.first()?.output.partitioned.clone();
    first.filter(|_| {
        inputs
            .iter()
            .all(|i| i.output.partitioned == inputs[0].output.partitioned)
    })
}

/// The key columns that the function declares, as indices of the key.
fn finish_keys(
    planner: &mut Planner<'_>,
    operator: &Operator,
    function: &Function,
    key: &[FieldRef],
) -> Option<Vec<usize>> {
    let find = |wanted: &Field| {
        key.iter().position(|field| {
            field.name() == wanted.name()
                && field.data_type() == wanted.data_type()
                && (wanted.is_nullable() || !field.is_nullable())
        })
    };
    let found: Vec<Option<usize>> = function.key.iter().map(find).collect();
    if let Some(missing) = found.iter().position(Option::is_none) {
        let wanted = &function.key[missing];
        let span = operator
            .key
            .first()
            .map_or(&operator.function.span, |name| &name.span);
        let there: Vec<String> = key
            .iter()
            .map(|f| format!("{}: {}", f.name(), LogicalType::word(f)))
            .collect();
        planner
            .diagnostics
            .error(
                span,
                format!("the function wants to see the key column {}", wanted.name()),
            )
            .label(format!(
                "expected {}: {} among the key, found ({})",
                wanted.name(),
                LogicalType::word(wanted),
                there.join(", ")
            ))
            .help(format!("`key` must hold {}", wanted.name()));
        return None;
    }
    found.into_iter().collect()
}

/// Refuses two columns of one name.
fn no_clash(planner: &mut Planner<'_>, operator: &Operator, fields: &[FieldRef]) -> bool {
    let twice = fields.iter().enumerate().find(|(i, field)| {
        fields[..*i]
            .iter()
            .any(|other| other.name() == field.name())
    });
    let Some((_, field)) = twice else { return true };
    planner
        .diagnostics
        .error(
            &operator.function.span,
            format!(
                "two columns of the output of {} are called {}",
                operator.name,
                field.name()
            ),
        )
        .label("the function's column clashes with a key, window or input column")
        .help("rename the field in the function's output");
    false
}

fn work_time(operator: &Operator) -> WorkTime {
    match operator.time.value {
        file::Time::Event => WorkTime::Event,
        file::Time::Processing => WorkTime::Processing,
    }
}

/// The failure policy of a source or operator.
pub fn policy(failure: &FailurePolicy) -> PolicyPlan {
    let action = match failure.action.value {
        OnFailure::Fail => Action::Fail,
        OnFailure::Skip => Action::Skip,
        OnFailure::DeadLetter => Action::DeadLetter,
    };
    PolicyPlan {
        action,
        most: failure.most.as_ref().map(|most| most.value),
    }
}
