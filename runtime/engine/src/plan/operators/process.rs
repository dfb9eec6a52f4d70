//! Planning process operators.

use std::sync::Arc;

use arrow_schema::{FieldRef, SchemaRef};
use tidemill_pipeline::Operator;
use tidemill_wasm::Output;

use super::{
    finish_keys, give_changes, key, no_clash, null_key, policy, ports, shapes, spread, wanted,
    work_time,
};
use crate::plan::functions::FoundFunction;
use crate::plan::streams::{Found, Planned, Planner};
use crate::plan::{FunctionPlan, ProcessPlan, StationKind, schema};

/// Plans an operator whose function keeps state and timers per key.
pub fn plan(
    planner: &mut Planner<'_>,
    operator: &Operator,
    (inputs, input): (&[Found], &SchemaRef),
    (function, made_ready): (&FoundFunction, Option<FunctionPlan>),
) {
    let described = function.described();
    let Some((key, key_fields)) = key(planner, operator, input) else {
        return;
    };
    let key_columns = finish_keys(planner, operator, described, &key_fields);
    let mut targets = Vec::new();
    for shape in shapes(described) {
        let before = match shape {
            Output::New(_) => &key_fields[..],
            _ => input.fields(),
        };
        let made = shape.fields().iter().cloned().map(Arc::new);
        let fields: Vec<FieldRef> = before.iter().cloned().chain(made).collect();
        if !no_clash(planner, operator, &fields) {
            return;
        }
        targets.push((shape.clone(), schema(fields)));
    }
    let wanted = wanted(&key, &key_fields);
    planner.check_tasks(operator, inputs, &wanted);
    let partitioned = spread(planner, inputs, &wanted);
    let made = targets
        .iter()
        .map(|(_, schema)| (schema, partitioned.clone()));
    let ports = ports(described, made, give_changes(inputs, described));
    let policy = policy(&operator.failure);
    let kind = made_ready.zip(key_columns).map(|(function, key_columns)| {
        StationKind::Process(ProcessPlan {
            function,
            key,
            key_fields,
            key_columns,
            null_key: null_key(operator),
            state_limit: usize::try_from(operator.state_limit).unwrap_or(usize::MAX),
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
        Some(&wanted),
    );
}
