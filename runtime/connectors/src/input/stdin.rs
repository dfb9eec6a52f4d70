//! Standard input as a source: one split, `stdin`. A thread reads it and hands over what is there
//! at once, however little.

use std::io::{ErrorKind, Read};
use std::sync::Arc;

use crossbeam_channel::{Receiver, Sender, TryRecvError};
use tidemill_rows::SchemaRef;

use super::opening::Stream;
use super::{Fill, Input, TextSplit};
use crate::ConnectorError;
use crate::format::FormatSpec;
use crate::position::{FilePosition, Fingerprint};
use crate::split::{Split, Wake};

/// How much is read at a time.
const BLOCK: usize = 64 * 1024;

/// So many blocks wait at most (`stdin-blocks`): then whoever writes to standard input waits.
const BLOCKS: usize = 16;

/// Standard input.
#[derive(Clone, Debug, PartialEq)]
pub struct StdinSpec {
    /// What comes.
    pub format: FormatSpec,
}

/// The name of the split.
pub const NAME: &str = "stdin";

impl StdinSpec {
    pub(crate) fn open(&self, schema: &SchemaRef, finished: bool, wake: &Wake) -> Box<dyn Split> {
        let wake = wake.clone();
        let open = move || -> Result<Box<dyn Input>, ConnectorError> {
            Ok(Box::new(Piped::new(std::io::stdin(), wake)))
        };
        let format = Arc::new(self.format.clone());
        let opening = Box::new(Stream::new(Box::new(open)));
        let split = TextSplit::new(NAME.into(), format, schema.clone(), opening);
        Box::new(split.at(FilePosition {
            finished,
            ..FilePosition::default()
        }))
    }
}

/// Bytes that another thread reads.
pub(crate) struct Piped {
    blocks: Receiver<std::io::Result<Vec<u8>>>,
    /// What is left of a block.
    block: Vec<u8>,
    taken: usize,
}

impl Piped {
    /// Starts reading.
    pub fn new(from: impl Read + Send + 'static, wake: Wake) -> Self {
        let (sender, blocks) = crossbeam_channel::bounded(BLOCKS);
        let read = move || {
            hand_over(from, &sender, &wake);
            // The end is news as well, and must be there to see before anybody is woken for it.
            drop(sender);
            wake();
        };
        crate::thread::start("tidemill-stdin", read);
        Self {
            blocks,
            block: Vec::new(),
            taken: 0,
        }
    }
}

fn hand_over(mut from: impl Read, to: &Sender<std::io::Result<Vec<u8>>>, wake: &Wake) {
    let mut space = vec![0; BLOCK];
    loop {
        let block = match from.read(&mut space) {
            Ok(0) => break,
            Ok(len) => Ok(space[..len].to_vec()),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => Err(error),
        };
        let failed = block.is_err();
        if to.send(block).is_err() || failed {
            break;
        }
        wake();
    }
}

impl Input for Piped {
    fn fill(&mut self, space: &mut [u8]) -> Result<Fill, ConnectorError> {
        if self.taken == self.block.len() {
            match self.blocks.try_recv() {
                Ok(Ok(block)) => (self.block, self.taken) = (block, 0),
                Ok(Err(error)) => {
                    let what = "cannot read standard input".to_owned();
                    let hint = "see what writes to it";
                    return Err(ConnectorError::Unavailable { what, error, hint });
                }
                Err(TryRecvError::Empty) => return Ok(Fill::Pending),
                Err(TryRecvError::Disconnected) => return Ok(Fill::End),
            }
        }
        let rest = &self.block[self.taken..];
        let len = rest.len().min(space.len());
        space[..len].copy_from_slice(&rest[..len]);
        self.taken += len;
        Ok(Fill::Bytes(len))
    }

    fn skip_to(&mut self, _byte: u64) -> Result<(), ConnectorError> {
        let message = "standard input was to be read on elsewhere".to_owned();
        Err(ConnectorError::Internal(message))
    }

    fn fingerprint(&self) -> Option<Fingerprint> {
        None
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    /// Gives each piece when it is asked for, then the end.
    struct Pieces(mpsc::Receiver<&'static str>);

    impl Read for Pieces {
        fn read(&mut self, space: &mut [u8]) -> std::io::Result<usize> {
            let piece = self.0.recv().unwrap_or_default().as_bytes();
            space[..piece.len()].copy_from_slice(piece);
            Ok(piece.len())
        }
    }

    #[test]
    fn hands_over_what_is_there_and_wakes_for_it_and_for_the_end() {
        let (pieces, from) = mpsc::channel();
        let (sender, woken) = mpsc::sync_channel(10);
        let wake: Wake = Arc::new(move || {
            let _ = sender.send(());
        });
        let wait = || {
            woken
                .recv_timeout(Duration::from_secs(5))
                .expect("nobody woke us")
        };
        let mut piped = Piped::new(Pieces(from), wake);
        let mut space = [0; 3];
        assert_eq!(piped.fill(&mut space).expect("filled"), Fill::Pending);
        pieces.send("hello").expect("sent");
        wait();
        assert_eq!(piped.fill(&mut space).expect("filled"), Fill::Bytes(3));
        assert_eq!(&space, b"hel");
        assert_eq!(piped.fill(&mut space).expect("filled"), Fill::Bytes(2));
        assert_eq!(piped.fill(&mut space).expect("filled"), Fill::Pending);
        drop(pieces);
        wait();
        assert_eq!(piped.fill(&mut space).expect("filled"), Fill::End);
    }
}
