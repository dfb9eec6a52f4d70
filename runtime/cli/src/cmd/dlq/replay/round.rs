//! Letters of one topic, some at a time: their records are looked for, and sent in one transaction.

use std::collections::{BTreeMap, HashSet};

use anyhow::anyhow;
use tidemill_connectors::BAD_ROW_BYTES;
use tidemill_connectors::kafka::letters::{Originals, Receipts, RecordAt, Resending, Stored};

use super::told::{Tally, Told};
use crate::cmd::dlq::places::{LetterTopic, Places};
use crate::cmd::dlq::select::Found;
use crate::error::Failure;

/// See the module.
pub(super) struct Round<'a> {
    places: &'a Places,
    topic: &'a LetterTopic,
    /// None if nothing is to be sent.
    resending: Option<Resending>,
    /// What was sent before, where nothing is to be sent.
    receipts: Receipts,
    again: bool,
    /// Records of each source that was needed, by its name.
    originals: BTreeMap<&'a str, Originals>,
    /// What is to be looked for.
    waiting: Vec<(RecordAt, Found)>,
    /// The records of this process: one is sent once for all its letters.
    done: HashSet<RecordAt>,
    /// What is in the open transaction: to be told when it is committed.
    sent: Vec<Told>,
    sent_bytes: usize,
}

/// Where a record was found.
enum Source {
    Topic,
    Letter,
}

impl<'a> Round<'a> {
    pub fn new(
        (places, topic): (&'a Places, &'a LetterTopic),
        resending: Option<Resending>,
        again: bool,
    ) -> Result<Self, Failure> {
        let receipts = match resending {
            Some(_) => Receipts::default(),
            None => Receipts::read(&topic.cluster, &places.pipeline)?,
        };
        Ok(Self {
            places,
            topic,
            resending,
            receipts,
            again,
            originals: BTreeMap::new(),
            waiting: Vec::new(),
            done: HashSet::new(),
            sent: Vec::new(),
            sent_bytes: 0,
        })
    }

    /// Takes a letter. Whether it is one more that is to be sent.
    pub fn add(&mut self, found: Found, tally: &mut Tally) -> Result<bool, Failure> {
        let origin = match self.origin(&found)? {
            Ok(origin) => origin,
            Err(why) => {
                tally.cannot(&found, &why);
                return Ok(false);
            }
        };
        if self.done.contains(&origin) || (!self.again && self.was_sent(&origin)?) {
            tally.before += 1;
            return Ok(false);
        }
        self.done.insert(origin.clone());
        self.waiting.push((origin, found));
        if self.waiting.len() >= Resending::MOST_RECORDS {
            self.send(tally)?;
        }
        Ok(true)
    }

    /// Sends what is left.
    pub fn end(mut self, tally: &mut Tally) -> Result<(), Failure> {
        self.send(tally)
    }

    /// The record behind a letter, or why none can be sent.
    fn origin(&mut self, found: &Found) -> Result<Result<RecordAt, String>, Failure> {
        let Some(origin) = found.origin() else {
            return Ok(Err("its row did not come from a topic".to_owned()));
        };
        let Some(source) = self.places.source(&origin.topic) else {
            return Ok(Err(format!(
                "no source of this pipeline reads topic {}",
                origin.topic
            )));
        };
        if source.cluster.brokers != self.topic.cluster.brokers {
            let (letters, rows) = (&self.topic.cluster.brokers, &source.cluster.brokers);
            let error = anyhow!(
                "the letters in {} lie at {letters}, and source {} reads at {rows}: no transaction spans two clusters",
                self.topic.topic,
                source.name
            );
            return Err(Failure::wrong(error).hint(
                "write both addresses alike if they are one cluster; otherwise let dead letters go to the source's",
            ));
        }
        if !self.originals.contains_key(source.name.as_str()) {
            let originals = Originals::new(&source.cluster, source.isolation)?;
            self.originals.insert(&source.name, originals);
        }
        Ok(Ok(origin))
    }

    fn was_sent(&mut self, origin: &RecordAt) -> Result<bool, Failure> {
        let id = self.id(&origin.topic)?;
        let receipts = match &self.resending {
            Some(resending) => resending.receipts(),
            None => &self.receipts,
        };
        Ok(receipts.get(origin, id.as_deref()).is_some())
    }

    /// The id of a topic of which a letter has come.
    fn id(&mut self, topic: &str) -> Result<Option<String>, Failure> {
        match self.originals_of(topic) {
            Some(originals) => Ok(originals.id(topic)?.map(str::to_owned)),
            None => Ok(None),
        }
    }

    /// The records of the source that reads a topic, once a letter of it has come.
    fn originals_of(&mut self, topic: &str) -> Option<&mut Originals> {
        let source = self.places.source(topic)?;
        self.originals.get_mut(source.name.as_str())
    }

    /// Looks for the records of the letters that wait, and sends them in the order in which they stand in their partitions.
    fn send(&mut self, tally: &mut Tally) -> Result<(), Failure> {
        let mut waiting = std::mem::take(&mut self.waiting);
        waiting.sort_by(|(one, _), (other, _)| one.cmp(other));
        for (origin, found) in waiting {
            let topic = origin.topic.clone();
            let (record, partitions, source) = match self.record(origin, &found)? {
                Ok(record) => record,
                Err(why) => {
                    tally.cannot(&found, &why);
                    continue;
                }
            };
            let id = self.id(&topic)?;
            let told = Told {
                letter: found.name,
                record: record.at.to_string(),
                from_letter: matches!(source, Source::Letter),
                times: record.replayed() + 1,
                brief: crate::cmd::dlq::show::brief(&record),
            };
            if let Some(resending) = &mut self.resending {
                resending.send(&record, (partitions, id))?;
            }
            self.sent.push(told);
            self.sent_bytes += record.value.as_ref().map_or(0, Vec::len);
            if self.sent_bytes >= Resending::MOST_BYTES {
                self.commit(tally)?;
            }
        }
        self.commit(tally)
    }

    fn commit(&mut self, tally: &mut Tally) -> Result<(), Failure> {
        if let Some(resending) = &mut self.resending {
            resending.commit()?;
        }
        self.sent_bytes = 0;
        self.sent.drain(..).for_each(|told| tally.sent(told));
        Ok(())
    }

    /// The record behind a letter, how many partitions its topic has, and where the record was found; or why there is none.
    fn record(
        &mut self,
        origin: RecordAt,
        found: &Found,
    ) -> Result<Result<(Stored, i32, Source), String>, Failure> {
        let Some(originals) = self.originals_of(&origin.topic) else {
            return Ok(Err(format!("nobody reads topic {}", origin.topic)));
        };
        let Some(partitions) = originals.partitions(&origin.topic)? else {
            return Ok(Err(format!("there is no topic {} any more", origin.topic)));
        };
        let there = originals.get(&origin)?;
        if let Some(record) = there.filter(|record| is_it(record, found)) {
            return Ok(Ok((record, partitions, Source::Topic)));
        }
        Ok(held(origin, found).map(|record| (record, partitions, Source::Letter)))
    }
}

/// Whether a record is the one behind a letter, as far as the letter shows: a topic that was made again has others.
fn is_it(record: &Stored, found: &Found) -> bool {
    let value = record.value.as_deref().unwrap_or_default();
    let bytes = found.letter.bytes.as_deref();
    bytes.is_none_or(|bytes| &value[..value.len().min(BAD_ROW_BYTES)] == bytes)
}

/// The record as far as the letter holds it.
fn held(origin: RecordAt, found: &Found) -> Result<Stored, String> {
    let gone = format!("{origin} is not there any more, and the letter");
    match found.letter.bytes.as_deref() {
        None => Err(format!(
            "{gone} holds the row that was made of it, not the record"
        )),
        Some([]) => Err(format!("{gone} holds nothing of it")),
        Some(bytes) if bytes.len() >= BAD_ROW_BYTES => {
            Err(format!("{gone} holds only its beginning"))
        }
        Some(bytes) => Ok(Stored {
            at: origin,
            key: None,
            value: Some(bytes.to_vec()),
            headers: Vec::new(),
            time_ms: found.letter.time.map(|time| time.div_euclid(1000)),
        }),
    }
}
