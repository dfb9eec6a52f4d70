//! Checkpoints: whatever a location holds, behind right checksums, is read, listed and verified, or refused with a message.
#![no_main]

use libfuzzer_sys::arbitrary::{Result, Unstructured};
use libfuzzer_sys::fuzz_target;
use tidemill_checkpoint::store::memory::MemoryStore;
use tidemill_checkpoint::{Form, Location, Number, Part, Sequence};
use tidemill_engine::checkpoint::StationCut;

const PIPELINE: &str = r#"{"tidemill":"pipeline","version":1,"body":{"pipeline":"p","pipeline-id":"0badc0de","made":"2024-01-01T00:00:00.000000Z"}"#;
const DATA: &str = "data/1-00c0ffee00c0ffee/2.1.sums.0.0";

/// A small object, with the checksum that it should have.
fn signed(covered: &[u8]) -> Vec<u8> {
    let tail = format!(",\"crc32c\":\"{:08x}\"}}\n", crc32c::crc32c(covered));
    [covered, tail.as_bytes()].concat()
}

/// Frames of a data file, some with the checksum that they should have.
fn frames(u: &mut Unstructured) -> Result<Vec<u8>> {
    let mut file = b"tidemill\x01\x00".to_vec();
    file.extend((DATA.len() as u16).to_le_bytes());
    file.extend(DATA.as_bytes());
    file.extend(crc32c::crc32c(&file).to_le_bytes());
    for number in 0..u.int_in_range(0..=5_u64)? {
        let (kind, bytes): (u8, Vec<u8>) = u.arbitrary()?;
        let length = match u.arbitrary()? {
            true => bytes.len() as u32,
            false => u.arbitrary()?,
        };
        let crc = crc32c::crc32c_append(crc32c::crc32c(&number.to_le_bytes()), &[kind]);
        let crc = crc32c::crc32c_append(crc, &length.to_le_bytes());
        file.push(kind);
        file.extend(length.to_le_bytes());
        file.extend(crc32c::crc32c_append(crc, &bytes).to_le_bytes());
        file.extend(bytes);
    }
    Ok(file)
}

fn read_data(sequence: &Sequence, file: &[u8]) {
    let part = Part {
        file: DATA.to_owned(),
        bytes: file.len() as u64,
        crc32c: crc32c::crc32c(file),
        written_by: Number(2),
        label: "sums".to_owned(),
        form: Form::Base,
        key_groups: None,
    };
    if let Ok(blocks) = sequence.read(&part) {
        let bytes: usize = blocks.clone().map(|block| block.len()).sum();
        assert_eq!(blocks.concat().len(), bytes);
    }
}

/// Everything that only looks.
fn look(sequence: &Sequence) {
    let number = Number(2);
    drop(sequence.record(number));
    drop(sequence.recovery());
    drop(sequence.list());
    drop(sequence.verify(number));
    let Ok(Some(checkpoint)) = sequence.checkpoint(number) else {
        return;
    };
    drop(sequence.missing(&checkpoint.manifest));
    checkpoint.manifest.bytes();
    for part in checkpoint.manifest.parts() {
        drop(sequence.read(part));
    }
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, rest)) = bytes.split_first() else {
        return;
    };
    let store = MemoryStore::new();
    store.replace("p/pipeline.json", signed(PIPELINE.as_bytes()));
    let location = Location::of_store(store.clone());
    let sequence = location.pipeline("p").expect("it may be called so");
    match kind % 5 {
        0 => {
            store.replace("p/manifests/000000000002.json", signed(rest));
            look(&sequence);
        }
        1 => {
            store.replace("p/pipeline.json", signed(rest));
            look(&sequence);
        }
        2 => {
            let Ok(file) = frames(&mut Unstructured::new(rest)) else {
                return;
            };
            store.replace(&format!("p/{DATA}"), file.clone());
            read_data(&sequence, &file);
        }
        3 => {
            store.replace(&format!("p/{DATA}"), rest.to_vec());
            read_data(&sequence, rest);
        }
        _ => {
            if let Ok(cut) = StationCut::decode(rest) {
                let again = StationCut::decode(&cut.encode()).expect("what is written can be read");
                assert_eq!(again.encode(), cut.encode());
            }
        }
    }
});
