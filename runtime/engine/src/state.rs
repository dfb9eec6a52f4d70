//! What a keyed operator keeps in memory: keys, and accumulators as rows of a declared schema.

pub mod accumulators;
pub mod key_table;

pub use accumulators::Accumulators;
