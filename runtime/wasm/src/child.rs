//! The compiling child: a process of the same binary, with limits of its own, that writes one cache entry.
//!
//! Compiling is the one step in which a module's bytes make the host work in proportion to what they say. In a process
//! with limits on CPU time and memory it can neither stall nor take down the pipeline.
//!
//! Contract: `<exe> compile-module <file> --hash <sha256> --out <entry> --stack <bytes> --cpu <seconds> --memory <bytes>`; what is wrong
//! with the module goes to standard error, as one text; exit code 0 if and only if the entry is there.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, setrlimit};

use crate::cache::{Entry, content_hash};
use crate::compile;
use crate::host::Source;
use crate::limits::{Limits, size, time};
use crate::surface::Surface;

/// The hidden command's name.
pub(crate) const COMMAND: &str = "compile-module";
/// Machine code of one module (limit `code-size`).
pub(crate) const MOST_CODE_BYTES: u64 = 512 << 20;
/// How much less the child counts than others when CPU time is shared out.
const NICE: i32 = 10;
const LONGEST_ERROR: u64 = 16 * 1024;
const SIGXCPU: i32 = 24;
const SIGXFSZ: i32 = 25;
const SIGKILL: i32 = 9;

/// Runs the child's side. `args` are those behind `compile-module`.
pub fn compile_child_main(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    match Job::parse(args).and_then(|job| job.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            // Nothing can be done about a parent that no longer listens.
            let _ = std::io::stderr().write_all(message.as_bytes());
            ExitCode::FAILURE
        }
    }
}

struct Job {
    module: PathBuf,
    hash: String,
    out: PathBuf,
    stack_bytes: usize,
    cpu_s: u64,
    memory_bytes: u64,
}

impl Job {
    fn parse(args: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let args: Vec<OsString> = args.into_iter().collect();
        let option = |name: &str| {
            let at = args.iter().position(|arg| arg == name);
            at.and_then(|at| args.get(at + 1))
                .ok_or_else(|| format!("{COMMAND} needs {name}"))
        };
        let number = |name: &str| {
            let text = option(name)?.to_string_lossy().into_owned();
            text.parse::<u64>()
                .map_err(|e| format!("{COMMAND} {name}: {e}: {text}"))
        };
        Ok(Self {
            module: args
                .first()
                .ok_or_else(|| format!("{COMMAND} needs a file"))?
                .into(),
            hash: option("--hash")?.to_string_lossy().into_owned(),
            out: option("--out")?.into(),
            stack_bytes: number("--stack")? as usize,
            cpu_s: number("--cpu")?,
            memory_bytes: number("--memory")?,
        })
    }

    fn run(&self) -> Result<(), String> {
        self.limit()
            .map_err(|e| format!("its limits cannot be set: {e}"))?;
        step_back();
        let bytes = std::fs::read(&self.module).map_err(|e| format!("it cannot be read: {e}"))?;
        if content_hash(&bytes) != self.hash {
            return Err("its file was changed while it was being loaded: try again".into());
        }
        let core = Surface::read(&bytes)?.core;
        let engine = compile::engine(self.stack_bytes).map_err(|e| format!("no engine: {e:#}"))?;
        let code = compile::machine_code(&engine, &bytes, core)?;
        Entry::at(self.out.clone()).store(&code).map_err(|e| {
            format!(
                "its cache entry cannot be written: {e}: {}",
                self.out.display()
            )
        })
    }

    fn limit(&self) -> rustix::io::Result<()> {
        let both = |n| Rlimit {
            current: Some(n),
            maximum: Some(n),
        };
        setrlimit(Resource::Core, both(0))?;
        setrlimit(Resource::As, both(self.memory_bytes))?;
        setrlimit(Resource::Fsize, both(MOST_CODE_BYTES))?;
        // One second between the two, so that the signal that is sent first says what happened.
        let cpu = Rlimit {
            current: Some(self.cpu_s),
            maximum: Some(self.cpu_s + 1),
        };
        setrlimit(Resource::Cpu, cpu)
    }
}

/// Makes way for pipelines: others run first, and where memory runs out the system takes this process first.
fn step_back() {
    // Neither is needed for compiling: where the system does not allow it, the limits remain.
    let _ = rustix::process::nice(NICE);
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
}

/// Runs the parent's side: has `exe` compile `source` into `entry`.
pub(crate) fn compile(
    exe: &Path,
    source: &Source<'_>,
    entry: &Entry,
    limits: &Limits,
) -> Result<(), String> {
    let cpu_s = limits.compile_cpu.as_secs().max(1);
    let child = Command::new(exe)
        .arg(COMMAND)
        .arg(source.file)
        .args(["--hash", source.hash])
        .arg("--out")
        .arg(entry.path())
        .args(["--stack", &limits.stack_bytes.to_string()])
        .args(["--cpu", &cpu_s.to_string()])
        .args(["--memory", &limits.compile_memory_bytes.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| {
            format!(
                "the compiling process cannot be started: {e}: {}",
                exe.display()
            )
        })?;
    let (status, said) = wait(child, Duration::from_secs(10 + 4 * cpu_s))
        .map_err(|e| format!("the compiling process was lost: {e}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(explain(status, &said, limits))
    }
}

/// Waits for the child, for at most `longest` of wall-clock time, and gives what it said.
fn wait(mut child: Child, longest: Duration) -> std::io::Result<(ExitStatus, String)> {
    let stderr = child.stderr.take();
    let listener = std::thread::spawn(move || {
        let mut said = Vec::new();
        if let Some(stderr) = stderr {
            // What cannot be read was not said.
            let _ = stderr.take(LONGEST_ERROR).read_to_end(&mut said);
        }
        String::from_utf8_lossy(&said).trim().to_owned()
    });
    let start = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if start.elapsed() > longest {
            child.kill()?;
            break child.wait()?;
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    Ok((status, listener.join().unwrap_or_default()))
}

fn explain(status: ExitStatus, said: &str, limits: &Limits) -> String {
    let raise = "use a smaller module, or raise the limit for this module in the pipeline file";
    match status.signal() {
        Some(SIGXCPU | SIGKILL) => format!(
            "compiling it takes longer than the limit compile-time ({} of CPU time); {raise}",
            time(limits.compile_cpu)
        ),
        Some(SIGXFSZ) => format!(
            "its machine code has more than the limit code-size ({}); use a smaller module",
            size(MOST_CODE_BYTES)
        ),
        Some(_) if said.contains("memory allocation of") || said.contains("Cannot allocate") => {
            memory(limits, raise)
        }
        // The system's words for it, and the standard library's; where there is no address space for a thread's stack the
        // system says EAGAIN.
        None if said.contains("Cannot allocate memory")
            || said.contains("out of memory")
            || said.contains("Resource temporarily unavailable") =>
        {
            memory(limits, raise)
        }
        Some(signal) => format!("compiling it ended with signal {signal}: {said}"),
        None => said.to_owned(),
    }
}

fn memory(limits: &Limits, raise: &str) -> String {
    let limit = size(limits.compile_memory_bytes);
    format!("compiling it takes more memory than the limit compile-memory ({limit}); {raise}")
}
