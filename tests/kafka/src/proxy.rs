//! A proxy between a client and a broker that delays, cuts and half-closes connections, when it is told to or at a request of a
//! kind, such as that which commits a transaction.
//!
//! ```text
//!   client ──requests──► [rules] ──────────────► broker
//!          ◄──────────── [delay, own port] ◄──answers──
//! ```
//!
//! Works on whole requests and answers, which both begin with their length. A broker tells its clients where it listens; the proxy
//! puts its own port there, which has the same length, so that clients come back to it for everything.

mod carrying;
mod connection;

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::spawn;
use std::time::Duration;

use carrying::Shared;
use connection::Connection;

/// Requests by Kafka's numbers of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum Request {
    /// Records for partitions.
    Produce = 0,
    /// Records from partitions.
    Fetch = 1,
    /// What a group has committed is asked.
    OffsetFetch = 9,
    /// A member joins its group.
    JoinGroup = 11,
    /// A member says that it lives.
    Heartbeat = 12,
    /// A member hears what it is given.
    SyncGroup = 14,
    /// A producer begins, and fences those before it.
    InitProducerId = 22,
    /// Partitions take part in a transaction.
    AddPartitionsToTxn = 24,
    /// A group's offsets take part in a transaction.
    AddOffsetsToTxn = 25,
    /// A transaction is committed, or aborted.
    EndTxn = 26,
    /// The offsets themselves.
    TxnOffsetCommit = 28,
}

/// What becomes of a request and its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// It goes on later.
    Delay(Duration),
    /// The broker never gets it, and the connection is cut.
    Cut,
    /// The broker gets it, and the connection is cut before its answer.
    LoseAnswer,
    /// The broker gets it, and nothing after it: the client's side is closed towards the broker, answers still come.
    HalfClose,
    /// The broker gets it, and the client hears nothing more, on a connection that stays open.
    Silence,
}

/// On which side of a request, and of the broker's answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Point {
    /// The broker never gets it, and the connection is cut.
    Before,
    /// The broker has done it; the client never hears of it, and the connection is cut.
    Unanswered,
    /// The client has the answer.
    Answered,
}

/// A proxy. Its connections end with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What is to become of the next requests of a kind.
#[derive(Debug)]
struct Rule {
    request: Request,
    what: What,
    /// So many are let through before.
    after: u32,
}

enum What {
    Act(Act),
    Call(Point, Call),
}

type Call = Box<dyn FnOnce() + Send>;

impl std::fmt::Debug for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Act(act) => act.fmt(f),
            Self::Call(point, _) => point.fmt(f),
        }
    }
}

impl Proxy {
    /// A proxy before the broker at `address`, such as `127.0.0.1:9092`.
    ///
    /// # Panics
    /// If it cannot listen.
    pub fn before(address: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let own = listener.local_addr().expect("an address");
        let broker = address.parse().expect("the broker's address is a number");
        let shared = Arc::new(Shared::new(broker, own.port()));
        let accepting = Arc::clone(&shared);
        spawn(move || accepting.accept(&listener));
        Self {
            address: own,
            shared,
        }
    }

    /// Where clients find it.
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// From now on every request and every answer goes on so much later.
    pub fn delay(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.shared.delay_ms.store(ms, Ordering::Relaxed);
    }

    /// From now on connections are refused, or taken again.
    pub fn refuse(&self, refuses: bool) {
        self.shared.refuses.store(refuses, Ordering::Relaxed);
    }

    /// Cuts all connections. How many.
    pub fn cut(&self) -> usize {
        self.each(Connection::cut)
    }

    /// Closes all connections towards the broker, and lets its answers come. How many.
    pub fn half_close(&self) -> usize {
        self.each(Connection::half_close)
    }

    /// Does this with one request of a kind, `after` so many others of it from now on.
    pub fn at(&self, request: Request, after: u32, act: Act) {
        self.rule(request, after, What::Act(act));
    }

    /// Calls this at one request of a kind, `after` so many others of it from now on. At [`Point::Before`] and
    /// [`Point::Unanswered`] the connection is cut when the call has returned.
    pub fn call(
        &self,
        request: Request,
        after: u32,
        (point, call): (Point, impl FnOnce() + Send + 'static),
    ) {
        self.rule(request, after, What::Call(point, Box::new(call)));
    }

    /// Forgets what was to be done with requests that have not come.
    pub fn forget(&self) {
        self.shared.state().rules.clear();
    }

    fn rule(&self, request: Request, after: u32, what: What) {
        let rule = Rule {
            request,
            what,
            after,
        };
        self.shared.state().rules.push(rule);
    }

    /// How many rules have met their request.
    pub fn met(&self) -> u64 {
        self.shared.state().met
    }

    fn each(&self, act: impl Fn(&Connection)) -> usize {
        let open = std::mem::take(&mut self.shared.state().open);
        open.iter().for_each(|connection| act(connection));
        open.len()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::Relaxed);
        // The thread that accepts sees it with the next connection.
        let _ = TcpStream::connect(self.address);
        self.cut();
    }
}
