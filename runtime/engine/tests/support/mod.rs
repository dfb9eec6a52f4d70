//! What the engine's tests share: a folder with a pipeline in it, guests in the sandbox, and what came out.
#![allow(dead_code, reason = "each test binary uses a part of it")]

pub mod followed;
pub mod hooks;
pub mod input;
pub mod model;
pub mod spec;
pub mod stations;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use serde_json::Value;
use tempfile::TempDir;
use tidemill_engine::functions::{Functions, InModules};
use tidemill_engine::plan::{RocksDbPlan, StatePlan};
use tidemill_engine::{EngineError, Options, Plan, Running, Summary, Totals};
use tidemill_wasm::{Compiler, Host, HostConfig};

/// The guests of `tests/guests/sdk-kinds`, built once per test binary.
static KINDS: LazyLock<PathBuf> = LazyLock::new(|| {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests/sdk-kinds");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    let status = Command::new(env!("CARGO"))
        .args(["build", "--release", "--quiet"])
        .args(["--target", "wasm32-unknown-unknown"])
        .current_dir(source)
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("RUSTFLAGS")
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the guests do not build");
    target.join("wasm32-unknown-unknown/release/sdk_kinds.wasm")
});

static HOST: LazyLock<Host> = LazyLock::new(|| {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("engine-modules");
    Host::new(HostConfig {
        cache,
        compiler: Compiler::InProcess,
    })
    .expect("a host")
});

/// The clock of tests stands still: 2024-01-01T00:00:00Z.
pub const NOW: i64 = 1_704_067_200_000_000;

/// How a pipeline is run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct How {
    pub batch_rows: usize,
    pub workers: usize,
}

impl How {
    pub fn new(batch_rows: usize, workers: usize) -> Self {
        Self {
            batch_rows,
            workers,
        }
    }

    pub fn options(self) -> Options {
        self.options_with(Arc::new(InModules))
    }

    pub fn options_with(self, functions: Arc<dyn Functions>) -> Options {
        Options {
            batch_rows: self.batch_rows,
            now: Arc::new(|| NOW),
            log: Arc::new(|_, _| ()),
            functions,
            profile: false,
        }
    }
}

/// A folder with input and a pipeline, `kinds` being the module of all functions.
pub struct Bench {
    folder: TempDir,
    pipeline: String,
    holder: Cell<Holder>,
}

/// What holds state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// Memory.
    Memory,
    /// RocksDB: between two events memory holds that of so many keys.
    RocksDb(usize),
}

/// Memory, and RocksDB with so few keys in memory that every batch brings some in and sends some out.
pub const HOLDERS: [Holder; 2] = [Holder::Memory, Holder::RocksDb(3)];

impl Bench {
    /// The text of a pipeline file, without its name and modules.
    pub fn new(pipeline: &str) -> Self {
        Self::in_folder(pipeline, TempDir::new().expect("a folder"))
    }

    /// One whose files lie in memory, where the machine has a place for such.
    pub fn in_memory(pipeline: &str) -> Self {
        let folder = TempDir::new_in("/dev/shm").or_else(|_| TempDir::new());
        Self::in_folder(pipeline, folder.expect("a folder"))
    }

    fn in_folder(pipeline: &str, folder: TempDir) -> Self {
        let kinds = KINDS.to_str().expect("a path that is text");
        let head = format!("name = \"test\"\n[modules.kinds]\nfile = {kinds:?}\n\n");
        Self {
            folder,
            pipeline: head + pipeline,
            holder: Cell::new(Holder::Memory),
        }
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, text).expect("the file is written");
    }

    pub fn append(&self, name: &str, text: &str) {
        let file = fs::File::options().append(true).open(self.path(name));
        let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
        written.expect("the file is written");
    }

    pub fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect("the file is renamed");
    }

    pub fn plan(&self, workers: usize) -> Plan {
        let path = self.folder.path().join("pipeline.toml");
        let checked = tidemill_pipeline::parse(&self.pipeline, &path)
            .unwrap_or_else(|report| panic!("{}", report.render(false)));
        let planned = tidemill_engine::plan(checked, &HOST, workers);
        let planned = planned.unwrap_or_else(|report| panic!("{}", report.render(false)));
        let mut plan = planned.0;
        plan.state = self.state(self.holder.get());
        plan
    }

    /// From now on this holds state.
    pub fn hold_in(&self, holder: Holder) {
        self.holder.set(holder);
    }

    /// What holds state, as plans have it.
    pub fn state(&self, holder: Holder) -> StatePlan {
        match holder {
            Holder::Memory => StatePlan::Memory,
            Holder::RocksDb(most_keys) => StatePlan::RocksDb(RocksDbPlan {
                memory: 64 << 20,
                folder: self.folder.path().join("state"),
                most_keys,
            }),
        }
    }

    pub fn start(&self, how: How) -> Running {
        tidemill_engine::start(&self.plan(how.workers), &how.options()).expect("a start")
    }

    /// Runs to the end, which must be a good one.
    pub fn run(&self, how: How) -> Summary {
        let ended = self.start(how).wait();
        ended.unwrap_or_else(|error| panic!("{how:?}: {error}"))
    }

    /// Runs to an end that must be an error.
    pub fn fail(&self, how: How) -> EngineError {
        self.start(how).wait().expect_err("the run stops")
    }

    /// The rows of a sink that writes `<name>.jsonl`.
    pub fn read(&self, sink: &str) -> Rows {
        let path = self.folder.path().join(format!("{sink}.jsonl"));
        let text = fs::read_to_string(&path).unwrap_or_else(|e| panic!("{sink}: {e}"));
        Rows(text.lines().map(str::to_owned).collect())
    }

    /// The path of a file of this folder, as pipelines' reports write it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

/// The counters of a station.
pub fn totals<'a>(summary: &'a Summary, name: &str) -> &'a Totals {
    let found = summary.totals.iter().find(|totals| totals.name == name);
    found.unwrap_or_else(|| panic!("no station {name}"))
}

/// Rows of a sink as they were written, so that floats are compared to the bit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows(pub Vec<String>);

/// Rows by key, each key's in order.
pub type ByKey = BTreeMap<String, Vec<String>>;

impl Rows {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn values(&self) -> Vec<Value> {
        self.0.iter().map(|line| parse(line)).collect()
    }

    /// The sequence of each key; one sequence where there is none.
    pub fn by_key(&self, key: &[&str]) -> ByKey {
        let mut by_key = ByKey::new();
        for line in &self.0 {
            let row = parse(line);
            // A failed row holds the row itself as text, and a failed firing its key.
            let inner = row
                .get("row")
                .and_then(Value::as_str)
                .map_or(Value::Null, parse);
            let of = |column: &&str| {
                let places = [row.get(*column), inner.get(*column)];
                let place = places.into_iter().flatten().next();
                place.unwrap_or_else(|| panic!("no {column} in {line}"))
            };
            let of_key: Vec<String> = key.iter().map(|column| of(column).to_string()).collect();
            let sequence = by_key.entry(of_key.join(" ")).or_default();
            sequence.push(line.clone());
        }
        by_key
    }

    /// As a set in which a row may stand several times.
    pub fn sorted(&self) -> Vec<String> {
        let mut lines = self.0.clone();
        lines.sort();
        lines
    }

    /// The integers of a column.
    pub fn integers(&self, column: &str) -> Vec<i64> {
        let integer = |row: Value| row[column].as_i64().expect("an integer");
        self.values().into_iter().map(integer).collect()
    }
}

pub fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}
