//! Lives, checkpoints and stores for tests.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::*;

/// A clock that stands still but for the time that is waited.
#[derive(Debug, Default)]
pub struct TestClock(AtomicI64);

impl Clock for TestClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::Relaxed))
    }

    fn pause(&self, long: Duration) {
        self.0.fetch_add(long.as_micros() as i64, Ordering::Relaxed);
    }
}

pub fn life(token: u64) -> Life {
    Life {
        token,
        process: format!("process {token} of a test"),
        clock: Arc::new(TestClock::default()),
    }
}

/// The checkpoints of pipeline `fraud` in a store.
pub fn sequence(store: &MemoryStore) -> Sequence {
    of(store.clone())
}

pub fn of(store: impl Store + 'static) -> Sequence {
    Location::of_store(store).pipeline("fraud").unwrap()
}

pub fn claim(store: &MemoryStore, token: u64) -> Claim {
    sequence(store).claim(&life(token), OnLock::Refuse).unwrap()
}

pub fn contents(parts: Vec<Part>) -> Contents {
    Contents {
        kind: Kind::Checkpoint,
        decided_by: DecidedBy::Manifest,
        finished: false,
        workers: 1,
        max_parallelism: 128,
        modules: Default::default(),
        operators: vec![Operator {
            name: "totals".into(),
            kind: "process".into(),
            schemas: Default::default(),
            parts,
            more: Default::default(),
        }],
        sources: Default::default(),
        pending: Default::default(),
    }
}

/// Puts a data file with these bytes.
pub fn put(draft: &Draft, index: u32, bytes: &str) -> Result<Part, CheckpointError> {
    let mut file = draft.part("totals", 0, index)?;
    file.block(bytes.as_bytes());
    let content = Content {
        label: "value".into(),
        form: Form::Base,
        key_groups: None,
    };
    draft.put(file, content)
}

/// Completes a checkpoint of one file with these bytes, behind those of `before`.
pub fn checkpoint(
    claim: &mut Claim,
    before: &[Part],
    bytes: &str,
) -> Result<Checkpoint, CheckpointError> {
    let draft = claim.begin()?;
    let mut parts = before.to_vec();
    parts.push(put(&draft, 0, bytes)?);
    claim.complete(&draft, contents(parts))
}

/// What all data files of a checkpoint say, one behind the other.
pub fn state(sequence: &Sequence, checkpoint: &Checkpoint) -> Result<String, CheckpointError> {
    let mut text = String::new();
    for part in checkpoint.manifest.parts() {
        text += &String::from_utf8(sequence.read(part)?.concat()).unwrap();
    }
    Ok(text)
}

/// The checkpoint that is resumed.
pub fn resumed(found: Found) -> Checkpoint {
    match found.recovery {
        Recovery::Resume(checkpoint) => *checkpoint,
        other => panic!("not resumed: {other:?}"),
    }
}
