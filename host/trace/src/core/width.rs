//! The shadow of a value is as wide as the value, so that a word moves with its labels in one instruction each.

use wasm_encoder::ValType as Encoded;
use wasmparser::ValType;

/// How wide a shadow is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Width {
    /// Four labels: i32 and f32. References too, with one label in the lowest byte.
    Word,
    /// Eight labels: i64 and f64.
    Long,
    /// Sixteen labels: v128.
    Vector,
}

impl Width {
    pub(crate) fn of(ty: ValType) -> Self {
        match ty {
            ValType::I32 | ValType::F32 | ValType::Ref(_) => Self::Word,
            ValType::I64 | ValType::F64 => Self::Long,
            ValType::V128 => Self::Vector,
        }
    }

    /// The type of the shadow.
    pub(crate) fn ty(self) -> Encoded {
        match self {
            Self::Word => Encoded::I32,
            Self::Long => Encoded::I64,
            Self::Vector => Encoded::V128,
        }
    }
}

/// How the labels of an operation's operands get to the bytes of its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Smear {
    /// Each byte from the same bytes: and, or, xor, byte lanes.
    Exact,
    /// Each byte from those and from the ones below, by carries: add, sub, mul.
    Upward,
    /// Each byte from every byte: division, floats.
    Whole,
    /// The lowest byte from every byte, the others from none: comparisons.
    Low,
    /// Each byte from every byte of its lane of two bytes.
    Lane2,
    /// The same with four bytes.
    Lane4,
    /// The same with eight bytes.
    Lane8,
}
