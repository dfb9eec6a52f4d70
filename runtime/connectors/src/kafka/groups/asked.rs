//! What a broker was asked to put down for groups, as its own topic has it: also what belongs to transactions that it has not ended.
//!
//! Kafka's format of these records (`OffsetCommitKey.json`, `OffsetCommitValue.json` in its source):
//!
//! ```text
//! key    version: 0 or 1, i16 | group | topic | partition: i32
//! value  version: i16 | offset: i64 | from 3 on: leader's epoch, i32 | metadata | when, and more
//! text   its length, i16 | its bytes; from version 4 of the value on: its length and one, seven bits a byte | its bytes
//! ```

use crate::ConnectorError;
use crate::decode::varint;
use crate::kafka::client::ClientSpec;
use crate::kafka::letters::TopicReader;
use crate::kafka::source::Isolation;

use super::CommittedOffset;

/// Where the broker keeps them.
const TOPIC: &str = "__consumer_offsets";

/// Every offset that the broker was ever asked to put down for a group, as far as it has not been compacted away, whatever has become
/// of it. Nothing if whoever asks may not read that.
///
/// # Errors
/// If the cluster cannot be asked.
pub(super) fn all(
    cluster: &ClientSpec,
    group: &str,
) -> Result<Option<Vec<CommittedOffset>>, ConnectorError> {
    let Some(mut reader) = TopicReader::open(cluster, TOPIC, Isolation::ReadUncommitted)? else {
        return Ok(None);
    };
    let mut all = Vec::new();
    while let Some(record) = reader.record()? {
        let (Some(key), Some(value)) = (&record.key, &record.value) else {
            continue;
        };
        if let Some(offset) = offset(group, Fields(key), Fields(value)) {
            all.push(offset);
        }
    }
    Ok(Some(all))
}

/// What is not read yet of a key or a value.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    fn short(&mut self) -> Option<i16> {
        self.take().map(i16::from_be_bytes)
    }

    fn int(&mut self) -> Option<i32> {
        self.take().map(i32::from_be_bytes)
    }

    fn long(&mut self) -> Option<i64> {
        self.take().map(i64::from_be_bytes)
    }

    fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.short()?).ok()?;
        self.text_of(length)
    }

    fn compact_text(&mut self) -> Option<&'a str> {
        let (length, read) = varint::short(self.0)?;
        self.0 = &self.0[read..];
        self.text_of(usize::try_from(length).ok()?.checked_sub(1)?)
    }

    fn text_of(&mut self, length: usize) -> Option<&'a str> {
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        std::str::from_utf8(text).ok()
    }
}

/// The offset in a record; nothing if it is of another group, or says something else.
fn offset(group: &str, mut key: Fields<'_>, mut value: Fields<'_>) -> Option<CommittedOffset> {
    if !(0..=1).contains(&key.short()?) || key.text()? != group {
        return None;
    }
    let (topic, partition) = (key.text()?.to_owned(), key.int()?);
    let version = value.short()?;
    let next = value.long()?;
    if version >= 3 {
        value.int()?;
    }
    let metadata = match version {
        ..=3 => value.text()?,
        4.. => value.compact_text()?,
    };
    Some(CommittedOffset {
        topic,
        partition,
        next,
        metadata: metadata.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as i16).to_be_bytes(), text.as_bytes()].concat()
    }

    fn key(version: i16, group: &str) -> Vec<u8> {
        let version = version.to_be_bytes().to_vec();
        [version, text(group), text("rows"), vec![0, 0, 0, 7]].concat()
    }

    fn value(version: i16) -> Vec<u8> {
        let mut value = version.to_be_bytes().to_vec();
        value.extend(300_i64.to_be_bytes());
        if version >= 3 {
            value.extend((-1_i32).to_be_bytes());
        }
        let metadata = "m".repeat(200);
        match version {
            // 201 in seven bits a byte.
            4 => value.extend([&[0xc9, 0x01], metadata.as_bytes()].concat()),
            _ => value.extend(text(&metadata)),
        }
        value.extend(5_i64.to_be_bytes());
        value
    }

    #[test]
    fn offsets_are_read_in_every_version() {
        for version in [0, 1, 2, 3, 4] {
            let (key, value) = (key(1, "mine"), value(version));
            let read = offset("mine", Fields(&key), Fields(&value)).expect("an offset");
            assert_eq!((read.topic.as_str(), read.partition), ("rows", 7));
            assert_eq!((read.next, read.metadata.len()), (300, 200), "{version}");
        }
    }

    #[test]
    fn what_is_no_offset_of_the_group_is_passed_over() {
        let value = value(4);
        for key in [
            key(1, "theirs"),
            key(2, "mine"),
            Vec::new(),
            vec![0, 1, 0, 9],
        ] {
            assert_eq!(offset("mine", Fields(&key), Fields(&value)), None);
        }
        let key = key(0, "mine");
        for end in 0..value.len() - 8 {
            assert_eq!(offset("mine", Fields(&key), Fields(&value[..end])), None);
        }
    }
}
