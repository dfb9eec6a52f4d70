//! The pipeline of the independence tests: every kind of window and operator on one source, each with its sinks, and
//! for each sink what may not change.

use std::fmt::Write;

use super::input;
use super::spec::{Kind, Spec};

/// What may not change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// The sequence of each key, to the bit.
    Sequence,
    /// Which rows there are.
    Set,
    /// The last result of each key and window, or, in `discarding`, the sum of all. Of floats, not their sums.
    Final { discarding: bool, floats: bool },
}

/// A sink and what may not change in it.
#[derive(Clone, Debug)]
pub struct Watched {
    pub sink: String,
    /// Whose sequences are compared.
    pub key: Vec<&'static str>,
    /// Where several splits are read, or several workers send, side by side.
    pub beside: Rule,
    /// Whether it is behind a second exchange, where several workers count as several splits.
    pub rekeyed: bool,
    /// Whether it holds what the order between splits decides: what fires between rows shows it.
    pub ordered: bool,
    /// Whether it holds what sessions or the number of corrections decide, which is input where several splits are read
    /// side by side, unless no row is ever behind.
    pub free: bool,
}

/// An operator of the pipeline.
struct Station {
    name: &'static str,
    input: &'static str,
    key: &'static [&'static str],
    window: Option<Spec>,
    function: &'static str,
    more: &'static str,
    rekeyed: bool,
}

const KEY: &[&str] = &["key"];
const FLOATS: &str = "rename = { value = \"real\" }";
const SUMS: &str = "rename = { value = \"sum\" }";
const LETTERS: &str = "on-failure = \"dead-letter\"";

/// `Station`s in a row of a table: name, input, key, window, function, more.
const fn on(
    (name, input): (&'static str, &'static str),
    key: &'static [&'static str],
    window: Spec,
    function: &'static str,
    more: &'static str,
) -> Station {
    Station {
        name,
        input,
        key,
        window: Some(window),
        function,
        more,
        rekeyed: false,
    }
}

const fn through(
    name: &'static str,
    key: &'static [&'static str],
    function: &'static str,
    more: &'static str,
) -> Station {
    Station {
        name,
        input: "rows",
        key,
        window: None,
        function,
        more,
        rekeyed: false,
    }
}

const fn rekeyed(station: Station) -> Station {
    Station {
        rekeyed: true,
        ..station
    }
}

#[rustfmt::skip]
const STATIONS: &[Station] = &[
    on(("tumble", "rows"), KEY, Spec::tumble(1000), "sum", ""),
    on(("tumble-late", "rows"), KEY, Spec::tumble(1000).lateness(700), "sum", ""),
    on(("tumble-offset", "rows"), KEY, Spec::tumble(900).offset(-330).lateness(900).discarding(), "sum", ""),
    on(("hop", "rows"), KEY, Spec::hop(1000, 300), "sum", ""),
    on(("hop-late", "rows"), KEY, Spec::hop(900, 300).offset(50).lateness(500), "sum", ""),
    on(("hop-discarding", "rows"), KEY, Spec::hop(700, 200).lateness(800).discarding(), "sum", ""),
    on(("gaps", "rows"), KEY, Spec::hop(300, 700).lateness(100), "sum", ""),
    on(("session", "rows"), KEY, Spec::session(200), "sum", ""),
    on(("session-late", "rows"), KEY, Spec::session(120).lateness(400), "sum", ""),
    on(("session-discarding", "rows"), KEY, Spec::session(160).lateness(600).discarding(), "sum", ""),
    on(("unkeyed", "rows"), &[], Spec::hop(1000, 500).lateness(200), "sum", ""),
    on(("unkeyed-sessions", "rows"), &[], Spec::session(50), "count", ""),
    on(("two-keys", "rows"), &["id", "key"], Spec::tumble(500).lateness(300), "sum", ""),
    on(("numbers", "rows"), &["id"], Spec::hop(800, 400), "sum", "null-key = \"fail\""),
    on(("floats", "rows"), KEY, Spec::tumble(1500).lateness(300), "sum-floats", FLOATS),
    on(("float-hops", "rows"), KEY, Spec::hop(1000, 300).lateness(300), "sum-floats", FLOATS),
    on(("float-hops-discarding", "rows"), &["id", "key"], Spec::hop(2000, 200).lateness(900).discarding(), "sum-floats", FLOATS),
    on(("float-sessions", "rows"), KEY, Spec::session(180).lateness(300), "sum-floats", FLOATS),
    through("sifted", &["split"], "sift", "config = { drop = 3 }\non-failure = \"dead-letter\""),
    through("words", &["word"], "words", ""),
    on(("sifted-hops", "sifted"), KEY, Spec::hop(1000, 250).lateness(250), "sum", ""),
    on(("counted-words", "words"), &["word"], Spec::tumble(2000).lateness(100), "count", ""),
    on(("global", "rows"), KEY, Spec::other("global = true"), "sum", ""),
    on(("global-ticks", "rows"), KEY, Spec::other("global = true, trigger = [\"at-end\", { every = \"700us\" }]"), "sum", ""),
    on(("global-floats", "rows"), KEY, Spec::other("global = true, trigger = [{ every-rows = 3 }], mode = \"discarding\""), "sum-floats", FLOATS),
    on(("rows-of-seven", "rows"), KEY, Spec::other("rows = 7"), "sum-floats", FLOATS),
    on(("rows-counted", "rows"), KEY, Spec::other("rows = 7, trigger = [{ every-rows = 3 }]"), "sum", ""),
    on(("cumulate", "rows"), KEY, Spec::other("cumulate = \"1200us\", step = \"300us\", lateness = \"400us\""), "sum", ""),
    on(("slide", "rows"), KEY, Spec::other("slide = \"1000us\""), "sum-floats", FLOATS),
    on(("failing-slide", "rows"), KEY, Spec::other("slide = \"700us\""), "fail-after-change", LETTERS),
    on(("behind-slide", "slide"), KEY, Spec::other("tumble = \"3000us\""), "sum-floats", SUMS),
    on(("retract", "rows"), KEY, Spec::other("hop = \"900us\", step = \"300us\", lateness = \"300us\", trigger = [\"at-end\", { every-rows = 2 }], mode = \"retract\""), "sum-floats", FLOATS),
    on(("retract-sessions", "rows"), KEY, Spec::other("session = \"200us\", lateness = \"300us\", trigger = [\"at-end\", \"on-each-row\"], mode = \"retract\""), "sum", ""),
    on(("retract-ticks", "rows"), KEY, Spec::other("tumble = \"2000us\", lateness = \"700us\", trigger = [\"at-end\", { every = \"300us\" }], mode = \"retract\""), "sum", ""),
    on(("retract-failing", "rows"), KEY, Spec::other("hop = \"1000us\", step = \"400us\", trigger = [{ every-rows = 2 }], mode = \"retract\""), "fail-after-change", LETTERS),
    on(("behind-early", "hop-rows"), KEY, Spec::other("tumble = \"3000us\", lateness = \"900us\""), "sum-floats", SUMS),
    on(("ticks", "rows"), KEY, Spec::other("tumble = \"2000us\", lateness = \"300us\", trigger = [\"at-end\", { every = \"300us\" }]"), "sum", ""),
    on(("hop-ticks", "rows"), KEY, Spec::other("hop = \"1500us\", step = \"500us\", lateness = \"300us\", trigger = [\"at-end\", { every = \"400us\" }]"), "sum-floats", FLOATS),
    on(("hop-rows", "rows"), KEY, Spec::other("hop = \"900us\", step = \"300us\", trigger = [\"at-end\", \"on-each-row\"]"), "sum-floats", FLOATS),
    on(("hop-unsent", "rows"), KEY, Spec::other("hop = \"900us\", step = \"300us\", lateness = \"600us\", trigger = [\"at-end\", { every-rows = 2 }], mode = \"discarding\""), "sum", ""),
    on(("only-ticks", "rows"), KEY, Spec::other("tumble = \"2000us\", lateness = \"300us\", trigger = [{ every = \"450us\" }]"), "sum", ""),
    on(("session-rows", "rows"), KEY, Spec::other("session = \"200us\", lateness = \"300us\", trigger = [\"at-end\", { every-rows = 2 }]"), "sum-floats", FLOATS),
    on(("session-ticks", "rows"), KEY, Spec::other("session = \"300us\", trigger = [\"at-end\", { every = \"150us\" }], mode = \"discarding\""), "sum", ""),
    on(("behind-ticks", "hop-ticks"), KEY, Spec::other("cumulate = \"4000us\", step = \"1000us\", lateness = \"2000us\""), "sum-floats", SUMS),
    on(("whole", "rows"), KEY, Spec::other("tumble = \"1000us\", lateness = \"700us\""), "members", ""),
    on(("whole-hops", "rows"), KEY, Spec::other("hop = \"900us\", step = \"300us\", lateness = \"300us\", trigger = [\"at-end\", { every-rows = 2 }], mode = \"retract\""), "members", ""),
    on(("whole-sessions", "rows"), KEY, Spec::other("session = \"200us\", lateness = \"300us\", trigger = [\"at-end\", \"on-each-row\"], mode = \"retract\""), "members", ""),
    on(("whole-slide", "rows"), KEY, Spec::other("slide = \"700us\""), "members", ""),
    on(("whole-rows", "rows"), KEY, Spec::other("rows = 7, trigger = [{ every-rows = 3 }], mode = \"discarding\""), "members", ""),
    on(("whole-global", "rows"), &[], Spec::other("global = true, keep = { newest = 5 }, trigger = [\"at-end\", { every = \"700us\" }]"), "members", ""),
    on(("whole-newest", "rows"), KEY, Spec::other("hop = \"1000us\", step = \"250us\", lateness = \"400us\", keep = { newest = 3 }, trigger = [\"at-end\", \"on-each-row\"]"), "members", ""),
    on(("whole-failing", "rows"), KEY, Spec::other("hop = \"1000us\", step = \"400us\", lateness = \"300us\", mode = \"retract\""), "members", "config = { fails = true }\non-failure = \"dead-letter\""),
    on(("whole-panics", "rows"), KEY, Spec::other("session = \"150us\", lateness = \"300us\""), "members", "config = { panics = true }\non-failure = \"dead-letter\""),
    on(("kept-hops", "rows"), KEY, Spec::other("hop = \"900us\", step = \"300us\", lateness = \"300us\", keep = { within = \"400us\" }, trigger = [\"at-end\", { every = \"250us\" }]"), "sum-floats", FLOATS),
    on(("kept-sessions", "rows"), KEY, Spec::other("session = \"200us\", lateness = \"300us\", keep = { newest = 2 }, trigger = [\"at-end\", \"on-each-row\"], mode = \"retract\""), "sum-floats", FLOATS),
    on(("kept-slide", "rows"), KEY, Spec::other("slide = \"900us\", keep = { newest = 4 }"), "sum-floats", FLOATS),
    on(("kept-unsent", "rows"), KEY, Spec::other("tumble = \"2000us\", lateness = \"300us\", keep = { newest = 3 }, trigger = [\"at-end\", { every-rows = 5 }], mode = \"discarding\""), "sum", ""),
    on(("kept-failing", "rows"), KEY, Spec::other("cumulate = \"1200us\", step = \"300us\", lateness = \"300us\", keep = { newest = 9 }"), "fail-after-change", LETTERS),
    on(("behind-whole", "whole-hops"), KEY, Spec::other("tumble = \"3000us\", lateness = \"900us\""), "sum", SUMS),
    on(("failing-rows", "rows"), KEY, Spec::other("hop = \"1000us\", step = \"400us\", lateness = \"300us\", trigger = [\"at-end\", \"on-each-row\"]"), "fail-after-change", LETTERS),
    on(("failing-unsent", "rows"), KEY, Spec::other("hop = \"1000us\", step = \"400us\", trigger = [{ every-rows = 2 }], mode = \"discarding\""), "fail-after-change", LETTERS),
    on(("failing", "rows"), KEY, Spec::hop(1000, 400).lateness(300), "fail-after-change", LETTERS),
    on(("failing-sessions", "rows"), KEY, Spec::session(200).lateness(300), "fail-after-change", LETTERS),
    on(("trapping", "rows"), &["id"], Spec::session(150), "trap-after-change", LETTERS),
    on(("no-null", "rows"), KEY, Spec::tumble(1000), "sum", "null-key = \"skip\""),
    on(("null-fails", "rows"), KEY, Spec::session(250), "sum", "null-key = \"fail\"\non-failure = \"dead-letter\""),
    on(("same-key", "tumble-late"), KEY, Spec::hop(3000, 1000).lateness(500), "sum", SUMS),
    on(("behind-sessions", "session"), KEY, Spec::tumble(1000), "sum", SUMS),
    rekeyed(on(("other-key", "two-keys"), &["id"], Spec::tumble(1000), "sum", SUMS)),
    rekeyed(on(("other-key-late", "two-keys"), &["id"], Spec::hop(1500, 500).lateness(600), "sum", SUMS)),
    rekeyed(on(("third", "other-key"), &[], Spec::tumble(4000), "sum", SUMS)),
    on(("wide", "rows"), &["id", "key"], Spec::tumble(60_000).lateness(20_000), "sum-floats", FLOATS),
    rekeyed(on(("behind-wide", "wide"), &["id"], Spec::tumble(180_000).lateness(90_000), "sum-floats", SUMS)),
    rekeyed(on(("rekeyed-floats", "float-hops-discarding"), &["id"], Spec::tumble(2000), "sum-floats", SUMS)),
];

/// The pipeline's text, and its sinks: of all operators, or of `only` these.
pub fn pipeline(out_of_orderness: i64, only: &[&str]) -> (String, Vec<Watched>) {
    let mut text = format!(
        "[sources.rows]\nfiles = \"in-*.jsonl\"\nevent-time = \"at\"\nout-of-orderness = \"{out_of_orderness}us\"\n\
         on-failure = \"dead-letter\"\n{}\n",
        input::COLUMNS
    );
    let mut watched = Vec::new();
    let mut sink = |text: &mut String, input: &str, one: Watched| {
        let (file, name) = (&one.sink, one.sink.replace('.', "-port-"));
        writeln!(
            text,
            "[sinks.to-{name}]\ninput = \"{input}\"\nfile = \"{file}.jsonl\"\n"
        )
        .expect("a string takes all");
        watched.push(one);
    };
    sink(&mut text, "rows.failed", source_failures());
    let wanted = |station: &&Station| only.is_empty() || only.contains(&station.name);
    for station in STATIONS.iter().filter(wanted) {
        text += &station.toml();
        for (port, one) in station.outputs() {
            sink(&mut text, &format!("{}{port}", station.name), one);
        }
    }
    (text, watched)
}

fn source_failures() -> Watched {
    Watched {
        sink: "rows.failed".to_owned(),
        key: vec!["split"],
        beside: Rule::Sequence,
        rekeyed: false,
        ordered: false,
        free: false,
    }
}

impl Station {
    fn toml(&self) -> String {
        let Self {
            name,
            input,
            function,
            more,
            ..
        } = self;
        let mut text = format!(
            "[operators.{name}]\ninput = \"{input}\"\nfunction = \"kinds/{function}\"\n{more}\n"
        );
        if let Some(window) = &self.window {
            text += &format!("window = {}\n", window.toml());
            if !self.key.is_empty() {
                text += &format!("key = {:?}\n", self.key);
            }
        }
        text + "\n"
    }

    /// Its outputs, by what stands behind its name.
    fn outputs(&self) -> Vec<(&'static str, Watched)> {
        let watched = |of: &str, beside| Watched {
            sink: format!("{}{of}", self.name),
            key: self.key.to_vec(),
            beside,
            rekeyed: self.rekeyed,
            ordered: matches!(
                self.window,
                Some(Spec {
                    kind: Kind::Other(_),
                    ..
                })
            ),
            free: self.is_free(),
        };
        let Some(window) = self.window else {
            return self.outputs_of_transform(watched);
        };
        let floats = self.function == "sum-floats";
        let discarding = window.discarding;
        let results = if floats || window.lateness > 0 {
            Rule::Final { discarding, floats }
        } else {
            Rule::Sequence
        };
        let mut outputs = vec![
            ("", watched("", results)),
            (".late", watched(".late", Rule::Set)),
        ];
        if self.more.contains("dead-letter") {
            outputs.push((".failed", watched(".failed", Rule::Set)));
        }
        outputs
    }

    /// They stay on the worker that reads their split.
    fn outputs_of_transform(
        &self,
        watched: impl Fn(&str, Rule) -> Watched,
    ) -> Vec<(&'static str, Watched)> {
        let rows = Watched {
            key: Vec::new(),
            ..watched("", Rule::Set)
        };
        let mut outputs = vec![("", rows)];
        if self.more.contains("dead-letter") {
            outputs.push((".failed", watched(".failed", Rule::Sequence)));
        }
        outputs
    }

    fn is_free(&self) -> bool {
        let sessions = self.window.is_some_and(|window| window.is_session());
        sessions || !matches!(self.input, "rows" | "sifted" | "words")
    }
}
