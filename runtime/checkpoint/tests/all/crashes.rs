//! A life that crashes at each of its effects in turn, and the next one: what it was told has happened has, and what it was
//! not told has happened whole or not at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

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

/// All that is there is whole, and nothing is there that nobody needs.
fn everything_verifies(sequence: &Sequence, store: &MemoryStore) {
    let mut needed = Vec::new();
    for entry in sequence.list().unwrap() {
        match entry.what {
            What::Claim(_) => {}
            What::Checkpoint(checkpoint, damage) => {
                assert_eq!(damage, []);
                assert_eq!(sequence.verify(checkpoint.number()).unwrap().damage, []);
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
