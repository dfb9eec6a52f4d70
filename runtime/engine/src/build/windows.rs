//! Building windows: what they hold and call, and who adds up rows before they cross to them.

use std::sync::Arc;

use tidemill_core::window::{Mode, WindowOperator};
use tidemill_wasm::{CallError, Kind, ModuleError, Settings};

use super::{Builder, described};
use crate::aggregate::carry_out::Aggregator;
use crate::combine::{Combiner, CombinerParts};
use crate::error::EngineError;
use crate::metrics::Counters;
use crate::operator::Operator;
use crate::operator::keying::Keying;
use crate::operator::window::called::Called;
use crate::operator::window::{Window, WindowParts};
use crate::plan::{StationKind, WindowPlan};
use crate::stored::Stored;
use crate::stored::kept::KeptAggregate;
use crate::stored::whole::WholeWindows;

/// Why a function cannot be called.
enum Unready {
    Module(ModuleError),
    Call(CallError),
}

impl From<ModuleError> for Unready {
    fn from(error: ModuleError) -> Self {
        Self::Module(error)
    }
}

impl From<CallError> for Unready {
    fn from(error: CallError) -> Self {
        Self::Call(error)
    }
}

impl Builder<'_> {
    pub(super) fn window(
        &self,
        index: usize,
        plan: &WindowPlan,
        counters: Arc<Counters>,
    ) -> Result<Box<dyn Operator>, EngineError> {
        let blame = self.blame(index, Some(&plan.function));
        let settings = self.settings(index, &plan.function);
        let called = self
            .called(plan, settings)
            .map_err(|unready| match unready {
                Unready::Module(source) => self.unready(index, source),
                Unready::Call(source) => blame.call(source),
            })?;
        Ok(Box::new(Window::new(WindowParts {
            window: WindowOperator::new(plan.spec),
            keying: Keying::new(plan.key.clone(), plan.key_fields.clone()),
            null_key: plan.null_key,
            called,
            finish_keys: plan.finish_keys.clone(),
            schemas: plan.schemas.clone(),
            talk: self.talk(index),
            blame,
            retract: plan.spec.mode == Mode::Retract,
            counters,
        })))
    }

    /// What a window holds and calls.
    fn called(&self, plan: &WindowPlan, settings: Settings) -> Result<Called, Unready> {
        let (functions, module) = (&self.options.functions, &plan.function.module);
        let described = described(&plan.function);
        let inputs = plan.function.inputs.clone();
        let stored = || Stored::new(inputs.clone(), described.stamps, plan.rows_limit);
        if described.kind == Kind::Window {
            let fields = described.input.iter().cloned().map(Arc::new).collect();
            let guest = functions.window(module, settings)?;
            return Ok(Called::Whole(WholeWindows::new(guest, stored(), fields)));
        }
        let guest = functions.aggregate(module, settings)?;
        Ok(match plan.spec.stored {
            Some(_) => Called::Kept(KeptAggregate::new(guest, stored())?),
            None => Called::Aggregate(Aggregator::new(guest, inputs, described.stamps)?),
        })
    }

    /// Who adds up rows before they cross to a station, where that may be.
    pub(super) fn combiner(&self, station: usize, worker: usize) -> Option<Combiner> {
        let Some(Ok(combining)) = self.plan.combining(station) else {
            return None;
        };
        let StationKind::Window(window) = &self.plan.stations[station].kind else {
            return None;
        };
        let function = &window.function;
        let (functions, module) = (self.options.functions.clone(), function.module.clone());
        let settings = self.settings(station, function);
        let ready = move || {
            let guest = functions.aggregate(&module, settings.clone());
            guest.map_err(|source| EngineError::Module {
                operator: settings.operator.clone(),
                source,
            })
        };
        Some(Combiner::new(CombinerParts {
            combining: combining.clone(),
            ready: Box::new(ready),
            inputs: function.inputs.clone(),
            with_stamps: described(function).stamps,
            talk: self.talk(station),
            blame: self.blame(station, Some(function)),
            counters: self.metrics.of(station, worker),
        }))
    }
}
