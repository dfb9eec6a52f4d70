//! What the tests of this crate share: guests built from `tests/guests`, a host with a cache of its own, rows.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, LazyLock};

use arrow_array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use tidemill_wasm::{Compiler, Host, HostConfig, Limits, Module, RowsIn, Settings};

/// The guests' workspace, built once per test binary.
static GUESTS: LazyLock<PathBuf> = LazyLock::new(|| {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/guests");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--release",
            "--quiet",
            "--target",
            "wasm32-unknown-unknown",
        ])
        .current_dir(workspace)
        .env("CARGO_TARGET_DIR", &target)
        .env_remove("RUSTFLAGS")
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the guests do not build");
    target.join("wasm32-unknown-unknown/release")
});

/// The compiled core module of a guest.
pub fn guest(name: &str) -> PathBuf {
    GUESTS.join(format!("{name}.wasm"))
}

/// A host whose cache lasts as long as the test binary's folder.
pub fn host() -> Host {
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("module-cache");
    Host::new(HostConfig {
        cache,
        compiler: Compiler::InProcess,
    })
    .unwrap()
}

/// The guest without an SDK.
pub fn plain() -> Module {
    host()
        .load(&guest("plain_guest"), &Limits::default())
        .unwrap()
}

/// The guest with the SDK.
pub fn sdk() -> Module {
    host()
        .load(&guest("sdk_guest"), &Limits::default())
        .unwrap()
}

/// Settings for a function by name.
pub fn settings(module: &Module, function: &str, how: &str) -> Settings {
    let (function, _) = module.description().function(function).unwrap();
    Settings {
        function,
        config: format!("{{\"how\":\"{how}\"}}"),
        limits: Limits::default(),
        operator: "test".into(),
    }
}

/// Rows in columns of their own.
pub struct Rows {
    pub times: Vec<i64>,
    pub columns: Vec<ArrayRef>,
}

impl Rows {
    pub fn rows_in(&self) -> RowsIn<'_> {
        RowsIn {
            len: self.times.len(),
            times: &self.times,
            stamps: None,
            changes: None,
            columns: &self.columns,
        }
    }

    /// Rows of the figures: i64, i64, f64, text of 20 bytes, text of 20 bytes, time.
    pub fn figures(rows: usize) -> Self {
        let times: Vec<i64> = (0..rows as i64)
            .map(|at| 1_700_000_000_000_000 + at)
            .collect();
        let text = |salt: usize| {
            StringArray::from_iter_values((0..rows).map(|at| format!("{:>20}", at * 7919 + salt)))
        };
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(0..rows as i64)),
            Arc::new(Int64Array::from_iter_values(
                (0..rows as i64).map(|at| at * 3),
            )),
            Arc::new(Float64Array::from_iter_values(
                (0..rows).map(|at| at as f64 / 7.0),
            )),
            Arc::new(text(1)),
            Arc::new(text(2)),
            Arc::new(TimestampMicrosecondArray::from(times.clone()).with_timezone("UTC")),
        ];
        Self { times, columns }
    }

    /// Rows of the hostile function: n, a text, a boolean.
    pub fn hostile(n: impl IntoIterator<Item = i64>) -> Self {
        let n: Vec<i64> = n.into_iter().collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(n.clone())),
            Arc::new(StringArray::from_iter_values(
                n.iter().map(|n| format!("text {n}")),
            )),
            Arc::new(BooleanArray::from_iter(n.iter().map(|n| Some(n % 2 == 0)))),
        ];
        Self {
            times: n.iter().map(|n| n * 1000).collect(),
            columns,
        }
    }

    /// Rows of the folding function: n.
    pub fn folding(n: &[i64]) -> Self {
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(n.to_vec()))];
        Self {
            times: vec![0; n.len()],
            columns,
        }
    }
}
