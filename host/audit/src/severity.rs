//! How much something weighs, in the words of findings.

use std::fmt;

/// How bad something is if it is what it looks like. In rising order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nobody is told unasked, and it adds nothing to a score.
    Info,
    /// Odd in an honest tool.
    Low,
    /// Hard to explain in an honest tool.
    Medium,
    /// No honest tool.
    High,
}

impl Severity {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Severity::Info => "info",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
