//! What is compared: windows with triggers, modes and what they keep, each with what is promised of its results.

/// The windows that a row is in, as far as the row alone decides.
#[derive(Clone, Copy, Debug)]
pub enum Window {
    Hop {
        size: i64,
        step: i64,
    },
    Cumulate {
        size: i64,
        step: i64,
    },
    Global,
    Session(i64),
    Slide(i64),
    /// So many rows each, whichever these are.
    Rows(usize),
}

/// What results of a key and window come to, whatever the order between splits.
#[derive(Clone, Copy, Debug)]
pub enum Promise {
    /// The last result is of all its rows.
    Last,
    /// Each result is of other rows, and together they are all.
    Together,
    /// When what was taken back is taken away, one result is left, of all rows.
    Net,
    /// As many results as rows, each of one row more than the one before it.
    EachRow,
    /// Results of exactly so many rows each; what is left of them is never sent.
    Whole(usize),
    /// The only promise: results follow each other in order, and none has more rows than there are.
    Order,
}

/// What windows keep of their rows.
#[derive(Clone, Copy, Debug)]
pub enum Keep {
    All,
    Newest(usize),
    Within(i64),
}

pub struct Case {
    pub name: &'static str,
    pub window: Window,
    pub lateness: i64,
    pub keep: Keep,
    /// What else stands in the window's table.
    more: &'static str,
    pub promise: Promise,
}

const fn case(name: &'static str, window: Window, more: &'static str, promise: Promise) -> Case {
    Case {
        name,
        window,
        lateness: 0,
        keep: Keep::All,
        more,
        promise,
    }
}

impl Case {
    const fn late(self, lateness: i64) -> Self {
        Self { lateness, ..self }
    }

    const fn keep(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }
}

const TUMBLE: Window = Window::Hop {
    size: 1000,
    step: 1000,
};
const HOP: Window = Window::Hop {
    size: 900,
    step: 300,
};
const GAPS: Window = Window::Hop {
    size: 300,
    step: 700,
};
const CUMULATE: Window = Window::Cumulate {
    size: 1200,
    step: 300,
};

const TICKS: &str = "trigger = [\"at-end\", { every = \"210us\" }]";
const COUNTED: &str = "trigger = [\"at-end\", { every-rows = 2 }]";
const EACH: &str = "trigger = [\"at-end\", \"on-each-row\"]";
const ONLY_TICKS: &str = "trigger = [{ every = \"210us\" }]";
const ONLY_COUNTED: &str = "trigger = [{ every-rows = 3 }]";
const ONLY_COUNTED_PIECES: &str = "trigger = [{ every-rows = 3 }], mode = \"discarding\"";
const ONLY_EACH: &str = "trigger = [\"on-each-row\"]";
const ONLY_EACH_PIECES: &str = "trigger = [\"on-each-row\"], mode = \"discarding\"";
const PIECES: &str = "mode = \"discarding\"";
const TICKS_PIECES: &str = "trigger = [\"at-end\", { every = \"210us\" }], mode = \"discarding\"";
const COUNTED_PIECES: &str = "trigger = [\"at-end\", { every-rows = 2 }], mode = \"discarding\"";
const RETRACT: &str = "mode = \"retract\"";
const TICKS_RETRACT: &str = "trigger = [\"at-end\", { every = \"210us\" }], mode = \"retract\"";
const COUNTED_RETRACT: &str = "trigger = [\"at-end\", { every-rows = 2 }], mode = \"retract\"";
const EACH_RETRACT: &str = "trigger = [\"at-end\", \"on-each-row\"], mode = \"retract\"";

#[rustfmt::skip]
pub const CASES: &[Case] = &[
    case("at-end", TUMBLE, "", Promise::Last).late(600),
    case("at-end-pieces", HOP, PIECES, Promise::Together).late(500),
    case("at-end-retract", HOP, RETRACT, Promise::Net).late(500),
    case("ticks", TUMBLE, TICKS, Promise::Last).late(300),
    case("ticks-hop", HOP, TICKS, Promise::Last),
    case("ticks-gaps", GAPS, TICKS, Promise::Last).late(250),
    case("ticks-pieces", HOP, TICKS_PIECES, Promise::Together).late(300),
    case("ticks-retract", CUMULATE, TICKS_RETRACT, Promise::Net).late(300),
    case("ticks-only", HOP, ONLY_TICKS, Promise::Order).late(300),
    case("ticks-global", Window::Global, TICKS, Promise::Last),
    case("ticks-newest", HOP, TICKS, Promise::Last).keep(Keep::Newest(3)).late(300),
    case("counted", CUMULATE, COUNTED, Promise::Last).late(400),
    case("counted-pieces", TUMBLE, COUNTED_PIECES, Promise::Together).late(700),
    case("counted-retract", HOP, COUNTED_RETRACT, Promise::Net).late(300),
    case("counted-only", TUMBLE, ONLY_COUNTED, Promise::Order).late(300),
    case("counted-only-pieces", HOP, ONLY_COUNTED_PIECES, Promise::Whole(3)).late(300),
    case("counted-global", Window::Global, ONLY_COUNTED_PIECES, Promise::Whole(3)),
    case("counted-within", TUMBLE, COUNTED, Promise::Last).keep(Keep::Within(400)).late(300),
    case("each", HOP, EACH, Promise::Last).late(300),
    case("each-only", TUMBLE, ONLY_EACH, Promise::EachRow).late(500),
    case("each-only-pieces", CUMULATE, ONLY_EACH_PIECES, Promise::Whole(1)).late(500),
    case("each-retract", HOP, EACH_RETRACT, Promise::Net).late(300),
    case("slide", Window::Slide(700), "", Promise::Last),
    case("slide-newest", Window::Slide(900), "", Promise::Last).keep(Keep::Newest(4)),
    case("sevens", Window::Rows(7), "", Promise::Together),
];

/// Of sessions, which a row of another split can keep alive, nothing is promised unless no row is ever behind.
#[rustfmt::skip]
pub const SESSIONS: &[Case] = &[
    case("session", Window::Session(150), "", Promise::Last),
    case("session-pieces", Window::Session(150), PIECES, Promise::Together),
    case("session-retract", Window::Session(150), EACH_RETRACT, Promise::Net),
    case("session-counted", Window::Session(150), COUNTED_RETRACT, Promise::Net),
    case("session-newest", Window::Session(150), TICKS_RETRACT, Promise::Net).keep(Keep::Newest(2)),
];

impl Case {
    /// What stands in the pipeline file.
    pub fn toml(&self) -> String {
        let mut parts = vec![match self.window {
            Window::Hop { size, step } if size == step => format!("tumble = \"{size}us\""),
            Window::Hop { size, step } => format!("hop = \"{size}us\", step = \"{step}us\""),
            Window::Cumulate { size, step } => {
                format!("cumulate = \"{size}us\", step = \"{step}us\"")
            }
            Window::Global => "global = true".to_owned(),
            Window::Session(gap) => format!("session = \"{gap}us\""),
            Window::Slide(range) => format!("slide = \"{range}us\""),
            Window::Rows(rows) => format!("rows = {rows}"),
        }];
        if self.lateness > 0 {
            parts.push(format!("lateness = \"{}us\"", self.lateness));
        }
        match self.keep {
            Keep::All => {}
            Keep::Newest(rows) => parts.push(format!("keep = {{ newest = {rows} }}")),
            Keep::Within(time) => parts.push(format!("keep = {{ within = \"{time}us\" }}")),
        }
        if !self.more.is_empty() {
            parts.push(self.more.to_owned());
        }
        format!("{{ {} }}", parts.join(", "))
    }
}
