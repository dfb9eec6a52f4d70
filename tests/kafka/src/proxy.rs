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

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{sleep, spawn};
use std::time::Duration;

/// Longer requests and answers are not for tests.
const LONGEST: usize = 128 << 20;

/// Requests by Kafka's numbers of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i16)]
pub enum Request {
    /// Records for partitions.
    Produce = 0,
    /// Records from partitions.
    Fetch = 1,
    /// A member says that it lives.
    Heartbeat = 12,
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

/// A proxy. Its connections end with it.
#[derive(Debug)]
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// What its threads share.
#[derive(Debug)]
struct Shared {
    broker: SocketAddr,
    port: u16,
    delay_ms: AtomicU64,
    refuses: AtomicBool,
    over: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    open: Vec<Arc<Connection>>,
    met: u64,
}

/// What is to become of the next requests of a kind.
#[derive(Clone, Copy, Debug)]
struct Rule {
    request: Request,
    act: Act,
    /// So many are let through before.
    after: u32,
}

/// A connection and the one behind it.
#[derive(Debug)]
struct Connection {
    client: TcpStream,
    broker: TcpStream,
    /// What becomes of answers.
    answers: Mutex<Answers>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Answers {
    /// They go to the client.
    Come,
    /// They go nowhere, and the client waits.
    Vanish,
    /// The next one ends the connection.
    Cut,
}

impl Connection {
    fn cut(&self) {
        // Either side may have gone already.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.broker.shutdown(Shutdown::Both);
    }

    fn half_close(&self) {
        let _ = self.broker.shutdown(Shutdown::Write);
    }

    fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
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
        let shared = Arc::new(Shared {
            broker: address.parse().expect("the broker's address is a number"),
            port: own.port(),
            delay_ms: AtomicU64::new(0),
            refuses: AtomicBool::new(false),
            over: AtomicBool::new(false),
            state: Mutex::default(),
        });
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
        let rule = Rule {
            request,
            act,
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

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn accept(self: &Arc<Self>, listener: &TcpListener) {
        for client in listener.incoming() {
            if self.over.load(Ordering::Relaxed) {
                return;
            }
            if self.refuses.load(Ordering::Relaxed) {
                continue;
            }
            // A broker that is away closes the door, as it would itself.
            let joined = client.and_then(|client| self.join(client));
            drop(joined);
        }
    }

    fn join(self: &Arc<Self>, client: TcpStream) -> io::Result<()> {
        let broker = TcpStream::connect(self.broker)?;
        for stream in [&client, &broker] {
            stream.set_nodelay(true)?;
        }
        let connection = Arc::new(Connection {
            client,
            broker,
            answers: Mutex::new(Answers::Come),
        });
        self.state().open.push(Arc::clone(&connection));
        let (forth, back) = (Arc::clone(self), Arc::clone(self));
        let (to, fro) = (Arc::clone(&connection), connection);
        spawn(move || forth.requests(&to));
        spawn(move || back.answers(&fro));
        Ok(())
    }

    /// Carries requests until the connection ends or a rule ends it.
    fn requests(&self, connection: &Connection) {
        while let Ok(request) = frame(&connection.client) {
            self.pause();
            let act = self.rule(&request);
            match act {
                Some(Act::Delay(by)) => sleep(by),
                Some(Act::Cut) => break,
                // Before the request goes: its answer may be back at once.
                Some(Act::Silence) => *connection.answers() = Answers::Vanish,
                Some(Act::LoseAnswer) => *connection.answers() = Answers::Cut,
                Some(Act::HalfClose) | None => {}
            }
            if (&connection.broker).write_all(&request).is_err() {
                break;
            }
            match act {
                Some(Act::HalfClose) => return connection.half_close(),
                // Its answer ends the connection.
                Some(Act::LoseAnswer) => return,
                _ => {}
            }
        }
        connection.cut();
    }

    /// Carries answers until the connection ends.
    fn answers(&self, connection: &Connection) {
        while let Ok(mut answer) = frame(&connection.broker) {
            self.pause();
            self.redirect(&mut answer);
            let written = match *connection.answers() {
                Answers::Come => (&connection.client).write_all(&answer),
                Answers::Vanish => Ok(()),
                Answers::Cut => break,
            };
            if written.is_err() {
                break;
            }
        }
        connection.cut();
    }

    fn pause(&self) {
        match self.delay_ms.load(Ordering::Relaxed) {
            0 => {}
            ms => sleep(Duration::from_millis(ms)),
        }
    }

    /// What is to become of a request.
    fn rule(&self, request: &[u8]) -> Option<Act> {
        let kind = i16::from_be_bytes([*request.get(4)?, *request.get(5)?]);
        let mut state = self.state();
        let of_kind = |rule: &Rule| rule.request as i16 == kind;
        let place = state.rules.iter().position(of_kind)?;
        let rule = &mut state.rules[place];
        if rule.after > 0 {
            rule.after -= 1;
            return None;
        }
        state.met += 1;
        Some(state.rules.remove(place).act)
    }

    /// Puts the proxy's port where the broker tells its own.
    fn redirect(&self, answer: &mut [u8]) {
        let told = |port: u16| {
            let host = self.broker.ip().to_string().into_bytes();
            [host, u32::from(port).to_be_bytes().to_vec()].concat()
        };
        let (from, to) = (told(self.broker.port()), told(self.port));
        let mut at = 0;
        while let Some(found) = answer[at..].windows(from.len()).position(|w| w == from) {
            let place = at + found;
            answer[place..place + to.len()].copy_from_slice(&to);
            at = place + to.len();
        }
    }
}

/// A request or an answer with its length before it.
fn frame(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let long = u32::from_be_bytes(length) as usize;
    if long > LONGEST {
        return Err(ErrorKind::InvalidData.into());
    }
    let mut frame = vec![0; 4 + long];
    frame[..4].copy_from_slice(&length);
    stream.read_exact(&mut frame[4..])?;
    Ok(frame)
}
