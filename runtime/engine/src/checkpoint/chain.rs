//! The data files of an operator that keeps what has changed: a base, and behind it what each checkpoint since has changed.
//!
//! ```text
//!   checkpoint 7   base 7.0  base 7.1
//!   checkpoint 8   base 7.0  base 7.1  delta 8.0  delta 8.1
//!   checkpoint 9   base 7.0  base 7.1  delta 8.0  delta 8.1  delta 9.1      (worker 0 had nothing to say)
//! ```
//!
//! When what has changed outweighs the base, what has changed since the base is kept once, instead of all deltas; where that is
//! much of the state, or nobody can tell, everything is kept anew. So a checkpoint never needs more than about twice what the state
//! takes, and what is written in the long run is less than about twice what changes. Many small files are put together.

use std::collections::BTreeMap;

use tidemill_checkpoint::{CheckpointError, Content, Draft, Form, Part, PartWriter, Sequence};

use super::kept::Block;

/// What is said of these files in a manifest.
const LABEL: &str = "keys";

/// How long a data file becomes, about. It stands in memory until it is put.
const FILE_BYTES: u64 = 16 << 20;

/// How many small files a chain may end with, and how small these are.
const SMALL_FILES: usize = 64;
const SMALL_BYTES: u64 = 4 << 20;

/// The files of one operator, in the order in which they are to be read.
#[derive(Clone, Debug, Default)]
pub struct Chain(pub Vec<Part>);

impl Chain {
    /// Bytes of the base, and of what came behind it.
    fn bytes(&self) -> (u64, u64) {
        let of = |form: Form| {
            let parts = self.0.iter().filter(move |part| part.form == form);
            parts.map(|part| part.bytes).sum()
        };
        (of(Form::Base), of(Form::Delta))
    }

    /// Where the small files begin that it ends with, if they are too many.
    fn many_small(&self) -> Option<usize> {
        let small = |part: &&Part| part.form == Form::Delta && part.bytes < SMALL_BYTES;
        let small = self.0.iter().rev().take_while(small).count();
        (small > SMALL_FILES).then_some(self.0.len() - small)
    }
}

/// Whether the changes in these chains outweigh this share of their bases, or of so many bytes if bases are smaller.
pub fn outweigh<'a>(chains: impl Iterator<Item = &'a Chain>, share: f64, least: u64) -> bool {
    let (base, changed) = chains
        .map(Chain::bytes)
        .fold((0, 0), |sum, bytes| (sum.0 + bytes.0, sum.1 + bytes.1));
    changed as f64 > share * base.max(least) as f64
}

/// What is being written of one operator for one checkpoint.
#[derive(Debug, Default)]
pub struct Files {
    workers: BTreeMap<u32, OfWorker>,
}

#[derive(Debug, Default)]
struct OfWorker {
    open: Option<PartWriter>,
    begun: u32,
    done: Vec<Part>,
}

impl Files {
    /// Adds a block of a worker.
    ///
    /// # Errors
    /// If a file that is full with it cannot be put.
    pub fn block(
        &mut self,
        (draft, name, form): (&Draft, &str, Form),
        worker: u32,
        block: Block,
    ) -> Result<(), CheckpointError> {
        let own = self.workers.entry(worker).or_default();
        own.add((draft, name, form), worker, block.bytes)
    }

    /// Puts what is left; the chain with what was written, and how many bytes that were.
    ///
    /// # Errors
    /// If a file cannot be put.
    pub fn finish(
        mut self,
        (draft, name, form): (&Draft, &str, Form),
        sequence: &Sequence,
        before: &Chain,
    ) -> Result<(Chain, u64), CheckpointError> {
        let mut chain = match form {
            Form::Base => Chain::default(),
            Form::Delta => before.clone(),
        };
        let mut wrote = 0;
        for own in self.workers.values_mut() {
            own.close(draft, form)?;
            wrote += own.done.iter().map(|part| part.bytes).sum::<u64>();
            chain.0.append(&mut own.done);
        }
        if let Some(from) = chain.many_small() {
            let own = self.workers.entry(0).or_default();
            for part in chain.0.drain(from..) {
                for block in sequence.read(&part)? {
                    own.add((draft, name, form), 0, block)?;
                }
            }
            own.close(draft, form)?;
            wrote += own.done.iter().map(|part| part.bytes).sum::<u64>();
            chain.0.append(&mut own.done);
        }
        Ok((chain, wrote))
    }
}

impl OfWorker {
    fn add(
        &mut self,
        (draft, name, form): (&Draft, &str, Form),
        worker: u32,
        block: impl AsRef<[u8]>,
    ) -> Result<(), CheckpointError> {
        let open = match &mut self.open {
            Some(open) => open,
            none => {
                self.begun += 1;
                none.insert(draft.part(name, worker, self.begun - 1)?)
            }
        };
        open.block(block);
        if open.bytes() >= FILE_BYTES {
            self.close(draft, form)?;
        }
        Ok(())
    }

    fn close(&mut self, draft: &Draft, form: Form) -> Result<(), CheckpointError> {
        let Some(open) = self.open.take() else {
            return Ok(());
        };
        let content = Content {
            label: LABEL.to_owned(),
            form,
            key_groups: None,
        };
        self.done.push(draft.put(open, content)?);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
