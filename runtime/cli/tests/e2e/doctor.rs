//! `tidemill doctor`.

use crate::support::{Ended, Folder};

#[test]
fn what_builds_this_project_is_found() {
    let folder = Folder::new();
    let ended = folder.run(&["doctor"]).expect(0);
    for text in [
        "ok       cargo",
        "ok       wasm32-unknown-unknown",
        "ok       cache of modules",
        "ok       java 17",
        "ok       kafka",
    ] {
        assert!(ended.out.contains(text), "no {text:?} in:\n{}", ended.out);
    }
}

#[test]
fn what_is_missing_is_named_with_the_command_that_mends_it() {
    let folder = Folder::new();
    let ended = folder
        .command(&["doctor"])
        .env("PATH", "/nowhere")
        .output()
        .expect("it runs");
    let ended = Ended::from(ended).expect(1);
    for text in [
        "MISSING  cargo",
        "sh.rustup.rs",
        "absent   clang",
        "apt-get install clang",
        "absent   java 17",
        "openjdk-17-jre-headless",
        "which brings it, is not on the PATH (only for `tidemill dev kafka`)",
        "mend: apt-get install maven",
    ] {
        assert!(ended.out.contains(text), "no {text:?} in:\n{}", ended.out);
    }
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let folder = Folder::with(&[("a-file", "")]);
    let cache = folder.path().join("a-file/cache");
    let ended = folder
        .command(&["doctor"])
        .env("TIDEMILL_CACHE", cache)
        .output();
    let ended = Ended::from(ended.expect("it runs")).expect(1);
    assert!(
        ended.out.contains("MISSING  cache of modules"),
        "{}",
        ended.out
    );
    assert!(
        ended.out.contains("mend: export TIDEMILL_CACHE="),
        "{}",
        ended.out
    );
}
