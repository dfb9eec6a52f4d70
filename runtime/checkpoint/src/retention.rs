//! What may go. Decided as a function of what all manifests say; then deleted by name.
//!
//! Invariants:
//! 1. Nothing that a kept manifest names is deleted, whoever wrote it.
//! 2. A manifest goes before its files: a crash between leaves files that nobody names, never a checkpoint without files.
//! 3. While one manifest cannot be read nothing is deleted, since nobody knows what it needs.

use std::collections::{BTreeMap, BTreeSet};

use crate::claim::Claim;
use crate::error::{CheckpointError, Happened};
use crate::manifest::Kind;
use crate::names::{Incarnation, Number};
use crate::own::Patience;
use crate::sequence::{Sequence, Taken};
use crate::store::StoreError;

/// Claims that are kept, the newest: a process that was stopped for as long as this many starts is still found out by the
/// first name that it tries.
const CLAIMS_KEPT: usize = 100;

/// So often numbers are listed anew that have gone while they were read.
const MOST_LOOKS: usize = 10;

/// What was removed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// Checkpoints, by number.
    pub checkpoints: Vec<Number>,
    /// How many data files.
    pub files: usize,
}

/// What stands under a number, as far as retention needs it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Entry {
    Claim(Incarnation),
    Checkpoint {
        kind: Kind,
        confirmed: bool,
        continues: Option<Number>,
        files: BTreeSet<String>,
    },
}

pub(crate) type Index = BTreeMap<Number, Entry>;

impl Sequence {
    /// What stands under every number. Whoever runs the pipeline meanwhile may add numbers: what those name, a number that
    /// was there names too, or is their own. So none that was listed may be missing: then it is listed again.
    ///
    /// # Errors
    /// If one of them cannot be read, or they never stand still.
    pub(crate) fn index(&self) -> Result<Index, CheckpointError> {
        for _ in 0..MOST_LOOKS {
            if let Some(index) = self.index_once()? {
                return Ok(index);
            }
        }
        Err(StoreError {
            what: format!("cannot know what stands in {}", self.place()),
            error: "manifests are removed again and again while they are read".to_owned(),
            happened: Happened::No,
            hint: "see who else runs this pipeline",
        }
        .into())
    }

    /// Nothing if a number has gone since they were listed.
    fn index_once(&self) -> Result<Option<Index>, CheckpointError> {
        let mut index = Index::new();
        for number in self.numbers()? {
            let entry = match self.taken(number)? {
                Some(Taken::Claim(claim)) => Entry::Claim(claim.incarnation),
                Some(Taken::Checkpoint(checkpoint)) => Entry::of(&checkpoint),
                None => return Ok(None),
            };
            index.insert(number, entry);
        }
        Ok(Some(index))
    }
}

impl Entry {
    pub(crate) fn of(checkpoint: &crate::Checkpoint) -> Self {
        let manifest = &checkpoint.manifest;
        Self::Checkpoint {
            kind: manifest.contents.kind,
            confirmed: checkpoint.confirmed,
            continues: manifest.continues,
            files: manifest.parts().map(|part| part.file.clone()).collect(),
        }
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        matches!(
            self,
            Self::Checkpoint {
                confirmed: true,
                ..
            }
        )
    }

    fn counts(&self) -> bool {
        let kind = Kind::Checkpoint;
        matches!(self, Self::Checkpoint { confirmed: true, kind: k, .. } if *k == kind)
    }

    pub(crate) fn files(&self) -> impl Iterator<Item = &String> {
        match self {
            Self::Claim(_) => None,
            Self::Checkpoint { files, .. } => Some(files.iter()),
        }
        .into_iter()
        .flatten()
    }
}

/// What may go, if the newest `keep` checkpoints stay, and what the state at hand grew from.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) numbers: Vec<Number>,
    pub(crate) files: BTreeSet<String>,
}

pub(crate) fn plan(index: &Index, keep: usize, grown_from: Option<Number>) -> Plan {
    let kept = kept(index, keep.max(1), grown_from);
    let (stay, go): (Vec<_>, Vec<_>) = index.iter().partition(|(number, _)| kept.contains(number));
    let needed: BTreeSet<&String> = stay
        .into_iter()
        .flat_map(|(_, entry)| entry.files())
        .collect();
    let files = go.iter().flat_map(|(_, entry)| entry.files());
    Plan {
        files: files
            .filter(|file| !needed.contains(file))
            .cloned()
            .collect(),
        numbers: go.into_iter().map(|(number, _)| *number).collect(),
    }
}

fn kept(index: &Index, keep: usize, grown_from: Option<Number>) -> BTreeSet<Number> {
    let newest_confirmed = index
        .iter()
        .rev()
        .find(|(_, e)| e.is_confirmed())
        .map(|(n, _)| *n);
    let mut kept: BTreeSet<Number> = index
        .iter()
        .filter(|(number, entry)| match entry {
            Entry::Claim(_) => false,
            Entry::Checkpoint {
                kind: Kind::Savepoint,
                ..
            } => true,
            // Whether it will be confirmed is decided outside.
            Entry::Checkpoint {
                confirmed: false, ..
            } => newest_confirmed.is_none_or(|newest| **number > newest),
            Entry::Checkpoint { .. } => false,
        })
        .map(|(number, _)| *number)
        .collect();
    let claims = index
        .iter()
        .rev()
        .filter(|(_, e)| matches!(e, Entry::Claim(_)));
    kept.extend(claims.map(|(n, _)| *n).take(CLAIMS_KEPT));
    // By number, and by descent: after a person has gone back these are not the same.
    let by_number = index
        .iter()
        .rev()
        .filter(|(_, e)| e.counts())
        .map(|(n, _)| *n);
    kept.extend(by_number.take(keep));
    for from in [newest_confirmed, grown_from].into_iter().flatten() {
        kept.extend(descent(index, from, keep));
    }
    // The next number is found from the newest: it must never be given twice.
    kept.extend(index.keys().next_back());
    kept
}

/// A checkpoint and those that it grew from, until `keep` of them count.
fn descent(index: &Index, from: Number, keep: usize) -> Vec<Number> {
    let mut line = Vec::new();
    let mut counted = 0;
    let mut next = Some(from);
    while let Some(number) = next.filter(|_| counted < keep) {
        let Some(entry @ Entry::Checkpoint { continues, .. }) = index.get(&number) else {
            break;
        };
        counted += usize::from(entry.counts());
        if entry.is_confirmed() {
            line.push(number);
        }
        // Older ones only, so that a manifest that names itself ends the line.
        next = continues.filter(|older| *older < number);
    }
    line
}

impl Claim {
    /// Removes checkpoints that are not among the newest `keep` (at least one) and no savepoints, and the data files that
    /// nothing else needs.
    ///
    /// # Errors
    /// `Fenced` if a later incarnation has claimed: what is needed is for that one to know. If a manifest cannot be read: nothing is removed then. Or if something could not be deleted; the rest is found by the
    /// next incarnation.
    pub fn retain(&mut self, keep: usize) -> Result<Removed, CheckpointError> {
        self.check_newest()?;
        let mut index = match self.index.take() {
            Some(index) => index,
            None => self.sequence.index()?,
        };
        let plan = plan(&index, keep, self.continues());
        let mut removed = Removed {
            files: plan.files.len(),
            ..Removed::default()
        };
        for number in plan.numbers {
            self.delete(&number.manifest())?;
            if let Some(Entry::Checkpoint { .. }) = index.remove(&number) {
                self.delete(&number.confirmed())?;
                removed.checkpoints.push(number);
            }
        }
        for file in &plan.files {
            self.delete(file)?;
        }
        self.index = Some(index);
        Ok(removed)
    }

    /// Removes data files of older incarnations that no manifest names, and what their interrupted writes have left.
    ///
    /// # Errors
    /// If a manifest cannot be read: nothing is removed then. Or if something could not be deleted.
    pub fn sweep(&mut self) -> Result<Removed, CheckpointError> {
        self.check()?;
        let index = self.sequence.index()?;
        let needed: BTreeSet<&String> = index.values().flat_map(Entry::files).collect();
        let mut removed = Removed::default();
        for file in self.sequence.data_files()? {
            let name = file.name.to_string();
            if file.name.incarnation.claim < self.incarnation.claim && !needed.contains(&name) {
                self.delete(&name)?;
                removed.files += 1;
            }
        }
        for number in self.sequence.noted()? {
            if !index.contains_key(&number) {
                self.delete(&number.confirmed())?;
            }
        }
        for entry in index.values() {
            if let Entry::Claim(older) = entry
                && older.claim < self.incarnation.claim
            {
                self.sequence
                    .store
                    .tidy(&self.sequence.full(&older.folder()));
            }
        }
        self.index = Some(index);
        Ok(removed)
    }

    fn delete(&self, name: &str) -> Result<(), CheckpointError> {
        let full = self.sequence.full(name);
        Patience::SHORT.until_done(self.clock.as_ref(), || {
            Ok(self.sequence.store.delete(&full)?)
        })
    }
}
