//! Pipelines that were changed between two runs: what can go on does, and what cannot says why before anything starts.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Folder, kinds, root};

/// What is added up goes on at the end of the input; ten seconds of event time are a window.
const PIPELINE: &str = r#"
name = "changed"
[checkpoints]
[modules.kinds]
file = "KINDS"
[sources.rows]
files = "in/*.jsonl"
event-time = "at"
out-of-orderness = "0s"
[sources.rows.columns]
key = "text"
value = "integer"
at = { type = "time", format = "epoch-ms" }
[operators.one]
input = "rows"
key = "key"
window = { tumble = "10s" }
function = "kinds/sum"
[operators.two]
input = "rows"
key = "key"
window = { tumble = "10s", keep = { newest = 3 } }
function = "kinds/sum"
[sinks.out]
input = "one"
folder = "one"
[sinks.kept]
input = "two"
folder = "two"
"#;

/// A pipeline file after edits, each a text and what takes its place.
fn edited(edits: &[(&str, &str)]) -> String {
    let mut text = PIPELINE.replace("KINDS", kinds());
    for (was, is) in edits {
        assert!(text.contains(was), "no {was:?} in {text}");
        text = text.replace(was, is);
    }
    text
}

/// Adds a row per second of event time.
fn add(folder: &Folder, seconds: std::ops::Range<u64>) {
    let path = folder.path().join("in");
    fs::create_dir_all(&path).expect("a folder");
    let file = File::options()
        .create(true)
        .append(true)
        .open(path.join("a.jsonl"));
    let mut file = file.expect("the file is opened");
    for second in seconds {
        let row = format!(
            "{{\"key\":\"k\",\"value\":{},\"at\":{}}}\n",
            second + 1,
            second * 1000
        );
        file.write_all(row.as_bytes()).expect("the file is written");
    }
}

/// A pipeline that has read six of the first window's ten rows.
fn begun(edits: &[(&str, &str)]) -> Folder {
    let folder = Folder::with(&[("pipeline.toml", &edited(edits))]);
    add(&folder, 0..6);
    folder.run(&["run", "--at-end", "keep"]).expect(0);
    folder
}

/// The rows of a folder's parts, each as some of its columns.
fn rows(folder: &Folder, name: &str, columns: &[&str]) -> Vec<String> {
    let mut rows = Vec::new();
    for part in fs::read_dir(folder.path().join(name)).into_iter().flatten() {
        let path = part.expect("an entry").path();
        let file = path.file_name().expect("a name").to_string_lossy();
        if file.starts_with('.') {
            continue;
        }
        for line in fs::read_to_string(&path).expect("a part").lines() {
            let row: Value = serde_json::from_str(line).expect("JSON");
            let values = columns.iter().map(|column| row[*column].to_string());
            rows.push(values.collect::<Vec<_>>().join(" "));
        }
    }
    rows.sort();
    rows
}

const SUM: &str = "function = \"kinds/sum\"\n[operators.two]";
const WHOLE: &str = "value = \"integer\"";

/// What the file was edited to before the first run, then before the second; what may be dropped; and what `one` and `two`
/// say of the first window, or why nothing starts.
type Case<'a> = (
    &'a [(&'a str, &'a str)],
    &'a [(&'a str, &'a str)],
    &'a [&'a str],
    Result<(&'a str, &'a str), &'a [&'a str]>,
);

#[test]
fn what_fits_goes_on_and_the_rest_is_refused() {
    let cases: &[Case<'_>] = &[
        // Nothing has changed.
        (&[], &[], &[], Ok(("55 10", "27 3"))),
        // Operators and sinks are known by name: others before, between and behind them are none of their business.
        (
            &[],
            &[
                (
                    "[operators.one]",
                    "[operators.before]\ninput = \"rows\"\nkey = \"key\"\nwindow = \"global\"\nfunction = \"kinds/count\"\n[operators.one]",
                ),
                (
                    "[sinks.out]",
                    "[sinks.new]\ninput = \"before\"\nblackhole = {}\n[sinks.out]",
                ),
            ],
            &[],
            Ok(("55 10", "27 3")),
        ),
        // A new column begins with what `create` gives: the sum of the rows since.
        (
            &[(SUM, "function = \"kinds/count\"\n[operators.two]")],
            &[],
            &[],
            Ok(("34 10", "27 3")),
        ),
        // Whole numbers are floats now, in accumulators and in stored rows.
        (
            &[],
            &[
                (WHOLE, "value = \"float\""),
                ("kinds/sum\"", "kinds/sum-floats\""),
            ],
            &[],
            Ok(("55.0 10", "27.0 3")),
        ),
        // A column that is gone is only let go by name.
        (
            &[],
            &[(SUM, "function = \"kinds/count\"\n[operators.two]")],
            &[],
            Err(&["operator one: column `sum` of its accumulator is gone, and holds something"]),
        ),
        (
            &[],
            &[(SUM, "function = \"kinds/count\"\n[operators.two]")],
            &["one.sum"],
            Ok(("null 10", "27 3")),
        ),
        // Rows that are stored have no value for a column that is new.
        (
            &[(
                "window = { tumble = \"10s\", keep = { newest = 3 } }\nfunction = \"kinds/sum\"",
                "window = { tumble = \"10s\", keep = { newest = 3 } }\nfunction = \"kinds/count\"",
            )],
            &[],
            &[],
            Err(&[
                "operator two: column `value` of its rows is new, and what is kept has no value for it: make it `integer?`",
            ]),
        ),
        // Another window gathers other rows.
        (
            &[],
            &[(
                "window = { tumble = \"10s\" }",
                "window = { tumble = \"20s\" }",
            )],
            &[],
            Err(&[
                "operator one: its window was `tumble 10s offset 0s` and is `tumble 20s offset 0s` now",
                "`--allow-dropped-state one` drops it; `tidemill stop --drain`, before the change, lets it fire",
            ]),
        ),
        (
            &[],
            &[(
                "window = { tumble = \"10s\" }",
                "window = { tumble = \"20s\" }",
            )],
            &["one"],
            Ok(("34 4", "27 3")),
        ),
        // What is there no more.
        (
            &[],
            &[
                ("operators.two", "operators.three"),
                ("input = \"two\"", "input = \"three\""),
            ],
            &[],
            Err(&[
                "there is no operator two any more, which keeps state: `--allow-dropped-state two` lets it go",
            ]),
        ),
        (
            &[],
            &[
                ("operators.two", "operators.three"),
                ("input = \"two\"", "input = \"three\""),
            ],
            &["two"],
            Ok(("55 10", "27 3")),
        ),
        // Everything that is wrong is said at once, also what may be dropped and is there.
        (
            &[],
            &[
                (
                    "key = \"key\"\nwindow = { tumble = \"10s\" }",
                    "key = \"value\"\nwindow = { tumble = \"10s\" }",
                ),
                ("operators.two", "operators.three"),
                ("input = \"two\"", "input = \"three\""),
                (
                    "name = \"changed\"",
                    "name = \"changed\"\nmax-parallelism = 64",
                ),
            ],
            &["three"],
            Err(&[
                "max-parallelism was 128 and is 64 now",
                "operator one: its key was [\"key: text\"] and is [\"value: integer\"] now",
                "there is no operator two any more",
                "`--allow-dropped-state three` names nothing that would be dropped",
            ]),
        ),
        // A key that may be null now is found by what it was.
        (
            &[],
            &[("key = \"text\"", "key = \"text?\"")],
            &[],
            Ok(("55 10", "27 3")),
        ),
        (
            &[("key = \"text\"", "key = \"text?\"")],
            &[],
            &[],
            Err(&["operator one: its key was [\"key: text?\"] and is [\"key: text\"] now"]),
        ),
    ];
    for (before, after, drop, expected) in cases {
        let folder = begun(before);
        folder.write("pipeline.toml", &edited(after));
        add(&folder, 6..10);
        let mut args = vec!["run"];
        drop.iter()
            .for_each(|name| args.extend(["--allow-dropped-state", name]));
        let ended = folder.run(&args);
        match expected {
            Ok((one, two)) => {
                ended.expect(0);
                let columns = &["sum", "rows"];
                assert_eq!(rows(&folder, "one", columns), [*one], "{after:?}");
                assert_eq!(rows(&folder, "two", columns), [*two], "{after:?}");
            }
            Err(reasons) => {
                let ended = ended.expect(2).says(reasons);
                ended.says(&[
                    "nothing was started",
                    "hint: undo the change; `--allow-dropped-state NAME`",
                ]);
                assert_eq!(rows(&folder, "one", &["sum"]), [""; 0], "{after:?}");
                // Nothing was changed either.
                folder.write("pipeline.toml", &edited(before));
                folder.run(&["run"]).expect(0);
            }
        }
    }
}

#[test]
fn an_integer_that_no_float_is_equal_to_is_not_rounded() {
    let folder = begun(&[]);
    // Of this one the sum is odd, and larger than 2^53.
    let large = "{\"key\":\"k\",\"value\":9007199254740992,\"at\":6000}\n";
    let path = folder.path().join("in/a.jsonl");
    let text = fs::read_to_string(&path).expect("rows");
    fs::write(&path, text + large).expect("rows");
    folder.run(&["run", "--at-end", "keep"]).expect(0);
    folder.write(
        "pipeline.toml",
        &edited(&[
            (WHOLE, "value = \"float\""),
            ("kinds/sum\"", "kinds/sum-floats\""),
        ]),
    );
    folder.run(&["run"]).expect(2).says(&[
        "what it holds of one cannot be taken over: column `sum` holds 9007199254741013, which no float is equal to",
        "nothing was started",
        "hint: undo the change, or `--allow-dropped-state one`",
    ]);
}

/// The guest of `wit/guests` in C, built where the tests of the host build it too.
fn in_c() -> PathBuf {
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests_without_sdk");
    fs::create_dir_all(&out).expect("the folder of guests");
    let lock = File::create(out.join("lock")).expect("the lock of the folder");
    lock.lock().expect("the lock: two runs may meet");
    let made = Command::new("make")
        .arg("--directory")
        .arg(root().join("wit/guests"))
        .args([format!("OUT={}", out.display()), "c".to_owned()])
        .env_remove("MAKEFLAGS")
        .env_remove("MAKEOVERRIDES")
        .output()
        .expect("make, of the Debian package make");
    let said = String::from_utf8_lossy(&made.stderr);
    assert!(made.status.success(), "the guest cannot be built:\n{said}");
    out.join("velocity.wasm")
}

/// State is rows: it does not matter in which language they were made.
#[test]
fn an_aggregate_in_rust_goes_on_in_c_and_back() {
    let c = in_c();
    let pipeline = |module: &str| {
        let text = edited(&[
            (WHOLE, "amount = { type = \"float\", path = \"value\" }"),
            (
                SUM,
                "function = \"kinds/velocity\"\nconfig = { limit = 1.0 }\n[operators.two]",
            ),
            (
                "function = \"kinds/sum\"\n[sinks.out]",
                "function = \"kinds/count\"\n[sinks.out]",
            ),
        ]);
        text.replace(
            "function = \"kinds/velocity\"",
            &format!("function = \"{module}/velocity\""),
        )
    };
    let rust = pipeline("kinds");
    let c = pipeline(c.to_str().expect("a path that is text"));
    let folder = Folder::with(&[("pipeline.toml", &rust)]);
    add(&folder, 0..3);
    folder.run(&["run", "--at-end", "keep"]).expect(0);
    folder.write("pipeline.toml", &c);
    add(&folder, 3..6);
    folder
        .run(&["run", "--at-end", "keep", "--workers", "2"])
        .expect(0);
    folder.write("pipeline.toml", &rust);
    add(&folder, 6..8);
    folder
        .run(&["run", "--at-end", "keep", "--workers", "3"])
        .expect(0);
    folder.write("pipeline.toml", &c);
    add(&folder, 8..10);
    folder.run(&["run", "--workers", "1"]).expect(0);
    assert_eq!(rows(&folder, "one", &["total", "payments"]), ["55.0 10"]);
}
