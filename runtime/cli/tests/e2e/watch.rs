//! `tidemill run --watch`: runs again on change, goes on where a change cannot run.

use std::fs::OpenOptions;
use std::io::Write;
use std::process::{Child, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{Folder, Lines, kinds};

/// Rows of a followed file through a function, which drops those that a number divides.
fn pipeline(drop: i64) -> String {
    format!(
        "name = \"watched\"\n[modules.m]\nfile = \"m.wasm\"\nsource = \"m\"\n\
         [sources.rows]\nfiles = {{ path = \"rows.jsonl\", follow = true }}\n\
         columns = {{ value = \"integer\", bad = \"bool\" }}\n\
         [operators.sift]\ninput = \"rows\"\nfunction = \"m/sift\"\nconfig = {{ drop = {drop} }}\n\
         [sinks.out]\ninput = \"sift\"\nstdout = {{}}\n"
    )
}

fn makefile(command: &str) -> String {
    format!("$(OUT)/m.wasm: Makefile\n\t{command}\n")
}

fn good() -> String {
    makefile(&format!("cp {} $@", kinds()))
}

/// A command that watches, and the lines that it says and writes.
struct Watching {
    child: Child,
    out: Lines,
    err: Lines,
}

impl Watching {
    fn start(folder: &Folder) -> Self {
        let mut command = folder.command(&["run", "--watch", "--workers", "1"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the binary runs");
        let out = Lines::of(child.stdout.take().expect("a pipe"));
        let err = Lines::of(child.stderr.take().expect("a pipe"));
        Self { child, out, err }
    }

    /// Waits for a line of standard error with this text.
    fn says(&self, text: &str) {
        self.err
            .until(&format!("{text:?}"), |line| line.contains(text));
    }

    fn writes(&self, rows: &[i64]) {
        for value in rows {
            assert_eq!(
                self.out.next(),
                format!("{{\"value\":{value},\"bad\":false}}")
            );
        }
    }

    fn end(mut self) -> i32 {
        kill_process(Pid::from_child(&self.child), Signal::INT).expect("it is there to be told");
        let ended = self.child.wait().expect("it ends");
        ended.code().expect("no signal ended it")
    }
}

impl Drop for Watching {
    fn drop(&mut self) {
        // Where a check failed, nothing may stay behind: told to, it takes its run with it.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
    }
}

fn rows(values: &[i64]) -> String {
    let row = |value| format!("{{\"value\":{value},\"bad\":false}}\n");
    values.iter().map(row).collect()
}

#[test]
fn a_change_begins_the_run_anew_and_a_wrong_one_does_not_end_it() {
    let folder = Folder::with(&[
        ("pipeline.toml", &pipeline(2)),
        ("rows.jsonl", &rows(&[1, 2, 3])),
        ("m/Makefile", &good()),
    ]);
    let watching = Watching::start(&folder);
    watching.says("built m.wasm");
    watching.says("watch: running");
    watching.writes(&[1, 3]);

    folder.write("pipeline.toml", &pipeline(3));
    watching.says("watch: pipeline.toml changed");
    watching.says("watch: running anew");
    watching.writes(&[1, 2]);

    folder.write("pipeline.toml", &pipeline(3).replace("m/sift", "m/shift"));
    watching.says("did you mean sift?");
    watching.says("what ran before goes on");
    folder.write("m/Makefile", &makefile("false"));
    watching.says("watch: m/Makefile changed");
    watching.says("what ran before goes on");
    // It does.
    let followed = OpenOptions::new()
        .append(true)
        .open(folder.path().join("rows.jsonl"));
    let mut followed = followed.expect("the rows");
    followed
        .write_all(rows(&[4]).as_bytes())
        .expect("a row is written");
    watching.writes(&[4]);

    folder.write("m/Makefile", &good());
    watching.says("what ran before goes on");
    folder.write("pipeline.toml", &pipeline(5));
    watching.says("watch: running anew");
    watching.writes(&[1, 2, 3, 4]);
    assert_eq!(watching.end(), 0);
}

#[test]
fn what_cannot_run_from_the_beginning_is_waited_for() {
    let folder = Folder::with(&[
        ("pipeline.toml", "name ="),
        ("rows.jsonl", &rows(&[7])),
        ("m/Makefile", &makefile("false")),
    ]);
    let watching = Watching::start(&folder);
    watching.says("watch: that cannot run: waiting for a change");
    folder.write("pipeline.toml", &pipeline(5));
    watching.says("make failed");
    folder.write("m/Makefile", &good());
    watching.says("watch: running");
    watching.writes(&[7]);
    let bounded = pipeline(5).replace(", follow = true", "");
    folder.write("pipeline.toml", &bounded);
    watching.writes(&[7]);
    watching.says("watch: the run has ended (exit code 0): waiting for a change");
    assert_eq!(watching.end(), 0);
}

#[test]
fn standard_input_is_refused() {
    let folder = Folder::with(&[(
        "pipeline.toml",
        "name = \"p\"\n[sources.rows]\nstdin = {}\ncolumns = { value = \"integer\" }\n[sinks.out]\ninput = \"rows\"\nstdout = {}\n",
    )]);
    let watching = Watching::start(&folder);
    watching.says("source rows reads standard input");
    watching.says("waiting for a change");
    assert_eq!(watching.end(), 0);
}
