//! One hostile module, the pipeline that it runs in, and how that ended.

use std::fs::File;

use crate::pipeline::{self, Folder};
use crate::usage::{self, Usage};

/// A hostile module in a pipeline.
pub struct Case {
    /// As in the table.
    pub name: &'static str,
    /// Where the module comes from.
    pub module: Made,
    /// The operator's section from `function` on, `on-failure` excluded.
    pub operator: String,
    /// What says how far the source's time has come.
    pub watermark: String,
    /// The limit `deadline`: short, so that loops are met soon.
    pub deadline: &'static str,
    /// What else is set of the module's limits.
    pub limits: &'static str,
    /// How it must end.
    pub ends: Ends,
}

/// The source's own word for how far time has come, where no function says it.
const IN_ORDER: &str = "out-of-orderness = \"1h\"";

/// Where a module comes from.
pub enum Made {
    /// `tests/guests/plain`, whose functions do as their configuration says.
    Plain,
    /// Bytes.
    Bytes(fn() -> Vec<u8>),
}

/// How a pipeline with a hostile module must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ends {
    /// The module is refused before a row is read.
    Refused,
    /// It goes on without so many rows, which are dead letters, and ends well.
    Without(usize),
    /// The pipeline stops: the function says so, nobody is to blame, or the policy is to fail.
    Stopped,
    /// Nothing happens: whatever the module did, it was allowed.
    Well,
}

/// How it ended.
#[derive(Debug)]
pub struct Ended {
    pub usage: Usage,
    /// Standard error.
    pub err: String,
    /// Standard output.
    pub out: String,
    /// Dead letters.
    pub letters: Vec<serde_json::Value>,
}

impl Case {
    /// A transform of the plain guest, which fails for the one row whose `n` is 13.
    pub fn row(name: &'static str, function: &str, how: &str) -> Self {
        Self {
            name,
            module: Made::Plain,
            operator: format!("function = \"m/{function}\"\nconfig = {{ how = \"{how}\" }}"),
            watermark: IN_ORDER.to_owned(),
            deadline: "100ms",
            limits: "",
            ends: Ends::Without(1),
        }
    }

    /// The aggregate of the plain guest, over sessions that the odd rows join.
    pub fn sum(name: &'static str, how: &str) -> Self {
        let mut case = Self::row(name, "heavy", how);
        case.operator += "\nkey = \"k\"\nwindow = { session = \"1500ms\" }";
        case
    }

    /// The function of kind window of the plain guest, over windows of four rows.
    pub fn window(name: &'static str, how: &str) -> Self {
        let mut case = Self::row(name, "gathering", how);
        case.operator += "\nkey = \"k\"\nwindow = { tumble = \"4s\" }";
        case
    }

    /// The watermark of the plain guest, before a transform that does nothing bad.
    pub fn watermark(name: &'static str, how: &str) -> Self {
        let mut case = Self::row(name, "worse", "well");
        case.watermark =
            format!("watermark = {{ function = \"m/claiming\", config = {{ how = \"{how}\" }} }}");
        case
    }

    /// A module of bytes, whose one function is `f`.
    pub fn bytes(name: &'static str, bytes: fn() -> Vec<u8>) -> Self {
        Self {
            name,
            module: Made::Bytes(bytes),
            operator: "function = \"m/f\"".to_owned(),
            watermark: IN_ORDER.to_owned(),
            deadline: "100ms",
            limits: "",
            ends: Ends::Refused,
        }
    }

    pub fn ends(mut self, ends: Ends) -> Self {
        self.ends = ends;
        self
    }

    /// For what would otherwise meet the deadline on a slow machine, and another limit on a fast one.
    pub fn deadline(mut self, deadline: &'static str) -> Self {
        self.deadline = deadline;
        self
    }

    pub fn limits(mut self, limits: &'static str) -> Self {
        self.limits = limits;
        self
    }

    /// Runs it in a process of its own, with one worker.
    pub fn run(&self) -> Ended {
        let folder = Folder::new();
        folder.write("pipeline.toml", self.pipeline());
        folder.write("rows.jsonl", self.rows());
        match &self.module {
            Made::Plain => folder.link("m.wasm", &pipeline::plain_guest()),
            Made::Bytes(bytes) => folder.write("m.wasm", bytes()),
        }
        let to = |name: &str| File::create(folder.path(name)).expect("a file for what it says");
        let child = folder
            .tidemill(&["run", "--workers", "1"])
            .stdout(to("out"))
            .stderr(to("err"))
            .spawn()
            .expect("the binary runs");
        let usage = usage::wait(child);
        let letter = |line: &str| serde_json::from_str(line).expect("a letter is JSON");
        Ended {
            usage,
            err: folder.read("err"),
            out: folder.read("out"),
            letters: folder.read("bad.jsonl").lines().map(letter).collect(),
        }
    }

    fn pipeline(&self) -> String {
        let Self {
            operator,
            watermark,
            deadline,
            limits,
            ..
        } = self;
        let policy = match self.ends {
            Ends::Stopped => "fail",
            Ends::Refused | Ends::Without(_) | Ends::Well => "dead-letter",
        };
        // What a watermark does wrong is the source's.
        let (of_source, of_operator, input) = if *watermark == IN_ORDER {
            ("fail", policy, "op.failed")
        } else {
            (policy, "fail", "rows.failed")
        };
        format!(
            r#"name = "hostile"
[modules.m]
file = "m.wasm"
limits = {{ deadline = "{deadline}"{limits} }}
[sources.rows]
files = "rows.jsonl"
format = "json"
event-time = "at"
{watermark}
on-failure = "{of_source}"
[sources.rows.columns]
n = "integer"
t = "text"
y = "bool"
k = "integer"
at = {{ type = "time", format = "epoch-s" }}
[operators.op]
input = "rows"
on-failure = "{of_operator}"
{operator}
[sinks.out]
input = "op"
stdout = {{}}
format = "json"
[sinks.bad]
input = "{input}"
file = "bad.jsonl"
format = "json"
"#
        )
    }

    /// 40 rows, the even ones first, so that the odd ones join their sessions; of them 2 where every row is bad.
    fn rows(&self) -> String {
        let evens_then_odds = (0..40).step_by(2).chain((1..40).step_by(2));
        let few = match self.module {
            Made::Plain => 40,
            Made::Bytes(_) => 2,
        };
        let row = |n: i32| {
            let y = n % 2 == 0;
            format!("{{\"n\":{n},\"t\":\"text {n}\",\"y\":{y},\"k\":0,\"at\":{n}}}\n")
        };
        evens_then_odds.take(few).map(row).collect()
    }
}
