//! What a keyed operator keeps in memory: keys, accumulators as rows of a declared schema, and rows of windows.

pub mod accumulators;
pub mod backend;
pub mod key_table;
pub mod memory;
pub mod rows;
pub mod store;

pub use accumulators::Accumulators;
pub use backend::{Asked, Changed, StateBackend, StateError, Upto};
pub use memory::Memory;
pub use rows::RowStore;
