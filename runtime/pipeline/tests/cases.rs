//! Every pipeline file of `tests/pipelines` against the message beside it. `UPDATE=1` writes the messages anew.
//!
//! A case is `<name>.toml` with `<name>.err`: what is said about it, errors and warnings, empty if nothing. Comment lines at
//! the top may give what comes from outside: `# set: key=value`, `# env: NAME=value`, `# secret: file=value`.

use std::fs;
use std::path::{Path, PathBuf};

use tidemill_pipeline::{Settings, parse_with};

/// The folder of the cases.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/pipelines")
}

/// The values behind a mark in the comment lines at the top: `# set: a=b`.
fn outside(text: &str, mark: &str) -> Vec<(String, String)> {
    let lines = text.lines().take_while(|line| line.starts_with('#'));
    lines
        .filter_map(|line| {
            line.strip_prefix("# ")?
                .strip_prefix(mark)?
                .trim()
                .split_once('=')
        })
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// What is said about a case.
fn said(path: &Path, text: &str) -> String {
    let overrides = outside(text, "set:");
    let variables = outside(text, "env:");
    let environment = |name: &str| {
        variables
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    let files = outside(text, "secret:");
    let secret = |file: &Path| {
        let found = files.iter().find(|(path, _)| Path::new(path) == file);
        let value = found.map(|(_, value)| value.clone());
        value.ok_or_else(|| "No such file or directory (os error 2)".to_owned())
    };
    let settings = Settings {
        overrides: &overrides,
        environment: &environment,
        secret: &secret,
    };
    let shown = Path::new(path.file_name().expect("a file"));
    let said = match parse_with(text, shown, &settings) {
        Ok(checked) => checked.diagnostics.render(false),
        Err(report) => report.render(false),
    };
    if said.is_empty() { said } else { said + "\n" }
}

#[test]
fn every_case_is_met_with_its_message() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut cases: Vec<PathBuf> = fs::read_dir(folder())
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    cases.sort();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    let mut different = Vec::new();
    for path in &cases {
        let text = String::from_utf8_lossy(&fs::read(path).expect("a case")).into_owned();
        let found = said(path, &text);
        let beside = path.with_extension("err");
        if update {
            fs::write(&beside, &found).expect("the message is written");
        }
        let expected = fs::read_to_string(&beside).unwrap_or_default();
        if found != expected {
            different.push(format!(
                "== {}\nexpected:\n{expected}\nfound:\n{found}",
                path.display()
            ));
        }
    }
    assert!(
        different.is_empty(),
        "{} (UPDATE=1 rewrites)",
        different.join("\n")
    );
}

#[test]
fn every_message_belongs_to_a_case() {
    for entry in fs::read_dir(folder()).expect("the folder of the cases") {
        let path = entry.expect("an entry").path();
        if path.extension().is_some_and(|extension| extension == "err") {
            assert!(
                path.with_extension("toml").exists(),
                "{} has no case",
                path.display()
            );
        }
    }
}

/// A file cut off anywhere, or with a line taken out, gives a pipeline or a report, and never a panic.
#[test]
fn no_text_makes_it_panic() {
    for entry in fs::read_dir(folder()).expect("the folder of the cases") {
        let path = entry.expect("an entry").path();
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
            if end % 7 == 0 {
                said(&path, &text[..end]);
            }
        }
        let lines: Vec<&str> = text.lines().collect();
        for without in 0..lines.len() {
            let mut rest = lines.clone();
            rest.remove(without);
            said(&path, &rest.join("\n"));
        }
    }
}

/// The pipelines of the examples and of the bench are right, but for warnings.
#[test]
fn pipelines_of_the_tree_are_right() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let examples = fs::read_dir(root.join("examples")).expect("the examples");
    let examples = examples.map(|entry| entry.expect("an entry").path().join("pipeline.toml"));
    let mut files: Vec<PathBuf> = examples.filter(|path| path.exists()).collect();
    let bench = fs::read_dir(root.join("bench/pipelines"))
        .into_iter()
        .flatten();
    files.extend(bench.map(|entry| entry.expect("an entry").path()));
    assert!(files.len() >= 3, "{files:?}");
    for path in files
        .iter()
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
    {
        let text = fs::read_to_string(path).expect("a pipeline file");
        let environment = |_: &str| Some("x".to_owned());
        let settings = Settings {
            overrides: &[],
            environment: &environment,
            ..Settings::default()
        };
        if let Err(report) = parse_with(&text, path, &settings) {
            panic!("{report}");
        }
    }
}
