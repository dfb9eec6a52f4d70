//! The host: engines, the epoch thread, the cache of compiled modules. One per process, cheap to clone.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use wasmtime::Engine;
use wasmtime::component::Component;

use crate::cache::{self, Entry};
use crate::error::ModuleError;
use crate::limits::Limits;
use crate::load::Module;
use crate::surface::Surface;
use crate::ticker::Ticker;
use crate::{child, compile, report};

/// What a host needs.
#[derive(Clone, Debug)]
pub struct HostConfig {
    /// The folder of compiled modules; made if it is not there, for its owner alone.
    pub cache: PathBuf,
    /// Who compiles.
    pub compiler: Compiler,
}

/// Who compiles modules.
#[derive(Clone, Debug)]
pub enum Compiler {
    /// A child process with limits: this executable is run as `<exe> compile-module …` ([`crate::compile_child_main`]).
    Child(PathBuf),
    /// This process, without limits on time and memory: for tests.
    InProcess,
}

/// Loads modules and runs their calls.
#[derive(Clone)]
pub struct Host(Arc<Inner>);

struct Inner {
    config: HostConfig,
    /// One engine per stack limit: wasmtime knows the stack's size by engine.
    engines: Mutex<Vec<(usize, Engine)>>,
    ticker: Ticker,
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Host").field(&self.0.config).finish()
    }
}

impl Host {
    /// A host.
    ///
    /// # Errors
    /// If the cache folder cannot be made or is not the user's own.
    pub fn new(config: HostConfig) -> Result<Self, ModuleError> {
        cache::prepare(&config.cache).map_err(|e| {
            ModuleError::host(
                format!("the cache of modules {}", config.cache.display()),
                e,
            )
        })?;
        let ticker = Ticker::start().map_err(|e| ModuleError::host("the epoch thread", e))?;
        Ok(Self(Arc::new(Inner {
            config,
            engines: Mutex::default(),
            ticker,
        })))
    }

    /// Loads a module: checks its outside, compiles it unless that was done before, and asks it what it offers.
    ///
    /// # Errors
    /// Everything that makes the module unusable, see [`ModuleError`].
    pub fn load(&self, file: &Path, limits: &Limits) -> Result<Module, ModuleError> {
        Module::load(self, file, limits)
    }

    pub(crate) fn ticker(&self) -> &Ticker {
        &self.0.ticker
    }

    /// The engine for this stack limit.
    pub(crate) fn engine(&self, stack_bytes: usize) -> Result<Engine, ModuleError> {
        let mut engines = self
            .0
            .engines
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some((_, engine)) = engines.iter().find(|(stack, _)| *stack == stack_bytes) {
            return Ok(engine.clone());
        }
        let engine = compile::engine(stack_bytes)
            .map_err(|e| ModuleError::host("the WebAssembly engine", format!("{e:#}")))?;
        self.0.ticker.add(engine.clone());
        engines.push((stack_bytes, engine.clone()));
        Ok(engine)
    }

    /// The machine code of a module: from the cache, or compiled now.
    pub(crate) fn compiled(
        &self,
        source: &Source<'_>,
        limits: &Limits,
    ) -> Result<Component, ModuleError> {
        let engine = self.engine(limits.stack_bytes)?;
        let entry = Entry::new(&self.0.config.cache, source.hash, &engine);
        if let Some(Ok(component)) = entry.load(&engine) {
            return Ok(component);
        }
        let refused = |message| ModuleError::refused(source.file, message);
        match &self.0.config.compiler {
            Compiler::Child(exe) => child::compile(exe, source, &entry, limits),
            Compiler::InProcess => {
                compile::machine_code(&engine, source.bytes, source.surface.core).and_then(|code| {
                    entry
                        .store(&code)
                        .map_err(|e| format!("its cache entry cannot be written: {e}"))
                })
            }
        }
        .map_err(refused)?;
        let loaded = entry.load(&engine).ok_or_else(|| {
            let what = format!("the cache of modules {}", self.0.config.cache.display());
            ModuleError::host(
                what,
                "what was just compiled cannot be read back; is the disk full?",
            )
        })?;
        loaded.map_err(|error| refused(report::beyond_limits(&error)))
    }
}

/// A module's bytes, and what is known of them before they are compiled.
pub(crate) struct Source<'a> {
    /// Where they were read.
    pub file: &'a Path,
    /// The bytes.
    pub bytes: &'a [u8],
    /// Their SHA-256.
    pub hash: &'a str,
    /// Their outside.
    pub surface: &'a Surface,
}
