//! The named limits of loading. Each has a name that appears in `LoadError::kind` and a reason for its number.

use std::time::Duration;

use super::trace::Tracing;

/// The largest file that is read. Language runtimes are 10 to 20 MB, which leaves ten times that for libraries and
/// data; it is all held in memory, so that larger would mean a process of gigabytes.
pub const MAX_WASM_BYTES: u64 = 256 << 20;

/// How long one compilation may take, in wall time. An 18 MB Python component needs about 5 s on two idle cores; ten
/// times that leaves room for a slow or busy machine. Not scaled by size: padding would buy a bomb more time.
pub const COMPILE_DEADLINE: Duration = Duration::from_secs(60);

/// How many times longer what is traced may take: its code is two to five times as large, with branches followed more.
const TRACED_TIMES: u32 = 5;

/// How much memory one compilation may use. An 18 MB Python component needs 370 MB; ten times that is still what a
/// machine that serves tools can spare for a minute.
pub const COMPILE_MEMORY: u64 = 4 << 30;

/// The largest compiled code. Native code is two to three times the wasm; this also bounds what a load maps.
pub(super) const MAX_CODE_BYTES: u64 = 1 << 30;

/// Components and modules inside one another. Toolchains produce 2 or 3 levels, compositions a few more; validators
/// and compilers keep state for each level.
pub(super) const MAX_NESTING: usize = 64;

/// A limit that a component can run into while it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Limit {
    /// The file, in bytes.
    Size,
    Nesting,
    /// Names that a component exports, on all levels. A tool listing of more is of no use to anyone.
    Exports,
    /// Names that a component imports, on all levels. A JavaScript runtime that imports most of WASI has 81.
    Imports,
    /// Imports and exports of core modules. Shared libraries link by name, so that these are many.
    Symbols,
    Functions,
    /// One function, in bytes. Register allocation is not linear in the size of a function.
    FunctionBody,
    Types,
    Globals,
    /// Table entries given in element segments: each is kept in memory while the component is loaded.
    Elements,
    /// Bytes of data segments: they are mapped for every instance.
    Data,
    /// Instances, aliases and canonical functions: the linking inside a component, each with glue code.
    Wiring,
    CompileTime,
    CompileMemory,
    CodeSize,
}

impl Limit {
    const ALL: [Self; 15] = [
        Self::Size,
        Self::Nesting,
        Self::Exports,
        Self::Imports,
        Self::Symbols,
        Self::Functions,
        Self::FunctionBody,
        Self::Types,
        Self::Globals,
        Self::Elements,
        Self::Data,
        Self::Wiring,
        Self::CompileTime,
        Self::CompileMemory,
        Self::CodeSize,
    ];

    /// The stable name, also used between the compiling child and its parent.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Nesting => "nesting",
            Self::Exports => "exports",
            Self::Imports => "imports",
            Self::Symbols => "symbols",
            Self::Functions => "functions",
            Self::FunctionBody => "function-body",
            Self::Types => "types",
            Self::Globals => "globals",
            Self::Elements => "elements",
            Self::Data => "data",
            Self::Wiring => "wiring",
            Self::CompileTime => "compile-time",
            Self::CompileMemory => "compile-memory",
            Self::CodeSize => "code-size",
        }
    }

    pub(super) fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|limit| limit.name() == name)
    }

    /// For the limits that are counts over the whole file: the most that is allowed, and what is counted.
    ///
    /// A JavaScript runtime of 10 MB passes all of them with room; raise one when an honest component meets it. What
    /// they let through is bounded by the limits on time and memory.
    pub(super) fn count(self) -> Option<(u64, &'static str)> {
        match self {
            Self::Exports => Some((10_000, "exports")),
            Self::Imports => Some((10_000, "imports")),
            Self::Symbols => Some((200_000, "imports and exports of its modules")),
            Self::Functions => Some((200_000, "functions")),
            Self::Types => Some((100_000, "types")),
            Self::Globals => Some((100_000, "globals")),
            Self::Elements => Some((1_000_000, "table elements")),
            Self::Data => Some((128 << 20, "bytes of data segments")),
            Self::Wiring => Some((100_000, "instances, aliases and adapters")),
            Self::FunctionBody => Some((2 << 20, "bytes in one function")),
            Self::Size | Self::Nesting | Self::CompileTime | Self::CompileMemory | Self::CodeSize => None,
        }
    }
}

/// What one compilation may use. The program always uses the default; tests use less.
#[derive(Debug, Clone, Copy)]
pub(super) struct CompileBounds {
    pub(super) deadline: Duration,
    pub(super) memory: u64,
}

impl CompileBounds {
    pub(super) fn of(tracing: Tracing) -> Self {
        let times = if tracing == Tracing::Off { 1 } else { TRACED_TIMES };
        Self { deadline: COMPILE_DEADLINE.saturating_mul(times), ..Self::default() }
    }
}

impl Default for CompileBounds {
    fn default() -> Self {
        Self { deadline: COMPILE_DEADLINE, memory: COMPILE_MEMORY }
    }
}
