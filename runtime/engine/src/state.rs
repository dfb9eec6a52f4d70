//! What a keyed operator keeps in memory: keys, accumulators as rows of a declared schema, and rows of windows.

pub mod accumulators;
pub mod key_table;
pub mod rows;

pub use accumulators::Accumulators;
pub use rows::RowStore;
