//! Makes a data file in memory, block by block, in chunks that a disk can take as they are.

mod chunk;

use bytes::{BufMut, Bytes, BytesMut};

use self::chunk::Chunk;

use super::{BLOCK, Content, END, END_BYTES, FRAME_BYTES, MAGIC, Part, VERSION, crc_of_frame};
use crate::names::PartName;

/// A data file that is being made.
#[derive(Debug)]
pub struct PartWriter {
    name: PartName,
    /// Chunks that are full.
    full: Vec<Bytes>,
    chunk: Chunk,
    /// Of all that is in them.
    crc32c: u32,
    bytes: u64,
    blocks: u64,
    payload_bytes: u64,
}

impl PartWriter {
    /// An empty file of that name.
    ///
    /// # Panics
    /// If the operator's name has more than 60,000 bytes.
    pub(crate) fn new(name: PartName) -> Self {
        let text = name.to_string();
        let length = u16::try_from(text.len()).expect("names of operators are short");
        let mut header = BytesMut::with_capacity(16 + text.len());
        header.put_slice(MAGIC);
        header.put_u16_le(VERSION);
        header.put_u16_le(length);
        header.put_slice(text.as_bytes());
        let crc = crc32c::crc32c(&header);
        header.put_u32_le(crc);
        let mut writer = Self {
            name,
            full: Vec::new(),
            chunk: Chunk::default(),
            crc32c: 0,
            bytes: 0,
            blocks: 0,
            payload_bytes: 0,
        };
        writer.add(&header);
        writer
    }

    /// Adds a block, which is given back as it is.
    ///
    /// # Panics
    /// If it has 4 GiB or more.
    pub fn block(&mut self, block: impl AsRef<[u8]>) {
        let block = block.as_ref();
        self.frame(BLOCK, block);
        self.blocks += 1;
        self.payload_bytes += block.len() as u64;
        self.add(block);
    }

    /// How long the file is so far, in bytes: by this a writer decides when to begin another.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// How many blocks it has so far.
    pub fn blocks(&self) -> u64 {
        self.blocks
    }

    /// The file's name.
    pub fn name(&self) -> &PartName {
        &self.name
    }

    /// What the manifest will say of it, and what is in it, piece by piece.
    pub(crate) fn finish(mut self, content: Content) -> (Part, Vec<Bytes>) {
        let mut end = BytesMut::with_capacity(END_BYTES as usize);
        end.put_u64_le(self.blocks);
        end.put_u64_le(self.payload_bytes);
        self.frame(END, &end);
        self.add(&end);
        let part = Part {
            file: self.name.to_string(),
            bytes: self.bytes,
            crc32c: self.crc32c,
            written_by: self.name.number,
            label: content.label,
            form: content.form,
            key_groups: content.key_groups,
        };
        self.full.push(self.chunk.freeze());
        (part, self.full)
    }

    fn frame(&mut self, kind: u8, bytes: &[u8]) {
        let length = u32::try_from(bytes.len()).expect("a block is shorter than 4 GiB");
        let crc = crc32c::crc32c_append(crc_of_frame(self.blocks, kind, length), bytes);
        let mut frame = BytesMut::with_capacity(FRAME_BYTES);
        frame.put_u8(kind);
        frame.put_u32_le(length);
        frame.put_u32_le(crc);
        self.add(&frame);
    }

    fn add(&mut self, mut bytes: &[u8]) {
        self.crc32c = crc32c::crc32c_append(self.crc32c, bytes);
        self.bytes += bytes.len() as u64;
        while !bytes.is_empty() {
            bytes = self.chunk.add(bytes);
            if self.chunk.is_full() {
                self.full.push(self.chunk.take());
            }
        }
    }
}
