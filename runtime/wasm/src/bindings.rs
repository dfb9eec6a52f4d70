//! The generated bindings of `wit/`: the one place where the interface's types come from.
//!
//! Columns are lent to a call and owned when they come back, hence each shared record exists twice: `…Param`
//! borrows, `…Result` owns. `wire` gives them their names.
#![allow(missing_docs)]

wasmtime::component::bindgen!({
    path: "../../wit",
    world: "module",
    ownership: Borrowing { duplicate_if_necessary: true },
    imports: {
        "tidemill:operator/state.list-length": trappable,
        "tidemill:operator/state.list-newest": trappable,
        "tidemill:operator/state.map-get": trappable,
        "tidemill:operator/state.map-entries": trappable,
    },
});
