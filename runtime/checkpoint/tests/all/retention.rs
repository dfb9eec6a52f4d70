//! Nothing that is needed is ever removed, and nothing that is not needed stays for ever.

use std::collections::BTreeMap;

use proptest::prelude::*;
use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::*;

use crate::support::*;

/// What happens next to a pipeline.
#[derive(Debug, Clone)]
enum Step {
    /// A checkpoint whose state is that of the last one, of which some files are written anew.
    Checkpoint {
        savepoint: bool,
        by_note: bool,
        rewrite: u8,
    },
    /// The decision about the last one that is prepared arrives.
    Confirm,
    /// Data files are put, and then it is given up.
    GiveUp,
    Retain(usize),
    /// Another life; it resumes what it finds, or goes back to the one before.
    Restart {
        back: bool,
        sweep: bool,
    },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (prop::bool::weighted(0.15), prop::bool::weighted(0.3), any::<u8>())
            .prop_map(|(savepoint, by_note, rewrite)| Step::Checkpoint { savepoint, by_note, rewrite }),
        3 => Just(Step::Confirm),
        1 => Just(Step::GiveUp),
        4 => (1_usize..4).prop_map(Step::Retain),
        2 => (prop::bool::weighted(0.3), any::<bool>()).prop_map(|(back, sweep)| Step::Restart { back, sweep }),
    ]
}

/// A pipeline's life beside what must be there.
struct Story {
    store: MemoryStore,
    claim: Claim,
    lives: u64,
    /// The state at hand: data files, and what they say.
    state: Vec<(Part, String)>,
    last: Option<Checkpoint>,
    /// What the state of each checkpoint was.
    states: BTreeMap<Number, String>,
    savepoints: Vec<Number>,
}

impl Story {
    fn begin() -> Self {
        let store = MemoryStore::new();
        let claim = claim(&store, 1);
        Self {
            store,
            claim,
            lives: 1,
            state: Vec::new(),
            last: None,
            states: BTreeMap::new(),
            savepoints: Vec::new(),
        }
    }

    fn go(&mut self, step: Step) {
        match step {
            Step::Checkpoint {
                savepoint,
                by_note,
                rewrite,
            } => self.checkpoint(savepoint, by_note, rewrite),
            Step::Confirm => {
                if let Some(last) = &mut self.last {
                    self.claim.confirm(last).unwrap();
                }
            }
            Step::GiveUp => {
                put(&self.claim.begin().unwrap(), 0, "given up").unwrap();
            }
            Step::Retain(keep) => self.retain(keep),
            Step::Restart { back, sweep } => self.restart(back, sweep),
        }
    }

    fn checkpoint(&mut self, savepoint: bool, by_note: bool, rewrite: u8) {
        let draft = self.claim.begin().unwrap();
        let mut kept = std::mem::take(&mut self.state);
        kept.truncate(usize::from(rewrite % 5));
        for index in 0..1 + u32::from(rewrite % 2) {
            let text = format!("[{}.{index}]", draft.number());
            kept.push((put(&draft, index, &text).unwrap(), text));
        }
        self.state = kept;
        let parts = self.state.iter().map(|(part, _)| part.clone()).collect();
        let contents = Contents {
            kind: if savepoint {
                Kind::Savepoint
            } else {
                Kind::Checkpoint
            },
            decided_by: if by_note {
                DecidedBy::Note
            } else {
                DecidedBy::Manifest
            },
            ..contents(parts)
        };
        let completed = self.claim.complete(&draft, contents).unwrap();
        let number = completed.number();
        self.states.insert(
            number,
            self.state.iter().map(|(_, text)| text.as_str()).collect(),
        );
        if savepoint {
            self.savepoints.push(number);
        }
        self.last = Some(completed);
    }

    fn retain(&mut self, keep: usize) {
        let before = self.there();
        self.claim.retain(keep).unwrap();
        let after = self.there();
        // The newest `keep` that count are still there, and so is what is only prepared behind them.
        let counted = |c: &&Checkpoint| c.confirmed && c.manifest.contents.kind == Kind::Checkpoint;
        for kept in before.iter().rev().filter(counted).take(keep) {
            assert!(
                after.contains(kept),
                "{} of the newest {keep} has gone",
                kept.number()
            );
        }
        let newest = before
            .iter()
            .rev()
            .find(|c| c.confirmed)
            .map(Checkpoint::number);
        for prepared in before.iter().filter(|c| Some(c.number()) > newest) {
            assert!(after.contains(prepared));
        }
        // What the state at hand needs, too.
        for (part, text) in &self.state {
            assert_eq!(
                self.claim.sequence().read(part).unwrap().concat(),
                text.as_bytes()
            );
        }
        // No more than by number and by descent, savepoints, and what is prepared.
        let counted = after.iter().filter(counted).count();
        assert!(
            counted <= 3 * keep,
            "{counted} are left of which {keep} were to be kept"
        );
    }

    fn restart(&mut self, back: bool, sweep: bool) {
        self.lives += 1;
        self.claim = claim(&self.store, self.lives);
        let found = match self.claim.recovery() {
            Ok(found) => found.recovery,
            // Only prepared ones are there: who knows the decision says fresh.
            Err(CheckpointError::Damaged(damage)) if matches!(damage.why, Why::Gone(_)) => {
                Recovery::Fresh
            }
            Err(e) => panic!("{e}"),
        };
        let from = match found {
            Recovery::Resume(checkpoint) if back => {
                self.claim.sequence().before(checkpoint.number()).unwrap()
            }
            Recovery::Resume(checkpoint) => Some(*checkpoint),
            Recovery::Fresh => None,
            Recovery::Damaged { damage, .. } => panic!("{damage:?}"),
        };
        self.claim.resume(from.as_ref());
        self.state = Vec::new();
        for part in from.iter().flat_map(|c| c.manifest.parts()) {
            let text =
                String::from_utf8(self.claim.sequence().read(part).unwrap().concat()).unwrap();
            self.state.push((part.clone(), text));
        }
        self.last = from;
        if sweep {
            self.claim.sweep().unwrap();
            self.nothing_is_left_over();
        }
    }

    /// All checkpoints that are there, each whole.
    fn there(&self) -> Vec<Checkpoint> {
        let sequence = self.claim.sequence();
        let numbers = sequence.numbers().unwrap().into_iter();
        numbers
            .filter_map(|n| sequence.checkpoint(n).unwrap())
            .collect()
    }

    fn everything_is_whole(&self) {
        let there = self.there();
        for checkpoint in &there {
            let state = state(self.claim.sequence(), checkpoint).unwrap();
            assert_eq!(state, self.states[&checkpoint.number()]);
        }
        for savepoint in &self.savepoints {
            assert!(
                there.iter().any(|c| c.number() == *savepoint),
                "savepoint {savepoint} has gone"
            );
        }
    }

    fn nothing_is_left_over(&self) {
        let there = self.there();
        let ours = self.claim.incarnation().to_string();
        for name in self.store.names() {
            if let Some(file) = name
                .strip_prefix("fraud/")
                .filter(|n| n.starts_with("data/"))
            {
                let named = there
                    .iter()
                    .flat_map(|c| c.manifest.parts())
                    .any(|p| p.file == file);
                assert!(named || file.contains(&ours), "{file} is an orphan");
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn nothing_needed_is_ever_removed(steps in prop::collection::vec(step(), 1..60)) {
        let mut story = Story::begin();
        for step in steps {
            story.go(step);
            story.everything_is_whole();
        }
    }
}

#[test]
fn of_many_the_newest_stay_and_files_go_with_the_last_that_needs_them() {
    let store = MemoryStore::new();
    let mut claim = claim(&store, 1);
    let mut parts = Vec::new();
    for n in 0..4 {
        let completed = checkpoint(&mut claim, &parts, &format!("{n}")).unwrap();
        parts = completed.manifest.parts().cloned().collect();
    }
    let removed = claim.retain(2).unwrap();
    assert_eq!(removed.checkpoints, [2, 3].map(Number));
    assert_eq!(removed.files, 0, "the newest one still needs those of all");
    checkpoint(&mut claim, &[], "base").unwrap();
    checkpoint(&mut claim, &[], "base").unwrap();
    let removed = claim.retain(2).unwrap();
    assert_eq!(
        (removed.checkpoints, removed.files),
        ([4, 5].map(Number).to_vec(), 4)
    );
    assert_eq!(claim.sequence().numbers().unwrap(), [1, 6, 7].map(Number));
}

#[test]
fn while_a_manifest_cannot_be_read_nothing_is_removed() {
    let store = MemoryStore::new();
    let mut first = claim(&store, 1);
    for _ in 0..3 {
        checkpoint(&mut first, &[], "a").unwrap();
    }
    put(&first.begin().unwrap(), 0, "orphan").unwrap();
    let whole = store
        .get("fraud/manifests/000000000002.json")
        .unwrap()
        .unwrap();
    store.replace("fraud/manifests/000000000002.json", "{}");
    let mut second = claim(&store, 2);
    let before = store.names();
    assert!(matches!(second.sweep(), Err(CheckpointError::Damaged(_))));
    assert!(matches!(second.retain(1), Err(CheckpointError::Damaged(_))));
    assert_eq!(store.names(), before);

    store.replace("fraud/manifests/000000000002.json", whole);
    assert_eq!(second.sweep().unwrap().files, 1);
    assert_eq!(second.retain(1).unwrap().checkpoints, [2, 3].map(Number));
}

#[test]
fn files_of_this_and_of_later_lives_are_no_orphans() {
    let store = MemoryStore::new();
    let mut old = claim(&store, 1);
    let mut new = claim(&store, 2);
    let draft = new.begin().unwrap();
    let part = put(&draft, 0, "new").unwrap();
    assert_eq!(old.sweep().unwrap(), Removed::default());
    assert_eq!(new.sweep().unwrap(), Removed::default());
    new.complete(&draft, contents(vec![part])).unwrap();
}
