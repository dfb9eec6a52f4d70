//! Orders of what tasks go on from, and instances that can be asked without having a task.

use std::collections::BTreeMap;

use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::*;

use crate::support::*;

fn order(number: u64, tasks: &[(i32, Origin)]) -> Restore {
    Restore {
        pipeline: "fraud".to_owned(),
        number: Number(number),
        tasks: tasks.iter().cloned().collect::<BTreeMap<_, _>>(),
        allow_duplicates: false,
        allow_dropped_state: vec!["totals".to_owned()],
        process: "a test".to_owned(),
        made: Moment(0),
    }
}

#[test]
fn of_the_orders_that_name_a_task_the_newest_counts() {
    let store = MemoryStore::new();
    let pipeline = sequence(&store);
    assert_eq!(pipeline.newest_restore().unwrap(), Number(0));
    assert_eq!(pipeline.restore_of(0).unwrap(), None);
    let elsewhere = Origin::Elsewhere {
        location: "s3://bucket/saves".to_owned(),
        number: Number(9),
    };
    let both = order(1, &[(0, Origin::Own(Number(17))), (1, elsewhere)]);
    assert!(pipeline.order(&both, &life(1)).unwrap());
    let one = order(2, &[(0, Origin::Nothing)]);
    assert!(pipeline.order(&one, &life(1)).unwrap());
    assert!(
        pipeline.order(&one, &life(1)).unwrap(),
        "given twice is given"
    );
    assert!(
        !pipeline.order(&order(2, &[]), &life(2)).unwrap(),
        "the number is another's"
    );
    assert_eq!(pipeline.newest_restore().unwrap(), Number(2));
    assert_eq!(pipeline.restore_of(0).unwrap(), Some(one));
    assert_eq!(pipeline.restore_of(1).unwrap(), Some(both));
    assert_eq!(pipeline.restore_of(2).unwrap(), None);
}

#[test]
fn the_first_claim_that_obeys_is_noted_in_the_task() {
    let store = MemoryStore::new();
    let (task, other) = (sequence(&store).task(3), sequence(&store).task(4));
    assert_eq!((task.partition(), other.partition()), (Some(3), Some(4)));
    let of = |sequence: &Sequence, token| sequence.claim(&life(token), OnLock::TakeOver).unwrap();
    of(&other, 1);
    let first = of(&task, 2);
    assert_eq!(task.restored(Number(1)).unwrap(), None);
    first.note_restored(Number(1)).unwrap();
    of(&task, 3).note_restored(Number(1)).unwrap();
    assert_eq!(task.restored(Number(1)).unwrap(), Some(Number(1)));
    assert_eq!(task.restored(Number(2)).unwrap(), None);
    assert_eq!(other.restored(Number(1)).unwrap(), None);
}

#[test]
fn an_order_that_is_damaged_or_of_another_pipeline_is_not_obeyed() {
    let (store, name) = (MemoryStore::new(), "fraud/restores/000000000001.json");
    let refused = |store: &MemoryStore| sequence(store).restore_of(0).unwrap_err().to_string();
    let mut restore = order(1, &[(0, Origin::Nothing)]);
    sequence(&store).order(&restore, &life(1)).unwrap();
    let mut bytes = store.get(name).unwrap().expect("it is there").to_vec();
    bytes[60] ^= 1;
    store.replace(name, bytes);
    assert!(refused(&store).contains(name), "{}", refused(&store));
    let store = MemoryStore::new();
    restore.pipeline = "other".to_owned();
    sequence(&store).order(&restore, &life(1)).unwrap();
    let error = refused(&store);
    assert!(error.contains("order 1 of pipeline other"), "{error}");
}

#[test]
fn an_instance_is_found_asked_and_forgotten() {
    let store = MemoryStore::new();
    let pipeline = sequence(&store);
    let (a, b) = (pipeline.instance("a"), pipeline.instance("a.b"));
    let claim =
        |sequence: &Sequence, token| sequence.claim(&life(token), OnLock::TakeOver).unwrap();
    let (of_a, _of_b) = (claim(&a, 1), claim(&b, 2));
    assert_eq!(pipeline.instances().unwrap(), ["a", "a.b"]);
    assert_eq!(pipeline.numbers().unwrap(), [], "it has no numbers there");
    let newest = a.newest().unwrap().expect("a claim");
    let asked = a.ask(newest.incarnation, Wish::Stop, &life(9)).unwrap();
    let mut requests = of_a.requests();
    // What was asked before it listened is not for it.
    assert_eq!(requests.look().unwrap(), []);
    drop(asked);
    let asked = a.ask(newest.incarnation, Wish::Stop, &life(10)).unwrap();
    let request = requests.look().unwrap().remove(0);
    assert!(requests.stands(&request).unwrap());
    asked.withdraw();
    assert!(!requests.stands(&request).unwrap());
    pipeline.forget_instance("a");
    assert_eq!(pipeline.instances().unwrap(), ["a.b"]);
}
