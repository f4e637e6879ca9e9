//! Sixteen checks of a component and the policy that it is to run under: what a careful person asks about WebAssembly in a server of tools. They are the
//! attacks and fixes that SkillAudit's articles name, `W1` to `W16`, held against what this program does.
//!
//! Some hold by construction, whatever component and policy are: those say so in `why`, and stay in the list, because a reader wants to see that they were
//! asked. The others depend on the [`Situation`], which is plain facts: the program makes it of its policy and of [`crate::statics`].

mod broad;
mod rules;

pub use broad::{Broad, is_secret_file, is_secret_name};

use crate::imports::Import;
use crate::score::{Evidence, Matter};
use crate::severity::Severity;
use crate::statics::Memory;

/// What a check comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// It is as it should be.
    Pass,
    /// There is nothing to ask it of.
    NotApplicable,
    /// It may be meant, and should be looked at.
    Warn,
    /// It should not be.
    Fail,
}

impl Verdict {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Pass => "pass",
            Verdict::NotApplicable => "not-applicable",
            Verdict::Warn => "warn",
            Verdict::Fail => "fail",
        }
    }
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// `W1` to `W16`.
    pub id: &'static str,
    /// What it asks, as a heading.
    pub title: &'static str,
    /// What it comes to.
    pub verdict: Verdict,
    /// Why, as one sentence with the facts in it.
    pub why: String,
    /// What to do; empty where there is nothing to do.
    pub fix: String,
}

/// A file or directory that the guest sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// The grant as written.
    pub rule: String,
    /// Whether it may be changed.
    pub writable: bool,
    /// What makes it broad, if something does; [`Broad::of`] tells.
    pub broad: Option<Broad>,
    /// Names of files below it that hold secrets by their name ([`is_secret_file`]); as many as the program has looked for.
    pub secret_files: Vec<String>,
}

/// A variable that the guest sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// From the host's environment, rather than written into the policy.
    pub from_host: bool,
}

/// What the guest may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Network grants as written: `--allow-net`, `--allow-http`, `--allow-tcp`, `--allow-udp`, `--allow-listen`.
    pub rules: Vec<String>,
    /// Some rule is for every host (`*`, `-A`).
    pub any_host: bool,
    /// Some rule leads to this machine or a private network.
    pub local: bool,
}

/// What one call may use. None where there is no such limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Milliseconds.
    pub timeout: Option<u64>,
    /// Bytes.
    pub max_memory: Option<u64>,
    /// Bytes.
    pub max_output: Option<u64>,
    /// Bytes.
    pub max_input: Option<u64>,
    /// Instructions.
    pub fuel: Option<u64>,
}

/// Everything that the checks ask about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Situation {
    /// What the guest sees of the file system.
    pub mounts: Vec<Mount>,
    /// The variables that it sees.
    pub variables: Vec<Variable>,
    /// Some rule gives every variable of the host (`--allow-env=*`, `-A`).
    pub every_variable: bool,
    /// Secrets that are bound to an origin, which the guest never holds: `NAME@ORIGIN`.
    pub bound_secrets: Vec<String>,
    /// The network.
    pub network: Network,
    /// The limits.
    pub limits: Limits,
    /// Whether the policy pins the bytes (`sha256`); none where no policy file names the component.
    pub pinned: Option<bool>,
    /// Temporary trees that the audit made and that are still there.
    pub left_behind: Vec<String>,
    /// What the component imports.
    pub imports: Vec<Import>,
    /// The memories of all its modules.
    pub memories: Vec<Memory>,
}

/// All checks, in order.
#[must_use]
pub fn checks(situation: &Situation) -> Vec<Check> {
    rules::ALL.iter().map(|rule| rule(situation)).collect()
}

impl Check {
    /// What the check adds to the score.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        let severity = match self.verdict {
            Verdict::Pass | Verdict::NotApplicable => return None,
            Verdict::Warn => Severity::Low,
            // Files and variables together are worse than both.
            Verdict::Fail if self.id == "W3" => Severity::High,
            Verdict::Fail => Severity::Medium,
        };
        Some(Evidence::new(Matter::Check, severity, format!("{} {}", self.id, self.why), ""))
    }
}

#[cfg(test)]
mod tests;
