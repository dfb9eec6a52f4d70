//! Rounds in which the disk is full, or fails, for a while: a process goes on when it has passed, or stops and says why, and the
//! next one has lost nothing.

use anyhow::{Result, bail, ensure};

use crate::life::End;
use crate::moment::{Hit, Moment};
use crate::round::Round;

/// What writing fails with, and what the system calls it.
const ERRORS: [(i32, &str); 2] = [
    (libc::ENOSPC, "No space left on device"),
    (libc::EIO, "Input/output error"),
];

/// How many acts fail: what is tried again at once, for a while, and until the process ends.
const ACTS: [u64; 4] = [1, 4, 30, 1_000_000];

/// Moments at which something is written.
const MOMENTS: [Moment; 7] = [
    Moment::Claim,
    Moment::Republish,
    Moment::Pending,
    Moment::Snapshot,
    Moment::Manifest,
    Moment::Between,
    Moment::Publish,
];

impl Round<'_> {
    /// Lives whose writing fails and lives that are killed in turn, and one that is left alone.
    pub fn fails(&mut self) -> Result<()> {
        let mut last = None;
        for _ in 0..2 + self.random.below(4) {
            if self.failed()? {
                break;
            }
            last = self.killed(last)?;
            if last.is_none() {
                break;
            }
        }
        self.end()
    }

    /// A life whose writing fails. Whether it has ended all the same.
    fn failed(&mut self) -> Result<bool> {
        let moment = self.random.one_of(&MOMENTS);
        let aim = self.aim(moment);
        let (error, text) = self.random.one_of(&ERRORS);
        let acts = self.random.one_of(&ACTS);
        let restarts = self.random.one_of(&[0, 3]);
        self.restarts = restarts;
        let life = self.start(false, Some((aim, Hit::Error { error, acts })))?;
        self.restarts = 0;
        let (end, done) = life.end()?;
        self.note(&done);
        if done.failed.is_empty() {
            ensure!(
                end == End::Done,
                "nothing failed, and life ended so: {end:?}"
            );
            self.summary.missed += 1;
            return Ok(true);
        }
        *self.summary.failures.entry(moment).or_default() += 1;
        let what = format!(
            "from {} act {} on, {} writes failed with `{text}`, the first at {}",
            moment.name(),
            aim.number,
            done.failed.len(),
            done.failed[0]
        );
        let (went_on, said) = match end {
            End::Done => (true, String::new()),
            End::Stopped(said) if said.contains(text) => (false, said),
            other => bail!("{what}; it ended so: {other:?}"),
        };
        self.summary.put_up_with += u64::from(went_on);
        let said = said.lines().next().unwrap_or("it went on").to_owned();
        self.look(&format!("{what}; {restarts} restarts: {said}"))?;
        Ok(went_on)
    }
}
