//! Every cut, every flipped bit and every exchange is recognised, in the file alone and against its manifest.

use bytes::Bytes;
use proptest::prelude::*;

use super::read::read;
use super::*;
use crate::damage::Why;
use crate::names::{Incarnation, PartName};

fn written(index: u32, blocks: &[&[u8]]) -> (Part, Bytes) {
    let mut writer = PartWriter::new(PartName {
        incarnation: Incarnation {
            claim: Number(6),
            token: 0xc0ffee,
        },
        number: Number(7),
        attempt: 1,
        operator: "totals".to_owned(),
        worker: 0,
        index,
    });
    for block in blocks {
        writer.block(Bytes::copy_from_slice(block));
    }
    let (part, pieces) = writer.finish(Content {
        label: "accumulators".to_owned(),
        form: Form::Base,
        key_groups: Some((0, 127)),
    });
    (part, pieces.concat().into())
}

#[test]
fn the_bytes_are_these_for_ever() {
    let (part, bytes) = written(3, &[b"abc", b""]);
    let name = b"data/6-0000000000c0ffee/7.1.totals.0.3";
    let mut expected = b"tidemill\x01\x00\x26\x00".to_vec();
    expected.extend(name);
    expected.extend(0x976a_2613_u32.to_le_bytes());
    expected.extend(b"\x01\x03\x00\x00\x00");
    expected.extend(0xe566_0e58_u32.to_le_bytes());
    expected.extend(b"abc");
    expected.extend(b"\x01\x00\x00\x00\x00");
    expected.extend(0xb498_f22d_u32.to_le_bytes());
    expected.extend(b"\x02\x10\x00\x00\x00");
    expected.extend(0xfb0a_c3fe_u32.to_le_bytes());
    expected.extend(2_u64.to_le_bytes());
    expected.extend(3_u64.to_le_bytes());
    assert_eq!(bytes, expected, "{bytes:x?}");
    assert_eq!(part.bytes, expected.len() as u64);
    assert_eq!(part.crc32c, crc32c::crc32c(&expected));
}

#[test]
fn every_cut_and_every_flipped_bit_is_recognised() {
    let (part, bytes) = written(3, &[b"abc", b"", b"defgh"]);
    let whole = Blocks::check(&part, bytes.clone()).unwrap();
    assert_eq!(whole.len(), 3);
    assert_eq!(whole.concat(), b"abcdefgh");
    for cut in 0..bytes.len() {
        let cut_off = bytes.slice(..cut);
        assert!(
            Blocks::check(&part, cut_off.clone()).is_err(),
            "cut at {cut}"
        );
        assert_eq!(
            read(&part.file, cut_off),
            Err(Why::Truncated),
            "cut at {cut}"
        );
    }
    for bit in 0..bytes.len() * 8 {
        let mut flipped = bytes.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        assert!(
            Blocks::check(&part, flipped.clone().into()).is_err(),
            "bit {bit}"
        );
        assert!(read(&part.file, flipped.into()).is_err(), "bit {bit}");
    }
}

#[test]
fn exchanged_and_longer_files_are_recognised() {
    let (one, bytes_of_one) = written(3, &[b"abc"]);
    let (other, bytes_of_other) = written(4, &[b"abc"]);
    let exchanged = Blocks::check(&one, bytes_of_other).unwrap_err();
    assert_eq!(
        exchanged,
        Why::Other {
            expected: one.file.clone(),
            found: other.file
        }
    );
    let mut longer = bytes_of_one.to_vec();
    longer.push(0);
    assert_eq!(read(&one.file, longer.into()), Err(Why::Trailing));
}

#[test]
fn exchanged_repeated_and_removed_blocks_are_recognised() {
    let (part, bytes) = written(3, &[b"abc", b"abd"]);
    let begin = 8 + 4 + part.file.len() + 4;
    let block = FRAME_BYTES + 3;
    let (header, rest) = bytes.split_at(begin);
    let (first, rest) = rest.split_at(block);
    let (second, end) = rest.split_at(block);
    let orders: [&[&[u8]]; 4] = [
        &[header, second, first, end],
        &[header, first, first, end],
        &[header, first, end],
        &[header, second, end],
    ];
    for order in orders {
        let bytes = order.concat();
        assert!(read(&part.file, bytes.into()).is_err());
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read(blocks in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..8)) {
        let slices: Vec<&[u8]> = blocks.iter().map(Vec::as_slice).collect();
        let (part, bytes) = written(1, &slices);
        let read: Vec<Vec<u8>> = Blocks::check(&part, bytes).unwrap().map(|b| b.to_vec()).collect();
        prop_assert_eq!(read, blocks);
    }
}
