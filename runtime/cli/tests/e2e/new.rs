//! `tidemill new`: a project that works as it is, in every way that its README names.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::{Ended, Folder, tidemill};

/// Cargo in a project, as its author would call it, but for the profile: the target folder is shared with other tests.
fn cargo(project: &Path, args: &[&str]) -> Ended {
    let mut cargo = Command::new("cargo");
    cargo.args(args).current_dir(project);
    for (name, value) in tidemill().get_envs() {
        match value {
            Some(value) => cargo.env(name, value),
            None => cargo.env_remove(name),
        };
    }
    cargo.output().expect("cargo runs").into()
}

#[test]
fn a_new_project_works_as_it_is() {
    let folder = Folder::new();
    folder
        .run(&["new", "wind"])
        .expect(0)
        .says(&["made wind", "cd wind", "tidemill build"]);
    let project = folder.path().join("wind");
    let lock = folder.read("wind/Cargo.lock");
    cargo(&project, &["test", "--release"]).expect(0);
    let run = |args: &[&str]| -> Ended {
        let mut command = folder.command(args);
        command
            .current_dir(&project)
            .output()
            .expect("the binary runs")
            .into()
    };
    run(&["build"]).expect(0).says(&["built functions.wasm"]);
    assert_eq!(
        folder.read("wind/Cargo.lock"),
        lock,
        "the lock file was complete"
    );
    let checked = run(&["check"]).expect(0);
    assert_eq!(checked.err, "", "there is nothing to warn of");
    run(&["test"]).expect(0);
    let ran = run(&["run"]).expect(0);
    let table: Vec<&str> = ran.out.lines().collect();
    assert_eq!(table.len(), 4, "{}", ran.out);
    assert!(
        table[0].starts_with("sensor") && table[1].contains("32.0"),
        "{}",
        ran.out
    );
    let bad = folder.read("wind/bad.jsonl");
    assert!(bad.contains("expected float, found \\\"n/a\\\""), "{bad}");
    cargo(&project, &["fmt", "--check"]).expect(0);
}

#[test]
fn what_belongs_to_the_machine_is_made_again() {
    let folder = Folder::new();
    folder.run(&["new", "wind"]).expect(0);
    let config = folder.read("wind/.cargo/config.toml");
    assert!(
        folder.read("wind/.gitignore").contains("/.cargo"),
        "it is not checked in"
    );
    // Another machine, or a command of another version.
    let elsewhere = config.replace("path = \"", "path = \"/elsewhere");
    for left in [None, Some(elsewhere.as_str())] {
        match left {
            None => fs::remove_file(folder.path().join("wind/.cargo/config.toml"))
                .expect("it was there"),
            Some(text) => folder.write("wind/.cargo/config.toml", text),
        }
        folder
            .run(&["build", "wind/pipeline.toml"])
            .expect(0)
            .says(&[
                "now points to the SDK of this command",
                "built wind/functions.wasm",
            ]);
        assert_eq!(folder.read("wind/.cargo/config.toml"), config);
    }
    let again = folder.run(&["build", "wind/pipeline.toml"]).expect(0);
    assert!(!again.err.contains("now points"), "{}", again.err);
}

#[test]
fn without_a_network_what_is_missing_is_said() {
    let folder = Folder::new();
    folder.run(&["new", "wind"]).expect(0);
    let mut build = folder.command(&["build", "wind/pipeline.toml"]);
    // A machine on which cargo has never downloaded anything.
    build.env("CARGO_HOME", folder.path().join("cargo"));
    build.env("CARGO_NET_OFFLINE", "true");
    let ended: Ended = build.output().expect("the binary runs").into();
    ended.expect(1).says(&[
        "cargo build failed",
        "hint: crates that it depends on have never been downloaded",
    ]);
}

#[test]
fn what_is_there_stays_as_it_is() {
    let folder = Folder::with(&[("wind/notes.txt", "mine"), ("file", "")]);
    folder
        .run(&["new", "wind"])
        .expect(2)
        .says(&["wind is not empty: it has notes.txt", "hint: "]);
    assert_eq!(
        fs::read_dir(folder.path().join("wind"))
            .expect("it is there")
            .count(),
        1
    );
    folder
        .run(&["new", "file"])
        .expect(2)
        .says(&["file is a file", "hint: "]);
    fs::create_dir(folder.path().join("empty")).expect("a folder");
    folder.run(&["new", "empty"]).expect(0);
    assert!(
        folder
            .read("empty/pipeline.toml")
            .starts_with("name = \"empty\"")
    );
}

#[test]
fn a_name_that_cannot_be_is_refused_with_one_that_can() {
    let cases = [
        ("Wind Rules", "such as wind-rules"),
        ("test", "such as my-test"),
        ("2nd", "such as nd"),
    ];
    let folder = Folder::new();
    for (name, proposed) in cases {
        folder
            .run(&["new", name])
            .expect(2)
            .says(&["cannot be a project's name", proposed]);
    }
    assert_eq!(fs::read_dir(folder.path()).expect("it is there").count(), 0);
}
