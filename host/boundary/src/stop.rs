//! Why the boundary stopped a call.

/// Why a call was stopped by the boundary. The engine turns it into the call's ending.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// A limit was reached; `observed` is the value that broke it, in words.
    Limit { limit: &'static str, observed: String },
    /// The guest asked to exit.
    Exit(i32),
    /// The caller gave up.
    Cancelled,
    /// The ledger could not be written.
    Ledger(String),
}

/// The error that unwinds a guest which the boundary stopped. The reason is in the recorder.
#[derive(Debug)]
pub struct Stopped;

impl std::fmt::Display for Stopped {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the call was stopped at the import boundary")
    }
}

impl std::error::Error for Stopped {}
