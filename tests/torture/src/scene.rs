//! What all rounds share: the input, the module, and what an undisturbed run publishes.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::Settings;
use crate::expected::{Rows, SINKS};
use crate::life::{End, How, Life};
use crate::published::{Expected, files};
use crate::random::Random;

/// A backend of the state of keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Backend {
    /// What it is called.
    pub name: &'static str,
    /// What chooses it.
    pub arguments: &'static [&'static str],
}

/// All backends there are.
pub const BACKENDS: [Backend; 2] = [
    Backend {
        name: "memory",
        arguments: &[],
    },
    Backend {
        name: "rocksdb",
        arguments: &["--set", r#"state={backend="rocksdb",memory="128MiB"}"#],
    },
];

const PIPELINE: &str = include_str!("../pipeline.toml");
const LIBRARY: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/aim.so"));

/// How many rows each split has.
const ROWS: u64 = 16_000;

/// See the module.
#[derive(Debug)]
pub struct Scene {
    /// What was asked for.
    pub settings: Settings,
    /// The library of `aim/aim.c`.
    pub library: PathBuf,
    /// What is published.
    pub expected: Expected,
    /// How long an undisturbed run takes.
    pub whole: Duration,
}

impl Scene {
    /// Makes the input and runs the pipeline undisturbed, on every backend with one worker and with two.
    ///
    /// # Errors
    /// If these do not publish the same rows.
    pub fn new(settings: Settings) -> Result<Self> {
        let folder = &settings.folder;
        fs::create_dir_all(folder.join("in"))?;
        let mut random = Random::of(settings.seed, 0);
        for split in ["rows-0.jsonl", "rows-1.jsonl", "one.jsonl"] {
            fs::write(folder.join("in").join(split), input(&mut random))?;
        }
        let compressed = File::create(folder.join("in/rows-2.jsonl.gz"))?;
        let mut compressed = GzEncoder::new(compressed, Compression::fast());
        compressed.write_all(input(&mut random).as_bytes())?;
        compressed.finish()?;
        fs::copy(&settings.module, folder.join("kinds.wasm"))
            .with_context(|| settings.module.display().to_string())?;
        let library = folder.join("aim.so");
        fs::write(&library, LIBRARY)?;
        let mut scene = Self {
            settings,
            library,
            expected: Expected::new(),
            whole: Duration::ZERO,
        };
        for backend in BACKENDS {
            for workers in [1, 2] {
                scene.undisturbed(backend, workers)?;
            }
        }
        Ok(scene)
    }

    fn undisturbed(&mut self, backend: Backend, workers: u64) -> Result<()> {
        let name = format!("undisturbed-{}-{workers}", backend.name);
        let folder = self.stage(&name)?;
        let how = How {
            backend,
            workers,
            take_over: false,
            restarts: 0,
            aim: None,
        };
        let began = Instant::now();
        let (end, acts) = Life::start(self, &folder, 0, &how)?.end()?;
        if end != End::Done {
            bail!("an undisturbed run did not end well: {end:?}");
        }
        ensure!(
            !acts.made.is_empty(),
            "the library of aim.c sees nothing of what the command does"
        );
        for sink in &SINKS {
            let rows = Rows::of(sink, &files(&folder.join("out"), sink)?)?;
            ensure!(rows.len() > 0, "sink {} has no rows", sink.place);
            match self.expected.get(sink.place) {
                Some(expected) => expected.same(&rows).with_context(|| {
                    format!(
                        "sink {} on {} with {workers} workers",
                        sink.place, backend.name
                    )
                })?,
                None => _ = self.expected.insert(sink.place, rows),
            }
        }
        self.whole = self.whole.max(began.elapsed());
        fs::remove_dir_all(folder)?;
        Ok(())
    }

    /// A folder with the pipeline, its module and its input.
    pub fn stage(&self, name: &str) -> Result<PathBuf> {
        let folder = self.settings.folder.join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)?;
        }
        fs::create_dir(&folder)?;
        fs::write(folder.join("pipeline.toml"), PIPELINE)?;
        for shared in ["in", "kinds.wasm"] {
            symlink(Path::new("..").join(shared), folder.join(shared))?;
        }
        Ok(folder)
    }
}

/// Rows of 40 keys, of which some come late, some are bad, and some are none.
fn input(random: &mut Random) -> String {
    let (mut text, mut at) = (String::new(), 1_700_000_000_000);
    for _ in 0..ROWS {
        at += random.below(20);
        if random.one_in(300) {
            text.push_str("no row\n");
        }
        let late = match random.below(20) {
            0 => 30_000,
            1 | 2 => 1_500,
            _ => 0,
        };
        let (key, id, value) = (random.below(40), random.below(12), random.below(1000));
        let (bad, at) = (random.one_in(100), at - late);
        writeln!(
            text,
            r#"{{"key":"k{key}","id":{id},"value":{value},"bad":{bad},"at":{at}}}"#
        )
        .expect("a string takes all");
    }
    text
}
