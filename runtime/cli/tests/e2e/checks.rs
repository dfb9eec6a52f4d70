//! Every case of `tests/checks` against what `tidemill check` says of it. Its README says how a case is written.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use crate::support::{Ended, Folder, kinds, root};

const ROW: &str = "{\"key\":\"a\",\"value\":1,\"bad\":false,\"at\":\"2024-01-01T00:00:01Z\"}\n";

/// What stands between a case and what is said of it.
const RULE: &str = "----\n";

#[test]
fn every_case_is_met_with_its_message() {
    let update = std::env::var_os("UPDATE").is_some();
    let folder = root().join("tests/checks");
    let base = fs::read_to_string(folder.join("base.toml")).expect("the base");
    let mut cases: Vec<PathBuf> = fs::read_dir(&folder)
        .expect("the folder of the cases")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "case"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 60, "only {} cases", cases.len());
    let mut different = String::new();
    for path in &cases {
        let text = fs::read_to_string(path).expect("a case");
        let (case, expected) = text.split_once(RULE).expect("a case has a line of dashes");
        let found = said(case, &base);
        if update {
            fs::write(path, format!("{case}{RULE}{found}")).expect("the case is written");
        } else if found != expected {
            let _ = writeln!(
                different,
                "== {}\nexpected:\n{expected}\nfound:\n{found}",
                path.display()
            );
        }
    }
    assert!(different.is_empty(), "{different}(UPDATE=1 rewrites)");
}

/// What is said of a case.
fn said(case: &str, base: &str) -> String {
    let folder = Folder::with(&[("rows.jsonl", ROW)]);
    fs::copy(kinds(), folder.path().join("kinds.wasm")).expect("the module");
    let mut pipeline = base.to_owned();
    // Where lines that are put in go.
    let mut at = pipeline.len();
    let mut args = vec!["check"];
    for line in case.lines() {
        let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
        match word {
            "-" => at = take_out(&mut pipeline, rest),
            "+" => {
                pipeline.insert_str(at, &format!("{rest}\n"));
                at += rest.len() + 1;
            }
            "args" => args.extend(rest.split(' ')),
            "#" => {}
            _ => prepare(folder.path(), word, rest),
        }
    }
    folder.write("pipeline.toml", &pipeline);
    let ended = folder.run(&args);
    shown(&ended, folder.path())
}

/// Takes a line out; gives its place.
fn take_out(pipeline: &mut String, line: &str) -> usize {
    let whole = format!("{line}\n");
    let starts: Vec<usize> = pipeline
        .match_indices(&whole)
        .map(|(at, _)| at)
        .filter(|&at| at == 0 || pipeline.as_bytes()[at - 1] == b'\n')
        .collect();
    let &at = starts
        .first()
        .unwrap_or_else(|| panic!("no line {line:?} in:\n{pipeline}"));
    pipeline.replace_range(at..at + whole.len(), "");
    at
}

/// Puts something into the folder.
fn prepare(folder: &Path, word: &str, rest: &str) {
    let (name, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let path = folder.join(name);
    let done = match word {
        "text" => fs::write(path, format!("{rest}\n")),
        "bytes" => fs::write(path, bytes(rest)),
        "head" => {
            let (from, most) = rest.split_once(' ').expect("a file and a number");
            let whole = fs::read(folder.join(from)).expect("the file");
            fs::write(path, &whole[..most.parse().expect("a number")])
        }
        "folder" => fs::create_dir(path),
        "link" => symlink(rest, path),
        "remove" => fs::remove_file(path),
        "socket" => UnixListener::bind(path).map(drop),
        _ => panic!("no directive {word:?}"),
    };
    done.unwrap_or_else(|error| panic!("{word} {name}: {error}"));
}

/// Bytes written in hexadecimal digits.
fn bytes(digits: &str) -> Vec<u8> {
    let pair = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).expect("two digits");
    (0..digits.len()).step_by(2).map(pair).collect()
}

/// Exit code, standard error and, where all is well, the first line of standard output; without what differs from run to run
/// and lists of everything that there is, which grow.
fn shown(ended: &Ended, folder: &Path) -> String {
    let real = folder.canonicalize().expect("it is there");
    let real = real.display().to_string();
    let mut text = format!("exit {}\n", ended.code);
    for line in ended
        .out
        .lines()
        .take(1)
        .chain(ended.err.trim_end().lines())
    {
        let list = ["kinds.wasm has: ", "`? there are "].into_iter();
        let cut = list
            .filter_map(|list| Some(line.find(list)? + list.len()))
            .min();
        let (kept, more) = match cut {
            Some(at) => (&line[..at], "…"),
            None => (line, ""),
        };
        let _ = writeln!(text, "{}{more}", kept.replace(&real, "<folder>"));
    }
    text
}
