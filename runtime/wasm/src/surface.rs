//! What a module's bytes show from outside, read without compiling them: component or core module, imports, exports.
//! Everything that can be refused by name is refused here.

use wasmparser::{Encoding, Parser, Payload};

use crate::limits::{Limits, size};

/// The version of the interface that this host serves.
pub(crate) const VERSION: &str = "0.1.0";
const PACKAGE: &str = "tidemill:operator/";
/// WASI 0.2 interfaces that the virtual WASI serves.
const WASI: [&str; 6] = [
    "wasi:cli/",
    "wasi:clocks/",
    "wasi:filesystem/",
    "wasi:io/",
    "wasi:random/",
    "wasi:sockets/",
];
const WASI_VERSION: &str = "0.2.";
/// Imports and exports of a module, by entry.
const MOST_NAMES: usize = 10_000;
/// Modules and components inside one another.
const DEEPEST: usize = 16;

/// A module's outside.
#[derive(Clone, Debug)]
pub(crate) struct Surface {
    /// Whether it is a core module, to be made a component first.
    pub core: bool,
    /// Names of imported interfaces, sorted.
    pub imports: Vec<String>,
    /// Names of exported interfaces, sorted.
    pub exports: Vec<String>,
}

impl Surface {
    /// Reads the outermost sections only.
    ///
    /// # Errors
    /// If the bytes are no Wasm or are malformed.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        if !bytes.starts_with(b"\0asm") {
            return Err(not_wasm(bytes));
        }
        let mut surface = Self {
            core: false,
            imports: Vec::new(),
            exports: Vec::new(),
        };
        surface.sections(bytes)?;
        for names in [&mut surface.imports, &mut surface.exports] {
            names.sort();
            names.dedup();
        }
        Ok(surface)
    }

    fn sections(&mut self, bytes: &[u8]) -> Result<(), String> {
        let damaged = |e| format!("it is damaged WebAssembly: {e}");
        let mut nested = 0usize;
        for payload in Parser::new(0).parse_all(bytes) {
            match payload.map_err(damaged)? {
                Payload::Version { encoding, .. } if nested == 0 => {
                    self.core = encoding == Encoding::Module;
                }
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => {
                    nested += 1;
                    if nested > DEEPEST {
                        return Err(format!(
                            "modules and components are nested deeper in it than {DEEPEST} levels"
                        ));
                    }
                }
                Payload::End(_) => nested = nested.saturating_sub(1),
                payload if nested == 0 => {
                    self.section(payload).map_err(damaged)?;
                    self.few_names()?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn few_names(&self) -> Result<(), String> {
        let names = self.imports.len() + self.exports.len();
        if names <= MOST_NAMES {
            return Ok(());
        }
        Err(format!(
            "it has more than {MOST_NAMES} imports and exports: no module needs so many"
        ))
    }

    fn section(&mut self, payload: Payload<'_>) -> wasmparser::Result<()> {
        match payload {
            Payload::ComponentImportSection(section) => {
                for import in section.into_iter().take(MOST_NAMES + 1) {
                    self.imports.push(import?.name.name.to_owned());
                }
            }
            Payload::ComponentExportSection(section) => {
                for export in section.into_iter().take(MOST_NAMES + 1) {
                    self.exports.push(export?.name.name.to_owned());
                }
            }
            Payload::ImportSection(section) => {
                for import in section.into_imports().take(MOST_NAMES + 1) {
                    self.imports.push(import?.module.to_owned());
                }
            }
            Payload::ExportSection(section) => {
                for export in section {
                    if let Some((interface, _)) = export?.name.split_once('#') {
                        self.exports.push(interface.to_owned());
                    }
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether the module imports any of WASI.
    pub fn wasi(&self) -> bool {
        self.imports.iter().any(|name| name.starts_with("wasi:"))
    }

    /// Refuses what this host does not serve: other versions, imports beyond the interface, no `setup`.
    pub fn check(&self) -> Result<(), String> {
        for name in self.imports.iter().chain(&self.exports) {
            other_version(name)?;
        }
        if let Some(extra) = self.imports.iter().find(|name| !allowed(name)) {
            return Err(extra_import(extra, self.core));
        }
        let setup = format!("{PACKAGE}setup@{VERSION}");
        if !self.exports.contains(&setup) {
            let has = match self.exports.is_empty() {
                true => "it exports no interface at all".to_owned(),
                false => format!("it exports {}", self.exports.join(", ")),
            };
            return Err(format!(
                "it is no Tidemill module: the export {setup} is missing ({has}); with the Rust SDK, \
                 end the crate with tidemill::module!(…) and build it as a cdylib"
            ));
        }
        Ok(())
    }
}

fn allowed(name: &str) -> bool {
    let own = ["log", "state", "columns", "outcome"];
    if let Some(interface) = name.strip_prefix(PACKAGE) {
        return own
            .iter()
            .any(|own| interface == format!("{own}@{VERSION}"));
    }
    let version = name
        .split_once('@')
        .map(|(_, version)| version)
        .unwrap_or_default();
    WASI.iter().any(|prefix| name.starts_with(prefix)) && version.starts_with(WASI_VERSION)
}

fn other_version(name: &str) -> Result<(), String> {
    let Some((interface, version)) = name.strip_prefix(PACKAGE).and_then(|n| n.split_once('@'))
    else {
        return Ok(());
    };
    if version == VERSION {
        return Ok(());
    }
    Err(format!(
        "it is built against {PACKAGE}{interface}@{version}, this host serves {PACKAGE}{interface}@{VERSION}: \
         build the module again with an SDK for {VERSION}, or run it with a Tidemill for {version}"
    ))
}

fn extra_import(name: &str, core: bool) -> String {
    let may = format!(
        "a module may import {PACKAGE}log@{VERSION}, {PACKAGE}state@{VERSION} and WASI {WASI_VERSION}x"
    );
    match name {
        "wasi_snapshot_preview1" => format!(
            "it imports wasi_snapshot_preview1, which only an adapter serves: build it for \
             wasm32-unknown-unknown or wasm32-wasip2 ({may})"
        ),
        "env" if core => format!(
            "it imports from \"env\": some function of its own was left undefined by the linker ({may})"
        ),
        _ => format!("it imports {name}, which is not granted to it: {may}"),
    }
}

fn not_wasm(bytes: &[u8]) -> String {
    let is = match bytes {
        [] => "it is empty".to_owned(),
        [0x7f, b'E', b'L', b'F', ..] => "it is a native ELF file".to_owned(),
        b if b.trim_ascii_start().starts_with(b"(module")
            || b.trim_ascii_start().starts_with(b"(component") =>
        {
            "it is WebAssembly text, which has to be assembled first".to_owned()
        }
        b => format!("it begins with {:02x?}", &b[..b.len().min(4)]),
    };
    format!(
        "it is not WebAssembly: {is}; name the .wasm file that a build for wasm32-unknown-unknown left"
    )
}

/// The error for a file beyond the limit.
pub(crate) fn too_large(bytes: u64, limits: &Limits) -> String {
    format!(
        "its file has {}, more than the limit module-size ({}); strip debug information, or raise the \
         limit for this module in the pipeline file",
        size(bytes),
        size(limits.module_bytes)
    )
}
