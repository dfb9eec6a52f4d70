//! What the tests share: a folder per test, the binary, modules that are built once.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::LazyLock;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The checkout.
pub fn root() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    root.canonicalize().expect("the checkout is there")
}

/// The binary, with a cache of modules that the tests share and nothing of the caller's settings.
pub fn tidemill() -> Command {
    let scratch = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let mut command = Command::new(env!("CARGO_BIN_EXE_tidemill"));
    command
        .env("TIDEMILL_CACHE", scratch.join("cli-cache"))
        .stdin(Stdio::null());
    // Modules share what the checkout's own were built with.
    let target = scratch.parent().expect("the target folder");
    command
        .env("CARGO_TARGET_DIR", target)
        .env_remove("RUSTFLAGS");
    command
}

/// How a command ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ended {
    /// Lines of standard output, sorted.
    pub fn rows(&self) -> Vec<String> {
        sorted(&self.out)
    }

    /// Fails unless the exit code is this.
    pub fn expect(self, code: i32) -> Self {
        assert_eq!(
            self.code, code,
            "stdout:\n{}\nstderr:\n{}",
            self.out, self.err
        );
        self
    }

    /// Fails unless standard error has all of these.
    pub fn says(self, texts: &[&str]) -> Self {
        for text in texts {
            assert!(self.err.contains(text), "no {text:?} in:\n{}", self.err);
        }
        self
    }
}

impl From<Output> for Ended {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("what it says is text");
        let code = output.status.code().expect("no signal ended it");
        Self {
            code,
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

/// How long something that must come may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What a process writes, line by line as it comes, so that a test can wait for what must come.
pub struct Lines(Receiver<String>);

impl Lines {
    pub fn of(from: impl Read + Send + 'static) -> Self {
        let (to, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(from).lines().map_while(Result::ok) {
                // The test may have ended.
                let _ = to.send(line);
            }
        });
        Self(lines)
    }

    /// What has come so far.
    pub fn so_far(&self) -> Vec<String> {
        self.0.try_iter().collect()
    }

    /// Waits for the next line.
    pub fn next(&self) -> String {
        self.0.recv_timeout(PATIENCE).expect("a line is written")
    }

    /// Waits for a line that will do. Gives it, behind those before it.
    pub fn until(&self, what: &str, will_do: impl Fn(&str) -> bool) -> Vec<String> {
        let start = Instant::now();
        let mut before = Vec::new();
        while let Some(left) = PATIENCE.checked_sub(start.elapsed()) {
            let Ok(line) = self.0.recv_timeout(left) else {
                break;
            };
            let done = will_do(&line);
            before.push(line);
            if done {
                return before;
            }
        }
        panic!("no {what} among {before:#?}");
    }

    /// What is left, until the process has closed it.
    pub fn rest(self) -> Vec<String> {
        self.0.iter().collect()
    }
}

/// The lines of a text, sorted.
pub fn sorted(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// A folder of files for one test.
pub struct Folder(TempDir);

impl Folder {
    pub fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    /// A folder with these files.
    pub fn with(files: &[(&str, &str)]) -> Self {
        let folder = Self::new();
        files
            .iter()
            .for_each(|(name, text)| folder.write(name, text));
        folder
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder is made");
        fs::write(path, text).expect("the file is written");
    }

    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The command in this folder, not started yet.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = tidemill();
        command.args(args).current_dir(self.path());
        command
    }

    /// Runs the command in this folder to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        self.command(args).output().expect("the binary runs").into()
    }
}

/// The module of `tests/guests/sdk-kinds`: one function of each sort.
static KINDS: LazyLock<PathBuf> = LazyLock::new(|| {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("cli-modules");
    fs::create_dir_all(&folder).expect("a folder for modules");
    let source = root().join("tests/guests/sdk-kinds");
    let pipeline = format!(
        "name = \"kinds\"\n[modules.kinds]\nfile = \"kinds.wasm\"\nsource = {source:?}\n\
         [sources.rows]\nstdin = {{}}\ncolumns = {{ value = \"integer\" }}\n\
         [sinks.out]\ninput = \"rows\"\nblackhole = {{}}\n"
    );
    fs::write(folder.join("pipeline.toml"), pipeline).expect("the pipeline is written");
    let built = tidemill()
        .arg("build")
        .current_dir(&folder)
        .output()
        .expect("the binary runs");
    Ended::from(built).expect(0);
    folder.join("kinds.wasm")
});

/// The path of that module, for a pipeline file.
pub fn kinds() -> &'static str {
    KINDS.to_str().expect("a path that is text")
}
