//! Publishing: complete parts come to stand in their places. And restoring: what a checkpoint kept of them is taken up.
//!
//! Publishing may be stopped anywhere and be done again, also by another process at the same time: a part is joined under a
//! hidden name, renamed into its place, and only then its segments are removed. So where one of them is missing, the part is
//! in its place.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::Metadata;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::join::Joined;
use super::ledger::Ledger;
use super::pending::{Part, Pending, Segment};
use crate::ConnectorError;
use crate::encode::Encoding;

/// What becomes of parts whose rows are not where a checkpoint says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// It is an error: the newest checkpoint has everything.
    Refuse,
    /// They are left out: a later checkpoint has published them, and a person has decided to go back before it.
    LeaveOut,
}

/// The parts that become one file.
struct Together<'a> {
    parts: Vec<&'a Part>,
}

impl Together<'_> {
    fn segments(&self) -> Vec<&Segment> {
        self.parts.iter().flat_map(|part| &part.segments).collect()
    }

    /// How many bytes the file has, where that follows.
    fn length(&self, format: Encoding) -> Option<u64> {
        let segments = self.segments();
        let bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
        let heads: u64 = segments.iter().skip(1).map(|segment| segment.head).sum();
        let joined = segments.len() > 1 && format == Encoding::Parquet;
        (!joined).then_some(bytes - heads)
    }
}

impl Ledger {
    /// Puts all complete parts in their places; which were not there yet.
    pub fn publish(&self, pending: &[Pending]) -> Result<Vec<PathBuf>, ConnectorError> {
        let mut files: BTreeMap<&str, Vec<&Part>> = BTreeMap::new();
        for part in pending.iter().flat_map(|of_worker| &of_worker.parts) {
            if let Some(name) = &part.publish {
                files.entry(name).or_default().push(part);
            }
        }
        let mut published = Vec::new();
        let mut renamed = Vec::new();
        for (name, parts) in files {
            let together = Together { parts };
            let place = self.folder.join(name);
            if self.put(&together, &place)? {
                published.push(place);
            }
            renamed.push(together);
        }
        if !published.is_empty() {
            let synced = self.effects.sync_folder(&self.folder);
            synced.map_err(|error| ConnectorError::writing(&self.folder, error))?;
        }
        for together in &renamed {
            self.tidy(together)?;
            for part in &together.parts {
                self.note_published(&part.id);
            }
        }
        Ok(published)
    }

    /// Puts one file in its place, if it is not there.
    fn put(&self, together: &Together<'_>, place: &Path) -> Result<bool, ConnectorError> {
        let segments = together.segments();
        if let Some(missing) = self.missing(&segments)? {
            return match self.is_there(together, place)? {
                true => Ok(false),
                false => Err(ConnectorError::Lost(format!(
                    "cannot publish {}: neither it nor its pending file {} is there as it was written",
                    place.display(),
                    self.folder.join(&missing.file).display()
                ))),
            };
        }
        let from = match segments.as_slice() {
            [one] if self.can_be_renamed(one)? => self.folder.join(&one.file),
            _ => match self.join(&segments)? {
                Some(joined) => joined,
                // Somebody else has published it in the meantime.
                None => return Ok(false),
            },
        };
        match self.effects.rename(&from, place) {
            Ok(()) => Ok(true),
            Err(error)
                if error.kind() == ErrorKind::NotFound && self.is_there(together, place)? =>
            {
                Ok(false)
            }
            Err(error) => Err(ConnectorError::writing(place, error)),
        }
    }

    /// Joins segments into one hidden file, durable; nothing if one of them has gone.
    fn join(&self, segments: &[&Segment]) -> Result<Option<PathBuf>, ConnectorError> {
        let number = {
            let mut state = self.state();
            state.joins += 1;
            state.joins
        };
        let path = self.folder.join(self.hidden(&format!("join.{number}")));
        let mut joined = Joined::create(&self.folder, &path, self.effects.clone())?;
        let all = match (self.format, segments) {
            (Encoding::Parquet, [_, _, ..]) => joined.row_groups(segments)?,
            _ => joined.bytes(segments)?,
        };
        match all {
            true => joined.end().map(|()| Some(path)),
            false => Ok(None),
        }
    }

    /// The first segment that is not there as far as it counts.
    fn missing<'a>(&self, segments: &[&'a Segment]) -> Result<Option<&'a Segment>, ConnectorError> {
        for segment in segments {
            let there = self.metadata(&self.folder.join(&segment.file))?;
            if there.is_none_or(|there| there.len() < segment.bytes) {
                return Ok(Some(segment));
            }
        }
        Ok(None)
    }

    fn is_there(&self, together: &Together<'_>, place: &Path) -> Result<bool, ConnectorError> {
        let length = together.length(self.format);
        let there = self.metadata(place)?;
        Ok(there.is_some_and(|there| length.is_none_or(|length| there.len() == length)))
    }

    /// Whether a segment may become the published file itself: if it is whole, and nobody writes to it any more.
    fn can_be_renamed(&self, segment: &Segment) -> Result<bool, ConnectorError> {
        let there = self.metadata(&self.folder.join(&segment.file))?;
        let whole = there.is_some_and(|there| there.len() == segment.bytes);
        Ok(whole && !segment.left)
    }

    fn metadata(&self, path: &Path) -> Result<Option<Metadata>, ConnectorError> {
        match path.symlink_metadata() {
            Ok(there) => Ok(Some(there)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ConnectorError::reading(path, error)),
        }
    }

    /// Removes segments of a file that is in its place.
    fn tidy(&self, together: &Together<'_>) -> Result<(), ConnectorError> {
        let mut segments = together.segments().into_iter();
        segments.try_for_each(|segment| self.remove(&self.folder.join(&segment.file)))
    }

    fn remove(&self, path: &Path) -> Result<(), ConnectorError> {
        match self.effects.remove(path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(ConnectorError::writing(path, error))
            }
            _ => Ok(()),
        }
    }

    /// Publishes what was complete, and takes up what was open: each worker its own part, so that with as many workers as
    /// before the parts of one hold the rows of a key in their order. Which files were published.
    pub fn restore(
        &self,
        pending: &[Pending],
        workers: usize,
        missing: Missing,
    ) -> Result<Vec<PathBuf>, ConnectorError> {
        let mut open = Vec::new();
        let of_workers = pending.iter().enumerate();
        let parts = of_workers.flat_map(|(worker, of_worker)| {
            let parts = of_worker.parts.iter();
            parts.map(move |part| (worker, part))
        });
        for (worker, part) in parts {
            if part.publish.is_some() {
                continue;
            }
            let segments: Vec<&Segment> = part.segments.iter().collect();
            match (self.missing(&segments)?, missing) {
                (None, _) => open.push((worker, part.clone())),
                (Some(_), Missing::LeaveOut) => {}
                (Some(segment), Missing::Refuse) => {
                    return Err(ConnectorError::Lost(format!(
                        "{} is not there as it was written, with {} bytes: {} rows that the checkpoint names are lost",
                        self.folder.join(&segment.file).display(),
                        segment.bytes,
                        segment.rows
                    )));
                }
            }
        }
        let published = self.publish(pending)?;
        let parts = pending.iter().flat_map(|of_worker| &of_worker.parts);
        let names = parts.flat_map(|part| {
            let files = part.segments.iter().map(|segment| &segment.file);
            files.chain([&part.id])
        });
        let taken = names.filter_map(|name| self.number(name)).max();
        let mut state = self.state();
        state.taken = state.taken.max(taken.unwrap_or_default());
        state.taken_up.clear();
        for (worker, mut part) in open {
            part.segments
                .iter_mut()
                .for_each(|segment| segment.left = true);
            let worker = worker % workers.max(1);
            if let Some(first) = state.taken_up.get_mut(&worker) {
                first.begun_ms = first.begun_ms.min(part.begun_ms);
                first.segments.append(&mut part.segments);
            } else {
                state.taken_up.insert(worker, part);
            }
        }
        Ok(published)
    }

    /// Removes pending files of older incarnations that none of these name. Older, and not just other: a process that was
    /// stopped may wake up to this when another one has taken over, whose files it must leave alone.
    pub fn clean(&self, kept: &[Pending]) -> Result<(), ConnectorError> {
        let parts = kept.iter().flat_map(|of_worker| &of_worker.parts);
        let kept: BTreeSet<&str> = parts
            .flat_map(|part| &part.segments)
            .map(|segment| segment.file.as_str())
            .collect();
        let own = format!(".{}.", self.life.owner);
        let own_claim = claim(&self.life.incarnation);
        for name in self.names()? {
            let rest = name.strip_prefix(&own);
            let rest = rest.and_then(|rest| rest.strip_suffix(".pending"));
            let incarnation = rest.and_then(|rest| rest.split('.').next());
            let older = match (incarnation.and_then(claim), own_claim) {
                (Some(theirs), Some(own)) => theirs < own,
                _ => false,
            };
            if older && !kept.contains(name.as_str()) {
                self.remove(&self.folder.join(name))?;
            }
        }
        Ok(())
    }

    /// The files that were published with later checkpoints.
    pub fn published_after(&self, checkpoint: u64) -> Result<Vec<PathBuf>, ConnectorError> {
        let later = |name: &String| {
            let rest = name.strip_prefix("part-")?;
            let number: u64 = rest.split('-').next()?.parse().ok()?;
            (!self.one_file() && rest.split('-').count() > 3 && number > checkpoint).then_some(())
        };
        let names = self.names()?;
        let names = names.into_iter().filter(|name| later(name).is_some());
        Ok(names.map(|name| self.folder.join(name)).collect())
    }

    /// The names of all files in the folder, in order.
    pub fn names(&self) -> Result<BTreeSet<String>, ConnectorError> {
        let reading = |error| ConnectorError::reading(&self.folder, error);
        let mut names = BTreeSet::new();
        for entry in self.folder.read_dir().map_err(reading)? {
            names.extend(entry.map_err(reading)?.file_name().into_string().ok());
        }
        Ok(names)
    }
}

/// The number of an incarnation's claim: a later incarnation has a greater one.
fn claim(incarnation: &str) -> Option<u64> {
    incarnation.split('-').next()?.parse().ok()
}
