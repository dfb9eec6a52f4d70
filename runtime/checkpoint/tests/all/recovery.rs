//! What a process that starts goes on from.

use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::*;

use crate::support::*;

#[test]
fn nothing_there_is_fresh_and_so_are_claims_alone() {
    let store = MemoryStore::new();
    assert_eq!(
        sequence(&store).recovery().unwrap().recovery,
        Recovery::Fresh
    );
    assert!(store.names().is_empty(), "looking makes nothing");
    for token in 1..4 {
        let found = claim(&store, token).recovery().unwrap();
        assert_eq!(found.recovery, Recovery::Fresh);
    }
}

#[test]
fn what_has_no_manifest_never_happened() {
    let store = MemoryStore::new();
    let mut first = claim(&store, 1);
    let two = checkpoint(&mut first, &[], "a").unwrap();
    put(&first.begin().unwrap(), 0, "b").unwrap();
    let found = claim(&store, 2).recovery().unwrap();
    assert_eq!(found.never_happened, [Number(3)]);
    assert_eq!(resumed(found), two);
}

#[test]
fn what_is_gone_is_no_fresh_start() {
    // Of two lives and a checkpoint that each has completed, what is removed, and what a third one says.
    let whole = MemoryStore::new();
    checkpoint(&mut claim(&whole, 1), &[], "a").unwrap();
    checkpoint(&mut claim(&whole, 2), &[], "b").unwrap();
    let gone = "gone: memory:fraud/manifests: there have been checkpoints";
    let cases: &[(&[&str], &str)] = &[
        (&["manifests/000000000002", "manifests/000000000004"], gone),
        (&["manifests/"], gone),
        (&["pipeline.json"], "missing: memory:fraud/pipeline.json"),
        (&["manifests/000000000001", "manifests/000000000003"], ""),
    ];
    for (removed, expected) in cases {
        let store = whole.copy();
        for name in store.names() {
            if removed.iter().any(|part| name.contains(part)) {
                store.delete(&name).unwrap();
            }
        }
        let found = sequence(&store)
            .claim(&life(3), OnLock::Refuse)
            .and_then(|claim| claim.recovery());
        match (found, *expected) {
            (Ok(found), "") => assert_eq!(resumed(found).number(), Number(4)),
            (Err(error), expected) if !expected.is_empty() => {
                assert!(
                    error.to_string().starts_with(expected),
                    "{removed:?}: {error}"
                );
            }
            (found, _) => panic!("{removed:?}: {found:?}"),
        }
    }
}

#[test]
fn prepared_ones_are_not_resumed_until_a_note_confirms_them() {
    let store = MemoryStore::new();
    let mut first = claim(&store, 1);
    let prepare = |claim: &mut Claim, bytes: &str| {
        let draft = claim.begin().unwrap();
        let parts = vec![put(&draft, 0, bytes).unwrap()];
        let contents = Contents {
            decided_by: DecidedBy::Note,
            ..contents(parts)
        };
        claim.complete(&draft, contents).unwrap()
    };
    let mut two = prepare(&mut first, "a");
    assert!(!two.confirmed);
    first.confirm(&mut two).unwrap();
    first.confirm(&mut two).unwrap();
    assert!(two.confirmed);
    let mut three = prepare(&mut first, "b");

    let mut second = claim(&store, 2);
    let found = second.recovery().unwrap();
    assert_eq!(found.only_prepared, [Number(3)]);
    assert_eq!(resumed(found), two);
    // The other side says that it was decided: its note is made up for by the new life.
    second.confirm(&mut three).unwrap();
    assert_eq!(resumed(second.recovery().unwrap()), three);
}

#[test]
fn going_back_past_a_damaged_one_follows_what_it_continues() {
    let store = MemoryStore::new();
    let mut first = claim(&store, 1);
    let two = checkpoint(&mut first, &[], "a").unwrap();
    let three = checkpoint(&mut first, &[], "b").unwrap();
    // A person goes back to 2 on purpose: what is completed then does not continue 3.
    let mut second = claim(&store, 2);
    second.resume(Some(&two));
    let five = checkpoint(&mut second, &[], "c").unwrap();
    assert_eq!(
        second.sequence().before(five.number()).unwrap().as_ref(),
        Some(&two)
    );
    assert_eq!(
        second.sequence().before(three.number()).unwrap(),
        Some(two.clone())
    );
    assert_eq!(second.sequence().before(two.number()).unwrap(), None);

    let file = &five.manifest.parts().next().unwrap().file;
    store.delete(&format!("fraud/{file}")).unwrap();
    let found = claim(&store, 3).recovery().unwrap();
    let Recovery::Damaged {
        number,
        damage,
        before,
    } = found.recovery
    else {
        panic!("{found:?}");
    };
    assert_eq!(number, Number(5));
    assert_eq!(
        damage[0].to_string(),
        format!("missing: memory:fraud/{file}")
    );
    assert_eq!(before.as_deref(), Some(&two));

    // Its manifest too: then it cannot be known what it continued, and the newest whole one is named.
    store.replace("fraud/manifests/000000000005.json", "{}");
    let found = claim(&store, 4).recovery().unwrap();
    let Recovery::Damaged { before, .. } = found.recovery else {
        panic!("{found:?}");
    };
    assert_eq!(before.as_deref(), Some(&three));
}
