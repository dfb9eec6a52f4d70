//! What is said of letters that were sent again, and of those that were not.

use std::path::Path;

use serde_json::json;

use crate::args::Format;
use crate::cmd::dlq::print;
use crate::cmd::dlq::select::Found;
use crate::figures::counted;
use crate::talk::Talk;

/// From so many times on a record probably goes in a circle.
const CIRCLE: u32 = 3;

/// So many of those that cannot be sent are named.
const NAMED: usize = 10;

/// A letter whose record was sent again.
pub(super) struct Told {
    pub letter: String,
    /// Where its record stood.
    pub record: String,
    /// Whether the record is not there any more, and was taken from the letter.
    pub from_letter: bool,
    /// How often the record was sent again, with this time.
    pub times: u32,
    /// Key and length.
    pub brief: String,
}

/// What came of all of them.
pub(super) struct Tally {
    dry_run: bool,
    format: Format,
    talk: Talk,
    sent: u64,
    from_letters: u64,
    circling: u64,
    cannot: u64,
    /// Whether some of these hold a row that a function was given.
    has_rows: bool,
    /// Those whose records were sent before.
    pub before: u64,
    /// Records that are no letters.
    pub others: u64,
}

impl Tally {
    pub fn new(dry_run: bool, format: Format) -> Self {
        Self {
            dry_run,
            format,
            talk: Talk::new(Format::Text, false),
            sent: 0,
            from_letters: 0,
            circling: 0,
            cannot: 0,
            has_rows: false,
            before: 0,
            others: 0,
        }
    }

    /// One was sent, or would be.
    pub fn sent(&mut self, told: Told) {
        self.sent += 1;
        self.from_letters += u64::from(told.from_letter);
        self.circling += u64::from(told.times >= CIRCLE);
        let line = match self.format {
            Format::Json => json!({
                "letter": told.letter, "record": told.record, "sent": !self.dry_run,
                "from": if told.from_letter { "letter" } else { "topic" }, "times": told.times,
            })
            .to_string(),
            Format::Text => {
                let done = match self.dry_run {
                    true => "would be sent again",
                    false => "sent again",
                };
                let from = match told.from_letter {
                    true => ", as the letter holds it",
                    false => "",
                };
                format!(
                    "{}: {} {done}{from} ({})",
                    told.letter, told.record, told.brief
                )
            }
        };
        print(&format!("{line}\n"));
    }

    /// One cannot be.
    pub fn cannot(&mut self, found: &Found, why: &str) {
        self.cannot += 1;
        let (letter, operator) = (&found.name, &found.letter.operator);
        self.has_rows |= found.letter.function.is_some() && found.letter.row.is_some();
        match self.format {
            Format::Json => {
                let line =
                    json!({ "letter": letter, "operator": operator, "sent": false, "why": why });
                print(&format!("{line}\n"));
            }
            Format::Text if self.cannot as usize <= NAMED => self.note(format!(
                "{letter} of {operator} cannot be sent again: {why}"
            )),
            Format::Text => {}
        }
    }

    /// Says something of all of them.
    pub fn note(&self, text: String) {
        self.talk.note(text);
    }

    /// Says it all. Whether every letter was sent, now or before.
    pub fn sum_up(&self) -> bool {
        let letters = counted(self.sent, "letter");
        let mut parts = vec![match self.dry_run {
            true => format!("{letters} would be sent again"),
            false => format!("{letters} sent again"),
        }];
        let mut say = |count: u64, what: &str| {
            if count > 0 {
                parts.push(format!("{count} {what}"));
            }
        };
        say(
            self.from_letters,
            "of them from the letter, as the record is gone",
        );
        say(self.before, "sent before");
        say(self.cannot, "cannot be sent again");
        say(self.others, "records are no letters");
        self.talk.note(parts.join(", "));
        if self.cannot as usize > NAMED && self.format == Format::Text {
            self.note(format!(
                "{} more cannot be: `--format json` names them all",
                self.cannot as usize - NAMED
            ));
        }
        if self.circling > 0 {
            self.talk.note(format!(
                "{} for the third time or more: see with `tidemill rerun --letter` why they fail before sending them on",
                counted(self.circling, "record")
            ));
        }
        self.cannot == 0
    }

    /// What can be done about letters that cannot be sent again, if there are such.
    pub fn hint(&self, pipeline: &Path) -> Option<String> {
        let pipeline = pipeline.display();
        let hint = match self.has_rows {
            true => format!(
                "hint: `tidemill rerun {pipeline} --letter NAME` gives the row of such a letter to its function again, alone; into \
                 the pipeline it comes only if its producer sends its record once more"
            ),
            false => {
                format!("hint: `tidemill dlq show {pipeline} NAME` shows what such a letter holds")
            }
        };
        (self.cannot > 0).then_some(hint)
    }
}
