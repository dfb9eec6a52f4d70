//! Pipeline files: no text makes the parser, its checks or its messages panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Err(report) = tidemill_pipeline::parse(text, Path::new("pipeline.toml")) {
        assert!(!report.to_string().is_empty());
    }
});
