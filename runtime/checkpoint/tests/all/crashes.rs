//! A life that crashes at each of its effects in turn, or is refused it, or is stopped there while another one lives: what it
//! was told has happened has, and what it was not told has happened whole or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tidemill_checkpoint::store::faults::{Fate, Faults};
use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::*;

use crate::support::*;

/// Resumes, completes three checkpoints, each a character longer than the one before, and removes what is not needed. What
/// was completed is told as it happens.
fn live(
    sequence: &Sequence,
    token: u64,
    completed: &mut Vec<String>,
) -> Result<(), CheckpointError> {
    let mut claim = sequence.claim(&life(token), OnLock::Refuse)?;
    let mut parts = Vec::new();
    let mut text = String::new();
    if let Recovery::Resume(from) = claim.recovery()?.recovery {
        text = state(sequence, &from)?;
        parts = from.manifest.parts().cloned().collect();
        claim.resume(Some(&from));
    }
    claim.sweep()?;
    for n in 0..3 {
        let letter = char::from(b'a' + (token % 26) as u8);
        let base = n == 1;
        text.push(letter);
        let new = if base {
            text.clone()
        } else {
            letter.to_string()
        };
        let before = if base { Vec::new() } else { parts };
        let done = checkpoint(&mut claim, &before, &new)?;
        completed.push(text.clone());
        parts = done.manifest.parts().cloned().collect();
        claim.retain(1)?;
    }
    Ok(())
}

#[test]
fn crashed_at_every_effect_in_turn() {
    for fate in [Fate::CrashBefore, Fate::CrashAfter] {
        for crash_at in 0.. {
            let store = MemoryStore::new();
            let mut completed = Vec::new();
            live(&sequence(&store), 1, &mut completed).unwrap();

            let effects = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&effects);
            let crashing = Faults::new(store.clone(), move |_| {
                match counted.fetch_add(1, Ordering::Relaxed) == crash_at {
                    true => fate,
                    false => Fate::Done,
                }
            });
            let told = completed.len();
            let crashed = live(&of(crashing), 2, &mut completed);
            if crashed.is_ok() {
                assert!(crash_at > 30, "a life has more effects than {crash_at}");
                break;
            }
            let error = crashed.unwrap_err();
            assert!(!error.is_fenced(), "{error}");

            // The next life finds what was told last, or one more that was about to be told.
            let sequence = sequence(&store);
            let claim = sequence.claim(&life(3), OnLock::Refuse).unwrap();
            let from = resumed(claim.recovery().unwrap());
            let text = state(&sequence, &from).unwrap();
            let last = completed.last().unwrap();
            let one_more = text.len() == last.len() + 1 && text.starts_with(last.as_str());
            assert!(
                text == *last || one_more,
                "{fate:?} at {crash_at}: {text} after {last}"
            );
            assert!(completed.len() <= told + 3);
            drop(claim);
            live(&sequence, 4, &mut completed).unwrap();
            everything_verifies(&sequence, &store);
        }
    }
}

#[test]
fn refused_at_every_effect_in_turn() {
    for refused_at in 0.. {
        let store = MemoryStore::new();
        let effects = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&effects);
        let full = Faults::new(store.clone(), move |_| {
            match counted.fetch_add(1, Ordering::Relaxed) == refused_at {
                true => Fate::Refused,
                false => Fate::Done,
            }
        });
        let refusing = of(full);
        let mut completed = Vec::new();
        let mut token = 1;
        while let Err(error) = live(&refusing, token, &mut completed) {
            let place = format!("{error}");
            assert!(
                error.is_transient() && error.certainly_not_done(),
                "{place}"
            );
            token += 1;
        }
        assert!(token <= 2, "only one effect was refused");
        let text = completed.last().unwrap();
        assert!(
            completed.iter().all(|told| text.starts_with(told.as_str())),
            "{completed:?}"
        );
        live(&sequence(&store), 4, &mut completed).unwrap();
        everything_verifies(&sequence(&store), &store);
        if effects.load(Ordering::Relaxed) < refused_at {
            break;
        }
    }
}

#[test]
fn stopped_at_every_effect_in_turn_while_another_lives() {
    for stopped_at in 0.. {
        let store = MemoryStore::new();
        let mut ours = Vec::new();
        live(&sequence(&store), 1, &mut ours).unwrap();

        let theirs = Arc::new(Mutex::new(Vec::new()));
        let (there, told) = (store.clone(), Arc::clone(&theirs));
        let mut effects = 0;
        let stopping = Faults::new(store.clone(), move |_| {
            if effects == stopped_at {
                live(&sequence(&there), 3, &mut told.lock().unwrap()).unwrap();
            }
            effects += 1;
            Fate::Done
        });
        let ended = live(&of(stopping), 2, &mut ours);
        let theirs = std::mem::take(&mut *theirs.lock().unwrap());
        let (Some(first), Some(last)) = (theirs.first(), theirs.last()) else {
            assert!(stopped_at > 30, "a life has more effects than {stopped_at}");
            break;
        };
        let newest = match ended {
            // It had not claimed yet, or was at its end: what the one was told is before what the other was.
            Ok(()) => match last.len() > ours.last().unwrap().len() {
                true => last,
                false => {
                    let claimed_again = ours.last().unwrap();
                    assert!(
                        claimed_again.starts_with(last.as_str()),
                        "{stopped_at}: {ours:?} {theirs:?}"
                    );
                    claimed_again
                }
            },
            Err(error) => {
                // What it was to resume may be gone before it learns that it was passed.
                let gone = matches!(error, CheckpointError::Damaged(_));
                assert!(error.is_fenced() || gone, "{stopped_at}: {error}");
                last
            }
        };
        let told = ours.iter().filter(|text| *text != newest);
        assert!(
            told.clone().all(|text| newest.starts_with(text.as_str())),
            "{stopped_at}: {ours:?} {theirs:?}"
        );
        assert!(newest.starts_with(first.as_str()));
        let from = resumed(sequence(&store).recovery().unwrap());
        assert_eq!(
            &state(&sequence(&store), &from).unwrap(),
            newest,
            "{stopped_at}"
        );
        live(&sequence(&store), 4, &mut ours).unwrap();
        everything_verifies(&sequence(&store), &store);
    }
}

/// All that is there is whole, and nothing is there that nobody needs.
fn everything_verifies(sequence: &Sequence, store: &MemoryStore) {
    let mut needed = Vec::new();
    for entry in sequence.list().unwrap() {
        match entry.what {
            What::Claim(_) => {}
            What::Checkpoint(checkpoint, damage) => {
                assert_eq!(damage, []);
                assert_eq!(
                    sequence
                        .verify(checkpoint.number())
                        .unwrap()
                        .unwrap()
                        .damage,
                    []
                );
                needed.extend(
                    checkpoint
                        .manifest
                        .parts()
                        .map(|part| format!("fraud/{}", part.file)),
                );
            }
            What::Unreadable(damage) => panic!("{damage}"),
        }
    }
    let mut there = store.names();
    there.retain(|name| name.contains("/data/"));
    needed.sort();
    assert_eq!(there, needed);
}
