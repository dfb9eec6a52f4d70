//! One guest instance: a store with its limits, the module's exports, and what one call leaves in it.

use wasmtime::component::{HasSelf, Instance as WasmInstance, InstancePre, Linker};
use wasmtime::{Engine, ResourceLimiter, Store, StoreContextMut};

use crate::bindings::exports::tidemill::operator as exports;
use crate::bindings::tidemill::operator as imports;
use crate::deadline::Watch;
use crate::description::Kind;
use crate::limits::Limits;
use crate::log::{CallLog, Level};
use crate::process::held::Lent;
use crate::wasi::{self, Wasi};

/// What a store holds beside the instance.
pub(crate) struct State {
    /// The deadline of the call under way.
    pub watch: Watch,
    /// Linear memory, and what was refused of it.
    pub memory: Memory,
    /// What the call under way logged.
    pub log: CallLog,
    /// Only for modules that import it.
    pub wasi: Option<Box<Wasi>>,
    /// Lists and maps of the keys of the call under way.
    pub held: Option<Lent>,
    limits: Limits,
}

impl State {
    /// The virtual WASI.
    ///
    /// # Panics
    /// If the module does not import WASI: then nothing of it is linked.
    pub fn wasi_mut(&mut self) -> &mut Wasi {
        self.wasi
            .as_deref_mut()
            .expect("WASI is only linked for modules that import it")
    }

    /// Whether the call under way may have logged anything.
    pub fn logged(&self) -> bool {
        self.wasi.is_some() || !self.log.is_empty()
    }

    /// The lines that the call under way logged, standard output and error included.
    pub fn take_log(&mut self) -> Vec<crate::log::LogLine> {
        if let Some(wasi) = &self.wasi {
            wasi.take_lines(|level, text| self.log.write(level, text, &self.limits));
        }
        self.log.take()
    }
}

impl imports::log::Host for State {
    fn write(&mut self, level: u8, message: String) {
        self.log
            .write(Level::from_number(level), &message, &self.limits);
    }
}

impl imports::columns::Host for State {}
impl imports::outcome::Host for State {}

/// The limit on linear memory. It remembers a refusal: the guest only sees its allocator fail, and traps for that.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    /// All memories of the instance together.
    pub bytes: usize,
    /// What would have been the size, had the last growth of the call under way not been refused.
    pub refused: Option<usize>,
    /// Elements of all tables of the instance together.
    table_elements: usize,
}

/// Tables hold functions: a limit that no honest module comes near.
pub(crate) const MOST_TABLE_ELEMENTS: usize = 1 << 20;
/// Memories of an instance: each takes 4 GiB of the host's addresses, however small it is.
pub(crate) const MOST_MEMORIES: usize = 16;
/// Tables of an instance.
pub(crate) const MOST_TABLES: usize = 256;
/// Core modules that a component is made of, and instances of them.
pub(crate) const MOST_INSTANCES: usize = 1024;

impl ResourceLimiter for Memory {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let after = self.bytes.saturating_sub(current).saturating_add(desired);
        if after > self.limit {
            self.refused = Some(after);
            return Ok(false);
        }
        self.bytes = after;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let after = self.table_elements.saturating_sub(current);
        let after = after.saturating_add(desired);
        if after > MOST_TABLE_ELEMENTS {
            return Ok(false);
        }
        self.table_elements = after;
        Ok(true)
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES
    }

    fn tables(&self) -> usize {
        MOST_TABLES
    }

    fn instances(&self) -> usize {
        MOST_INSTANCES
    }
}

/// A module linked, with the places of its exports: what instances are made from.
#[derive(Clone)]
pub(crate) struct Linked {
    pre: InstancePre<State>,
    wasi: bool,
    setup: exports::setup::GuestIndices,
    transform: Option<exports::transform::GuestIndices>,
    aggregate: Option<exports::aggregate::GuestIndices>,
    window: Option<exports::window::GuestIndices>,
    process: Option<exports::process::GuestIndices>,
    watermark: Option<exports::watermark::GuestIndices>,
}

impl Linked {
    /// Links a compiled module. Each interface is looked up by itself; a missing one is a kind that is not offered.
    pub fn new(
        engine: &Engine,
        component: &wasmtime::component::Component,
        wasi: bool,
    ) -> wasmtime::Result<Self> {
        let mut linker = Linker::new(engine);
        imports::log::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        imports::columns::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        imports::outcome::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        imports::state::add_to_linker::<_, HasSelf<State>>(&mut linker, |state| state)?;
        if wasi {
            wasi::add_to_linker(&mut linker)?;
        }
        let pre = linker.instantiate_pre(component)?;
        Ok(Self {
            setup: exports::setup::GuestIndices::new(&pre)?,
            transform: exports::transform::GuestIndices::new(&pre).ok(),
            aggregate: exports::aggregate::GuestIndices::new(&pre).ok(),
            window: exports::window::GuestIndices::new(&pre).ok(),
            process: exports::process::GuestIndices::new(&pre).ok(),
            watermark: exports::watermark::GuestIndices::new(&pre).ok(),
            pre,
            wasi,
        })
    }

    /// Whether the module exports the interface of a kind.
    pub fn serves(&self, kind: Kind) -> bool {
        match kind {
            Kind::Transform => self.transform.is_some(),
            Kind::Aggregate => self.aggregate.is_some(),
            Kind::Window => self.window.is_some(),
            Kind::Process => self.process.is_some(),
            Kind::Watermark => self.watermark.is_some(),
        }
    }
}

/// A guest instance with its store.
pub(crate) struct Instance {
    /// The store; calls go through it.
    pub store: Store<State>,
    /// `setup`.
    pub setup: exports::setup::Guest,
    /// `transform`, if the module has it.
    pub transform: Option<exports::transform::Guest>,
    /// `aggregate`, if the module has it.
    pub aggregate: Option<exports::aggregate::Guest>,
    /// `window`, if the module has it.
    pub window: Option<exports::window::Guest>,
    /// `process`, if the module has it.
    pub process: Option<exports::process::Guest>,
    /// `watermark`, if the module has it.
    pub watermark: Option<exports::watermark::Guest>,
    /// Whether no call has had rows yet.
    pub fresh: bool,
    /// Linear memory after `configure`.
    pub configured_bytes: usize,
}

/// An instance that could not be made, with the state that says why.
pub(crate) type NotStarted = Box<(wasmtime::Error, Store<State>)>;

impl Instance {
    /// Instantiates a module, within its limits, for calls of functions of a kind, if any.
    pub fn start(linked: &Linked, kind: Option<Kind>, limits: &Limits) -> Result<Self, NotStarted> {
        let mut store = store(linked.pre.engine(), limits, linked.wasi);
        store.data_mut().watch.start(limits.deadline);
        let exports = match linked.pre.instantiate(&mut store) {
            Ok(instance) => Exports::load((linked, kind), &instance, &mut store),
            Err(error) => Err(error),
        };
        match exports {
            Ok(Exports {
                setup,
                transform,
                aggregate,
                window,
                process,
                watermark,
            }) => {
                let configured_bytes = store.data().memory.bytes;
                Ok(Self {
                    store,
                    setup,
                    transform,
                    aggregate,
                    window,
                    process,
                    watermark,
                    fresh: true,
                    configured_bytes,
                })
            }
            Err(error) => Err(Box::new((error, store))),
        }
    }

    /// Whether memory has grown past the middle between its size after `configure` and the limit: then the instance is
    /// recycled, so that what a guest leaks never decides when a row fails.
    pub fn worn(&self) -> bool {
        let memory = &self.store.data().memory;
        memory.bytes
            > self.configured_bytes + memory.limit.saturating_sub(self.configured_bytes) / 2
    }
}

struct Exports {
    setup: exports::setup::Guest,
    transform: Option<exports::transform::Guest>,
    aggregate: Option<exports::aggregate::Guest>,
    window: Option<exports::window::Guest>,
    process: Option<exports::process::Guest>,
    watermark: Option<exports::watermark::Guest>,
}

impl Exports {
    fn load(
        (linked, wanted): (&Linked, Option<Kind>),
        instance: &WasmInstance,
        store: &mut Store<State>,
    ) -> wasmtime::Result<Self> {
        /// What is not exported is not loaded, nor what a function of this kind has no use for.
        macro_rules! load {
            ($kind:ident, $name:ident) => {
                match &linked.$kind {
                    Some(indices) if wanted == Some(Kind::$name) => {
                        Some(indices.load(&mut *store, instance)?)
                    }
                    _ => None,
                }
            };
        }
        Ok(Self {
            setup: linked.setup.load(&mut *store, instance)?,
            transform: load!(transform, Transform),
            aggregate: load!(aggregate, Aggregate),
            window: load!(window, Window),
            process: load!(process, Process),
            watermark: load!(watermark, Watermark),
        })
    }
}

fn store(engine: &Engine, limits: &Limits, wasi: bool) -> Store<State> {
    let state = State {
        watch: Watch::default(),
        memory: Memory {
            limit: limits.memory_bytes,
            bytes: 0,
            refused: None,
            table_elements: 0,
        },
        log: CallLog::default(),
        wasi: wasi.then(|| Box::new(Wasi::new())),
        held: None,
        limits: limits.clone(),
    };
    let mut store = Store::new(engine, state);
    store.limiter(|state| &mut state.memory);
    store.set_hostcall_fuel(limits.returned_bytes);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|mut context: StoreContextMut<'_, State>| {
        Ok(context.data_mut().watch.tick())
    });
    store
}
