//! Exit codes, and the errors that end the program before or beside a call.

use std::process::ExitCode;

/// The contract's exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The tool returned, or the command did what it was asked.
    Returned,
    /// The tool returned an error, or the answer is no.
    Error,
    /// Usage, policy or component refused before guest code ran.
    Usage,
    /// Stopped: trap, limit, exit inside a typed tool.
    Stopped,
    /// A `--fail-on` kind occurred.
    FailOn,
    /// Our own fault.
    Internal,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Returned => 0,
            Exit::Error => 1,
            Exit::Usage => 2,
            Exit::Stopped => 3,
            Exit::FailOn => 4,
            Exit::Internal => 5,
        })
    }
}

/// Why a command could not do its work: one sentence, and whose fault it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The person's, the policy's or the component's.
    Refused(String),
    /// Ours or the machine's.
    Internal(String),
}

impl Fault {
    pub(crate) fn refused(why: impl std::fmt::Display) -> Fault {
        Fault::Refused(why.to_string())
    }

    pub(crate) fn internal(why: impl std::fmt::Display) -> Fault {
        Fault::Internal(why.to_string())
    }

    #[must_use]
    pub fn exit(&self) -> Exit {
        match self {
            Fault::Refused(_) => Exit::Usage,
            Fault::Internal(_) => Exit::Internal,
        }
    }

    #[must_use]
    pub fn sentence(&self) -> &str {
        match self {
            Fault::Refused(why) | Fault::Internal(why) => why,
        }
    }
}
