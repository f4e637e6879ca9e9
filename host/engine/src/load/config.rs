//! The one configuration of wasmtime. The program makes its engine here and the compiling child makes the same, so
//! that code of one fits the other; everything that differs between them is named by [`Fuel`] and [`Allocation`].

use wasmparser::WasmFeatures;
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, WasmBacktraceDetails};

use super::error::LoadError;
use super::text::cause;

/// Stack that guest code may use: wasmtime's default, which the toolchains of tools are used to.
const WASM_STACK: usize = 512 << 10;

/// A guest's whole stack including host functions that it calls: twice the guest's part, so that host code always has
/// 512 KiB. Smaller would risk an overflow there, which ends the process; larger costs memory for each call.
const ASYNC_STACK: usize = 1 << 20;

/// Instances that a pooling engine holds at once. A caller must not start more calls than this: the pool answers
/// with an error, it does not wait.
pub const POOL_COMPONENTS: u32 = 64;

/// The largest memory of a guest in a pooling engine, the default of `--max-memory`. For more, use
/// [`Allocation::OnDemand`].
pub const POOL_MAX_MEMORY: usize = 256 << 20;

/// Whether the code counts instructions. Counting costs speed, so it is compiled in only for `--fuel`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fuel {
    /// No counting; time is limited by epochs.
    Off,
    /// Every instruction is counted.
    Counted,
}

/// Where instances get their memory from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// Mapped for each instance: least address space, for single runs.
    OnDemand,
    /// Reserved once and reused: instances in a third of the time, for serving.
    Pooling,
}

/// What tools may be made of: what WASI 0.2 toolchains emit. Everything else is attack surface that nobody asked for.
const NOT_SUPPORTED: [WasmFeatures; 18] = [
    WasmFeatures::THREADS,
    WasmFeatures::SHARED_EVERYTHING_THREADS,
    WasmFeatures::GC,
    WasmFeatures::GC_TYPES,
    WasmFeatures::FUNCTION_REFERENCES,
    WasmFeatures::EXCEPTIONS,
    WasmFeatures::LEGACY_EXCEPTIONS,
    WasmFeatures::STACK_SWITCHING,
    WasmFeatures::MEMORY64,
    WasmFeatures::MEMORY_CONTROL,
    WasmFeatures::CUSTOM_PAGE_SIZES,
    WasmFeatures::WIDE_ARITHMETIC,
    WasmFeatures::CM_ASYNC,
    WasmFeatures::CM_ASYNC_STACKFUL,
    WasmFeatures::CM_MORE_ASYNC_BUILTINS,
    WasmFeatures::CM_THREADING,
    WasmFeatures::CM_ERROR_CONTEXT,
    WasmFeatures::CM_GC,
];

/// The configuration of every engine.
#[must_use]
pub fn engine_config(fuel: Fuel, allocation: Allocation) -> Config {
    let mut config = Config::new();
    for feature in NOT_SUPPORTED {
        config.wasm_features(feature, false);
    }
    config
        .concurrency_support(false)
        .shared_memory(false)
        // The same results on every machine: a replay may happen elsewhere.
        .relaxed_simd_deterministic(true)
        .epoch_interruption(true)
        .consume_fuel(fuel == Fuel::Counted)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(ASYNC_STACK)
        // Guest frames are no help to the people who read our errors, and the tables cost size in every file.
        .wasm_backtrace_details(WasmBacktraceDetails::Disable)
        .wasm_backtrace_max_frames(None)
        .generate_address_map(false)
        .native_unwind_info(false)
        .memory_init_cow(true)
        .allocation_strategy(match allocation {
            Allocation::OnDemand => InstanceAllocationStrategy::OnDemand,
            Allocation::Pooling => InstanceAllocationStrategy::Pooling(pool()),
        });
    config
}

/// Sized for C, Rust, JavaScript and Python tools. The `keep_resident` amounts trade memory of idle slots for page
/// faults of the next call; with `pagemap_scan` only pages that were touched are reset.
fn pool() -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(POOL_COMPONENTS)
        .total_core_instances(256)
        .total_memories(128)
        .total_tables(256)
        .total_stacks(POOL_COMPONENTS)
        .max_memory_size(POOL_MAX_MEMORY)
        .table_elements(50_000)
        // wasmtime's default of 1 MiB is for small modules; a language runtime has tens of thousands of functions.
        .max_core_instance_size(8 << 20)
        .max_component_instance_size(8 << 20)
        .linear_memory_keep_resident(256 << 10)
        .table_keep_resident(16 << 10)
        .async_stack_keep_resident(64 << 10)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// An engine. A pool reserves half a terabyte of address space; where that is not to be had (`ulimit -v`), the engine
/// allocates on demand instead, and `Engine::get_pooling_config` tells.
///
/// # Errors
/// When the machine cannot run wasmtime at all.
pub fn engine(fuel: Fuel, allocation: Allocation) -> Result<Engine, LoadError> {
    let engine = Engine::new(&engine_config(fuel, allocation));
    let engine = match allocation {
        Allocation::OnDemand => engine,
        Allocation::Pooling => engine.or_else(|_| Engine::new(&engine_config(fuel, Allocation::OnDemand))),
    };
    engine.map_err(|error| {
        let why = cause(&error.to_string(), &error.root_cause().to_string());
        LoadError::internal(format!("cannot be used on this machine: {why}")).about("the WebAssembly engine")
    })
}
