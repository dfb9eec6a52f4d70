//! A connection of a client's and the one behind it, and what goes over them.

use std::io::{self, ErrorKind, Read};
use std::net::{Shutdown, TcpStream};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Call;

/// Longer requests and answers are not for tests.
const LONGEST: usize = 128 << 20;

/// A connection and the one behind it.
#[derive(Debug)]
pub struct Connection {
    pub client: TcpStream,
    pub broker: TcpStream,
    /// What becomes of answers.
    pub answers: Mutex<Answers>,
}

/// What becomes of answers.
#[derive(Default)]
pub enum Answers {
    /// They go to the client.
    #[default]
    Come,
    /// They go nowhere, and the client waits.
    Vanish,
    /// The answer to the request of this number ends the connection, after a call.
    Lost([u8; 4], Option<Call>),
    /// The answer to the request of this number goes to the client, before a call.
    Told([u8; 4], Call),
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Come => "Come",
            Self::Vanish => "Vanish",
            Self::Lost(..) => "Lost",
            Self::Told(..) => "Told",
        })
    }
}

impl Connection {
    /// Ends both.
    pub fn cut(&self) {
        // Either side may have gone already.
        let _ = self.client.shutdown(Shutdown::Both);
        let _ = self.broker.shutdown(Shutdown::Both);
    }

    /// Says to the broker that nothing more comes.
    pub fn half_close(&self) {
        let _ = self.broker.shutdown(Shutdown::Write);
    }

    /// What becomes of answers.
    pub fn answers(&self) -> MutexGuard<'_, Answers> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The number of a request, which its answer has too: here in a frame.
pub fn number(frame: &[u8], at: usize) -> [u8; 4] {
    let number = frame
        .get(at..at + 4)
        .and_then(|bytes| bytes.try_into().ok());
    number.unwrap_or_default()
}

/// A request or an answer with its length before it.
///
/// # Errors
/// If the connection ends.
pub fn frame(mut stream: &TcpStream) -> io::Result<Vec<u8>> {
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
