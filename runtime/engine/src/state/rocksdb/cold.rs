//! The one RocksDB of a process: what lies outside memory of all process operators on all workers.
//!
//! Invariants:
//! 1. Nothing in it outlasts the process: no log is written ahead, nothing is made durable, it starts empty.
//! 2. Every key begins with the number of the operator's copy that it is of (`part.rs`).
//! 3. What expired is removed by compaction, and by a clock that does not move while a snapshot is being read.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::sync::{Arc, PoisonError, RwLock};

use rocksdb::compaction_filter::Decision;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType,
    DataBlockIndexType, LogLevel, Options, WriteBatch, WriteBufferManager, WriteOptions,
};

use super::budget::{self, Budget};
use super::folder::Folder;
use super::records::is_expired;
use crate::state::backend::{FolderError, StateError};

/// The column family of timers, beside that of records.
const TIMERS: &str = "timers";

/// The column family of keys that have changed.
const CHANGED: &str = "changed";

/// The one that there always is.
const RECORDS: &str = "default";

/// Bits per key of the filters that say which files do not have it: one look in a hundred is in vain.
const FILTER_BITS: f64 = 10.0;

/// How large blocks are: a key is looked for in one of them, all of which is read and uncompressed for it.
const BLOCK_BYTES: usize = 4096;

/// See the module.
pub struct Cold {
    db: DB,
    written: WriteOptions,
    parts: Arc<RwLock<Vec<Arc<Clocks>>>>,
    budget: Arc<Budget>,
    /// Goes when the database is closed.
    folder: Folder,
}

/// How far what has expired may be removed of one part.
#[derive(Debug)]
pub struct Clocks {
    pub w: AtomicI64,
    pub now: AtomicI64,
}

impl Cold {
    /// An empty one in a folder of its own below `base`, for a process that may take so many bytes of memory.
    ///
    /// # Errors
    /// If there can be none.
    pub fn open(base: &Path, memory: usize) -> Result<Arc<Self>, FolderError> {
        let failed = |doing: &'static str, folder: PathBuf, what: String| FolderError {
            folder,
            doing,
            what,
        };
        let folder =
            Folder::make(base).map_err(|e| failed("made", base.to_owned(), e.to_string()))?;
        let parts: Arc<RwLock<Vec<Arc<Clocks>>>> = Arc::default();
        let (process, records, keys) = options(budget::of_blocks(memory), parts.clone());
        let families = [(RECORDS, records), (TIMERS, keys.clone()), (CHANGED, keys)]
            .map(|(name, options)| ColumnFamilyDescriptor::new(name, options));
        let path = folder.path().join("db");
        let db = DB::open_cf_descriptors(&process, &path, families)
            .map_err(|e| failed("opened", path, e.into_string()))?;
        let mut written = WriteOptions::default();
        written.disable_wal(true);
        written.set_memtable_insert_hint_per_batch(true);
        Ok(Arc::new(Self {
            db,
            written,
            parts,
            budget: Arc::new(Budget::new(memory)),
            folder,
        }))
    }

    /// What operators may hold in memory.
    pub fn budget(&self) -> &Arc<Budget> {
        &self.budget
    }

    /// A number that no part has yet, and its clocks.
    pub(super) fn next_part(&self) -> (u16, Arc<Clocks>) {
        let clocks = Arc::new(Clocks {
            w: AtomicI64::new(i64::MIN),
            now: AtomicI64::new(i64::MIN),
        });
        let mut parts = self.parts.write().unwrap_or_else(PoisonError::into_inner);
        parts.push(clocks.clone());
        let number = u16::try_from(parts.len() - 1);
        (number.expect("operators times workers are limited"), clocks)
    }

    pub(super) fn db(&self) -> &DB {
        &self.db
    }

    pub(super) fn records(&self) -> &ColumnFamily {
        self.family(RECORDS)
    }

    pub(super) fn timers(&self) -> &ColumnFamily {
        self.family(TIMERS)
    }

    pub(super) fn changed(&self) -> &ColumnFamily {
        self.family(CHANGED)
    }

    fn family(&self, name: &str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("all were opened")
    }

    /// Writes all of it, or nothing.
    pub(super) fn write(&self, batch: WriteBatch) -> Result<(), StateError> {
        let written = self.db.write_opt(batch, &self.written);
        written.map_err(|e| self.failed("written to", e.into_string()))
    }

    pub(super) fn failed(&self, doing: &'static str, what: String) -> StateError {
        StateError::Folder(FolderError {
            folder: self.folder.path().to_owned(),
            doing,
            what,
        })
    }
}

/// Of the process, of records and of keys without; with so many bytes for blocks and for what is still to be written together.
fn options(blocks: usize, parts: Arc<RwLock<Vec<Arc<Clocks>>>>) -> (Options, Options, Options) {
    let cache = Cache::new_lru_cache(blocks);
    let to_write = blocks / 2;
    let manager =
        WriteBufferManager::new_write_buffer_manager_with_cache(to_write, false, cache.clone());
    // What is still in its memory is worth nothing when it is closed; there is no other way to say so.
    let mut process = Options::default()
        .get_options_from_string("avoid_flush_during_shutdown=true")
        .expect("RocksDB has this option");
    process.create_if_missing(true);
    process.create_missing_column_families(true);
    process.set_write_buffer_manager(&manager);
    process.set_max_background_jobs(2);
    process.set_max_open_files(512);
    process.set_keep_log_file_num(1);
    process.set_log_level(LogLevel::Warn);
    process.set_stats_dump_period_sec(0);
    process.set_stats_persist_period_sec(0);
    let family = || {
        let mut table = BlockBasedOptions::default();
        table.set_block_cache(&cache);
        table.set_block_size(BLOCK_BYTES);
        table.set_cache_index_and_filter_blocks(true);
        table.set_pin_l0_filter_and_index_blocks_in_cache(true);
        table.set_format_version(6);
        let mut family = Options::default();
        family.set_compression_type(DBCompressionType::Lz4);
        family.set_write_buffer_size(to_write / 4);
        family.set_arena_block_size((to_write / 64).clamp(4 << 10, 1 << 20));
        family.set_target_file_size_base((to_write as u64 / 4).max(1 << 20));
        family.set_max_bytes_for_level_base((to_write as u64).max(4 << 20));
        (family, table)
    };
    let (mut records, mut table) = family();
    table.set_bloom_filter(FILTER_BITS, false);
    table.set_data_block_index_type(DataBlockIndexType::BinaryAndHash);
    table.set_data_block_hash_ratio(0.75);
    records.set_block_based_table_factory(&table);
    records.set_memtable_whole_key_filtering(true);
    records.set_memtable_prefix_bloom_ratio(0.02);
    records.set_compaction_filter("expired", move |_, key, record| {
        match may_go(&parts, key, record) {
            true => Decision::Remove,
            false => Decision::Keep,
        }
    });
    let (mut keys, table) = family();
    keys.set_block_based_table_factory(&table);
    (process, records, keys)
}

/// Whether a record holds nothing any more. Records of functions of which nothing expires have clocks that never move.
fn may_go(parts: &RwLock<Vec<Arc<Clocks>>>, key: &[u8], record: &[u8]) -> bool {
    let Some(number) = key.first_chunk::<2>() else {
        return false;
    };
    let parts = parts.read().unwrap_or_else(PoisonError::into_inner);
    let Some(clocks) = parts.get(usize::from(u16::from_be_bytes(*number))) else {
        return false;
    };
    let (w, now) = (clocks.w.load(Relaxed), clocks.now.load(Relaxed));
    (w, now) != (i64::MIN, i64::MIN) && is_expired(record, w, now)
}
