//! A pipeline's sequence of numbers: what stands under each, read without a claim and without changing anything.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::damage::{Damage, Why};
use crate::error::CheckpointError;
use crate::life::Life;
use crate::manifest::{
    ClaimNote, ConfirmedNote, DecidedBy, Manifest, PipelineNote, Record, Written,
};
use crate::names::{CONFIRMED, DATA, MANIFESTS, Number, PARTITIONS, PIPELINE, PartName, TASKS};
use crate::own::{Patience, put_own};
use crate::part::{Blocks, Part};
use crate::store::{Listed, Store};

/// The checkpoints of one pipeline in one location.
#[derive(Debug, Clone)]
pub struct Sequence {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) pipeline: String,
    /// Where its objects lie in the location.
    folder: String,
    /// Of a task's: its number.
    partition: Option<i32>,
    /// The pipeline's id, once it has been read: it never changes.
    id: Arc<OnceLock<String>>,
}

/// A checkpoint or savepoint that is complete.
#[derive(Debug, Clone, PartialEq)]
pub struct Checkpoint {
    /// What it consists of.
    pub manifest: Manifest,
    /// The checksum that stands in its manifest.
    pub crc32c: u32,
    /// Whether the act that decides about it was done; otherwise it is only prepared.
    pub confirmed: bool,
}

impl Checkpoint {
    /// Its number.
    pub fn number(&self) -> Number {
        self.manifest.number
    }
}

/// What stands under a number, with the note on it.
pub(crate) enum Taken {
    Claim(ClaimNote),
    Checkpoint(Box<Checkpoint>),
}

/// A data file that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub(crate) name: PartName,
    pub(crate) bytes: u64,
}

impl Sequence {
    pub(crate) fn new(store: Arc<dyn Store>, pipeline: &str) -> Self {
        Self {
            store,
            pipeline: pipeline.to_owned(),
            folder: pipeline.to_owned(),
            partition: None,
            id: Arc::default(),
        }
    }

    /// The checkpoints of one task of a pipeline that several processes share: a sequence of its own, with an id of its own.
    pub fn task(&self, partition: i32) -> Self {
        Self {
            partition: Some(partition),
            ..self.within(&format!("{TASKS}/{partition}"))
        }
    }

    /// A sequence of its own in a folder of this one.
    pub(crate) fn within(&self, folder: &str) -> Self {
        Self {
            store: Arc::clone(&self.store),
            pipeline: self.pipeline.clone(),
            folder: self.full(folder),
            partition: None,
            id: Arc::default(),
        }
    }

    /// Whose it is, if it is a task's.
    pub fn partition(&self) -> Option<i32> {
        self.partition
    }

    /// The pipeline's name.
    pub fn pipeline(&self) -> &str {
        &self.pipeline
    }

    /// Where a person finds it.
    pub fn place(&self) -> String {
        self.store.place(&self.folder)
    }

    /// Where a person finds an object, by its name in this sequence.
    pub(crate) fn place_of(&self, name: &str) -> String {
        self.store.place(&self.full(name))
    }

    /// The name of an object in the location.
    pub(crate) fn full(&self, name: &str) -> String {
        format!("{}/{name}", self.folder)
    }

    pub(crate) fn get(&self, name: &str) -> Result<Option<Bytes>, CheckpointError> {
        Ok(self.store.get(&self.full(name))?)
    }

    /// The objects in a folder, named from the sequence's own.
    pub(crate) fn list_folder(&self, folder: &str) -> Result<Vec<Listed>, CheckpointError> {
        let prefix = self.full("");
        let listed = self.store.list(&self.full(folder))?.into_iter();
        Ok(listed
            .map(|found| Listed {
                name: found
                    .name
                    .strip_prefix(&prefix)
                    .unwrap_or(&found.name)
                    .to_owned(),
                bytes: found.bytes,
            })
            .collect())
    }

    pub(crate) fn damaged(&self, name: &str, why: Why) -> Damage {
        Damage::new(self.place_of(name), why)
    }

    /// The pipeline's id; nothing if the location has never seen the pipeline.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn id(&self) -> Result<Option<String>, CheckpointError> {
        if let Some(id) = self.id.get() {
            return Ok(Some(id.clone()));
        }
        let Some(bytes) = self.get(PIPELINE)? else {
            return Ok(None);
        };
        let (note, _) = PipelineNote::decode(&bytes).map_err(|why| self.damaged(PIPELINE, why))?;
        if note.pipeline != self.pipeline {
            let why = Why::Other {
                expected: format!("pipeline {}", self.pipeline),
                found: format!("pipeline {}", note.pipeline),
            };
            return Err(self.damaged(PIPELINE, why).into());
        }
        Ok(Some(self.id.get_or_init(|| note.pipeline_id).clone()))
    }

    /// All numbers that are taken, from the oldest.
    ///
    /// # Errors
    /// If they cannot be read, or something else lies there.
    pub fn numbers(&self) -> Result<Vec<Number>, CheckpointError> {
        self.numbers_in(MANIFESTS)
    }

    /// The numbers of which a note says that they were confirmed.
    pub(crate) fn noted(&self) -> Result<Vec<Number>, CheckpointError> {
        self.numbers_in(CONFIRMED)
    }

    /// How many tasks the pipeline has had at any time, from the fewest; nothing if no process has ever shared it.
    ///
    /// # Errors
    /// If they cannot be read, or something else lies there.
    pub fn partitions(&self) -> Result<Vec<u64>, CheckpointError> {
        let counts = self.numbers_in(PARTITIONS)?;
        Ok(counts.into_iter().map(|count| count.0).collect())
    }

    /// Notes that the pipeline has so many tasks.
    ///
    /// # Errors
    /// If the note cannot be put.
    pub fn note_partitions(&self, count: u64, life: &Life) -> Result<(), CheckpointError> {
        let name = Number(count).file(PARTITIONS);
        let text = format!("{{\"partitions\":{count}}}\n");
        let object = (name.as_str(), &[Bytes::from(text)][..]);
        put_own(self, life.clock.as_ref(), object, Patience::LONG).map(|_| ())
    }

    pub(crate) fn numbers_in(&self, folder: &str) -> Result<Vec<Number>, CheckpointError> {
        let listed = self.list_folder(folder)?;
        let mut numbers = Vec::with_capacity(listed.len());
        for found in listed {
            let file = found
                .name
                .strip_prefix(folder)
                .and_then(|f| f.strip_prefix('/'));
            match file.and_then(Number::of_file) {
                Some(number) => numbers.push(number),
                None => return Err(self.damaged(&found.name, Why::Stray).into()),
            }
        }
        numbers.sort();
        Ok(numbers)
    }

    /// All data files.
    pub(crate) fn data_files(&self) -> Result<Vec<DataFile>, CheckpointError> {
        let listed = self.list_folder(DATA)?.into_iter();
        listed
            .map(|found| match found.name.parse() {
                Ok(name) => Ok(DataFile {
                    name,
                    bytes: found.bytes,
                }),
                Err(_) => Err(self.damaged(&found.name, Why::Stray).into()),
            })
            .collect()
    }

    /// What stands under a number; nothing if it is free.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or belongs to another number or pipeline.
    pub fn record(&self, number: Number) -> Result<Option<Record>, CheckpointError> {
        let name = number.manifest();
        let Some(bytes) = self.get(&name)? else {
            return Ok(None);
        };
        let record = Record::decode(&bytes).map_err(|why| self.damaged(&name, why))?;
        let id = self
            .id()?
            .ok_or_else(|| self.damaged(PIPELINE, Why::Missing))?;
        self.check_record(number, &id, &record)
            .map_err(|why| self.damaged(&name, why))?;
        Ok(Some(record))
    }

    /// Whether what stands under a number belongs there.
    fn check_record(&self, number: Number, id: &str, record: &Record) -> Result<(), Why> {
        let (found, found_number, _) = record.identity();
        if found != id {
            return Err(Why::Foreign {
                expected: id.to_owned(),
                found: found.to_owned(),
            });
        }
        match found_number == number {
            true => Ok(()),
            false => Err(Why::Other {
                expected: format!("number {number}"),
                found: format!("number {found_number}"),
            }),
        }
    }

    /// A complete checkpoint or savepoint; nothing if there is none of that number.
    ///
    /// # Errors
    /// If it, or the note that it was confirmed, cannot be read or is damaged. Data files are not looked at.
    pub fn checkpoint(&self, number: Number) -> Result<Option<Checkpoint>, CheckpointError> {
        match self.taken(number)? {
            Some(Taken::Checkpoint(checkpoint)) => Ok(Some(*checkpoint)),
            _ => Ok(None),
        }
    }

    /// Who has taken a number, and for what; nothing if it is free.
    pub(crate) fn taken(&self, number: Number) -> Result<Option<Taken>, CheckpointError> {
        let (manifest, crc32c) = match self.record(number)? {
            None => return Ok(None),
            Some(Record::Claim(claim)) => return Ok(Some(Taken::Claim(claim))),
            Some(Record::Manifest(manifest, crc32c)) => (manifest, crc32c),
        };
        let confirmed = match manifest.contents.decided_by {
            DecidedBy::Manifest => true,
            DecidedBy::Note => self.is_noted(&manifest, crc32c)?,
        };
        Ok(Some(Taken::Checkpoint(Box::new(Checkpoint {
            manifest: *manifest,
            crc32c,
            confirmed,
        }))))
    }

    /// Whether a note says that this very manifest was confirmed.
    fn is_noted(&self, manifest: &Manifest, crc32c: u32) -> Result<bool, CheckpointError> {
        let name = manifest.number.confirmed();
        let Some(bytes) = self.get(&name)? else {
            return Ok(false);
        };
        let (note, _) = ConfirmedNote::decode(&bytes).map_err(|why| self.damaged(&name, why))?;
        let said = (
            &note.pipeline_id,
            note.number,
            note.incarnation,
            note.manifest_crc32c,
        );
        let is = (
            &manifest.pipeline_id,
            manifest.number,
            manifest.incarnation,
            crc32c,
        );
        if said != is {
            let why = Why::Other {
                expected: format!("a note on checkpoint {} of {}", is.1, is.2),
                found: format!("one on checkpoint {} of {}", said.1, said.2),
            };
            return Err(self.damaged(&name, why).into());
        }
        Ok(true)
    }

    /// Every data file of a checkpoint that is missing or has another length than it must; by listing, nothing is read.
    ///
    /// # Errors
    /// If the files cannot be listed.
    pub fn missing(&self, manifest: &Manifest) -> Result<Vec<Damage>, CheckpointError> {
        let there: BTreeMap<String, u64> = self
            .list_folder(DATA)?
            .into_iter()
            .map(|found| (found.name, found.bytes))
            .collect();
        let wrong = |part: &Part| match there.get(&part.file) {
            None => Some(self.damaged(&part.file, Why::Missing)),
            Some(found) if *found != part.bytes => {
                let why = Why::Length {
                    expected: part.bytes,
                    found: *found,
                };
                Some(self.damaged(&part.file, why))
            }
            Some(_) => None,
        };
        Ok(manifest.parts().filter_map(wrong).collect())
    }

    /// Reads a data file and checks all of it.
    ///
    /// # Errors
    /// If it is missing, damaged or cannot be read.
    pub fn read(&self, part: &Part) -> Result<Blocks, CheckpointError> {
        let bytes = self
            .get(&part.file)?
            .ok_or_else(|| self.damaged(&part.file, Why::Missing))?;
        Ok(Blocks::check(part, bytes).map_err(|why| self.damaged(&part.file, why))?)
    }
}
