//! Files that appear in followed folders and globs while a pipeline runs. One thread per source looks for them and hands
//! each to a worker as a split, by turns.
//!
//! A file is known by its name, and by what it is: one that is only renamed is not found again.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};

use super::known::Known;
use super::resume::Begun;
use crate::ConnectorError;
use crate::position::FilePosition;
use crate::split::{Split, Wake};

/// How often new files are looked for (`find-interval`).
pub const INTERVAL: Duration = Duration::from_millis(100);

/// Splits of one worker that are found while it runs.
pub struct Later {
    found: Receiver<Found>,
    /// While one worker has this, there is somebody to look for.
    _asked: Arc<()>,
}

type Found = Result<Box<dyn Split>, ConnectorError>;

impl Later {
    /// The next split that was found, if there is one just now.
    ///
    /// # Errors
    /// If splits could not be looked for.
    pub fn next(&self) -> Option<Found> {
        self.found.try_recv().ok()
    }
}

/// Hands splits that were found to workers.
pub(crate) struct Senders(Vec<(Sender<Found>, Wake)>);

impl Senders {
    /// Hands one to a worker, or what went wrong.
    pub fn send(&self, worker: usize, found: Found) {
        let (sender, wake) = &self.0[worker];
        // A worker that has ended needs no splits.
        let _ = sender.send(found);
        wake();
    }

    /// How many workers there are.
    fn len(&self) -> usize {
        self.0.len()
    }
}

impl Later {
    /// One for each of the workers that are woken by these; what hands splits to them; and what is there while one of them is.
    pub(crate) fn all(wakes: &[Wake]) -> (Senders, Vec<Self>, Weak<()>) {
        let asked = Arc::new(());
        let watched = Arc::downgrade(&asked);
        let (mut senders, mut laters) = (Vec::new(), Vec::new());
        for wake in wakes {
            let (sender, found) = unbounded();
            senders.push((sender, wake.clone()));
            laters.push(Self {
                found,
                _asked: asked.clone(),
            });
        }
        (Senders(senders), laters, watched)
    }
}

/// A file by its name as a split and where it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Named {
    pub name: String,
    pub path: PathBuf,
}

/// Makes a file a split of a worker.
type Opener = Box<dyn Fn(&Begun, usize) -> Box<dyn Split> + Send>;

/// What a finder is told.
pub(super) struct Search {
    /// The files that are there.
    pub list: Box<dyn Fn() -> Result<BTreeSet<Named>, ConnectorError> + Send>,
    /// A file as a split of this worker.
    pub open: Opener,
    /// The files that are known by name.
    pub met: BTreeSet<Named>,
    /// Those that are known for what they are.
    pub known: Known,
    /// Wakes each worker.
    pub wakes: Vec<Wake>,
}

/// Looks for files from now on; what each worker gets.
pub(super) fn start(search: Search) -> Vec<Later> {
    let (senders, laters, asked) = Later::all(&search.wakes);
    let finder = Finder {
        next: search.met.len(),
        search,
        senders,
    };
    crate::thread::start("tidemill-find", move || finder.run(&asked));
    laters
}

struct Finder {
    search: Search,
    senders: Senders,
    /// How many files there were, which decides whose turn it is.
    next: usize,
}

impl Finder {
    fn run(mut self, asked: &Weak<()>) {
        while asked.strong_count() > 0 {
            if let Err(error) = self.look() {
                self.senders.send(0, Err(error));
                return;
            }
            std::thread::sleep(INTERVAL);
        }
    }

    fn look(&mut self) -> Result<(), ConnectorError> {
        for file in (self.search.list)()? {
            if self.search.met.contains(&file) {
                continue;
            }
            self.search.met.insert(file.clone());
            if self.search.known.meet(&file.path) {
                continue;
            }
            let worker = self.next % self.senders.len();
            self.next += 1;
            let begun = Begun {
                file,
                at: FilePosition::default(),
                moved_to: None,
            };
            self.senders
                .send(worker, Ok((self.search.open)(&begun, worker)));
        }
        Ok(())
    }
}
