//! Core modules, original and rewritten, in wasmtime.

use std::collections::BTreeSet;

use wasmtime::{Config, Engine, Instance, Linker, Module, Store, Val};

use crate::core::allocators::allocators;
use crate::core::facts::{Facts, Memory, facts};
use crate::core::function::CleanGlobals;
use crate::core::layout::{Lanes, STORE};
use crate::core::module::rewrite;
use crate::core::store::store;
use crate::follow::Follow;
use crate::refusal::Refusal;

/// Memory for both: a module that grows without bound stops at the same size.
const MAX_PAGES: usize = 64 * 65536;

pub struct Limits(wasmtime::StoreLimits);

pub fn engine() -> Engine {
    let mut config = Config::new();
    config.wasm_relaxed_simd(true).relaxed_simd_deterministic(true).wasm_tail_call(true);
    Engine::new(&config).unwrap()
}

pub fn new_store(engine: &Engine) -> Store<Limits> {
    let limits = wasmtime::StoreLimitsBuilder::new().memory_size(MAX_PAGES).table_elements(100_000).build();
    let mut store = Store::new(engine, Limits(limits));
    store.limiter(|limits| &mut limits.0);
    store
}

/// A rewritten module and the store beside it.
pub struct Pair {
    pub module: Vec<u8>,
    pub store: Vec<u8>,
}

pub fn rewritten(module: &[u8], follow: Follow) -> Result<Pair, Refusal> {
    with_assumptions(module, follow, |facts| CleanGlobals::new(facts, follow, false))
}

/// The same without what makes traced code fast.
pub fn rewritten_plainly(module: &[u8]) -> Result<Pair, Refusal> {
    with_assumptions(module, Follow::Data, CleanGlobals::nothing)
}

fn with_assumptions(module: &[u8], follow: Follow, assume: impl Fn(&Facts) -> CleanGlobals) -> Result<Pair, Refusal> {
    let mut facts = facts(module)?;
    facts.allocators = allocators(module, &facts, &BTreeSet::from(["cabi_realloc".to_owned()]))?;
    let lanes = Lanes { arguments: 0, results: 0 };
    let owner = matches!(facts.memory(), Memory::Defined(_)).then_some(&facts);
    let mut assumed = assume(&facts);
    let module = rewrite(module, &facts, follow, &mut assumed)?.expect("no global is shared");
    Ok(Pair { module, store: store(lanes, owner) })
}

/// Both as instances: the store's, and the module's.
pub fn instantiate(store: &mut Store<Limits>, pair: &Pair) -> wasmtime::Result<(Instance, Instance)> {
    let engine = store.engine().clone();
    let shared = Instance::new(&mut *store, &Module::new(&engine, &pair.store)?, &[])?;
    let mut linker = Linker::new(&engine);
    linker.instance(&mut *store, STORE, shared)?;
    let guest = linker.instantiate(&mut *store, &Module::new(&engine, &pair.module)?)?;
    Ok((shared, guest))
}

/// A value, as something that can be compared.
pub fn shown(value: &Val) -> String {
    match value {
        Val::I32(value) => format!("i32 {value}"),
        Val::I64(value) => format!("i64 {value}"),
        Val::F32(value) => format!("f32 {value:#x}"),
        Val::F64(value) => format!("f64 {value:#x}"),
        Val::V128(value) => format!("v128 {:#x}", value.as_u128()),
        Val::FuncRef(value) => format!("func {}", value.is_some()),
        Val::ExternRef(value) => format!("extern {}", value.is_some()),
        other => format!("{}", matches!(other, Val::AnyRef(None))),
    }
}
