//! The generated bindings of `wit/`: the types that cross the boundary, and the macro that exports
//! a module.
//!
//! No author meets them: `record`, `output` and the macros stand between. They are public because
//! the exported symbols have to be made in the author's own crate, by [`crate::module!`].
#![allow(missing_docs, clippy::all, unsafe_op_in_unsafe_fn)]

wit_bindgen::generate!({
    path: "wit",
    world: "module",
    pub_export_macro: true,
    default_bindings_module: "tidemill::bindings",
});
