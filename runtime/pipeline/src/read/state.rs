//! What holds state.

use std::path::Path;

use crate::diagnostics::Diagnostics;
use crate::keys::STATE;
use crate::model::{Backend, State};
use crate::place::Spanned;
use crate::section::Section;

/// What the process may take where the file does not say.
const MEMORY: u64 = 1 << 30;

/// With less than this nothing can be held for what the program itself takes.
const LEAST_MEMORY: u64 = 128 << 20;

/// Where what is not in memory lies unless the file says otherwise, in the folder of the pipeline file.
const FOLDER: &str = "state";

/// Reads `[state]`; nothing if there is none, or something in it is wrong.
pub(super) fn read(top: &Section<'_>, folder: &Path, d: &mut Diagnostics) -> Option<State> {
    let section = top.table("state", &STATE, d)?;
    let backend = section.word::<Backend>("backend", d)?;
    if backend.value == Backend::Memory {
        for key in ["memory", "folder"] {
            if section.has(key) {
                d.error(
                    &section.place(key),
                    format!("`{key}` of {} has no effect", section.title),
                )
                .label("expected with `backend = \"rocksdb\"`, and state is held in memory alone")
                .help(
                    "leave it out; `state-limit` of an operator says how much of it there may be",
                );
            }
        }
    }
    let memory = match section.has("memory") {
        true => section.size("memory", d)?,
        false => Spanned::new(MEMORY, section.span.clone()),
    };
    if backend.value == Backend::RocksDb && memory.value < LEAST_MEMORY {
        d.error(
            &memory.span,
            format!("`memory` of {} is too small", section.title),
        )
        .label("expected at least 128MiB, for the whole process")
        .help("48 MiB are for the program itself, the rest for state and for files that are read and written");
    }
    let within = match section.has("folder") {
        true => section.text("folder", d)?,
        false => Spanned::new(FOLDER.to_owned(), section.span.clone()),
    };
    Some(State {
        backend: backend.value,
        span: section.span.clone(),
        memory: memory.value,
        folder: within.map(|within| folder.join(within)),
    })
}
