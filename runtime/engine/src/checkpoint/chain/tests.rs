use std::collections::BTreeMap;

use tempfile::TempDir;
use tidemill_checkpoint::{Claim, Life, Location, OnLock, Settings};

use super::*;
use crate::checkpoint::kept::{self, StatesKept, TimerKept};

/// Writes blocks, and reads them again.
struct Rig {
    _folder: TempDir,
    sequence: Sequence,
    claim: Claim,
}

impl Rig {
    fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let place = folder.path().to_str().expect("a path that is text");
        let location = Location::open(place, &Settings::default()).expect("a location");
        let sequence = location.pipeline("test").expect("a name");
        let life = Life::of_this_process().expect("a life");
        let claim = sequence.claim(&life, OnLock::Refuse);
        Self {
            _folder: folder,
            sequence,
            claim: claim.expect("a claim"),
        }
    }

    /// A checkpoint with these blocks, each of a worker.
    fn take(&mut self, before: &Chain, form: Form, blocks: &[(u32, StatesKept)]) -> (Chain, u64) {
        let draft = self.claim.begin().expect("an attempt");
        let (of, mut files) = ((&draft, "busy", form), Files::default());
        for (worker, block) in blocks {
            let added = files.block(of, *worker, block.encode(&kept::buffers()));
            added.expect("a folder takes it");
        }
        let finished = files.finish(of, &self.sequence, before);
        finished.expect("a folder takes it")
    }

    /// What a chain says of each key in the end.
    fn read(&self, chain: &Chain) -> BTreeMap<Vec<u8>, i64> {
        let mut keys = BTreeMap::new();
        for part in &chain.0 {
            for block in self.sequence.read(part).expect("a whole file") {
                let block = StatesKept::decode(&block).expect("a block");
                block.gone.each(|key| _ = keys.remove(key));
                for i in 0..block.keys.count() {
                    let timer = block.timers.get(i).and_then(|timers| timers.first());
                    let key = block.keys.get(i).expect("a key").to_vec();
                    keys.insert(key, timer.expect("a timer").time);
                }
            }
        }
        keys
    }
}

/// A block with a timer of each of these keys, and keys that are gone.
fn block(keys: &[(u64, i64)], gone: &[u64]) -> StatesKept {
    let mut block = StatesKept::default();
    gone.iter()
        .for_each(|key| block.gone.push(&key.to_be_bytes()));
    for (key, time) in keys {
        block.keys.push(&key.to_be_bytes());
        let time = *time;
        block.timers.push(&[TimerKept { name: 0, time }]);
    }
    block
}

#[test]
fn a_later_block_holds_instead_of_earlier_ones() {
    let mut rig = Rig::new();
    let first = [
        (0, block(&[(1, 10), (2, 20)], &[])),
        (1, block(&[(3, 30)], &[])),
    ];
    let (chain, wrote) = rig.take(&Chain::default(), Form::Base, &first);
    assert_eq!(wrote, chain.0.iter().map(|part| part.bytes).sum::<u64>());
    let (unchanged, wrote) = rig.take(&chain, Form::Delta, &[]);
    assert_eq!((unchanged.0.len(), wrote), (2, 0));
    let second = [(1, block(&[(3, 31)], &[])), (0, block(&[(1, 11)], &[1, 2]))];
    let (chain, _) = rig.take(&chain, Form::Delta, &second);
    let keys: Vec<i64> = rig.read(&chain).into_values().collect();
    assert_eq!(keys, [11, 31]);
    let (chain, _) = rig.take(&chain, Form::Base, &first[..1]);
    assert_eq!(chain.0.len(), 1, "everything anew needs nothing before it");
}

#[test]
fn many_small_files_are_put_together() {
    let mut rig = Rig::new();
    let (mut chain, _) = rig.take(&Chain::default(), Form::Base, &[(0, block(&[(0, 0)], &[]))]);
    for n in 1..200_u64 {
        let changed = block(&[(n, n as i64), (n % 7, -(n as i64))], &[n / 2]);
        (chain, _) = rig.take(&chain, Form::Delta, &[(n as u32 % 2, changed)]);
        assert!(chain.0.len() <= SMALL_FILES + 2, "{} files", chain.0.len());
        assert_eq!(chain.0[0].form, Form::Base);
    }
    let mut expected = BTreeMap::from([(0, 0)]);
    for n in 1..200_u64 {
        expected.remove(&(n / 2));
        expected.insert(n, n as i64);
        expected.insert(n % 7, -(n as i64));
    }
    let expected = expected
        .into_iter()
        .map(|(n, at)| (n.to_be_bytes().to_vec(), at));
    assert_eq!(rig.read(&chain), expected.collect());
}

#[test]
fn what_has_changed_outweighs_in_the_end() {
    let part = |form: Form, bytes: u64| {
        let mut rig = Rig::new();
        let (chain, _) = rig.take(&Chain::default(), form, &[(0, block(&[(0, 0)], &[]))]);
        let part = chain.0[0].clone();
        Part { bytes, ..part }
    };
    let (base, delta) = (part(Form::Base, 1 << 20), part(Form::Delta, 1 << 19));
    let chain = |deltas: usize| {
        let deltas = std::iter::repeat_n(delta.clone(), deltas);
        Chain(std::iter::once(base.clone()).chain(deltas).collect())
    };
    assert!(!outweigh([&chain(2)].into_iter(), 1.0, 0));
    assert!(outweigh([&chain(3)].into_iter(), 1.0, 0));
    assert!(
        !outweigh([&chain(3), &chain(0)].into_iter(), 1.0, 0),
        "all bases count"
    );
    assert!(outweigh([&chain(2)].into_iter(), 0.5, 0));
    assert!(!outweigh([&chain(1)].into_iter(), 0.5, 0));
    let little = Chain(vec![part(Form::Base, 10), part(Form::Delta, 20)]);
    assert!(outweigh([&little].into_iter(), 1.0, 19));
    assert!(
        !outweigh([&little].into_iter(), 1.0, 20),
        "of a little nothing is gained"
    );
}
