//! Nothing but dependencies: one set of features for what all crates share.
//!
//! Cargo compiles a dependency with the features that the crates *selected* ask for. So `-p tidemill-wasm` and `-p tidemill-cli`
//! would each compile wasmtime anew, ten minutes each, because something far below has one feature more in one of them.
//! Every crate that has such dependencies depends on this one, which asks for all of these features (what `cargo hakari` does).
//! `cargo tree -e features` shows who asks for what.
