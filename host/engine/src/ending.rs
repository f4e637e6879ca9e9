//! How a call ended, named so that a person and a script can tell what stopped it.

use customs_boundary::Stop;
use customs_boundary::wasmcp::NotProvided;
use std::fmt;
use wasmtime::Trap;
use wasmtime::component::ResourceTableError;

/// The ending of a call. `kind` is the contract's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    Returned,
    /// The tool returned an error of its own.
    Error,
    /// The guest trapped.
    Trap {
        detail: String,
    },
    /// A limit stopped it; `observed` is the value that broke it.
    Limit {
        limit: &'static str,
        observed: String,
    },
    /// A tool exited where it should have returned.
    Exit {
        code: i32,
    },
    /// Nothing ran: the arguments or the component do not fit.
    Refused {
        detail: String,
    },
    /// The caller gave up.
    Cancelled,
}

impl Ending {
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Returned => "returned",
            Self::Error => "error",
            Self::Trap { .. } => "trap",
            Self::Limit { .. } => "limit",
            Self::Exit { .. } => "exit",
            Self::Refused { .. } => "refused",
            Self::Cancelled => "cancelled",
        }
    }

    #[must_use]
    pub fn limit(&self) -> Option<&'static str> {
        match self {
            Self::Limit { limit, .. } => Some(limit),
            _ => None,
        }
    }

    /// What else there is to say.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        match self {
            Self::Trap { detail } | Self::Refused { detail } => Some(detail.clone()),
            Self::Limit { observed, .. } => Some(observed.clone()),
            Self::Exit { code } => Some(format!("exit code {code}")),
            Self::Returned | Self::Error | Self::Cancelled => None,
        }
    }

    /// True where the guest was stopped and its result, if any, is not there.
    #[must_use]
    pub fn is_stop(&self) -> bool {
        !matches!(self, Self::Returned | Self::Error)
    }
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Returned => f.write_str("returned"),
            Self::Error => f.write_str("returned an error"),
            Self::Trap { detail } => write!(f, "trapped: {detail}"),
            Self::Limit { limit, observed } => write!(f, "stopped by the {limit} limit: {observed}"),
            Self::Exit { code } => write!(f, "exited with code {code} instead of returning"),
            Self::Refused { detail } => f.write_str(detail),
            Self::Cancelled => f.write_str("cancelled"),
        }
    }
}

/// Names the ending of a call that failed with `error`; `stop` is what the boundary says, `fuel` what the call was given.
pub(crate) fn name(error: &wasmtime::Error, stop: Option<Stop>, fuel: Option<u64>) -> Ending {
    match stop {
        Some(Stop::Cancelled) => return Ending::Cancelled,
        Some(Stop::Limit { limit, observed }) => return Ending::Limit { limit, observed },
        Some(Stop::Exit(code)) => return Ending::Exit { code },
        // The caller handles a ledger that cannot be written.
        Some(Stop::Ledger(detail)) => return Ending::Trap { detail },
        None => {}
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return match trap {
            Trap::OutOfFuel => {
                let observed = format!("all {} units are spent", fuel.unwrap_or(u64::MAX));
                Ending::Limit { limit: "fuel", observed }
            }
            Trap::StackOverflow => Ending::Limit { limit: "stack", observed: "call stack exhausted".to_owned() },
            other => {
                let text = other.to_string();
                Ending::Trap { detail: text.strip_prefix("wasm trap: ").unwrap_or(&text).to_owned() }
            }
        };
    }
    // The guest has named the function: what is in the text says nothing about limits.
    if let Some(called) = error.downcast_ref::<NotProvided>() {
        return Ending::Trap { detail: called.to_string().chars().take(300).collect() };
    }
    if let Some(ResourceTableError::Full) = error.downcast_ref::<ResourceTableError>() {
        let observed = format!("more than {}", customs_boundary::MAX_HANDLES);
        return Ending::Limit { limit: "handles", observed };
    }
    let text = error.root_cause().to_string();
    // wasmtime has no types for these two.
    if text.contains("fuel allocated for hostcalls") {
        return Ending::Limit {
            limit: "transfer",
            observed: format!("more than {} units at once between guest and host", crate::call::TRANSFER),
        };
    }
    // How many there may be is asked while a component is instantiated, where the boundary cannot say why it refused.
    if let Some(rest) = text.strip_prefix("resource limit exceeded: ") {
        let limit = match rest.split(' ').next() {
            Some("instance") => "instances",
            Some("memory") => "memories",
            Some("table") => "tables",
            _ => "resources",
        };
        return Ending::Limit { limit, observed: rest.to_owned() };
    }
    if text.contains("resource table") && text.contains("full") || text.contains("handle") && text.contains("limit") {
        return Ending::Limit { limit: "handles", observed: text.lines().next().unwrap_or_default().to_owned() };
    }
    let detail: String = text.lines().next().unwrap_or_default().chars().take(300).collect();
    Ending::Trap { detail }
}
