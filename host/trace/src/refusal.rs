//! Why a component cannot be traced: one opaque error, one sentence.

use std::fmt;

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The bytes are no valid component, by the rules of the features that tools may use.
    Invalid,
    /// A valid component, of a shape through which labels could not be followed.
    Shape,
    /// It would be larger than tracing allows.
    Size,
    /// Our own fault.
    Internal,
}

/// A component cannot be traced. Nothing is traced in part: a label that was lost silently would be a lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    reason: Reason,
    sentence: String,
}

impl Refusal {
    /// Whose fault it is.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.reason
    }

    pub(crate) fn shape(sentence: impl Into<String>) -> Self {
        Self { reason: Reason::Shape, sentence: sentence.into() }
    }

    pub(crate) fn size(sentence: impl Into<String>) -> Self {
        Self { reason: Reason::Size, sentence: sentence.into() }
    }

    /// What validation rules out, said where it would have to be wrong.
    #[cold]
    pub(crate) fn internal(what: &str) -> Self {
        Self { reason: Reason::Internal, sentence: format!("a bug in the tracer: {what}") }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot be traced: {}", self.sentence)
    }
}

impl std::error::Error for Refusal {}

impl From<wasmparser::BinaryReaderError> for Refusal {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self { reason: Reason::Invalid, sentence: format!("{} (at {:#x})", error.message(), error.offset()) }
    }
}

impl<E: fmt::Display> From<wasm_encoder::reencode::Error<E>> for Refusal {
    fn from(error: wasm_encoder::reencode::Error<E>) -> Self {
        Self { reason: Reason::Shape, sentence: error.to_string() }
    }
}
