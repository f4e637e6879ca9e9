//! Why a component was not loaded: one opaque error, one sentence.

use std::fmt;

use super::limits::Limit;
use super::text::{Lines, visible};

/// Longest message: two lines of a terminal. What does not fit would be a dump.
const MAX_MESSAGE_CHARS: usize = 300;

/// Longest name of a component inside a message; the rest of the sentence must stay readable.
const MAX_NAME_CHARS: usize = 120;

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The file is not something that customs runs.
    Refused,
    /// The file asks for more than loading may use; `what` is the stable name of the limit.
    Limit {
        /// For example `size` or `compile-time`.
        what: &'static str,
    },
    /// Our own fault or the machine's.
    Internal,
}

/// A component could not be loaded. Its `Display` is one clamped line with nothing in it that a terminal obeys.
#[derive(Debug, Clone)]
pub struct LoadError {
    kind: ErrorKind,
    subject: String,
    predicate: String,
}

impl LoadError {
    /// Whose fault it is.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Messages are predicates ("is empty"): what they are about is known further up, see [`Self::about`].
    pub(super) fn refused(predicate: impl Into<String>) -> Self {
        Self::new(ErrorKind::Refused, predicate)
    }

    pub(super) fn limit(limit: Limit, predicate: impl Into<String>) -> Self {
        Self::new(ErrorKind::Limit { what: limit.name() }, predicate)
    }

    pub(super) fn internal(predicate: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, predicate)
    }

    fn new(kind: ErrorKind, predicate: impl Into<String>) -> Self {
        Self { kind, subject: "the component".to_owned(), predicate: predicate.into() }
    }

    /// The same error as a sentence about `name`.
    pub(super) fn about(self, name: &str) -> Self {
        Self { subject: visible(name, MAX_NAME_CHARS, Lines::One).text, ..self }
    }

    /// The predicate alone, as it travels from the compiling child to its parent.
    pub(super) fn predicate(&self) -> String {
        visible(&self.predicate, MAX_MESSAGE_CHARS, Lines::One).text
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sentence = format!("{} {}", self.subject, self.predicate);
        f.write_str(&visible(&sentence, MAX_MESSAGE_CHARS, Lines::One).text)
    }
}

impl std::error::Error for LoadError {}
