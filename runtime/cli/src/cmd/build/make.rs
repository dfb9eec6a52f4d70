//! Modules that a Makefile makes: C, Python, anything.
//!
//! Contract: `make OUT=<folder> <folder>/<name>.wasm`, run in the source's folder, makes that file.

use std::process::Command;

use anyhow::anyhow;

use super::Job;
use crate::error::Failure;
use crate::talk::Talk;

/// Makes a module where it belongs.
pub fn build(job: &Job<'_>, talk: &Talk) -> Result<(), Failure> {
    let out = job.file.parent().unwrap_or(&job.file);
    talk.line(format!(
        "module {}: make OUT={} {} (in {})",
        job.name,
        out.display(),
        job.file.display(),
        job.source.display()
    ));
    let mut assignment = std::ffi::OsString::from("OUT=");
    assignment.push(out);
    let status = Command::new("make")
        .arg("--no-print-directory")
        .arg(assignment)
        .arg(&job.file)
        .current_dir(&job.source)
        // What make prints is talk, and standard output is data.
        .stdout(std::io::stderr())
        .status()
        .map_err(|e| {
            Failure::from(anyhow!("make cannot be run: {e}")).hint("apt-get install make")
        })?;
    if !status.success() {
        let error = anyhow!("make failed in {} ({status})", job.source.display());
        return Err(Failure::from(error)
            .hint("what is wrong stands above; `tidemill doctor` looks at the toolchain"));
    }
    if !job.file.is_file() {
        let error = anyhow!("make went well, but {} is not there", job.file.display());
        return Err(Failure::wrong(error).hint("the Makefile must make $(OUT)/<name>.wasm"));
    }
    Ok(())
}
