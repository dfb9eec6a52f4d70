//! The place of a function's guest instance: every call of it goes through [`Slot::call`], which watches the deadline,
//! tells what stopped a call, and makes the instance again when it is gone.

use std::time::Duration;

use crate::deadline::thread_cpu;
use crate::description::Function;
use crate::error::{CallError, ModuleError};
use crate::instance::Instance;
use crate::limits::Limits;
use crate::load::Module;
use crate::log::LogLine;
use crate::pace::Pace;
use crate::report::Stopped;

/// How a function is made ready for an operator.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The function's index in the description.
    pub function: usize,
    /// Its configuration: a JSON object with every declared field ([`Function::config_json`]).
    pub config: String,
    /// Its limits. `stack` and what concerns compiling were set when the module was loaded.
    pub limits: Limits,
    /// The operator's name, for errors.
    pub operator: String,
}

/// What is worth telling of a function's calls. Counts since the last time they were taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Calls of a clock while rows were processed. Above 0, the function may not be pure.
    pub clock_calls: u64,
    /// Calls of randomness while rows were processed.
    pub random_calls: u64,
    /// Calls of the guest with rows.
    pub calls: u64,
    /// Instances made, the first included.
    pub instances: u64,
    /// Calls that were stopped: traps, deadlines, malformed returns.
    pub stopped: u64,
    /// The linear memory of the instance, in bytes; of the last one that was stopped, if there is none just now.
    pub memory_bytes: u64,
}

/// How a call ended, if not well.
pub(crate) enum Halt {
    /// An error of wasmtime's: a trap, most often.
    Wasm(wasmtime::Error),
    /// The error of a `result<_, string>`.
    Refused(String),
    /// What was returned breaks the rules.
    Malformed(String),
}

impl From<wasmtime::Error> for Halt {
    fn from(error: wasmtime::Error) -> Self {
        Self::Wasm(error)
    }
}

/// A function of a module on one worker.
pub(crate) struct Slot {
    module: Module,
    settings: Settings,
    instance: Option<Instance>,
    /// Lines of calls that stand.
    log: Vec<LogLine>,
    notes: Notes,
    /// What calls need and take.
    pub pace: Pace,
}

/// What a call is, to who watches it.
pub(crate) struct Call {
    /// Its name in the interface.
    pub name: &'static str,
    /// How many rows (others, firings) it has: what its time is in proportion to.
    pub rows: usize,
    /// Whether it cannot be given in parts, so that on a fresh instance it has the whole deadline.
    pub alone: bool,
}

impl Call {
    /// A call of rows of which each could be given alone.
    pub fn of_rows(name: &'static str, rows: usize) -> Self {
        Self {
            name,
            rows,
            alone: rows <= 1,
        }
    }
}

impl Slot {
    /// Makes the function ready: the first instance, configured.
    pub fn new(module: Module, settings: Settings) -> Result<Self, ModuleError> {
        let mut slot = Self {
            module,
            settings,
            instance: None,
            log: Vec::new(),
            notes: Notes::default(),
            pace: Pace::default(),
        };
        slot.instance = Some(slot.start()?);
        Ok(slot)
    }

    /// The function.
    pub fn function(&self) -> &Function {
        &self.module.description().functions[self.settings.function]
    }

    /// Its index, as calls name it.
    pub fn index(&self) -> u32 {
        self.settings.function as u32
    }

    /// The operator's limits.
    pub fn limits(&self) -> &Limits {
        &self.settings.limits
    }

    /// Gives the instance up unless it is fresh, so that the next call is the first of a new one.
    pub fn refresh(&mut self) {
        if self
            .instance
            .as_ref()
            .is_some_and(|instance| !instance.fresh)
        {
            self.instance = None;
        }
    }

    /// Whether a row alone in the next call could be blamed: the instance is, or will be, fresh.
    pub fn is_fresh(&self) -> bool {
        self.instance.as_ref().is_none_or(|instance| instance.fresh)
    }

    /// Runs one call. `run` makes it and checks what it returned.
    ///
    /// # Errors
    /// If the module cannot serve the call at all, or no instance can be made. A call that was stopped is no error.
    pub fn call<R>(
        &mut self,
        call: &Call,
        run: impl FnOnce(&mut Instance) -> Result<R, Halt>,
    ) -> Result<Result<R, Stopped>, CallError> {
        let mut instance = match self.instance.take() {
            Some(instance) => instance,
            None => self.start()?,
        };
        let deadline = self.settings.limits.deadline;
        let allowed = match call.alone && instance.fresh {
            true => deadline,
            false => self.pace.allowance(call.rows, instance.fresh, deadline),
        };
        let ended = self.watched(call, &mut instance, allowed, run);
        self.notes.calls += 1;
        self.count_impure(&mut instance);
        match ended {
            Ok(returned) => {
                self.keep(instance);
                Ok(Ok(returned))
            }
            Err(Halt::Refused(message)) => {
                let function = &self.function().name;
                Err(CallError::refused(function, call.name, &message))
            }
            Err(Halt::Wasm(error)) => {
                self.notes.stopped += 1;
                let state = instance.store.data_mut();
                self.notes.memory_bytes = state.memory.bytes as u64;
                Ok(Err(Stopped::trapped(error, state, &self.settings.limits)))
            }
            Err(Halt::Malformed(message)) => {
                self.notes.stopped += 1;
                let message = format!("{} returned a malformed outcome: {message}", call.name);
                Ok(Err(Stopped::malformed(message, instance.store.data_mut())))
            }
        }
    }

    /// The call itself, under its deadline, timed where the pace wants to know.
    fn watched<R>(
        &mut self,
        call: &Call,
        instance: &mut Instance,
        allowed: Duration,
        run: impl FnOnce(&mut Instance) -> Result<R, Halt>,
    ) -> Result<R, Halt> {
        let state = instance.store.data_mut();
        state.watch.start(allowed);
        state.memory.refused = None;
        instance.store.set_epoch_deadline(1);
        let before = (call.rows > 0 && self.pace.samples(call.rows)).then(thread_cpu);
        let ticking = self.module.host().ticker().ticking();
        let ended = run(instance);
        drop(ticking);
        let fresh = std::mem::replace(&mut instance.fresh, false);
        if let (Some(before), Ok(_)) = (before, &ended) {
            self.pace
                .note(call.rows, fresh, thread_cpu().saturating_sub(before));
        }
        ended
    }

    /// Keeps an instance whose call stands, and what it logged; a worn one is let go.
    fn keep(&mut self, mut instance: Instance) {
        let state = instance.store.data_mut();
        if state.logged() {
            self.log.append(&mut state.take_log());
        }
        if !instance.worn() {
            self.instance = Some(instance);
        }
    }

    fn count_impure(&mut self, instance: &mut Instance) {
        if let Some(wasi) = &mut instance.store.data_mut().wasi {
            self.notes.clock_calls += std::mem::take(&mut wasi.clock_calls);
            self.notes.random_calls += std::mem::take(&mut wasi.random_calls);
        }
    }

    /// Makes an instance and configures it.
    fn start(&mut self) -> Result<Instance, ModuleError> {
        self.notes.instances += 1;
        let started = self.module.start(&self.settings);
        let mut instance = started?;
        self.log.append(&mut instance.store.data_mut().take_log());
        if let Some(wasi) = &mut instance.store.data_mut().wasi {
            (wasi.clock_calls, wasi.random_calls) = (0, 0);
        }
        Ok(instance)
    }

    /// Lines logged by calls that stand, since the last time.
    pub fn take_log(&mut self) -> Vec<LogLine> {
        std::mem::take(&mut self.log)
    }

    /// Counts since the last time.
    pub fn take_notes(&mut self) -> Notes {
        let mut notes = std::mem::take(&mut self.notes);
        if let Some(instance) = &self.instance {
            notes.memory_bytes = instance.store.data().memory.bytes as u64;
        }
        notes
    }
}
