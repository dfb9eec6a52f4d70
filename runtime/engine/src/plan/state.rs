//! What holds the state of process operators.

use std::path::PathBuf;

use tidemill_pipeline::{Backend, Diagnostics, Pipeline};

use super::streams::Planned;
use super::{Plan, StationKind};

/// What holds the state of process operators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StatePlan {
    /// Memory alone, each operator with a limit of its own.
    Memory,
    /// Memory, and RocksDB for what it has no room for.
    RocksDb(RocksDbPlan),
}

/// State that may be larger than memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RocksDbPlan {
    /// How many bytes the process may take.
    pub memory: usize,
    /// Below which folder lies what is not in memory.
    pub folder: PathBuf,
    /// Of how many keys an operator holds anything in memory between two events, on one worker.
    pub most_keys: usize,
}

/// In a rehearsal one key stays in memory, so that it shows what a run with many keys does.
const REHEARSED_KEYS: usize = 1;

impl StatePlan {
    pub(super) fn of(pipeline: &Pipeline) -> Self {
        match &pipeline.state {
            Some(state) if state.backend == Backend::RocksDb => Self::RocksDb(RocksDbPlan {
                memory: usize::try_from(state.memory).unwrap_or(usize::MAX),
                folder: state.folder.value.clone(),
                most_keys: usize::MAX,
            }),
            _ => Self::Memory,
        }
    }

    /// The same for a rehearsal.
    pub(crate) fn rehearse(&mut self) {
        if let Self::RocksDb(plan) = self {
            plan.most_keys = plan.most_keys.min(REHEARSED_KEYS);
        }
    }
}

impl Plan {
    /// What holds the state of process operators, unless that is memory alone or nothing needs it.
    pub(crate) fn rocksdb(&self) -> Option<&RocksDbPlan> {
        let mut kinds = self.stations.iter().map(|station| &station.kind);
        let keeps = kinds.any(|kind| matches!(kind, StationKind::Process(_)));
        match &self.state {
            StatePlan::RocksDb(plan) if keeps => Some(plan),
            _ => None,
        }
    }
}

/// Says what of `[state]` has no effect.
pub(super) fn warn(pipeline: &Pipeline, planned: &[Planned], diagnostics: &mut Diagnostics) {
    let Some(state) = pipeline
        .state
        .as_ref()
        .filter(|state| state.backend == Backend::RocksDb)
    else {
        return;
    };
    let has = |kind: fn(&StationKind) -> bool| {
        let mut kinds = planned.iter().filter_map(|station| station.kind.as_ref());
        kinds.any(kind)
    };
    for operator in &pipeline.operators {
        if let Some(span) = &operator.state_limit_span {
            let name = &operator.name;
            diagnostics
                .warn(
                    span,
                    format!("`state-limit` of operator `{name}` has no effect"),
                )
                .label("`backend = \"rocksdb\"` has one `memory` for all operators")
                .help("leave it out, and say `memory` in [state]");
        }
    }
    let in_memory = "what windows hold is in memory, whatever `backend` says";
    if !has(|kind| matches!(kind, StationKind::Process(_))) {
        diagnostics
            .warn(&state.span, "`state` of the pipeline has no effect")
            .label("no operator has a process function")
            .help(in_memory);
    } else if has(|kind| matches!(kind, StationKind::Window(_))) {
        diagnostics
            .warn(
                &state.span,
                "`backend = \"rocksdb\"` is for process functions alone",
            )
            .label("and there are windows too")
            .help(in_memory);
    }
}
