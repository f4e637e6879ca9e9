//! Why a ledger could not be made or written. One opaque type, one sentence each, a few predicates.

use rustix::io::Errno;
use std::fmt;

/// A ledger could not be created or written. Nothing that needs a record may happen after it.
#[derive(Clone, PartialEq, Eq)]
pub struct LedgerError(Kind);

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The file is not one we write to. `what` completes "the ledger NAME ...".
    Refused { name: String, what: &'static str },
    /// The file could not be opened or made.
    Open { name: String, errno: Errno },
    /// A write failed, now or earlier.
    Write(Errno),
    /// Another writer has the file.
    Busy { name: String },
    /// The ledger has been closed.
    Closed,
    /// The caller appended what may not stand there.
    Misuse(&'static str),
    /// The record is longer than any reader accepts.
    TooLong,
    /// The operating system gave no random numbers.
    Random(String),
}

impl LedgerError {
    #[cold]
    pub(crate) fn new(kind: Kind) -> LedgerError {
        LedgerError(kind)
    }

    #[cold]
    pub(crate) fn random(cause: &getrandom::Error) -> LedgerError {
        LedgerError(Kind::Random(cause.to_string()))
    }

    /// The file given is not one that a ledger may be written to: a mistake of the person who named it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.0, Kind::Refused { .. } | Kind::Open { .. } | Kind::Busy { .. })
    }

    /// Another writer has the file.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        matches!(self.0, Kind::Busy { .. })
    }

    /// A write failed: this ledger accepts nothing any more.
    #[must_use]
    pub fn is_write(&self) -> bool {
        matches!(self.0, Kind::Write(_))
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Refused { name, what } => write!(f, "the ledger {name} {what}"),
            Kind::Open { name, errno } => {
                write!(f, "the ledger {name} cannot be opened for writing: {}", plain(*errno))
            }
            Kind::Write(errno) => {
                write!(f, "the ledger cannot be written ({}), and nothing is done unrecorded", plain(*errno))
            }
            Kind::Busy { name } => write!(f, "the ledger {name} is being written by another process"),
            Kind::Closed => f.write_str("the ledger is closed: no record can follow"),
            Kind::Misuse(what) => f.write_str(what),
            Kind::TooLong => {
                write!(f, "the record is longer than the {} bytes that a ledger line may have", crate::MAX_LINE)
            }
            Kind::Random(cause) => write!(f, "the operating system gave no random numbers: {cause}"),
        }
    }
}

/// The system's words without the "(os error 28)" that std adds.
fn plain(errno: Errno) -> String {
    let text = std::io::Error::from(errno).to_string();
    match text.find(" (os error") {
        Some(at) => text.get(..at).unwrap_or(&text).to_lowercase(),
        None => text,
    }
}

impl fmt::Debug for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LedgerError({self})")
    }
}

impl std::error::Error for LedgerError {}
