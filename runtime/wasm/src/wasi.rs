//! The virtual WASI of modules that import it (Python, JavaScript, Go, wasm32-wasip2): no files, no network, no
//! environment, an empty standard input, a clock that stands still, randomness that is a fixed stream per instance.
//! Standard output and error become lines of the log.
//!
//! Neither clock nor randomness may decide a result, so calls of them are counted while rows are processed. Waiting ends
//! at once: a clock that stands still never gets anywhere, and a deadline in CPU time would not end a sleep.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};
use wasmtime_wasi::p2::bindings::{cli, clocks, random};
use wasmtime_wasi::p2::{
    DynOutputStream, DynPollable, OutputStream, Pollable, StreamResult, add_to_linker_sync,
    subscribe,
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView, async_trait};

use crate::instance::State;
use crate::log::Level;

/// 2020-01-01T00:00:00Z: where the clock stands.
const STANDS_AT_S: u64 = 1_577_836_800;
const SEED: u64 = 0x7469_6465_6d69_6c6c;
/// What a stream takes at once; lines are cut by the log's limits anyway.
const STREAM_ROOM: usize = 64 * 1024;
/// What is kept of a call's output; the log's limits cut it further.
const MOST_CAPTURED: usize = 256 * 1024;
/// Streams and pollables that a guest may hold at once.
const MOST_RESOURCES: usize = 1024;

/// One instance's virtual WASI.
pub(crate) struct Wasi {
    ctx: WasiCtx,
    table: ResourceTable,
    random: u64,
    /// Calls of the clock, and of randomness, since they were last taken.
    pub clock_calls: u64,
    /// See `clock_calls`.
    pub random_calls: u64,
    out: Capture,
    err: Capture,
}

impl Wasi {
    /// A fresh one: every instance sees the same.
    pub fn new() -> Self {
        let mut builder = WasiCtxBuilder::new();
        builder
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false);
        let mut table = ResourceTable::new();
        table.set_max_capacity(MOST_RESOURCES);
        Self {
            ctx: builder.build(),
            table,
            random: SEED,
            clock_calls: 0,
            random_calls: 0,
            out: Capture::default(),
            err: Capture::default(),
        }
    }

    /// What was written to standard output and error since the last call, in lines.
    pub fn take_lines(&self, mut line: impl FnMut(Level, &str)) {
        for (capture, level) in [(&self.out, Level::Info), (&self.err, Level::Warn)] {
            let text = std::mem::take(&mut *capture.lock());
            String::from_utf8_lossy(&text)
                .lines()
                .for_each(|text| line(level, text));
        }
    }

    /// The next word of the stream (SplitMix64).
    fn next_random(&mut self) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_calls += 1;
        if len > STREAM_ROOM as u64 {
            wasmtime::bail!("{len} random bytes asked for at once, at most {STREAM_ROOM}");
        }
        let words = (0..len.div_ceil(8)).flat_map(|_| self.next_random().to_le_bytes());
        let mut bytes: Vec<u8> = words.collect();
        bytes.truncate(len as usize);
        Ok(bytes)
    }
}

/// Adds the virtual WASI to a linker.
pub(crate) fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    add_to_linker_sync(linker)?;
    linker.allow_shadowing(true);
    clocks::monotonic_clock::add_to_linker::<State, Own>(linker, State::wasi_mut)?;
    clocks::wall_clock::add_to_linker::<State, Own>(linker, State::wasi_mut)?;
    cli::stdout::add_to_linker::<State, Own>(linker, State::wasi_mut)?;
    cli::stderr::add_to_linker::<State, Own>(linker, State::wasi_mut)?;
    random::random::add_to_linker::<State, Own>(linker, State::wasi_mut)?;
    random::insecure::add_to_linker::<State, Own>(linker, State::wasi_mut)?;
    random::insecure_seed::add_to_linker::<State, Own>(linker, State::wasi_mut)?;
    linker.allow_shadowing(false);
    Ok(())
}

struct Own;

impl HasData for Own {
    type Data<'a> = &'a mut Wasi;
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        let wasi = self.wasi_mut();
        WasiCtxView {
            ctx: &mut wasi.ctx,
            table: &mut wasi.table,
        }
    }
}

impl clocks::monotonic_clock::Host for Wasi {
    fn now(&mut self) -> wasmtime::Result<u64> {
        self.clock_calls += 1;
        Ok(0)
    }

    fn resolution(&mut self) -> wasmtime::Result<u64> {
        Ok(1)
    }

    fn subscribe_instant(&mut self, _when: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.over()
    }

    fn subscribe_duration(&mut self, _ns: u64) -> wasmtime::Result<Resource<DynPollable>> {
        self.over()
    }
}

impl Wasi {
    fn over(&mut self) -> wasmtime::Result<Resource<DynPollable>> {
        self.clock_calls += 1;
        let over = self.table.push(Over)?;
        subscribe(&mut self.table, over)
    }
}

/// A wait that is over.
struct Over;

#[async_trait]
impl Pollable for Over {
    async fn ready(&mut self) {}
}

impl clocks::wall_clock::Host for Wasi {
    fn now(&mut self) -> wasmtime::Result<clocks::wall_clock::Datetime> {
        self.clock_calls += 1;
        Ok(clocks::wall_clock::Datetime {
            seconds: STANDS_AT_S,
            nanoseconds: 0,
        })
    }

    fn resolution(&mut self) -> wasmtime::Result<clocks::wall_clock::Datetime> {
        Ok(clocks::wall_clock::Datetime {
            seconds: 0,
            nanoseconds: 1,
        })
    }
}

impl random::random::Host for Wasi {
    fn get_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }

    fn get_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_calls += 1;
        Ok(self.next_random())
    }
}

impl random::insecure::Host for Wasi {
    fn get_insecure_random_bytes(&mut self, len: u64) -> wasmtime::Result<Vec<u8>> {
        self.random_bytes(len)
    }

    fn get_insecure_random_u64(&mut self) -> wasmtime::Result<u64> {
        self.random_calls += 1;
        Ok(self.next_random())
    }
}

impl random::insecure_seed::Host for Wasi {
    fn insecure_seed(&mut self) -> wasmtime::Result<(u64, u64)> {
        self.random_calls += 1;
        Ok((self.next_random(), self.next_random()))
    }
}

/// Standard output or error, gathered until the call is over.
#[derive(Clone, Default)]
struct Capture(Arc<Mutex<Vec<u8>>>);

impl Capture {
    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Pollable for Capture {
    async fn ready(&mut self) {}
}

impl OutputStream for Capture {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        let mut held = self.lock();
        let room = MOST_CAPTURED.saturating_sub(held.len());
        held.extend_from_slice(&bytes[..bytes.len().min(room)]);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(STREAM_ROOM)
    }
}

impl cli::stdout::Host for Wasi {
    fn get_stdout(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(self.out.clone());
        Ok(self.table.push(stream)?)
    }
}

impl cli::stderr::Host for Wasi {
    fn get_stderr(&mut self) -> wasmtime::Result<Resource<DynOutputStream>> {
        let stream: DynOutputStream = Box::new(self.err.clone());
        Ok(self.table.push(stream)?)
    }
}
