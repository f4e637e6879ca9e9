//! Three columns for each capability: declared, imported, exercised. What differs between them is named.
//!
//! *Declared* is what the policy grants and what the tool's description speaks of; *imported* is what the component asks its host for;
//! *exercised* is what the boundary saw.
//!
//! - A **surprise** is exercised, and neither granted nor spoken of. Refused counts as well as allowed: it was tried.
//! - **Over-privilege** is granted, and no run exercised it. Where it is not even imported no run ever will.
//! - What is imported and neither declared nor exercised is `latent`: nothing was seen, and nothing says that it stays so.
//!
//! Clocks, random numbers and standard streams need no grant; they are in the table and never surprise.

mod described;

pub use described::described;

use crate::imports::Import;
use crate::score::{Evidence, Matter};
use crate::severity::Severity;
use customs_policy::Capability;

/// Who speaks of a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// A grant.
    Policy,
    /// The tool's name, description or schema.
    Description,
}

/// Something that speaks of a capability.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Declaration {
    /// The capability.
    pub capability: Capability,
    /// Who says so.
    pub by: By,
    /// What it says: the grant as written, or the word of the description.
    pub what: String,
}

/// What the boundary saw of a capability, over all audited runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exercise {
    /// The capability.
    pub capability: Capability,
    /// Accesses that were allowed.
    pub allowed: u64,
    /// Accesses that were refused.
    pub denied: u64,
}

/// A capability in three columns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The capability.
    pub capability: Capability,
    /// Grants that give it, as written.
    pub granted: Vec<String>,
    /// What the description says of it.
    pub described: Vec<String>,
    /// Interfaces through which it is imported.
    pub imported: Vec<String>,
    /// Accesses that were allowed.
    pub allowed: u64,
    /// Accesses that were refused.
    pub denied: u64,
    /// What the columns come to.
    pub verdict: Verdict,
}

/// What three columns come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// In no column, or they agree.
    Plain,
    /// Imported; nobody speaks of it and nothing used it.
    Latent,
    /// Granted, and no run exercised it.
    Unused,
    /// Granted, and the component does not import it.
    Useless,
    /// Exercised, and neither granted nor described.
    Surprise,
    /// Exercised without being imported: the table of imports is wrong, or the boundary is.
    Impossible,
}

impl Verdict {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Verdict::Plain => "plain",
            Verdict::Latent => "latent",
            Verdict::Unused => "unused",
            Verdict::Useless => "useless",
            Verdict::Surprise => "surprise",
            Verdict::Impossible => "impossible",
        }
    }

    /// Whether something is granted that was not needed.
    #[must_use]
    pub const fn is_over_privilege(self) -> bool {
        matches!(self, Verdict::Unused | Verdict::Useless)
    }
}

/// Whether a capability is there without a grant.
const fn is_free(capability: Capability) -> bool {
    matches!(
        capability,
        Capability::ClockRead | Capability::RandomRead | Capability::StdioRead | Capability::StdioWrite
    )
}

/// The three columns: a row for every capability, in the order of the contract.
#[must_use]
pub fn columns(declared: &[Declaration], imports: &[Import], exercised: &[Exercise]) -> Vec<Row> {
    Capability::ALL
        .iter()
        .map(|&capability| {
            let said = |by: By| -> Vec<String> {
                let mut all: Vec<String> = declared
                    .iter()
                    .filter(|declaration| declaration.capability == capability && declaration.by == by)
                    .map(|declaration| declaration.what.clone())
                    .collect();
                all.sort_unstable();
                all.dedup();
                all
            };
            let sum = |count: fn(&Exercise) -> u64| {
                exercised
                    .iter()
                    .filter(|e| e.capability == capability)
                    .fold(0_u64, |sum, e| sum.saturating_add(count(e)))
            };
            let mut row = Row {
                capability,
                granted: said(By::Policy),
                described: said(By::Description),
                imported: imports
                    .iter()
                    .filter(|import| import.capabilities.contains(&capability))
                    .map(|import| import.interface.clone())
                    .collect(),
                allowed: sum(|e| e.allowed),
                denied: sum(|e| e.denied),
                verdict: Verdict::Plain,
            };
            if used_by_requests(capability) && (row.allowed > 0 || row.denied > 0) {
                lend(&mut row, declared, imports);
            }
            row.verdict = verdict(&row, imports);
            row
        })
        .collect()
}

/// A request looks a name up and connects: those have records of their own, and come with its import and its grants.
const fn used_by_requests(capability: Capability) -> bool {
    matches!(capability, Capability::DnsLookup | Capability::TcpConnect)
}

fn lend(row: &mut Row, declared: &[Declaration], imports: &[Import]) {
    let http = Capability::HttpRequest;
    let lenders = imports.iter().filter(|import| import.capabilities.contains(&http));
    row.imported.extend(lenders.map(|import| import.interface.clone()));
    if declared.iter().any(|declaration| declaration.capability == http) && row.described.is_empty() {
        row.described.push(format!("for {http}"));
    }
}

fn verdict(row: &Row, imports: &[Import]) -> Verdict {
    let used = row.allowed > 0 || row.denied > 0;
    let imported = !row.imported.is_empty();
    let granted = !row.granted.is_empty();
    if is_free(row.capability) {
        Verdict::Plain
    } else if used && !imported && !imports.iter().any(|import| has_relative(import, row.capability)) {
        Verdict::Impossible
    } else if used {
        if granted || !row.described.is_empty() { Verdict::Plain } else { Verdict::Surprise }
    } else if granted {
        if imported { Verdict::Unused } else { Verdict::Useless }
    } else if imported && row.described.is_empty() {
        Verdict::Latent
    } else {
        Verdict::Plain
    }
}

/// Whether an import has a capability of the same family. Which of `fs.*` a function counts as is told more coarsely here than at the boundary, and
/// that must not look like a hole.
fn has_relative(import: &Import, capability: Capability) -> bool {
    let family = |capability: Capability| capability.as_str().split('.').next();
    import.capabilities.iter().any(|other| family(*other) == family(capability))
}

impl Row {
    /// What the row says, where it is more than plain.
    #[must_use]
    pub fn says(&self) -> Option<String> {
        let capability = self.capability;
        match self.verdict {
            Verdict::Plain => None,
            Verdict::Latent => Some(format!(
                "{capability} is imported through {}; nothing speaks of it and no run used it",
                self.imported.join(", ")
            )),
            Verdict::Unused => {
                Some(format!("{capability} is granted by {} and no run used it", self.granted.join(" ")))
            }
            Verdict::Useless => Some(format!(
                "{capability} is granted by {} and the component does not import it",
                self.granted.join(" ")
            )),
            Verdict::Surprise => Some(format!(
                "{capability} was tried ({} allowed, {} denied); neither a grant nor the description speaks of it",
                self.allowed, self.denied
            )),
            Verdict::Impossible => {
                Some(format!("{capability} was used and is not imported; this is a fault of customs, please report it"))
            }
        }
    }

    /// What the row adds to the score.
    #[must_use]
    pub fn evidence(&self) -> Option<Evidence> {
        let (matter, severity) = match self.verdict {
            Verdict::Plain | Verdict::Latent | Verdict::Impossible => return None,
            Verdict::Useless => (Matter::UnusedGrant, Severity::Low),
            Verdict::Unused if self.capability.reaches_out() => (Matter::UnusedGrant, Severity::Medium),
            Verdict::Unused => (Matter::UnusedGrant, Severity::Low),
            Verdict::Surprise if self.capability.reaches_out() => (Matter::Undeclared, Severity::Medium),
            Verdict::Surprise => (Matter::Undeclared, Severity::Low),
        };
        Some(Evidence::new(matter, severity, self.says()?, ""))
    }
}

#[cfg(test)]
mod tests;
