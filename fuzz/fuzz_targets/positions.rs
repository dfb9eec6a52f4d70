//! Positions of checkpoints: whatever a kept position says, a file is read on from there, or refused with a message.
#![no_main]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use tempfile::TempDir;
use tidemill_connectors::{
    ColumnSpec, FilesSpec, FormatKind, FormatSpec, LogicalType, Position, SourceSpec, Then,
    resume_all,
};

/// Two formats, each with a file of its own.
static FILES: LazyLock<(TempDir, PathBuf)> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().to_owned();
    let lines: String = (0..50).map(|n| format!("{{\"a\":\"{n}\"}}\n")).collect();
    std::fs::write(path.join("rows.jsonl"), lines).expect("a file");
    let lines: String = (0..50).map(|n| format!("\"x\ny\",{n}\n")).collect();
    std::fs::write(path.join("rows.csv"), format!("b,a\n{lines}")).expect("a file");
    (folder, path)
});

fuzz_target!(|text: &str| {
    let Ok(position) = serde_json::from_str::<Position>(text) else {
        return;
    };
    let written = serde_json::to_string(&position).expect("positions are JSON");
    let again: Position = serde_json::from_str(&written).expect("what is written can be read");
    assert_eq!(again, position);
    for (name, kind) in [
        ("rows.jsonl", FormatKind::Json),
        ("rows.csv", FormatKind::CSV),
    ] {
        let column = ColumnSpec::new("a", LogicalType::Text, true);
        let source = SourceSpec::Files(FilesSpec {
            paths: vec![name.to_owned()],
            base: FILES.1.clone(),
            follow: false,
            format: FormatSpec::new(kind, vec![column]),
        });
        let kept = [(Arc::from(name), position.clone())];
        let Ok(mut opened) = resume_all(&source, &[Arc::new(|| {})], &kept) else {
            continue;
        };
        for (_, split) in opened.iter_mut().flat_map(|opened| &mut opened.splits) {
            for _ in 0..100 {
                let Ok(chunk) = split.read(20) else { break };
                assert_eq!(chunk.rows.num_rows(), chunk.positions.len());
                if chunk.then != Then::More {
                    break;
                }
            }
        }
    }
});
