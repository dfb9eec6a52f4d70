//! Process operators, made ready.

use std::sync::Arc;

use tidemill_wasm::{Clock, Function, SlotKind};

use super::Builder;
use crate::blame::Blame;
use crate::error::EngineError;
use crate::functions::ProcessCalls;
use crate::metrics::Counters;
use crate::operator::Operator;
use crate::operator::keying::Keying;
use crate::operator::process::{Process, ProcessParts, TimerNames};
use crate::plan::ProcessPlan;
use crate::state::{Memory, RocksDb};
use crate::talk::Talk;

impl Builder<'_> {
    pub(super) fn process(
        &self,
        index: usize,
        plan: &ProcessPlan,
        counters: Arc<Counters>,
    ) -> Result<Box<dyn Operator>, EngineError> {
        let settings = self.settings(index, &plan.function);
        let functions = &self.options.functions;
        let function = functions.process(&plan.function.module, settings);
        let function = function.map_err(|source| self.unready(index, source))?;
        let (talk, blame) = (self.talk(index), self.blame(index, Some(&plan.function)));
        let mut parts = parts(plan, function, (talk, blame, counters));
        if let (Some(cold), Some(state)) = (&self.cold, self.plan.rocksdb()) {
            let described = plan.function.described();
            parts.state = Box::new(RocksDb::new(
                described,
                cold,
                (state.most_keys, self.beginning.is_cut),
            ));
        }
        Ok(Box::new(Process::new(parts)))
    }
}

/// What a process operator is made of, without any state, which memory holds.
pub fn parts(
    plan: &ProcessPlan,
    function: Box<dyn ProcessCalls>,
    (talk, blame, counters): (Talk, Blame, Arc<Counters>),
) -> ProcessParts {
    let described = plan.function.described();
    let ttls = described.slots.iter().filter_map(|slot| slot.ttl);
    let event = ttls.filter(|ttl| ttl.clock == Clock::Event);
    ProcessParts {
        function,
        inputs: plan.function.inputs.clone(),
        with_stamps: described.stamps,
        keying: Keying::new(plan.key.clone(), plan.key_fields.clone()),
        null_key: plan.null_key,
        key_columns: plan.key_columns.clone(),
        slots: kept_in_order(described),
        state: Box::new(Memory::new(described, plan.state_limit)),
        shortest_ttl: event.map(|ttl| ttl.micros).min(),
        reads_all: described
            .slots
            .iter()
            .all(|slot| slot.kind == SlotKind::Value && slot.ttl.is_none()),
        names: TimerNames::new(described),
        targets: plan.targets.clone(),
        talk,
        blame,
        counters,
        ended: false,
    }
}

/// The names of slots, in the order in which backends keep them.
fn kept_in_order(function: &Function) -> Vec<String> {
    let values = function.value_slots();
    let entries = function.list_slots().chain(function.map_slots());
    values
        .chain(entries)
        .map(|slot| slot.name.clone())
        .collect()
}
