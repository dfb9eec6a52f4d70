//! How modules are compiled: the engine's configuration, core modules made components, machine code.
//!
//! The same configuration serves the compiling child and the host, or the host would refuse what the child made.

use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig,
    WasmBacktraceDetails,
};
use wit_component::ComponentEncoder;

use crate::instance::{MOST_MEMORIES, MOST_TABLE_ELEMENTS, MOST_TABLES};
use crate::surface::Surface;

/// Core instances, and tables, of all functions of the process.
const INSTANCES: u32 = 16_384;
/// Linear memories of all functions of the process. Addresses for all of them are reserved, no memory.
const MEMORIES: u32 = 4096;
/// What the host keeps of an instance beside its memory.
const INSTANCE_BYTES: usize = 256 << 20;
/// So much of a memory is wiped in place when its instance is gone.
const RESIDENT: usize = 4 << 20;

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
    let mut pooled = config.clone();
    pooled.allocation_strategy(InstanceAllocationStrategy::Pooling(pool()));
    Engine::new(&pooled).or_else(|_| Engine::new(&config))
}

/// Where instances lie. What a call that was stopped leaves behind is wiped, not given back to the system and asked for again.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(INSTANCES)
        .total_core_instances(INSTANCES)
        .total_memories(MEMORIES)
        .total_tables(INSTANCES)
        .total_stacks(0)
        .table_elements(MOST_TABLE_ELEMENTS)
        .max_component_instance_size(INSTANCE_BYTES)
        .max_core_instance_size(INSTANCE_BYTES)
        .max_memories_per_module(MOST_MEMORIES as u32)
        .max_tables_per_module(MOST_TABLES as u32)
        .linear_memory_keep_resident(RESIDENT)
        .table_keep_resident(RESIDENT)
        .pagemap_scan(Enabled::Auto);
    pool
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
