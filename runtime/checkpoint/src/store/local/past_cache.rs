//! Files that go to the disk past the system's cache: long ones, that are written all the time and seldom read.
//!
//! In the cache they would cost more than they are worth: pages to be found, copied to, given back, and taken from what is read.
//! The disk takes whole blocks from memory that is aligned like them. Where a file system has no such writes, or does not want one
//! of them, the cache is used.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};

use super::{Put, create_durably};
use crate::store::ALIGN;

/// How much is written at once.
const CHUNK: usize = 1 << 20;

/// Creates a file of these pieces, if there is none of that name. When this returns it is durable.
pub(super) fn put(path: &Path, pieces: &[Bytes]) -> io::Result<Put> {
    let (file, staged) = stage(path)?;
    let done = write(&file, pieces)
        .and_then(|()| file.sync_all())
        .and_then(|()| publish(&staged, path));
    // What stays is never taken for the file, and is removed with the folder.
    let _ = fs::remove_file(&staged);
    done
}

/// A new file beside the one that it is to be, as `object_store` names it.
fn stage(path: &Path) -> io::Result<(File, PathBuf)> {
    let mut number = 1;
    loop {
        let mut staged = path.as_os_str().to_owned();
        staged.push(format!("#{number}"));
        match File::create_new(&staged) {
            Ok(file) => return Ok((file, staged.into())),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => number += 1,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                create_durably(path.parent().ok_or(e)?)?;
            }
            Err(e) => return Err(e),
        }
    }
}

/// Gives a file that is whole its name.
fn publish(staged: &Path, path: &Path) -> io::Result<Put> {
    match fs::hard_link(staged, path) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => return Ok(Put::Taken),
        Err(e) => return Err(e),
    }
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(Put::Created)
}

fn write(file: &File, pieces: &[Bytes]) -> io::Result<()> {
    let mut chunks = Chunks {
        file,
        is_direct: pass_cache(file, true).is_ok(),
        memory: vec![0; CHUNK + ALIGN],
        filled: 0,
    };
    pieces.iter().try_for_each(|piece| chunks.take(piece))?;
    chunks.end()?;
    let bytes: usize = pieces.iter().map(Bytes::len).sum();
    file.set_len(bytes as u64)
}

/// Whether what is written from now on passes the cache.
fn pass_cache(file: &File, passes: bool) -> io::Result<()> {
    let mut flags = fcntl_getfl(file)?;
    flags.set(OFlags::DIRECT, passes);
    Ok(fcntl_setfl(file, flags)?)
}

/// What is written, in chunks that are aligned.
struct Chunks<'a> {
    file: &'a File,
    is_direct: bool,
    /// A chunk, from the first place on that is aligned.
    memory: Vec<u8>,
    filled: usize,
}

impl Chunks<'_> {
    fn chunk(&mut self) -> &mut [u8] {
        let begin = self.memory.as_ptr().align_offset(ALIGN);
        &mut self.memory[begin..begin + CHUNK]
    }

    fn take(&mut self, mut piece: &[u8]) -> io::Result<()> {
        let fits = |piece: &[u8]| {
            piece.as_ptr().align_offset(ALIGN) == 0 && piece.len().is_multiple_of(ALIGN)
        };
        if self.filled == 0 && fits(piece) {
            return self.write(piece);
        }
        while !piece.is_empty() {
            let filled = self.filled;
            let room = &mut self.chunk()[filled..];
            let (now, later) = piece.split_at(piece.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            piece = later;
            self.filled += now.len();
            if self.filled == CHUNK {
                self.write_filled(CHUNK)?;
            }
        }
        Ok(())
    }

    /// Writes what is left, up to where a block ends.
    fn end(&mut self) -> io::Result<()> {
        let (filled, end) = (self.filled, self.filled.next_multiple_of(ALIGN));
        self.chunk()[filled..end].fill(0);
        self.write_filled(end)
    }

    fn write_filled(&mut self, bytes: usize) -> io::Result<()> {
        let memory = std::mem::take(&mut self.memory);
        let begin = memory.as_ptr().align_offset(ALIGN);
        let written = self.write(&memory[begin..begin + bytes]);
        (self.memory, self.filled) = (memory, 0);
        written
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut written = 0;
        while written < bytes.len() {
            let mut file = self.file;
            match file.write(&bytes[written..]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(more) => written += more,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                // Not wanted so.
                Err(e) if self.is_direct && e.kind() == io::ErrorKind::InvalidInput => {
                    self.use_cache()?;
                }
                Err(e) => return Err(e),
            }
            if self.is_direct && !written.is_multiple_of(ALIGN) {
                self.use_cache()?;
            }
        }
        Ok(())
    }

    fn use_cache(&mut self) -> io::Result<()> {
        self.is_direct = false;
        pass_cache(self.file, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pieces of these lengths, no two alike, and all of them.
    fn pieces(lengths: &[usize]) -> (Vec<Bytes>, Vec<u8>) {
        let piece = |(i, &length): (usize, &usize)| {
            let bytes = (0..length).map(|at| (at.wrapping_mul(31) ^ (at >> 8) ^ i) as u8);
            bytes.collect::<Vec<u8>>()
        };
        let pieces: Vec<Vec<u8>> = lengths.iter().enumerate().map(piece).collect();
        let all = pieces.concat();
        (pieces.into_iter().map(Bytes::from).collect(), all)
    }

    #[test]
    fn what_is_written_is_what_was_given() {
        let folder = tempfile::tempdir().expect("a folder");
        let lengths: [&[usize]; 6] = [
            &[],
            &[1],
            &[ALIGN],
            &[9, CHUNK - 9],
            &[9, CHUNK - 10, 9, 3 * CHUNK + 5, 0, ALIGN],
            &[CHUNK, CHUNK],
        ];
        for (i, lengths) in lengths.into_iter().enumerate() {
            let path = folder.path().join(format!("not/yet/there-{i}"));
            let (pieces, all) = pieces(lengths);
            assert_eq!(put(&path, &pieces).expect("room"), Put::Created);
            assert!(fs::read(&path).expect("it is there") == all, "{lengths:?}");
            assert_eq!(put(&path, &[]).expect("room"), Put::Taken);
            assert!(fs::read(&path).expect("it is there") == all, "{lengths:?}");
        }
        let left = fs::read_dir(folder.path().join("not/yet")).expect("a folder");
        assert_eq!(left.count(), lengths.len(), "nothing staged is left");
    }

    #[test]
    fn an_interrupted_put_does_not_stand_in_the_way() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("part");
        fs::write(folder.path().join("part#1"), "half of it").expect("room");
        let (pieces, all) = pieces(&[5 * ALIGN + 3]);
        assert_eq!(put(&path, &pieces).expect("room"), Put::Created);
        assert!(fs::read(&path).expect("it is there") == all);
    }
}
