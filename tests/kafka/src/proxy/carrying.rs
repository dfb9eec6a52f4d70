//! What the proxy's threads do: take connections, carry requests and answers, and meet rules.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{sleep, spawn};
use std::time::Duration;

use super::connection::{Answers, Connection, frame, number};
use super::{Act, Point, Rule, What};

/// What its threads share.
#[derive(Debug)]
pub struct Shared {
    broker: SocketAddr,
    port: u16,
    pub delay_ms: AtomicU64,
    pub refuses: AtomicBool,
    pub over: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub struct State {
    pub rules: Vec<Rule>,
    pub open: Vec<Arc<Connection>>,
    pub met: u64,
}

impl Shared {
    /// Of a proxy on this port of loopback.
    pub fn new(broker: SocketAddr, port: u16) -> Self {
        Self {
            broker,
            port,
            delay_ms: AtomicU64::new(0),
            refuses: AtomicBool::new(false),
            over: AtomicBool::new(false),
            state: Mutex::default(),
        }
    }

    /// What changes.
    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes connections until the proxy is over.
    pub fn accept(self: &Arc<Self>, listener: &TcpListener) {
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
            answers: Mutex::default(),
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
            let mut last = false;
            let number = number(&request, 8);
            match self.rule(&request) {
                None => {}
                Some(What::Act(Act::Delay(by))) => sleep(by),
                Some(What::Act(Act::Cut)) => break,
                Some(What::Act(Act::HalfClose)) => last = true,
                // Set before the request goes: its answer may be back at once.
                Some(What::Act(Act::Silence)) => *connection.answers() = Answers::Vanish,
                Some(What::Act(Act::LoseAnswer)) => {
                    *connection.answers() = Answers::Lost(number, None);
                }
                Some(What::Call(Point::Before, call)) => {
                    call();
                    break;
                }
                Some(What::Call(Point::Unanswered, call)) => {
                    *connection.answers() = Answers::Lost(number, Some(call));
                }
                Some(What::Call(Point::Answered, call)) => {
                    *connection.answers() = Answers::Told(number, call);
                }
            }
            if (&connection.broker).write_all(&request).is_err() {
                break;
            }
            if last {
                return connection.half_close();
            }
        }
        connection.cut();
    }

    /// Carries answers until the connection ends.
    fn answers(&self, connection: &Connection) {
        while let Ok(mut answer) = frame(&connection.broker) {
            self.pause();
            self.redirect(&mut answer);
            let of = number(&answer, 4);
            let mut next = connection.answers();
            let told = match std::mem::take(&mut *next) {
                Answers::Lost(number, call) if number == of => {
                    if let Some(call) = call {
                        call();
                    }
                    break;
                }
                Answers::Told(number, call) if number == of => Some(call),
                Answers::Vanish => {
                    *next = Answers::Vanish;
                    continue;
                }
                other => {
                    *next = other;
                    None
                }
            };
            drop(next);
            let written = (&connection.client).write_all(&answer);
            if let Some(call) = told {
                call();
            }
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
    fn rule(&self, request: &[u8]) -> Option<What> {
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
        Some(state.rules.remove(place).what)
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
