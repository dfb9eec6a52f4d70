//! Whatever is damaged is recognised, by which object it is; nothing damaged is believed.

use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::*;

use crate::support::*;

/// A pipeline's location with a claim and two checkpoints, the newer of which needs files of both.
fn story() -> (MemoryStore, Checkpoint) {
    let store = MemoryStore::new();
    let mut claim = claim(&store, 1);
    let two = checkpoint(&mut claim, &[], "abc").unwrap();
    let parts: Vec<Part> = two.manifest.parts().cloned().collect();
    let three = checkpoint(&mut claim, &parts, "def").unwrap();
    (store, three)
}

/// What a process that starts makes of it: the state it resumes, or nothing.
fn believed(store: &MemoryStore) -> Option<String> {
    let sequence = sequence(store);
    let found = sequence
        .claim(&life(9), OnLock::Refuse)
        .and_then(|claim| claim.recovery());
    match found.ok()?.recovery {
        Recovery::Resume(checkpoint) => {
            let verified = sequence.verify(checkpoint.number()).unwrap().unwrap();
            let state = state(&sequence, &checkpoint).ok();
            assert_eq!(verified.damage.is_empty(), state.is_some());
            Some(format!("{}: {}", checkpoint.number(), state?))
        }
        Recovery::Fresh => Some("fresh".to_owned()),
        Recovery::Damaged { damage, .. } => {
            assert!(!damage.is_empty());
            None
        }
    }
}

/// The objects of which any damage must be found when number 3 is resumed.
fn needed(store: &MemoryStore) -> Vec<String> {
    let mut names = store.names();
    names.retain(|n| n.contains("/data/") || n.ends_with("3.json") || n.ends_with("pipeline.json"));
    assert_eq!(names.len(), 4, "{names:?}");
    names
}

#[test]
fn every_cut_of_every_object_is_recognised() {
    let (whole, _) = story();
    assert_eq!(believed(&whole.copy()).unwrap(), "3: abcdef");
    for name in needed(&whole) {
        let bytes = whole.get(&name).unwrap().unwrap();
        for cut in 0..bytes.len() {
            let store = whole.copy();
            store.replace(&name, bytes.slice(..cut));
            assert_eq!(believed(&store), None, "{name} cut at {cut}");
        }
    }
}

#[test]
fn every_flipped_bit_of_every_object_is_recognised() {
    let (whole, _) = story();
    for name in needed(&whole) {
        let bytes = whole.get(&name).unwrap().unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut flipped = bytes.to_vec();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let store = whole.copy();
            store.replace(&name, flipped);
            assert_eq!(believed(&store), None, "{name} bit {bit}");
        }
    }
}

#[test]
fn missing_and_exchanged_objects_are_recognised() {
    let (whole, _) = story();
    let names = needed(&whole);
    for name in names.iter().filter(|n| !n.contains("/manifests/")) {
        let store = whole.copy();
        store.delete(name).unwrap();
        assert_eq!(believed(&store), None, "{name} missing");
    }
    // The newest manifest gone: it never happened, as far as anyone can know.
    let store = whole.copy();
    store.delete("fraud/manifests/000000000003.json").unwrap();
    assert_eq!(believed(&store).unwrap(), "2: abc");

    let mut all = whole.names();
    all.retain(|n| n != "fraud/probe");
    for one in &all {
        for other in all.iter().filter(|other| *other != one) {
            let store = whole.copy();
            store.replace(one, whole.get(other).unwrap().unwrap());
            store.replace(other, whole.get(one).unwrap().unwrap());
            if names.contains(one) || names.contains(other) {
                assert_eq!(believed(&store), None, "{one} exchanged with {other}");
            }
        }
    }
}

#[test]
fn another_pipelines_manifest_is_recognised() {
    let (store, _) = story();
    let other = Location::of_store(store.clone())
        .pipeline("orders")
        .unwrap();
    let mut claim = other.claim(&life(7), OnLock::Refuse).unwrap();
    checkpoint(&mut claim, &[], "x").unwrap();
    checkpoint(&mut claim, &[], "y").unwrap();
    let foreign = store
        .get("orders/manifests/000000000003.json")
        .unwrap()
        .unwrap();
    store.replace("fraud/manifests/000000000003.json", foreign);
    let error = sequence(&store).record(Number(3)).unwrap_err();
    let text = error.to_string();
    assert!(
        text.starts_with("of another pipeline: memory:fraud/manifests/000000000003.json"),
        "{text}"
    );
    assert_eq!(believed(&store), None);

    // A copied folder brings its id along, and says whose it is.
    for name in store.names() {
        if let Some(rest) = name.strip_prefix("orders/") {
            store.replace(
                &format!("copied/{rest}"),
                store.get(&name).unwrap().unwrap(),
            );
        }
    }
    let copied = Location::of_store(store).pipeline("copied").unwrap();
    let error = copied
        .claim(&life(8), OnLock::Refuse)
        .unwrap_err()
        .to_string();
    assert!(
        error.ends_with("expected pipeline copied, found pipeline orders"),
        "{error}"
    );
}

#[test]
fn strays_are_named() {
    for stray in [
        "manifests/000000000003.json.bak",
        "manifests/notes/1",
        "data/x",
        "data/1-0000000000000001/2",
    ] {
        let (store, _) = story();
        store.replace(&format!("fraud/{stray}"), "x");
        let error = sequence(&store).recovery().unwrap_err().to_string();
        assert_eq!(error, format!("does not belong here: memory:fraud/{stray}"));
    }
}

#[test]
fn later_formats_are_refused_by_their_number() {
    let (store, _) = story();
    let name = "fraud/manifests/000000000003.json";
    let text = String::from_utf8(store.get(name).unwrap().unwrap().to_vec()).unwrap();
    let (body, _) = text.rsplit_once(",\"crc32c\"").unwrap();
    let later = body.replace("\"version\":1", "\"version\":2");
    let crc32c = crc32c::crc32c(later.as_bytes());
    store.replace(name, format!("{later},\"crc32c\":\"{crc32c:08x}\"}}\n"));
    let error = sequence(&store).record(Number(3)).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("not readable: memory:{name}: format version 2, this tidemill reads up to 1")
    );
    assert!(error.hint().unwrap().contains("or a later one"));
}
