//! How modules are compiled: the engine's configuration, core modules made components, machine code.
//!
//! The same configuration serves the compiling child and the host, or the host would refuse what the child made.

use wasmtime::{Config, Engine, WasmBacktraceDetails};
use wit_component::ComponentEncoder;

use crate::surface::Surface;

/// The engine: deterministic to the bit, interruptible. Threads, garbage collection and exceptions are not compiled in.
pub(crate) fn engine(stack_bytes: usize) -> wasmtime::Result<Engine> {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .epoch_interruption(true)
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .concurrency_support(false)
        // The interface's pointers have 32 bits; larger memories would only cost bounds checks.
        .wasm_memory64(false)
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .max_wasm_stack(stack_bytes)
        // A memory of 32-bit addresses with 4 GiB reserved and a guard behind it needs no bounds checks in code.
        .memory_reservation(1 << 32)
        .memory_guard_size(32 << 20)
        .memory_init_cow(true);
    Engine::new(&config)
}

/// A component of the bytes: core modules carry the interface in a custom section that `wit-bindgen` wrote.
pub(crate) fn component(bytes: &[u8], core: bool) -> Result<Vec<u8>, String> {
    if !core {
        return Ok(bytes.to_vec());
    }
    let encode = || {
        ComponentEncoder::default()
            .validate(true)
            .module(bytes)?
            .encode()
    };
    let refused = |why: String| {
        format!(
            "the core module cannot be made a component: {why}; it must be built for \
             wasm32-unknown-unknown with bindings that wit-bindgen made of Tidemill's interface"
        )
    };
    let component = encode().map_err(|e| refused(format!("{e:#}")))?;
    if Surface::read(&component)?.exports.is_empty() {
        return Err(refused(
            "it has no section that describes its interface's types".into(),
        ));
    }
    Ok(component)
}

/// Machine code of the module, as the cache holds it.
pub(crate) fn machine_code(engine: &Engine, bytes: &[u8], core: bool) -> Result<Vec<u8>, String> {
    let component = component(bytes, core)?;
    engine
        .precompile_component(&component)
        .map_err(|e| format!("it is not valid WebAssembly for this host: {e:#}"))
}
