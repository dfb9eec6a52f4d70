//! Watermarks: of splits, of a source over its splits, of an operator over its inputs.
