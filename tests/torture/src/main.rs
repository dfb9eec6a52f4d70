//! `make torture`, and with the word `kafka` behind it `make torture-kafka`.

use std::env;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use tidemill_torture::{Moment, Settings, Wrong, kafka, torture};

/// How often it kills, or strikes, unless `N` says otherwise.
const STRIKES: u64 = 200;

fn main() -> Result<ExitCode> {
    let kafka = env::args().nth(1).is_some_and(|word| word == "kafka");
    let target = if kafka { "torture-kafka" } else { "torture" };
    let settings = settings(target)?;
    let (seed, folder) = (settings.seed, settings.folder.clone());
    let began = Instant::now();
    let mut log = fs::File::create(folder.join("log"))?;
    let mut say = |line: &str| {
        // A log that cannot be written changes nothing of what is tested.
        let _ = writeln!(log, "{line}");
        let _ = writeln!(std::io::stdout(), "{line}");
    };
    let (summary, wrong) = if kafka {
        let moments = moments(&kafka::Moment::ALL, kafka::Moment::name)?;
        let summary = kafka::torture(settings.with(moments), &mut say)?;
        (summary.to_string(), summary.wrong)
    } else {
        let moments = moments(&Moment::ALL, Moment::name)?;
        let summary = torture(settings.with(moments), &mut say)?;
        (summary.to_string(), summary.wrong)
    };
    say(&format!(
        "\nseed {seed}, {} s\n{summary}",
        began.elapsed().as_secs()
    ));
    wrong
        .iter()
        .for_each(|wrong| say(&again(target, seed, wrong)));
    match wrong.is_empty() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    }
}

/// What went wrong, and how it is done again.
fn again(target: &str, seed: u64, wrong: &Wrong) -> String {
    let only = env::var("ONLY").unwrap_or_default();
    let only = match only.as_str() {
        "" => String::new(),
        only => format!(" ONLY={only}"),
    };
    format!(
        "\nround {} went wrong: {}\n  what it left: {}\n  again: make {target} SEED={seed} ROUND={}{only}",
        wrong.round,
        wrong.why,
        wrong.folder.display(),
        wrong.round,
    )
}

/// What is asked for, but for the moments.
fn settings(target: &str) -> Result<Settings> {
    let seed = number("SEED")?.unwrap_or(1);
    let command = PathBuf::from(env::var_os("TIDEMILL_COMMAND").context("run `make torture`")?);
    let checkout = PathBuf::from(env::var_os("TIDEMILL_CHECKOUT").context("run `make torture`")?);
    let all = PathBuf::from(env::var_os("TIDEMILL_TORTURE").context("run `make torture`")?);
    let folder = all.join(format!("{target}-seed-{seed}"));
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
        strikes: number("N")?.unwrap_or(STRIKES),
        each_moment: false,
        round: number("ROUND")?,
        moments: Vec::new(),
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
fn moments<M: Copy>(all: &[M], name_of: impl Fn(M) -> &'static str) -> Result<Vec<M>> {
    let only = env::var("ONLY").unwrap_or_default();
    let names = only.split([' ', ',']).filter(|name| !name.is_empty());
    let named = |name: &str| {
        let found = all.iter().copied().find(|moment| name_of(*moment) == name);
        let known = || {
            all.iter()
                .map(|moment| name_of(*moment))
                .collect::<Vec<_>>()
                .join(", ")
        };
        found.with_context(|| format!("`{name}` is no moment; ONLY names some of {}", known()))
    };
    let moments: Vec<M> = names.map(named).collect::<Result<_>>()?;
    Ok(if moments.is_empty() {
        all.to_vec()
    } else {
        moments
    })
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
