//! Savepoints are deleted by a person, and what others need stays.

use std::sync::{Arc, Mutex};

use tidemill_checkpoint::store::faults::{Effect, Fate, Faults};
use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::*;

use crate::support::*;

/// Completes a savepoint of one file with these bytes, behind those of `before`.
fn savepoint(claim: &mut Claim, before: &[Part], bytes: &str) -> Checkpoint {
    let draft = claim.begin().unwrap();
    let mut parts = before.to_vec();
    parts.push(put(&draft, 0, bytes).unwrap());
    let contents = Contents {
        kind: Kind::Savepoint,
        ..contents(parts)
    };
    claim.complete(&draft, contents).unwrap()
}

fn parts(checkpoint: &Checkpoint) -> Vec<Part> {
    checkpoint.manifest.parts().cloned().collect()
}

fn data(store: &MemoryStore) -> usize {
    let names = store.names();
    names.iter().filter(|name| name.contains("/data/")).count()
}

/// Why it is not deleted.
fn refused(sequence: &Sequence, number: Number) -> String {
    let error = sequence.delete_savepoint(number, &life(9)).unwrap_err();
    assert!(error.certainly_not_done() && error.hint().is_some());
    error.to_string()
}

#[test]
fn what_others_need_stays() {
    let store = MemoryStore::new();
    let (mut claim, sequence) = (claim(&store, 1), sequence(&store));
    let first = savepoint(&mut claim, &[], "a");
    let second = savepoint(&mut claim, &parts(&first), "b");
    checkpoint(&mut claim, &parts(&first), "c").unwrap();
    assert_eq!(data(&store), 3);

    let deleted = sequence.delete_savepoint(second.number(), &life(9));
    assert_eq!(deleted.unwrap(), Deleted::Files(1));
    let deleted = sequence.delete_savepoint(first.number(), &life(9));
    assert_eq!(deleted.unwrap(), Deleted::Files(0));
    assert_eq!(data(&store), 2);

    // Whoever runs goes on as before, and whoever comes finds what is there.
    claim.retain(1).unwrap();
    let last = checkpoint(&mut claim, &parts(&first), "d").unwrap();
    claim.retain(1).unwrap();
    let mut next = crate::support::claim(&store, 2);
    let found = resumed(next.recovery().unwrap());
    assert_eq!(found, last);
    assert_eq!(state(&sequence, &found).unwrap(), "ad");
    next.sweep().unwrap();
    assert_eq!(data(&store), 2);
    assert_eq!(
        refused(&sequence, first.number()),
        "pipeline fraud has no checkpoint 2 in memory:fraud"
    );
}

#[test]
fn what_may_be_gone_on_from_is_not_deleted() {
    let store = MemoryStore::new();
    let (mut first, sequence) = (claim(&store, 1), sequence(&store));
    let save = savepoint(&mut first, &[], "a");
    let number = save.number();
    assert_eq!(
        refused(&sequence, number),
        "savepoint 2 is what the next run goes on from"
    );
    let later = checkpoint(&mut first, &[], "b").unwrap();
    assert_eq!(
        refused(&sequence, later.number()),
        "3 is a checkpoint, not a savepoint"
    );
    // Who has begun may have been told to go back to it, and names its files in the first checkpoint.
    let mut second = claim(&store, 2);
    second.resume(Some(&save));
    assert_eq!(
        refused(&sequence, number),
        "a process has begun that may have gone on from savepoint 2"
    );
    let grown = checkpoint(&mut second, &parts(&save), "c").unwrap();
    let deleted = sequence.delete_savepoint(number, &life(9));
    assert_eq!(deleted.unwrap(), Deleted::Files(0));
    assert_eq!(state(&sequence, &grown).unwrap(), "ac");
}

#[test]
fn a_copy_goes_whole() {
    let (store, other) = (MemoryStore::new(), MemoryStore::new());
    let (mut claim, to) = (claim(&store, 1), sequence(&other));
    let first = savepoint(&mut claim, &[], "a");
    let second = savepoint(&mut claim, &parts(&first), "b");
    for copied in [&first, &second] {
        let number = copied.number();
        claim.sequence().copy(number, &to, &life(3)).unwrap();
    }
    let deleted = to.delete_savepoint(second.number(), &life(9)).unwrap();
    assert_eq!(deleted, Deleted::Files(1));
    assert_eq!(state(&to, &first).unwrap(), "a");
    let deleted = to.delete_savepoint(first.number(), &life(9)).unwrap();
    assert_eq!(deleted, Deleted::Files(1));
    assert_eq!(data(&other), 0);
    assert_eq!(data(&store), 2);
}

/// Whoever is slow to read manifests has not seen those that came meanwhile, and does not find what has gone for them.
#[test]
fn what_came_while_manifests_were_read_is_not_forgotten() {
    let store = MemoryStore::new();
    let mut first = claim(&store, 1);
    let before = checkpoint(&mut first, &[], "a").unwrap();
    let mut asleep: Option<Claim> = None;
    let wakes = Arc::new(Mutex::new(false));
    let (other, awake) = (store.clone(), wakes.clone());
    let slow = Faults::new(store.clone(), move |effect| {
        let reads = matches!(effect, Effect::Get(name) if name.ends_with("000000000001.json"));
        if reads && std::mem::take(&mut *awake.lock().unwrap()) {
            // Another one takes over, goes on from what the sleeper had, and lets that go.
            let mut next = claim(&other, 3);
            let newest = resumed(next.recovery().unwrap());
            next.resume(Some(&newest));
            checkpoint(&mut next, &parts(&newest)[..1], "c").unwrap();
            next.retain(1).unwrap();
            asleep.replace(next);
        }
        Fate::Done
    });
    let mut sleeper = of(slow).claim(&life(2), OnLock::Refuse).unwrap();
    sleeper.resume(Some(&before));
    checkpoint(&mut sleeper, &parts(&before), "b").unwrap();
    *wakes.lock().unwrap() = true;
    sleeper.sweep().unwrap();
    let last = resumed(claim(&store, 4).recovery().unwrap());
    assert_eq!(state(&sequence(&store), &last).unwrap(), "ac");
}
