//! The store: a module of ours that owns what all modules of a component share. The guest's memory with its constant
//! data, its shadow, the labels of calls, and room for reports.
//!
//! It imports nothing: wasmtime maps the initial memory of a module copy-on-write only if that module imports no
//! memory, and copying eleven megabytes of an interpreter's heap for each call takes five milliseconds.

use wasm_encoder::{
    ConstExpr, DataSection, ExportKind, ExportSection, GlobalSection, GlobalType, MemorySection, MemoryType, Module,
    ValType,
};

use super::facts::{Facts, Memory};
use super::layout::{self, Lanes};
use super::module::memory_type;

/// Bytes of the memory that reports are written to, in pages of 64 KiB. When it is full the host reads it and writing
/// starts again: more pages would save calls for results with thousands of pieces, and cost every instance.
pub(crate) const REPORT_PAGES: i32 = 1;

/// The store's module. `owner` is the module that defined the guest's memory.
pub(crate) fn store(lanes: Lanes, owner: Option<&Facts>) -> Vec<u8> {
    let guest = match owner.map(Facts::memory) {
        Some(Memory::Defined(ty)) => memory_type(ty),
        _ => MemoryType { minimum: 0, maximum: Some(0), memory64: false, shared: false, page_size_log2: None },
    };
    let mut memories = MemorySection::new();
    let mut exports = ExportSection::new();
    memories.memory(guest).memory(guest);
    memories.memory(MemoryType {
        minimum: u64::from(REPORT_PAGES.unsigned_abs()),
        maximum: Some(u64::from(REPORT_PAGES.unsigned_abs())),
        ..guest
    });
    for (at, name) in [layout::MEMORY, layout::SHADOW, layout::REPORT].into_iter().enumerate() {
        exports.export(name, ExportKind::Memory, u32::try_from(at).unwrap_or_default());
    }
    let mut globals = GlobalSection::new();
    let mut global = |name: &str, val_type: ValType| {
        exports.export(name, ExportKind::Global, globals.len());
        let zero = if val_type == ValType::I64 { ConstExpr::i64_const(0) } else { ConstExpr::i32_const(0) };
        globals.global(GlobalType { val_type, mutable: true, shared: false }, &zero);
    };
    for at in 0..lanes.arguments {
        global(&layout::argument(at), ValType::I64);
    }
    for at in 0..lanes.results {
        global(&layout::result(at), ValType::I64);
    }
    for pool in [layout::TABLES, layout::PAGES, layout::DECIDED, layout::HANDLES, layout::EXPECTED] {
        global(pool, ValType::I32);
    }
    let mut data = DataSection::new();
    for (at, bytes) in owner.map(|facts| facts.moved.as_slice()).unwrap_or_default() {
        data.active(0, &ConstExpr::i32_const(*at), bytes.iter().copied());
    }
    let mut module = Module::new();
    module.section(&memories).section(&globals).section(&exports).section(&data);
    module.finish()
}
