//! An innocent pipeline in a process of its own, one worker: fed a lone row and a block of rows in turn, and timed. What
//! it needs alone is compared with what it needs beside others.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::pipeline::{self, Folder};

/// Small enough for the pipes: nobody waits for anybody while a block is written.
const BLOCK: usize = 500;
/// How long it is measured alone.
const ALONE: Duration = Duration::from_millis(300);
/// Between two rounds, so that it leaves the machine to others about as much as it uses it.
const PAUSE: Duration = Duration::from_millis(4);

const PIPELINE: &str = r#"
name = "innocent"
[sources.rows]
stdin = {}
format = "json"
columns = { n = "integer", t = "text", y = "bool" }
[operators.op]
input = "rows"
function = "m.wasm/hostile"
config = { how = "well" }
[sinks.out]
input = "op"
stdout = {}
format = "json"
"#;

/// The median of what rounds needed.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A lone row, in and out.
    pub latency_ms: f64,
    /// A block of rows, in and out.
    pub block_ms: f64,
}

/// The process.
pub struct Innocent {
    _folder: Folder,
    child: Child,
    to: Option<ChildStdin>,
    from: BufReader<ChildStdout>,
}

impl Innocent {
    pub fn start() -> Self {
        let folder = Folder::new();
        folder.write("pipeline.toml", PIPELINE);
        folder.link("m.wasm", &pipeline::plain_guest());
        let mut child = folder
            .tidemill(&["run", "--quiet", "--workers", "1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the binary runs");
        let to = child.stdin.take();
        let from = BufReader::new(child.stdout.take().expect("it is piped"));
        let mut innocent = Self {
            _folder: folder,
            child,
            to,
            from,
        };
        // The first rounds start the function.
        for _ in 0..50 {
            innocent.round();
        }
        innocent
    }

    /// Measures it with nothing beside it.
    pub fn alone(&mut self) -> Pace {
        let started = Instant::now();
        self.pace(|| started.elapsed() >= ALONE)
    }

    /// Measures it while something runs beside it.
    pub fn beside<T: Send>(&mut self, run: impl FnOnce() -> T + Send) -> (T, Pace) {
        std::thread::scope(|scope| {
            let other = scope.spawn(run);
            let pace = self.pace(|| other.is_finished());
            (other.join().expect("the case runs to its end"), pace)
        })
    }

    fn pace(&mut self, over: impl Fn() -> bool) -> Pace {
        let (mut lone, mut blocks) = (Vec::new(), Vec::new());
        while lone.is_empty() || !over() {
            let (latency, block) = self.round();
            lone.push(latency);
            blocks.push(block);
            sleep(PAUSE);
        }
        Pace {
            latency_ms: median(lone),
            block_ms: median(blocks),
        }
    }

    fn round(&mut self) -> (f64, f64) {
        (self.rows(1), self.rows(BLOCK))
    }

    /// Sends rows and waits for them to come out. Gives the milliseconds.
    fn rows(&mut self, rows: usize) -> f64 {
        let started = Instant::now();
        let to = self.to.as_mut().expect("it is open");
        let text = "{\"n\":7,\"t\":\"a text\",\"y\":true}\n".repeat(rows);
        to.write_all(text.as_bytes()).expect("it reads");
        let mut line = String::new();
        for _ in 0..rows {
            line.clear();
            self.from.read_line(&mut line).expect("it writes");
            assert!(line.contains("\"n\":7"), "{line:?}");
        }
        started.elapsed().as_secs_f64() * 1e3
    }

    /// Ends it in peace.
    pub fn end(mut self) {
        drop(self.to.take());
        assert!(self.child.wait().expect("it ends").success());
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
