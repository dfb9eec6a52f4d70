//! `tidemill build`: builds the modules of a pipeline with their own toolchains.

mod cargo;
mod make;

pub use cargo::TARGET;

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, anyhow};
use tidemill_engine::plan::limits;
use tidemill_pipeline::{Module, Pipeline, Spanned};
use tidemill_wasm::Host;

use crate::args::{Format, PipelineArgs};
use crate::error::Failure;
use crate::figures::{bytes, took};
use crate::talk::Talk;
use crate::{folders, load, module_text};

/// Build a pipeline's modules
///
/// For each `[modules.x]` with a `source`, runs what that folder is built with and puts the result to the module's `file`:
///
///   Cargo.toml   cargo build --release --target wasm32-unknown-unknown
///   Makefile     make OUT=<the file's folder> <the file>, for C and everything else
///
/// Then loads what came out, as `run` would, so that a module that cannot be used is known now.
#[derive(clap::Args, Debug)]
#[command(verbatim_doc_comment)]
#[command(after_long_help = "Examples:\n  tidemill build\n  tidemill build fraud.toml")]
pub struct Args {
    #[command(flatten)]
    pipeline: PipelineArgs,
}

/// Builds modules.
pub fn build(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    let pipeline = load::read(&args.pipeline)?.pipeline;
    if all(&pipeline, &folders::host()?, &talk)? == 0 {
        talk.line("nothing to build: no `[modules.<name>]` of the pipeline file has a `source`");
    }
    Ok(())
}

/// Builds every module that has a source; says how many those are.
pub fn all(pipeline: &Pipeline, host: &Host, talk: &Talk) -> Result<usize, Failure> {
    let mut built = 0;
    for module in &pipeline.modules {
        if let Some(source) = &module.source {
            one(module, source, host, talk)?;
            built += 1;
        }
    }
    Ok(built)
}

/// How a folder is built: the first whose file is there.
const TOOLCHAINS: [(&str, Toolchain); 2] =
    [("Cargo.toml", cargo::build), ("Makefile", make::build)];

/// Builds a folder's module into a file and says so.
type Toolchain = fn(&Job<'_>, &Talk) -> Result<(), Failure>;

/// What is to be built.
struct Job<'a> {
    /// The module's name.
    name: &'a str,
    /// The folder of its source, absolute.
    source: PathBuf,
    /// Where the module goes, absolute.
    file: PathBuf,
}

fn one(
    module: &Module,
    source: &Spanned<PathBuf>,
    host: &Host,
    talk: &Talk,
) -> Result<(), Failure> {
    let start = Instant::now();
    let job = Job {
        name: &module.name.value,
        source: folder(&module.name.value, &source.value)?,
        file: std::path::absolute(&module.file.value).context("no path of a module's file")?,
    };
    let toolchain = TOOLCHAINS
        .iter()
        .find(|(file, _)| job.source.join(file).is_file());
    let Some((_, toolchain)) = toolchain else {
        let error = anyhow!(
            "module {}: {} has neither Cargo.toml nor Makefile",
            job.name,
            job.source.display()
        );
        return Err(Failure::wrong(error).hint(
            "`source` is the folder of a Rust crate, or one with a Makefile that makes $(OUT)/<name>.wasm",
        ));
    };
    if let Some(folder) = job.file.parent() {
        std::fs::create_dir_all(folder)
            .with_context(|| format!("cannot make {}", folder.display()))?;
    }
    toolchain(&job, talk)?;
    said(module, start, host, talk)
}

/// The folder of a module's source.
fn folder(name: &str, source: &Path) -> Result<PathBuf, Failure> {
    let refused = |why: String| {
        let error = anyhow!("module {name}: its source {} {why}", source.display());
        Failure::wrong(error).hint("`source` is a folder, relative to the pipeline file")
    };
    match std::fs::canonicalize(source) {
        Ok(folder) if folder.is_dir() => Ok(folder),
        Ok(_) => Err(refused("is no folder".to_owned())),
        Err(error) => Err(refused(format!("cannot be read: {error}"))),
    }
}

/// Loads what was built, within the limits that it will run under, and says what it is.
fn said(built: &Module, start: Instant, host: &Host, talk: &Talk) -> Result<(), Failure> {
    let file = &built.file.value;
    let module = host.load(file, &limits(&built.limits))?;
    let size = std::fs::metadata(file).map_or(0, |meta| meta.len());
    talk.line(format!(
        "built {} ({}, sha256 {}) in {}: {}",
        file.display(),
        bytes(size),
        module.short_hash(),
        took(start.elapsed()),
        module_text::offers(&module)
    ));
    Ok(())
}
