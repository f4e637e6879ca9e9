//! Allocators: functions that take no labels with their arguments.
//!
//! How much memory a guest asks for often depends on a source: a text is as long as its file. If the size's label came
//! to the address that is returned, and to the allocator's own lists, everything that is read through such an address
//! would be weak, of any source, for the rest of the call. So the arguments of an allocator are clean. What it moves has
//! its labels all the same: they are in memory. A guest could use such a function to lose the label of a number; it could
//! as well with one branch for each bit, which is not followed either.
//!
//! Found by what they do, not by what they are called alone: functions of words that grow memory, directly or by what
//! they call, and that the canonical ABI's `realloc` calls or that have an allocator's name for the linker. And they do
//! little else: an interpreter's `realloc` collects garbage where memory is short, so that all of it would be below.

use std::collections::BTreeSet;

use wasmparser::{ExternalKind, KnownCustom, Name, Operator, Parser, Payload, TypeRef, ValType};

use super::facts::Facts;
use crate::refusal::Refusal;

/// Allocators of C by their names for the linker, and Rust's as its compiler has them. Those of Rust are mangled since
/// 1.87: what counts is how they end.
const NAMES: [&str; 16] = [
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "aligned_alloc",
    "memalign",
    "posix_memalign",
    "free",
    "dlmalloc",
    "dlcalloc",
    "dlrealloc",
    "dlfree",
    "__rust_alloc",
    "__rust_alloc_zeroed",
    "__rust_realloc",
    "__rust_dealloc",
];

/// Arguments of an allocator: old address, old size, alignment, new size.
const MOST_ARGUMENTS: usize = 4;

/// Functions that an allocator calls, with all that those call, and itself: fifteen in Rust, a dozen in C.
const MOST_BELOW: usize = 24;

/// The longest name that is looked at. Names are the guest's, and may be megabytes.
const MAX_NAME: usize = 256;

/// Whether a function of this name may be an allocator.
fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && NAMES.iter().any(|known| name == *known || (known.starts_with("__") && name.ends_with(known)))
}

/// What calls what in one module.
#[derive(Default)]
struct Calls {
    /// Caller and callee, sorted.
    pairs: Vec<(u32, u32)>,
    /// Functions that grow memory, or call another module's allocator.
    grow: BTreeSet<u32>,
    /// Functions that have an allocator's name.
    named: BTreeSet<u32>,
    /// Those that release memory need not grow it.
    release: BTreeSet<u32>,
}

impl Calls {
    fn name(&mut self, function: u32, name: &str, entries: &BTreeSet<String>) {
        if is_name(name) || entries.contains(name) {
            self.named.insert(function);
            if name.ends_with("free") || name.ends_with("__rust_dealloc") {
                self.release.insert(function);
            }
        }
    }

    fn read(module: &[u8], entries: &BTreeSet<String>) -> Result<Self, Refusal> {
        let mut calls = Self::default();
        let (mut imported, mut function) = (0u32, 0u32);
        for payload in Parser::new(0).parse_all(module) {
            match payload? {
                Payload::ImportSection(section) => {
                    for import in section.into_imports() {
                        let import = import?;
                        if let TypeRef::Func(_) | TypeRef::FuncExact(_) = import.ty {
                            if is_name(import.name) {
                                calls.grow.insert(imported);
                            }
                            imported += 1;
                        }
                    }
                    function = imported;
                }
                Payload::ExportSection(section) => {
                    for export in section {
                        let export = export?;
                        if let ExternalKind::Func | ExternalKind::FuncExact = export.kind {
                            calls.name(export.index, export.name, entries);
                        }
                    }
                }
                Payload::CodeSectionEntry(body) => {
                    let mut operators = body.get_operators_reader()?;
                    while !operators.eof() {
                        match operators.read()? {
                            Operator::Call { function_index } | Operator::ReturnCall { function_index } => {
                                calls.pairs.push((function, function_index));
                            }
                            Operator::MemoryGrow { .. } => {
                                calls.grow.insert(function);
                            }
                            _ => {}
                        }
                    }
                    function += 1;
                }
                Payload::CustomSection(section) => {
                    if let KnownCustom::Name(names) = section.as_known() {
                        // Names are a help, not part of the module: where they are malformed there are none.
                        for subsection in names.into_iter().map_while(Result::ok) {
                            if let Name::Function(functions) = subsection {
                                for naming in functions.into_iter().map_while(Result::ok) {
                                    calls.name(naming.index, naming.name, &BTreeSet::new());
                                }
                            }
                        }
                    }
                }
                _ => {}
            }
        }
        calls.pairs.sort_unstable();
        calls.pairs.dedup();
        Ok(calls)
    }

    fn called_by(&self, caller: u32) -> impl Iterator<Item = u32> {
        let from = self.pairs.partition_point(|(from, _)| *from < caller);
        let rest = self.pairs.get(from..).unwrap_or_default();
        rest.iter().take_while(move |(from, _)| *from == caller).map(|(_, callee)| *callee)
    }

    /// These and all that they call, directly.
    fn below(&self, from: &BTreeSet<u32>) -> BTreeSet<u32> {
        let mut seen = from.clone();
        let mut open: Vec<u32> = seen.iter().copied().collect();
        while let Some(function) = open.pop() {
            open.extend(self.called_by(function).filter(|callee| seen.insert(*callee)));
        }
        seen
    }

    /// Whether a function calls few others, with all that those call.
    fn few_below(&self, function: u32) -> bool {
        let mut seen = BTreeSet::from([function]);
        let mut open = vec![function];
        while let Some(function) = open.pop() {
            open.extend(self.called_by(function).filter(|callee| seen.insert(*callee)));
            if seen.len() > MOST_BELOW {
                return false;
            }
        }
        true
    }

    /// Those of `among` from which memory grows.
    fn growing(&self, among: &BTreeSet<u32>) -> BTreeSet<u32> {
        let mut growing: BTreeSet<u32> = among.intersection(&self.grow).copied().collect();
        loop {
            let reaches = |function: &&u32| self.called_by(**function).any(|callee| growing.contains(&callee));
            let more: Vec<u32> =
                among.iter().filter(|function| !growing.contains(function)).filter(reaches).copied().collect();
            if more.is_empty() {
                return growing;
            }
            growing.extend(more);
        }
    }
}

/// The allocators of a module. `entries` are names of what the component's types call for memory.
pub(crate) fn allocators(module: &[u8], facts: &Facts, entries: &BTreeSet<String>) -> Result<BTreeSet<u32>, Refusal> {
    let calls = Calls::read(module, entries)?;
    let below = calls.below(&calls.named);
    let mut found = calls.growing(&below);
    found.extend(&calls.release);
    found.retain(|function| *function >= facts.imported_functions);
    let mut allocators = BTreeSet::new();
    for function in found {
        let ty = facts.function_type(function)?;
        let words = |types: &[ValType]| types.iter().all(|ty| *ty == ValType::I32);
        let returns = if calls.release.contains(&function) { ty.results().len() <= 1 } else { ty.results().len() == 1 };
        if calls.few_below(function)
            && words(ty.params())
            && words(ty.results())
            && returns
            && ty.params().len() <= MOST_ARGUMENTS
        {
            allocators.insert(function);
        }
    }
    Ok(allocators)
}
