//! `make torture`.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use tidemill_torture::{Moment, Settings, torture};

/// How often it kills unless `N` says otherwise.
const KILLS: u64 = 200;

fn main() -> Result<ExitCode> {
    let mut out = std::io::stdout().lock();
    let settings = settings()?;
    let (seed, folder) = (settings.seed, settings.folder.clone());
    let only = env::var("ONLY").unwrap_or_default();
    let began = Instant::now();
    let mut log = fs::File::create(folder.join("log"))?;
    let summary = torture(settings, &mut |line| {
        // A log that cannot be written changes nothing of what is tested.
        let _ = writeln!(log, "{line}");
        let _ = writeln!(out, "{line}");
    })?;
    writeln!(
        out,
        "\nseed {seed}, {} s\n{summary}",
        began.elapsed().as_secs()
    )?;
    for wrong in &summary.wrong {
        writeln!(
            out,
            "\nround {} went wrong: {}\n  what it left: {}\n  again: make torture SEED={seed} ROUND={}{}",
            wrong.round,
            wrong.why,
            wrong.folder.display(),
            wrong.round,
            if only.is_empty() {
                String::new()
            } else {
                format!(" ONLY={only}")
            },
        )?;
    }
    match summary.wrong.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    }
}

fn settings() -> Result<Settings> {
    let seed = number("SEED")?.unwrap_or(1);
    let command = PathBuf::from(env::var_os("TIDEMILL_COMMAND").context("run `make torture`")?);
    let checkout = PathBuf::from(env::var_os("TIDEMILL_CHECKOUT").context("run `make torture`")?);
    let all = PathBuf::from(env::var_os("TIDEMILL_TORTURE").context("run `make torture`")?);
    let folder = all.join(format!("seed-{seed}"));
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    Ok(Settings {
        module: module(&command, &checkout, &all)?,
        command,
        environment: Vec::new(),
        folder: folder.canonicalize()?,
        seed,
        kills: number("N")?.unwrap_or(KILLS),
        each_moment: false,
        round: number("ROUND")?,
        moments: moments()?,
    })
}

fn number(name: &str) -> Result<Option<u64>> {
    match env::var(name) {
        Ok(text) if !text.is_empty() => {
            let number = text.parse();
            Ok(Some(number.with_context(|| {
                format!("{name} is a whole number, not `{text}`")
            })?))
        }
        _ => Ok(None),
    }
}

/// The moments that `ONLY` names, or all.
fn moments() -> Result<Vec<Moment>> {
    let names = env::var("ONLY").unwrap_or_default();
    let mut moments = Vec::new();
    for name in names.split([' ', ',']).filter(|name| !name.is_empty()) {
        let Some(moment) = Moment::named(name) else {
            let all: Vec<&str> = Moment::ALL.into_iter().map(Moment::name).collect();
            bail!(
                "`{name}` is no moment; ONLY names some of {}",
                all.join(", ")
            );
        };
        moments.push(moment);
    }
    match moments.is_empty() {
        true => Ok(Moment::ALL.to_vec()),
        false => Ok(moments),
    }
}

/// Builds the module of `tests/guests/sdk-kinds`.
fn module(command: &Path, checkout: &Path, folder: &Path) -> Result<PathBuf> {
    let source = checkout.join("tests/guests/sdk-kinds");
    let pipeline = format!(
        "name = \"kinds\"\n[modules.kinds]\nfile = \"kinds.wasm\"\nsource = {source:?}\n\
         [sources.rows]\nstdin = {{}}\ncolumns = {{ value = \"integer\" }}\n\
         [sinks.out]\ninput = \"rows\"\nblackhole = {{}}\n"
    );
    fs::write(folder.join("pipeline.toml"), pipeline)?;
    let built = Command::new(command)
        .arg("build")
        .current_dir(folder)
        .status()?;
    ensure!(
        built.success(),
        "the module of {} could not be built",
        source.display()
    );
    Ok(folder.join("kinds.wasm"))
}
