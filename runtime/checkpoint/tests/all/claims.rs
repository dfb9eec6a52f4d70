//! Of two that run a pipeline, exactly one goes on.

use std::sync::Barrier;
use std::sync::atomic::{AtomicU32, Ordering};

use tidemill_checkpoint::store::faults::{Effect, Fate, Faults};
use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::*;

use crate::support::*;

#[test]
fn numbers_go_on_over_lives() {
    let store = MemoryStore::new();
    let mut first = claim(&store, 1);
    assert_eq!(first.incarnation().to_string(), "1-0000000000000001");
    assert_eq!(
        checkpoint(&mut first, &[], "a").unwrap().number(),
        Number(2)
    );
    let three = checkpoint(&mut first, &[], "b").unwrap();
    assert_eq!(
        (three.number(), three.manifest.continues),
        (Number(3), Some(Number(2)))
    );

    let mut second = claim(&store, 2);
    let from = resumed(second.recovery().unwrap());
    assert_eq!(from, three);
    second.resume(Some(&from));
    let five = checkpoint(&mut second, &[], "c").unwrap();
    assert_eq!(
        (five.number(), five.manifest.continues),
        (Number(5), Some(Number(3)))
    );
    assert_eq!(first.pipeline_id(), second.pipeline_id());
}

#[test]
fn a_later_claim_fences_wherever_the_older_one_was_stopped() {
    // Stopped before its first checkpoint, between two, and with data files put but no manifest.
    for completed in 0..3 {
        for begun in [false, true] {
            let store = MemoryStore::new();
            let mut old = claim(&store, 1);
            for _ in 0..completed {
                checkpoint(&mut old, &[], "old").unwrap();
            }
            let draft = begun.then(|| {
                let draft = old.begin().unwrap();
                (put(&draft, 0, "old").unwrap(), draft)
            });
            let mut new = claim(&store, 2);
            let taken_over = |by| sequence(&store).taken_over(by).unwrap();
            let told = taken_over(old.incarnation()).map(|error| error.to_string());
            assert!(told.is_some_and(|told| told.contains("process 2 of a test")));
            assert!(taken_over(new.incarnation()).is_none());
            let error = match draft {
                Some((part, draft)) => old.complete(&draft, contents(vec![part])).unwrap_err(),
                None => checkpoint(&mut old, &[], "old").unwrap_err(),
            };
            assert!(error.is_fenced(), "{error}");
            let text = error.to_string();
            assert!(text.contains("process 2 of a test"), "{text}");
            assert!(old.begin().unwrap_err().is_fenced());
            assert!(old.retain(1).unwrap_err().is_fenced());
            checkpoint(&mut new, &[], "new").unwrap();
        }
    }
}

#[test]
fn an_older_life_that_slept_through_retention_is_fenced() {
    let store = MemoryStore::new();
    let mut old = claim(&store, 1);
    checkpoint(&mut old, &[], "old").unwrap();
    // More lives than claims are kept: the number that the old one would complete next is free again.
    for token in 2..150 {
        let mut new = claim(&store, token);
        checkpoint(&mut new, &[], "new").unwrap();
        new.retain(1).unwrap();
    }
    assert!(
        !store
            .names()
            .contains(&"fraud/manifests/000000000003.json".to_owned())
    );
    let newest = resumed(claim(&store, 200).recovery().unwrap());
    let error = checkpoint(&mut old, &[], "old").unwrap_err();
    assert!(error.is_fenced(), "{error}");
    assert_eq!(resumed(claim(&store, 201).recovery().unwrap()), newest);
}

#[test]
fn a_claim_of_a_number_that_was_removed_meanwhile_is_stale() {
    let store = MemoryStore::new();
    let mut running = claim(&store, 1);
    checkpoint(&mut running, &[], "a").unwrap();
    // The starting one is stopped after it has read the newest number, 2, and before it claims 3.
    let third = "fraud/manifests/000000000003.json".to_owned();
    let there = store.clone();
    let mut slept = false;
    let sleeps = move |effect: &Effect| {
        if *effect == Effect::Put(third.clone()) && !std::mem::replace(&mut slept, true) {
            for _ in 0..4 {
                checkpoint(&mut running, &[], "b").unwrap();
            }
            running.retain(1).unwrap();
            assert!(!there.names().contains(&third));
        }
        Fate::Done
    };
    let new = of(Faults::new(store.clone(), sleeps))
        .claim(&life(3), OnLock::Refuse)
        .unwrap();
    assert_eq!(new.incarnation().claim, Number(7));
    let found = sequence(&store).numbers().unwrap();
    assert_eq!(
        found,
        [1, 3, 6, 7].map(Number),
        "3 is what it claimed in vain"
    );
}

#[test]
fn of_two_that_race_exactly_one_wins_every_number() {
    for round in 0..200 {
        let store = MemoryStore::new();
        let start = Barrier::new(2);
        let completed = AtomicU32::new(0);
        let (fenced, perhaps) = (AtomicU32::new(0), AtomicU32::new(0));
        std::thread::scope(|scope| {
            for token in 1..=2 {
                let (store, start) = (&store, &start);
                let (completed, fenced, perhaps) = (&completed, &fenced, &perhaps);
                scope.spawn(move || {
                    start.wait();
                    let mut claim = claim(store, token);
                    for n in 0..5 {
                        match checkpoint(&mut claim, &[], &format!("{round} {token} {n}")) {
                            Ok(_) => completed.fetch_add(1, Ordering::Relaxed),
                            Err(e) if e.is_fenced() => {
                                fenced.fetch_add(1, Ordering::Relaxed);
                                perhaps.fetch_add(
                                    u32::from(!e.certainly_not_done()),
                                    Ordering::Relaxed,
                                );
                                return;
                            }
                            Err(e) => panic!("{e}"),
                        };
                    }
                });
            }
        });
        let sequence = sequence(&store);
        let records: Vec<Record> = sequence
            .numbers()
            .unwrap()
            .into_iter()
            .map(|n| sequence.record(n).unwrap().unwrap())
            .collect();
        let claims = records
            .iter()
            .filter(|r| matches!(r, Record::Claim(_)))
            .count();
        assert!(
            claims >= 2,
            "each has claimed, and again if it was passed while it did"
        );
        let completed = completed.load(Ordering::Relaxed) + perhaps.load(Ordering::Relaxed);
        assert_eq!(records.len() as u32, claims as u32 + completed);
        // Behind the later claim stands nothing of the earlier one.
        let last_claim = records
            .iter()
            .rposition(|r| matches!(r, Record::Claim(_)))
            .unwrap();
        let Record::Claim(later) = &records[last_claim] else {
            unreachable!()
        };
        for record in &records[last_claim..] {
            let incarnation = match record {
                Record::Claim(claim) => claim.incarnation,
                Record::Manifest(manifest, _) => manifest.incarnation,
            };
            assert_eq!(incarnation, later.incarnation);
        }
        assert!(fenced.load(Ordering::Relaxed) <= 1);
    }
}

#[test]
fn puts_of_unknown_outcome_count_as_own_when_read_back() {
    // The first answer is lost; every later put is found taken, by ourselves.
    for fate in [Fate::AnswerLost, Fate::Lost] {
        for name in [
            "pipeline.json",
            "manifests/000000000001.json",
            "manifests/000000000002.json",
            "data/",
        ] {
            let store = MemoryStore::new();
            let mut first = true;
            let faulty = Faults::new(store.clone(), move |effect| match effect {
                Effect::Put(put) if put.contains(name) && std::mem::take(&mut first) => fate,
                _ => Fate::Done,
            });
            let mut claim = of(faulty).claim(&life(1), OnLock::Refuse).unwrap();
            let completed = checkpoint(&mut claim, &[], "a").unwrap();
            assert_eq!(completed.number(), Number(2), "{fate:?} {name}");
            let next = self::claim(&store, 2);
            assert_eq!(resumed(next.recovery().unwrap()), completed);
        }
    }
}

#[test]
fn a_manifest_whose_outcome_stays_unknown_ends_the_incarnation() {
    for (fate, happened) in [(Fate::AnswerLost, true), (Fate::Lost, false)] {
        let store = MemoryStore::new();
        let mut unreachable = false;
        let faulty = Faults::new(store.clone(), move |effect| match effect {
            Effect::Put(name) if name.ends_with("manifests/000000000002.json") => {
                unreachable = true;
                fate
            }
            _ if unreachable => Fate::Lost,
            _ => Fate::Done,
        });
        let mut claim = of(faulty).claim(&life(1), OnLock::Refuse).unwrap();
        let error = checkpoint(&mut claim, &[], "a").unwrap_err();
        assert!(!error.certainly_not_done(), "{error}");
        assert!(
            error
                .to_string()
                .ends_with("(it may have been done all the same)"),
            "{error}"
        );
        assert!(claim.begin().is_err());
        let found = self::claim(&store, 2).recovery().unwrap();
        assert_eq!(found.recovery != Recovery::Fresh, happened);
        assert_eq!(found.never_happened.is_empty(), happened);
    }
}

#[test]
fn a_manifest_that_was_refused_may_be_tried_again_in_another_attempt() {
    let store = MemoryStore::new();
    let mut refusals = 2;
    let faulty = Faults::new(store.clone(), move |effect| match effect {
        Effect::Put(name) if name.contains("000000000002") && refusals > 0 => {
            refusals -= 1;
            Fate::Refused
        }
        _ => Fate::Done,
    });
    let mut claim = of(faulty).claim(&life(1), OnLock::Refuse).unwrap();
    for _ in 0..2 {
        let error = checkpoint(&mut claim, &[], "a").unwrap_err();
        assert!(
            error.certainly_not_done() && error.is_transient(),
            "{error}"
        );
    }
    let completed = checkpoint(&mut claim, &[], "c").unwrap();
    assert_eq!(completed.number(), Number(2));
    let file = &completed.manifest.parts().next().unwrap().file;
    assert_eq!(file, "data/1-0000000000000001/2.3.totals.0.0");
}

#[test]
fn an_attempt_that_was_given_up_cannot_be_completed() {
    let store = MemoryStore::new();
    let mut claim = claim(&store, 1);
    let old = claim.begin().unwrap();
    let part = put(&old, 0, "a").unwrap();
    claim.begin().unwrap();
    let error = claim.complete(&old, contents(vec![part])).unwrap_err();
    assert!(matches!(error, CheckpointError::Internal(_)), "{error}");
}

#[test]
fn a_store_that_overwrites_is_refused() {
    /// Puts what it is given, always, as some services do that do not know `If-None-Match`.
    #[derive(Debug)]
    struct Overwrites(MemoryStore);

    impl Store for Overwrites {
        fn put(
            &self,
            name: &str,
            pieces: &[bytes::Bytes],
        ) -> Result<store::Put, store::StoreError> {
            self.0.replace(name, pieces.concat());
            Ok(store::Put::Created)
        }
        fn get(&self, name: &str) -> Result<Option<bytes::Bytes>, store::StoreError> {
            self.0.get(name)
        }
        fn list(&self, folder: &str) -> Result<Vec<store::Listed>, store::StoreError> {
            self.0.list(folder)
        }
        fn delete(&self, name: &str) -> Result<(), store::StoreError> {
            self.0.delete(name)
        }
        fn place(&self, name: &str) -> String {
            self.0.place(name)
        }
    }

    let error = of(Overwrites(MemoryStore::new()))
        .claim(&life(1), OnLock::Refuse)
        .unwrap_err();
    assert!(
        matches!(error, CheckpointError::Configuration { .. }),
        "{error}"
    );
}

#[test]
fn the_first_two_may_begin_at_once() {
    let store = MemoryStore::new();
    let (other, mut asleep) = (store.clone(), true);
    let slow = Faults::new(store.clone(), move |effect| {
        // Between looking for the pipeline's id and for numbers.
        if matches!(effect, Effect::List(_)) && std::mem::take(&mut asleep) {
            drop(claim(&other, 2));
        }
        Fate::Done
    });
    let late = of(slow).claim(&life(1), OnLock::Refuse).unwrap();
    assert_eq!(late.incarnation().claim, Number(2));
    assert_eq!(
        Some(late.pipeline_id().to_owned()),
        sequence(&store).id().unwrap()
    );
}
