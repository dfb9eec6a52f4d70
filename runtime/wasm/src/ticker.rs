//! The thread that raises the engines' epoch about every millisecond while calls are under way, and sleeps otherwise.
//!
//! A call only costs two additions to an atomic number here: it wakes the thread only if that went to sleep, which it
//! does after a while without calls.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use wasmtime::Engine;

/// Time between two ticks.
pub(crate) const TICK: Duration = Duration::from_millis(1);
/// Ticks without a call after which the thread sleeps.
const PATIENCE: u32 = 20;

/// The epoch thread of a host. Ends when dropped.
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    sleeper: Thread,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    engines: Mutex<Vec<Engine>>,
    calls: AtomicUsize,
    asleep: AtomicBool,
    stop: AtomicBool,
}

/// While it lives, epochs rise.
pub(crate) struct Ticking<'a>(&'a Shared);

impl Ticker {
    /// Starts the thread.
    pub fn start() -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let of_thread = shared.clone();
        let thread = std::thread::Builder::new()
            .name("tidemill-epoch".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || of_thread.run())?;
        Ok(Self {
            shared,
            sleeper: thread.thread().clone(),
            thread: Some(thread),
        })
    }

    /// Makes an engine's epoch rise with the others'.
    pub fn add(&self, engine: Engine) {
        self.shared
            .engines
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(engine);
    }

    /// Keeps epochs rising for the length of a call.
    pub fn ticking(&self) -> Ticking<'_> {
        // Together with the order in `nap` this excludes that the thread sleeps and no caller has seen it.
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        if self.shared.asleep.load(Ordering::SeqCst) {
            self.sleeper.unpark();
        }
        Ticking(&self.shared)
    }
}

impl Drop for Ticking<'_> {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        self.sleeper.unpark();
        if let Some(thread) = self.thread.take() {
            // A panic of the epoch thread has nothing to tell any more.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self) {
        let mut quiet = 0;
        while !self.stop.load(Ordering::SeqCst) {
            std::thread::sleep(TICK);
            for engine in self
                .engines
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .iter()
            {
                engine.increment_epoch();
            }
            let busy = self.calls.load(Ordering::Relaxed) > 0;
            quiet = if busy { 0 } else { quiet + 1 };
            if quiet >= PATIENCE {
                self.nap();
                quiet = 0;
            }
        }
    }

    fn nap(&self) {
        self.asleep.store(true, Ordering::SeqCst);
        while self.calls.load(Ordering::SeqCst) == 0 && !self.stop.load(Ordering::SeqCst) {
            std::thread::park();
        }
        self.asleep.store(false, Ordering::SeqCst);
    }
}
