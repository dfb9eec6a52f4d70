//! Requests to the process that runs a pipeline, their answers, and copies of savepoints.

use std::time::Duration;

use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::*;

use crate::support::*;

#[test]
fn a_request_reaches_whom_it_is_for_and_is_answered_once() {
    let store = MemoryStore::new();
    let first = claim(&store, 1);
    let mut asked_of_first = first.requests();
    let asker = sequence(&store);
    let newest = asker.newest().unwrap().expect("a claim");
    assert_eq!(
        (newest.incarnation, newest.runs),
        (first.incarnation(), None)
    );
    let asked = asker
        .ask(newest.incarnation, Wish::Savepoint, &life(77))
        .unwrap();
    assert_eq!(asked.answer().unwrap(), None);

    let requests = asked_of_first.look().unwrap();
    let [request] = &requests[..] else {
        panic!("{requests:?}")
    };
    assert_eq!(request.wish, Wish::Savepoint);
    assert_eq!(asked_of_first.look().unwrap(), [], "it is seen once");
    asked_of_first
        .answer(request, Outcome::Done(Number(7)))
        .unwrap();
    assert_eq!(asked.answer().unwrap(), Some(Outcome::Done(Number(7))));
    asked.withdraw();
    let left = |name: &String| name.contains("requests") || name.contains("answers");
    assert!(!store.names().iter().any(left), "{:?}", store.names());
}

#[test]
fn what_was_asked_of_one_incarnation_is_never_done_by_the_next() {
    let store = MemoryStore::new();
    let first = claim(&store, 1);
    let asked = sequence(&store)
        .ask(first.incarnation(), Wish::Stop, &life(77))
        .unwrap();
    let second = claim(&store, 2);
    let mut requests = second.requests();
    assert_eq!(requests.look().unwrap(), []);
    assert_eq!(asked.answer().unwrap(), None);
    assert!(!store.names().iter().any(|name| name.contains("requests")));
}

#[test]
fn a_request_of_another_pipeline_or_a_damaged_one_is_not_believed() {
    let store = MemoryStore::new();
    let first = claim(&store, 1);
    let mut requests = first.requests();
    let asked = sequence(&store)
        .ask(first.incarnation(), Wish::Stop, &life(77))
        .unwrap();
    let name = store.names().into_iter().find(|n| n.contains("requests"));
    let name = name.expect("it was put");
    let mut bytes = store.get(&name).unwrap().expect("it is there").to_vec();
    bytes[60] ^= 1;
    store.replace(&name, bytes);
    assert!(matches!(requests.look(), Err(CheckpointError::Damaged(_))));
    asked.withdraw();

    let other = MemoryStore::new();
    // The same incarnation, of a pipeline with another id: a copied folder, say.
    let later = life(1);
    later.clock.pause(Duration::from_secs(1));
    let foreign = sequence(&other).claim(&later, OnLock::Refuse).unwrap();
    assert_eq!(foreign.incarnation(), first.incarnation());
    assert_ne!(foreign.pipeline_id(), first.pipeline_id());
    sequence(&other)
        .ask(foreign.incarnation(), Wish::Stop, &life(78))
        .unwrap();
    let of = other.names().into_iter().find(|n| n.contains("requests"));
    let of = of.expect("it was put");
    store.replace(&of, other.get(&of).unwrap().expect("it is there"));
    assert_eq!(requests.look().unwrap(), []);
}

#[test]
fn a_copy_is_whole_by_itself() {
    let store = MemoryStore::new();
    let mut first = claim(&store, 1);
    let made = checkpoint(&mut first, &[], "some ").unwrap();
    let parts: Vec<Part> = made.manifest.parts().cloned().collect();
    let made = checkpoint(&mut first, &parts, "state").unwrap();
    let (from, elsewhere) = (sequence(&store), MemoryStore::new());
    let to = sequence(&elsewhere);
    for _ in 0..2 {
        let copied = from.copy(made.number(), &to, &life(9)).unwrap();
        assert_eq!(copied, made);
    }
    let found = to.newest_checkpoint().unwrap().expect("the copy");
    assert_eq!(found, made);
    assert_eq!(state(&to, &found).unwrap(), "some state");
    assert_eq!(
        to.checkpoint(Number(2)).unwrap(),
        None,
        "only what was asked for"
    );

    // Another pipeline of the same name has the place already.
    let taken = MemoryStore::new();
    claim(&taken, 5);
    let refused = from.copy(made.number(), &sequence(&taken), &life(9));
    assert!(matches!(
        refused,
        Err(CheckpointError::Configuration { .. })
    ));

    // What is damaged is not copied.
    let name = made.manifest.parts().next().expect("a part").file.clone();
    store.replace(&format!("fraud/{name}"), "nothing of the kind");
    let refused = from.copy(made.number(), &sequence(&MemoryStore::new()), &life(9));
    assert!(matches!(refused, Err(CheckpointError::Damaged(_))));
}
