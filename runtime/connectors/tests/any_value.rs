//! Avro and Protobuf, whatever schemas and values are: what the fuzz targets hold them to, of the seeds of those and of what becomes
//! of these when bytes of them are others.

use std::fs;
use std::path::Path;

use tidemill_connectors::FormatKind;

#[path = "support/any_value.rs"]
mod any_value;

/// How many times bytes of each seed are changed.
const TRIES: u64 = 1_500;

/// The seeds of a fuzz target.
fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    let files = fs::read_dir(folder.join(target)).expect("the seeds");
    let read = |file: std::io::Result<fs::DirEntry>| fs::read(file.expect("a file").path());
    let seeds: Result<Vec<_>, _> = files.map(read).collect();
    let seeds = seeds.expect("they are read");
    assert!(!seeds.is_empty());
    seeds
}

/// A seed with some of its bytes changed, differently for every number.
fn changed(seed: &[u8], number: u64) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut next = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    for _ in 0..=next(4) {
        let at = next(bytes.len());
        bytes[at] = next(256) as u8;
    }
    bytes
}

fn check(target: &str, kind: FormatKind) {
    for seed in seeds(target) {
        let good = any_value::check(kind, &seed);
        assert!(good > 0, "a seed has values that are read");
        for number in 0..TRIES {
            any_value::check(kind, &changed(&seed, number));
        }
    }
}

#[test]
fn whatever_is_avro_is_sound() {
    check("avro", FormatKind::Avro);
}

#[test]
fn whatever_is_protobuf_is_sound() {
    check("protobuf", FormatKind::Protobuf);
}
