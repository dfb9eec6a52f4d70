//! Which headers dead letters and replayed records have.

use crate::kafka::start::Partition;

/// A header of a dead letter: its name, and what of the letter it holds.
#[derive(Clone, Copy, Debug)]
pub struct LetterHeader {
    pub name: &'static str,
    pub column: &'static str,
    pub part: Part,
}

/// The names of headers of dead letters.
#[derive(Clone, Copy, Debug)]
pub struct Header;

impl Header {
    /// The topic of the record behind it.
    pub const TOPIC: &'static str = "tidemill.topic";
    /// Its partition.
    pub const PARTITION: &'static str = "tidemill.partition";
    /// Its offset.
    pub const OFFSET: &'static str = "tidemill.offset";
    /// The row's event time, or the record's time where it was no row.
    pub const TIMESTAMP: &'static str = "tidemill.timestamp";
    /// The source or the operator where it failed.
    pub const OPERATOR: &'static str = "tidemill.operator";
    /// The hash of the module that was called.
    pub const MODULE: &'static str = "tidemill.module-hash";
    /// Why, as a word.
    pub const REASON: &'static str = "tidemill.reason";
}

/// A record that was sent again says with this how often it was.
pub const REPLAYED: &str = "tidemill.replayed";

/// And with this of which record it is the copy: `payments-0:17`.
pub const REPLAY_OF: &str = "tidemill.replay-of";

const fn header(name: &'static str, column: &'static str, part: Part) -> LetterHeader {
    LetterHeader { name, column, part }
}

/// The headers of a dead letter, and the columns of `<name>.failed` that they hold.
pub const LETTER_HEADERS: [LetterHeader; 7] = [
    header(Header::TOPIC, "split", Part::Topic),
    header(Header::PARTITION, "split", Part::Partition),
    header(Header::OFFSET, "position", Part::Whole),
    header(Header::TIMESTAMP, "time", Part::Whole),
    header(Header::OPERATOR, "operator", Part::Whole),
    header(Header::MODULE, "module_hash", Part::Whole),
    header(Header::REASON, "reason", Part::Whole),
];

/// So many of them are only for letters of records.
pub const OF_RECORDS: usize = 3;

/// What of a column's value a header holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The topic, of the name of a partition.
    Topic,
    /// The number, of the name of a partition.
    Partition,
}

impl Part {
    /// The part of a value, both as ranges of these bytes. Nothing of what is the name of no partition.
    pub fn of(self, bytes: &[u8], (start, end): (usize, usize)) -> Option<(usize, usize)> {
        if self == Self::Whole {
            return Some((start, end));
        }
        let name = std::str::from_utf8(&bytes[start..end]).ok()?;
        let partition = Partition::named(name).filter(Partition::may_be)?;
        let topic = start + partition.topic.len();
        Some(match self {
            Self::Topic => (start, topic),
            _ => (topic + 1, end),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Part;

    #[test]
    fn a_partition_has_a_topic_and_a_number_and_a_file_has_neither() {
        let cases = [
            ("payments-0", Some(("payments", "0"))),
            ("a-b.c_d-12", Some(("a-b.c_d", "12"))),
            ("payments-0.jsonl", None),
            ("in/payments-0", None),
            ("payments", None),
            ("payments--1", None),
        ];
        for (split, expected) in cases {
            let bytes = format!("before{split}");
            let at = (6, bytes.len());
            let part = |part: Part| {
                part.of(bytes.as_bytes(), at)
                    .map(|(from, to)| &bytes[from..to])
            };
            let found = part(Part::Topic).zip(part(Part::Partition));
            assert_eq!(found, expected, "{split}");
        }
    }
}
