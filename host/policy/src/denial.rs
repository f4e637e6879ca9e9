//! Every way an access can be refused: one enum, a stable code and a sentence each.

use std::fmt;
use std::sync::Arc;

use crate::Capability;

macro_rules! codes {
    ($($variant:ident = $code:literal: $sentence:literal,)*) => {
        /// Why an access was refused. The codes are stable: ledgers, reports and clients see them.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum DenialCode {
            $(#[doc = $sentence] $variant,)*
        }

        impl DenialCode {
            /// Every code.
            pub const ALL: &[DenialCode] = &[$(DenialCode::$variant,)*];

            /// The stable code, such as `no-grant`.
            pub const fn as_str(self) -> &'static str {
                match self { $(DenialCode::$variant => $code,)* }
            }

            /// The reason in words for a person; no full stop, so that it can stand in a column.
            pub const fn sentence(self) -> &'static str {
                match self { $(DenialCode::$variant => $sentence,)* }
            }
        }
    };
}

codes! {
    NoGrant = "no-grant": "no grant covers it",
    DenyRule = "deny-rule": "a deny rule covers it, and deny wins",
    ReadOnly = "read-only": "the grant is for reading only",
    OutsideGrant = "outside-grant": "it leads outside of what was granted",
    Escape = "path-escape": "the path leads above the directory it starts from",
    SpecialFile = "special-file": "it is neither a regular file nor a directory",
    NotSupported = "not-supported": "this version does not offer it to any tool",
    BadRequest = "bad-request": "the request is malformed",
    Address = "prohibited-address": "the address is private or local and no rule names it",
    Limit = "limit": "a limit of the run was reached",
    FlowRule = "flow-rule": "a flow rule blocks what it holds",
    SecretMasked = "secret-masked": "it held the value of a secret, which was masked",
    NotRecorded = "not-recorded": "it could not be recorded, so it was not done",
}

impl fmt::Display for DenialCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// An access that was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denial {
    /// What was asked for.
    pub capability: Capability,
    /// Why it was refused.
    pub code: DenialCode,
    /// The rule that refused it, where one did: for [`DenialCode::DenyRule`] the rule to remove.
    pub rule: Option<Arc<str>>,
}

impl Denial {
    /// A refusal that no single rule explains. `decide` makes most of them; the boundary makes the ones it alone can see.
    #[cold]
    pub fn new(capability: Capability, code: DenialCode) -> Self {
        Denial { capability, code, rule: None }
    }

    /// A refusal by a rule.
    #[cold]
    pub fn by_rule(capability: Capability, code: DenialCode, rule: &Arc<str>) -> Self {
        Denial { capability, code, rule: Some(Arc::clone(rule)) }
    }

    /// The target turned out to be outside of its grant.
    pub fn outside(capability: Capability) -> Self {
        Denial::new(capability, DenialCode::OutsideGrant)
    }

    /// The target turned out to be a device, a pipe or a socket.
    pub fn special(capability: Capability) -> Self {
        Denial::new(capability, DenialCode::SpecialFile)
    }

    /// The path led above where it started.
    pub fn escape(capability: Capability) -> Self {
        Denial::new(capability, DenialCode::Escape)
    }
}

impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.capability, self.code.sentence())
    }
}

impl std::error::Error for Denial {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denial_codes_are_distinct_and_have_sentences() {
        let mut seen: Vec<_> = DenialCode::ALL.iter().map(|code| code.as_str()).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), DenialCode::ALL.len());
        assert!(DenialCode::ALL.iter().all(|code| !code.sentence().is_empty() && !code.sentence().contains('\n')));
    }
}
