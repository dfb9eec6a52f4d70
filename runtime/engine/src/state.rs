//! What a keyed operator keeps: keys, accumulators as rows of a declared schema, rows of windows, state of process functions.

pub mod accumulators;
pub mod backend;
pub mod key_table;
pub mod memory;
pub mod rocksdb;
pub mod rows;
pub mod store;

pub use accumulators::Accumulators;
pub use backend::{Asked, Beside, Changed, FolderError, StateBackend, StateError, Upto};
pub use key_table::{EncodedTable, KeyTable};
pub use memory::Memory;
pub use rocksdb::{Cold, Next, RocksDb, Snapshot};
pub use rows::RowStore;
