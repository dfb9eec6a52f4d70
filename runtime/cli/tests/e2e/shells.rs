//! What shells, `man` and editors are given.

use crate::support::Folder;

#[test]
fn shells_are_given_completions() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let ended = folder.run(&["completions", shell]).expect(0);
        for text in ["inspect", "workers", "explain"] {
            assert!(ended.out.contains(text), "no {text} for {shell}");
        }
        assert!(
            !ended.out.contains("compile-module"),
            "the hidden command is shown to {shell}"
        );
    }
    folder
        .run(&["completions", "bsh"])
        .expect(2)
        .says(&["bash"]);
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    folder
        .run(&["man", "share/man1"])
        .expect(0)
        .says(&["pages in share/man1"]);
    let help = folder.run(&["--help"]).expect(0).out;
    let commands: Vec<&str> = help
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.len() >= 10, "{help}");
    for command in commands {
        let page = folder.read(&format!("share/man1/tidemill-{command}.1"));
        assert!(
            page.contains(".SH DESCRIPTION") || page.contains(".SH SYNOPSIS"),
            "{command}: {page}"
        );
    }
    assert!(folder.read("share/man1/tidemill.1").contains("tidemill"));
    folder
        .run(&["man", "share/man1/tidemill.1"])
        .expect(1)
        .says(&["cannot write manual pages"]);
}

#[test]
fn editors_are_given_the_schema() {
    let ended = Folder::new().run(&["schema"]).expect(0);
    let schema: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(schema["$ref"], "#/definitions/pipeline");
    assert!(schema["definitions"]["window"]["properties"]["hop"]["description"].is_string());
}

#[test]
fn every_command_says_how_it_is_used() {
    let folder = Folder::new();
    for command in [
        "new",
        "check",
        "schema",
        "completions",
        "man",
        "run",
        "build",
        "inspect",
        "bench",
    ] {
        let help = folder.run(&[command, "--help"]).expect(0).out;
        assert!(help.contains("Usage: tidemill"), "{help}");
        assert!(
            help.contains(&format!("tidemill {command} ")),
            "no example in:\n{help}"
        );
    }
}
