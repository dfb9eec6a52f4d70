//! What is put into a round's topic, and how fast.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use anyhow::{Result, anyhow};
use tidemill_test_kafka::{Record, Topic};

use crate::random::Random;

/// Partitions of the topic.
pub const PARTITIONS: i32 = 4;

/// How many records there are.
const RECORDS: usize = 8_000;

/// So many are written at a time.
const CHUNK: usize = 25;

/// So often, unless a round takes longer.
pub const EVERY: Duration = Duration::from_millis(20);

/// What cannot be decoded, in every way there is.
fn poison(random: &mut Random) -> Record {
    let number = random.below(1000);
    let values: [Vec<u8>; 6] = [
        format!("no row {number}").into_bytes(),
        vec![0xff, 0xfe, b'{', 0, number as u8],
        format!(r#"{{"key":"k1","id":{number}"#).into_bytes(),
        format!(r#"{{"key":"k1","id":"{number}","value":1,"bad":false,"at":1}}"#).into_bytes(),
        format!("[{number}]").into_bytes(),
        // Longer than `line-limit`.
        vec![b'x'; 5_000],
    ];
    match random.below(7) {
        6 => Record::tombstone(format!("k{number}")),
        sort => Record::new(values[sort as usize].clone()),
    }
}

/// Records of 40 keys, of which some come late, some are bad, and some are none. The key decides the partition.
/// All are of now, in milliseconds since 1970: of producers whose records are older than a day a broker that is started again
/// forgets what it has taken, and takes it twice.
pub fn records(random: &mut Random, now_ms: i64) -> Vec<Record> {
    let mut at = 1_700_000_000_000;
    let mut one = |_| {
        at += random.below(20);
        let key = random.below(40);
        let partition = (key % PARTITIONS as u64) as i32;
        if random.one_in(100) {
            let poison = poison(random).partition(partition);
            return poison.timestamp_ms(now_ms);
        }
        let late = match random.below(20) {
            0 => 30_000,
            1 | 2 => 1_500,
            _ => 0,
        };
        let (id, value, bad) = (random.below(12), random.below(1000), random.one_in(100));
        let row = format!(
            r#"{{"key":"k{key}","id":{id},"value":{value},"bad":{bad},"at":{}}}"#,
            at - late
        );
        Record::new(row).partition(partition).timestamp_ms(now_ms)
    };
    (0..RECORDS).map(&mut one).collect()
}

/// Writes records to a topic, evenly, until all are there.
pub struct Feeder {
    hurry: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Feeder {
    /// Begins, with a pause between what is written at a time.
    pub fn start(topic: &Topic, records: Arc<Vec<Record>>, every: Duration) -> Self {
        let hurry = Arc::new(AtomicBool::new(false));
        let (hurries, writer) = (Arc::clone(&hurry), topic.writer());
        let thread = spawn(move || {
            for chunk in records.chunks(CHUNK) {
                writer.write(chunk);
                if !hurries.load(Ordering::Relaxed) {
                    sleep(every);
                }
            }
            writer.flush();
        });
        Self { hurry, thread }
    }

    /// Whether everything is there.
    pub fn is_done(&self) -> bool {
        self.thread.is_finished()
    }

    /// Writes the rest at once.
    pub fn finish(self) -> Result<()> {
        self.hurry.store(true, Ordering::Relaxed);
        let ended = self.thread.join();
        ended.map_err(|_| anyhow!("the feeding thread panicked"))
    }
}
