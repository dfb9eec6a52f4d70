//! The walk of the README, from an empty folder: its files are written, its changes made, its commands run, and what they say
//! is held against what stands there.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Folder, root, tidemill};

/// Stands for anything within a line; alone, for any lines.
const ANYTHING: &str = "…";

#[test]
fn the_walk_of_the_readme_is_true() {
    let readme = fs::read_to_string(root().join("README.md")).expect("the README");
    let mut walk = Walk {
        folder: Folder::new(),
        inside: PathBuf::new(),
        commands: 0,
    };
    let (mut mark, mut lines) = (None, readme.lines());
    while let Some(line) = lines.next() {
        if let Some(comment) = line
            .strip_prefix("<!-- ")
            .and_then(|rest| rest.strip_suffix(" -->"))
        {
            mark = comment.split_once(": ");
        } else if let Some(language) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
            match (mark.take(), language) {
                (Some(("file", path)), _) => walk.folder.write(path, &(block.join("\n") + "\n")),
                (Some(("patch", path)), "diff") => walk.patch(path, &block),
                (_, "console") => walk.run(&block),
                _ => {}
            }
        }
    }
    assert!(
        walk.commands >= 8,
        "the README has a walk: {} commands",
        walk.commands
    );
}

/// Where the walk is.
struct Walk {
    folder: Folder,
    /// The folder that `cd` led to.
    inside: PathBuf,
    commands: usize,
}

impl Walk {
    /// Takes lines out and puts others in their places.
    fn patch(&self, path: &str, block: &[&str]) {
        let mut text = self.folder.read(path);
        // Lines stand one behind the other, as in the block.
        let mut at = 0;
        for line in block {
            let (sign, line) = line.split_at(line.chars().next().map_or(0, char::len_utf8));
            let whole = format!("{line}\n");
            if sign == "+" {
                text.insert_str(at, &whole);
                at += whole.len();
                continue;
            }
            let place = text[at..].find(&whole);
            at += place.unwrap_or_else(|| panic!("no line {line:?} in {path}:\n{text}"));
            if sign == "-" {
                text.replace_range(at..at + whole.len(), "");
            } else {
                at += whole.len();
            }
        }
        self.folder.write(path, &text);
    }

    /// Runs the commands of a block, each with what it should say.
    fn run(&mut self, block: &[&str]) {
        let starts: Vec<usize> = (0..block.len())
            .filter(|&n| block[n].starts_with("$ "))
            .collect();
        for (n, &start) in starts.iter().enumerate() {
            let end = starts.get(n + 1).copied().unwrap_or(block.len());
            let command = &block[start][2..];
            self.commands += 1;
            match command.strip_prefix("cd ") {
                Some(folder) => self.inside.push(folder),
                None => self.check(command, &block[start + 1..end]),
            }
        }
    }

    fn check(&self, command: &str, expected: &[&str]) {
        let said = shell(command, &self.folder.path().join(&self.inside));
        let found: Vec<&str> = said.lines().map(str::trim_end).collect();
        assert!(
            matches(expected, &found),
            "`{command}` in the README: expected\n{}\nfound\n{said}",
            expected.join("\n")
        );
    }
}

/// What a command says, on both streams, in an environment with the binary on the path.
fn shell(command: &str, folder: &Path) -> String {
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("{command} 2>&1")])
        .current_dir(folder);
    for (name, value) in tidemill().get_envs() {
        match value {
            Some(value) => shell.env(name, value),
            None => shell.env_remove(name),
        };
    }
    let bin = Path::new(env!("CARGO_BIN_EXE_tidemill"))
        .parent()
        .expect("a folder");
    let path = std::env::var("PATH").expect("there is a path");
    shell.env("PATH", format!("{}:{path}", bin.display()));
    let output = shell.output().expect("sh runs");
    String::from_utf8(output.stdout).expect("what it says is text")
}

/// Whether lines are as expected.
fn matches(expected: &[&str], found: &[&str]) -> bool {
    match (expected, found) {
        ([], []) => true,
        ([line, rest @ ..], _) if *line == ANYTHING => {
            (0..=found.len()).any(|n| matches(rest, &found[n..]))
        }
        ([line, rest @ ..], [first, others @ ..]) => is_like(line, first) && matches(rest, others),
        _ => false,
    }
}

/// Whether a line is as expected.
fn is_like(expected: &str, found: &str) -> bool {
    let mut parts = expected.trim_end().split(ANYTHING);
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = found.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn likeness_is_what_it_says() {
    assert!(is_like("built … in …s", "built x in 3 s"));
    assert!(!is_like("built …", "build x"));
    assert!(!is_like("done", "done in 1 ms"));
    assert!(matches(&["…", "b"], &["x", "a", "b"]));
    assert!(!matches(&["…", "b"], &["b", "a"]));
}
