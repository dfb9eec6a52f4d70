//! Loading the modules of a pipeline file, each once.

use tidemill_pipeline as file;
use tidemill_pipeline::{Diagnostics, Pipeline};
use tidemill_wasm::{Host, Limits, Module, ModuleError};

/// A module of the file, if it could be loaded, and its limits.
pub struct Loaded {
    /// The module.
    pub module: Option<Module>,
    /// Its limits.
    pub limits: Limits,
}

/// Loads every module of the file.
pub fn load(pipeline: &Pipeline, host: &Host, diagnostics: &mut Diagnostics) -> Vec<Loaded> {
    let load_one = |module: &file::Module| {
        let limits = limits(&module.limits);
        let loaded = host.load(&module.file.value, &limits);
        if let Err(error) = &loaded {
            refuse(module, error, diagnostics);
        }
        Loaded {
            module: loaded.ok(),
            limits,
        }
    };
    pipeline.modules.iter().map(load_one).collect()
}

fn refuse(module: &file::Module, error: &ModuleError, diagnostics: &mut Diagnostics) {
    let missing = matches!(error, ModuleError::Unreadable { source, .. }
        if source.kind() == std::io::ErrorKind::NotFound);
    let problem = diagnostics.error(&module.file.span, error.to_string());
    match &module.source {
        _ if !missing => problem.label("this module cannot be used"),
        Some(source) => problem
            .label("this file does not exist")
            .help(format!("`tidemill build` makes it from {}", source.value.display())),
        None => problem
            .label("this file does not exist")
            .help(match super::places::neighbour(&module.file.value) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "build the module first; with `source = \"its folder\"` beside `file`, `tidemill build` does it"
                    .to_owned(),
            }),
    };
}

/// The limits of a module: the defaults, with what the file says instead.
pub fn limits(given: &file::Limits) -> Limits {
    let mut limits = Limits::default();
    let bytes = |size: &Option<file::Spanned<u64>>| size.as_ref().map(|size| size.value);
    if let Some(memory) = bytes(&given.memory) {
        limits.memory_bytes = memory as usize;
    }
    if let Some(deadline) = &given.deadline {
        limits.deadline = deadline.value;
    }
    if let Some(returned) = bytes(&given.returned) {
        limits.returned_bytes = returned as usize;
    }
    if let Some(stack) = bytes(&given.stack) {
        limits.stack_bytes = stack as usize;
    }
    if let Some(size) = bytes(&given.module_size) {
        limits.module_bytes = size;
    }
    if let Some(time) = &given.compile_time {
        limits.compile_cpu = time.value;
    }
    if let Some(memory) = bytes(&given.compile_memory) {
        limits.compile_memory_bytes = memory;
    }
    limits
}
