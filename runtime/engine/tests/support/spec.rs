//! Windows of tests, for the pipeline file and for the model.

/// A window of the pipeline file. Times in microseconds.
#[derive(Clone, Copy, Debug)]
pub struct Spec {
    pub kind: Kind,
    pub lateness: i64,
    pub discarding: bool,
}

#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// A tumble is a hop of which the step is the size.
    Hop {
        size: i64,
        step: i64,
        offset: i64,
    },
    Session {
        gap: i64,
    },
    /// As it stands in the file; the model does not know it.
    Other(&'static str),
}

impl Spec {
    pub const fn tumble(size: i64) -> Self {
        Self::hop(size, size)
    }

    pub const fn hop(size: i64, step: i64) -> Self {
        let kind = Kind::Hop {
            size,
            step,
            offset: 0,
        };
        Self::of(kind)
    }

    pub const fn session(gap: i64) -> Self {
        Self::of(Kind::Session { gap })
    }

    pub const fn other(text: &'static str) -> Self {
        Self::of(Kind::Other(text))
    }

    const fn of(kind: Kind) -> Self {
        Self {
            kind,
            lateness: 0,
            discarding: false,
        }
    }

    pub const fn offset(self, offset: i64) -> Self {
        let kind = match self.kind {
            Kind::Hop { size, step, .. } => Kind::Hop { size, step, offset },
            _ => panic!("only windows of a grid have an offset"),
        };
        Self { kind, ..self }
    }

    pub const fn lateness(self, lateness: i64) -> Self {
        Self { lateness, ..self }
    }

    pub const fn discarding(self) -> Self {
        Self {
            discarding: true,
            ..self
        }
    }

    pub const fn is_session(&self) -> bool {
        matches!(self.kind, Kind::Session { .. })
    }

    /// The W at which a window fires (semantics, Windows 3 and 4).
    pub const fn due(&self, end: i64) -> i64 {
        if self.is_session() { end } else { end - 1 }
    }

    /// `{ tumble = "10us" }`.
    pub fn toml(&self) -> String {
        let kind = match self.kind {
            Kind::Hop { size, step, offset } if size == step => {
                format!("tumble = \"{size}us\"{}", offset_toml(offset))
            }
            Kind::Hop { size, step, offset } => {
                format!(
                    "hop = \"{size}us\", step = \"{step}us\"{}",
                    offset_toml(offset)
                )
            }
            Kind::Session { gap } => format!("session = \"{gap}us\""),
            Kind::Other(text) => return format!("{{ {text} }}"),
        };
        let mode = if self.discarding {
            ", mode = \"discarding\""
        } else {
            ""
        };
        format!("{{ {kind}, lateness = \"{}us\"{mode} }}", self.lateness)
    }
}

fn offset_toml(offset: i64) -> String {
    format!(", offset = \"{offset}us\"")
}
