//! Modules.

use std::path::Path;

use super::Named;
use crate::diagnostics::Diagnostics;
use crate::keys::LIMITS;
use crate::model::{Limits, Module};

/// Reads `[modules.<name>]`.
pub(super) fn read(named: &Named<'_>, folder: &Path, d: &mut Diagnostics) -> Option<Module> {
    let section = &named.section;
    let limits = limits(named, d);
    let source = section
        .text("source", d)
        .map(|source| source.map(|s| folder.join(s)));
    let file = section.text("file", d)?.map(|file| folder.join(file));
    Some(Module {
        name: named.name.clone(),
        file,
        source,
        declared: true,
        limits,
    })
}

fn limits(named: &Named<'_>, d: &mut Diagnostics) -> Limits {
    let Some(section) = named.section.table("limits", &LIMITS, d) else {
        return Limits::default();
    };
    Limits {
        memory: section.size("memory", d),
        deadline: section.std_duration("deadline", d),
        returned: section.size("returned", d),
        stack: section.size("stack", d),
        module_size: section.size("module-size", d),
        compile_time: section.std_duration("compile-time", d),
        compile_memory: section.size("compile-memory", d),
    }
}
