//! `tidemill new`: a project that works as it is.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use crate::args::Format;
use crate::error::Failure;
use crate::sdk;
use crate::talk::Talk;

/// Begin a project: a function, its tests, sample data, a pipeline
///
/// Makes a folder with a function in Rust and its unit tests, a pipeline file and sample data, all of which work as they are.
/// Nothing is asked. The SDK comes with this command: it is unpacked into the cache folder, and the project points to it.
#[derive(clap::Args, Debug)]
#[command(
    after_long_help = "Examples:\n  tidemill new wind\n  tidemill new rules/velocity\n  tidemill new .        in an empty folder"
)]
pub struct Args {
    /// The project's folder; its last part is the project's name
    #[arg(value_name = "NAME")]
    folder: PathBuf,
}

/// The project's files; `{name}` and `{version}` stand for the project's name and the SDK's version.
const TEMPLATE: [(&str, &str); 7] = [
    ("Cargo.toml", include_str!("../../template/Cargo.toml.in")),
    ("src/lib.rs", include_str!("../../template/src/lib.rs")),
    (
        "pipeline.toml",
        include_str!("../../template/pipeline.toml.in"),
    ),
    (
        "tests/minutes.scenario",
        include_str!("../../template/tests/minutes.scenario"),
    ),
    (
        "readings.jsonl",
        include_str!("../../template/readings.jsonl"),
    ),
    ("README.md", include_str!("../../template/README.md.in")),
    (".gitignore", include_str!("../../template/gitignore")),
];

/// The versions of crates that this release was tested with, by an example whose dependencies are the template's: where they
/// have been downloaded before, no network is needed.
const LOCK: &str = include_str!("../../../../examples/fraud/rules/Cargo.lock");

/// The name of that example's crate.
const LOCKED: &str = "fraud-rules";

/// Makes a project.
pub fn new(args: &Args) -> Result<(), Failure> {
    let talk = Talk::new(Format::Text, false);
    let name = name(&args.folder)?;
    refuse_taken(&args.folder)?;
    let lock = (".cargo/config.toml", sdk::config(&sdk::unpack()?));
    let files = TEMPLATE.map(|(file, text)| (file, filled(text, &name)));
    for (file, text) in files
        .into_iter()
        .chain([lock, ("Cargo.lock", locked(&name))])
    {
        write(&args.folder.join(file), &text)?;
    }
    talk.line(said(&args.folder, &name));
    Ok(())
}

fn filled(text: &str, name: &str) -> String {
    text.replace("{name}", name)
        .replace("{version}", sdk::VERSION)
}

/// The project's name: the last part of its folder.
fn name(folder: &Path) -> Result<String, Failure> {
    let absolute = std::path::absolute(folder).context("no path of a folder")?;
    let last = absolute.file_name().unwrap_or_default();
    let Some(name) = last.to_str() else {
        return Err(refused(&last.to_string_lossy(), "is not UTF-8"));
    };
    match wrong_with(name) {
        None => Ok(name.to_owned()),
        Some(why) => Err(refused(name, why)),
    }
}

fn refused(name: &str, why: &str) -> Failure {
    Failure::wrong(anyhow!("`{name}` cannot be a project's name: it {why}")).hint(format!(
        "a name is made of small letters, digits and single hyphens and begins with a letter, such as {}",
        proposed(name)
    ))
}

/// The longest name of a project.
const LONGEST_NAME: usize = 64;

/// Names that mean something else to Rust, cargo or the pipeline file.
const TAKEN: [&str; 13] = [
    "alloc",
    "build",
    "core",
    "debug",
    "deps",
    "examples",
    "incremental",
    "proc-macro",
    "release",
    "std",
    "test",
    "tidemill",
    "tidemill-macros",
];

/// Words of Rust, which no crate can be called.
const KEYWORDS: &str = " abstract as async await become box break const continue crate do dyn else enum extern false final fn \
    for gen if impl in let loop macro match mod move mut override priv pub ref return self static struct super trait true try \
    type typeof unsafe unsized use virtual where while yield ";

/// Why a name cannot be used, if it cannot.
fn wrong_with(name: &str) -> Option<&'static str> {
    let letter = |c: char| c.is_ascii_lowercase();
    let rest = |c: char| letter(c) || c.is_ascii_digit() || c == '-';
    if name.is_empty() {
        Some("is empty")
    } else if name.len() > LONGEST_NAME {
        Some("is longer than 64 letters")
    } else if !name.starts_with(letter) {
        Some("does not begin with a small letter")
    } else if !name.chars().all(rest) {
        Some("has other characters than small letters, digits and hyphens")
    } else if name.ends_with('-') || name.contains("--") {
        Some("has a hyphen that joins nothing")
    } else if TAKEN.contains(&name) {
        Some("means something else to cargo")
    } else if KEYWORDS.contains(&format!(" {name} ")) {
        Some("is a word of Rust")
    } else {
        None
    }
}

/// A name like this one that can be used.
fn proposed(name: &str) -> String {
    let lower = name.to_lowercase();
    let words: Vec<&str> = lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let joined = words.join("-");
    let begun = joined.trim_start_matches(|c: char| !c.is_ascii_lowercase());
    let cut = begun[..begun.len().min(LONGEST_NAME)].trim_end_matches('-');
    match wrong_with(cut) {
        None => cut.to_owned(),
        Some(_) if wrong_with(&format!("my-{cut}")).is_none() => format!("my-{cut}"),
        Some(_) => "wind".to_owned(),
    }
}

/// A folder that has something in it is somebody's.
fn refuse_taken(folder: &Path) -> Result<(), Failure> {
    let shown = folder.display();
    if folder.is_file() {
        let error = anyhow!("{shown} is a file");
        return Err(Failure::wrong(error).hint("give the name of a folder that is not there yet"));
    }
    let mut entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(anyhow::Error::new(error)
                .context(format!("{shown} cannot be read"))
                .into());
        }
    };
    match entries.next() {
        None => Ok(()),
        Some(entry) => {
            let name = entry.map(|entry| entry.file_name()).unwrap_or_default();
            let error = anyhow!("{shown} is not empty: it has {}", name.display());
            Err(Failure::wrong(error)
                .hint("give another name, or the name of an empty folder; nothing was written"))
        }
    }
}

/// The lock file of the example, with the project in place of the example's crate.
fn locked(name: &str) -> String {
    let (head, packages) = LOCK.split_once("[[package]]").unwrap_or((LOCK, ""));
    let own = format!("name = \"{LOCKED}\"");
    let mut packages: Vec<String> = packages
        .split("[[package]]")
        .map(|package| package.trim().replace(&own, &format!("name = \"{name}\"")))
        .collect();
    // Cargo keeps them by name.
    packages.sort();
    let packages: Vec<String> = packages
        .into_iter()
        .map(|package| format!("[[package]]\n{package}\n"))
        .collect();
    format!("{}\n\n{}", head.trim_end(), packages.join("\n"))
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    let failed = || format!("cannot write {}", path.display());
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(failed)?;
    }
    fs::write(path, text).with_context(failed)
}

fn said(folder: &Path, name: &str) -> String {
    let inside = match folder == Path::new(".") {
        true => String::new(),
        false => format!("  cd {}\n", folder.display()),
    };
    format!(
        "made {name}\n  \
         src/lib.rs        the function, with its tests\n  \
         pipeline.toml     which rows it is given, what becomes of its results\n  \
         readings.jsonl    sample data\n  \
         tests             what goes in and what comes out, in event time\n\n\
         what to do with it:\n\
         {inside}  cargo test        the function alone, on this machine\n  \
         tidemill build    to WebAssembly\n  \
         tidemill check    everything that can be wrong before the first row\n  \
         tidemill test     the scenarios in tests\n  \
         tidemill run      the sample data"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_what_cargo_and_the_pipeline_file_take() {
        let good = ["a", "wind", "wind-2", "a-b-c"];
        for name in good {
            assert_eq!(wrong_with(name), None, "{name}");
        }
        let bad = [
            "",
            "2wind",
            "Wind",
            "wind_2",
            "wind-",
            "a--b",
            "-a",
            "wind.rs",
            "wïnd",
            "test",
            "core",
            "tidemill",
            "match",
            "fn",
            &"a".repeat(65),
        ];
        for name in bad {
            assert!(wrong_with(name).is_some(), "{name}");
            assert_eq!(wrong_with(&proposed(name)), None, "proposed for {name}");
        }
    }

    #[test]
    fn a_name_is_proposed_that_is_like_the_refused_one() {
        let cases = [
            ("Wind", "wind"),
            ("my rules", "my-rules"),
            ("wind_2", "wind-2"),
            ("2wind", "wind"),
            ("match", "my-match"),
            ("---", "wind"),
        ];
        for (name, expected) in cases {
            assert_eq!(proposed(name), expected);
        }
    }

    #[test]
    fn the_lock_file_names_the_project_among_the_others() {
        let lock: toml::Table = locked("zebra").parse().expect("TOML");
        let names: Vec<&str> = lock["package"]
            .as_array()
            .expect("packages")
            .iter()
            .map(|package| package["name"].as_str().expect("a name"))
            .collect();
        assert!(names.is_sorted(), "{names:?}");
        assert!(
            names.contains(&"zebra") && names.contains(&"tidemill"),
            "{names:?}"
        );
        assert!(!names.contains(&LOCKED), "{names:?}");
    }
}
