//! What an audit says, as data: `customs audit` fills it in, the formats tell it. Pure, like the rest of this room.
//!
//! ```text
//!  calls under scenarios --> behaviours    what the boundary saw of a tool, each once
//!                             |--> issues  what of it matters, by the rules of rules.rs, with the evidence
//!                             |--> columns what was declared, imported, exercised
//!  decoys, statics, checks ---'       '--> verdict: a score with its parts, and what to do
//! ```
//!
//! Names, paths, URLs and descriptions are a guest's text: each format escapes and cuts them. Values of decoys and secrets are in none of it.

pub(crate) mod json;
pub mod rules;
pub(crate) mod text;

pub use rules::{AuditRule, audit_rule, audit_rules};

use customs_flow::Severity;
use serde_json::Value;
use std::collections::BTreeMap;

/// The whole audit of a component.
#[derive(Clone, Debug)]
pub struct Audit {
    pub component: Component,
    /// The inputs and their order follow from it: the same seed, the same audit.
    pub seed: u64,
    pub scenarios: Vec<Scenario>,
    pub tools: Vec<Tool>,
    /// The gravest first.
    pub issues: Vec<Issue>,
    pub columns: Vec<Column>,
    pub decoys: Decoys,
    pub checks: Vec<Check>,
    /// What the bytes of the component say without running, for a person: `urls`, `producers`..
    pub statics: Value,
    pub verdict: Verdict,
    /// The least policy, where it was asked for or could be made.
    pub least: Option<Least>,
    /// What the policy of `--check` lacks; none where there was none.
    pub beyond: Option<Vec<Missing>>,
    /// How was looked: `boundary`, `match`, `static`, `causal`.
    pub methods: Vec<&'static str>,
    /// What could not be tried or seen, each a sentence; empty where the audit is whole.
    pub cuts: Vec<String>,
}

#[derive(Clone, Debug)]
pub struct Component {
    /// As the person wrote it.
    pub path: String,
    /// Its file name.
    pub name: String,
    pub sha256: String,
    pub size: u64,
    /// `component` or `module`.
    pub kind: &'static str,
    /// What its exports make it.
    pub form: &'static str,
    pub imports: Vec<String>,
}

/// A world that the tools were run in.
#[derive(Clone, Debug)]
pub struct Scenario {
    pub name: &'static str,
    /// What is there and what is not, in a sentence.
    pub about: &'static str,
    pub calls: u64,
    pub denied: u64,
}

#[derive(Clone, Debug)]
pub struct Tool {
    pub name: String,
    pub description: Option<String>,
    /// Why it could not be called, where that is so.
    pub refused: Option<String>,
    /// Inputs of each class that were tried.
    pub inputs: BTreeMap<String, u64>,
    pub calls: u64,
    /// How the calls ended.
    pub endings: BTreeMap<String, u64>,
    /// Calls that were too large to be recorded or searched as a whole.
    pub in_part: u64,
    /// What the secrets that it had decide, where that was asked.
    pub causal: Option<Causal>,
    pub behaviours: Vec<Behaviour>,
    pub behaviours_left_out: u64,
}

/// What came of changing sources and calling again.
#[derive(Clone, Debug, Default)]
pub struct Causal {
    /// Sources that decide nothing of what was given out.
    pub cleared: Vec<String>,
    /// Why there is no verdict.
    pub undecided: Option<String>,
}

/// One kind of thing that a tool did, in however many calls.
#[derive(Clone, Debug)]
pub struct Behaviour {
    pub capability: &'static str,
    pub operation: String,
    /// A path, a URL without its query, a name; digits as `#` where runs of them differ.
    pub target: String,
    /// An argument named it.
    pub asked: bool,
    /// The kind of the decoy that it is about.
    pub decoy: Option<String>,
    /// `allowed`, `denied` or `both`, by scenario.
    pub scenarios: BTreeMap<&'static str, &'static str>,
    pub calls: u64,
    /// The label of the first input that brought it about.
    pub input: String,
}

/// Something that a careful person would want to know.
#[derive(Clone, Debug)]
pub struct Issue {
    /// Of [`rules`], or of a finding's rule where it is one.
    pub rule: &'static str,
    pub severity: Severity,
    /// There is no other way for it to be so.
    pub certain: bool,
    /// `boundary`, `match`, `static`, `check`, `causal`.
    pub method: &'static str,
    pub tool: Option<String>,
    /// What it is about: a path, a URL, a name.
    pub subject: String,
    /// One sentence, of ours; guest text in it is cut and escaped by the format.
    pub what: String,
    /// Where it was seen: scenario, input, record.
    pub evidence: Vec<String>,
    /// As `customs.run/1` has it, where it is one.
    pub finding: Option<Value>,
}

/// What is declared of a capability, imported for it and exercised of it.
#[derive(Clone, Debug)]
pub struct Column {
    pub capability: &'static str,
    /// Grants that give it, as written.
    pub granted: Vec<String>,
    /// Words of names and descriptions that speak of it.
    pub described: Vec<String>,
    /// Interfaces that it is imported through.
    pub imported: Vec<String>,
    pub allowed: u64,
    pub denied: u64,
    /// `plain`, `latent`, `unused`, `useless`, `surprise`.
    pub verdict: &'static str,
    /// What that means, where it is more than plain.
    pub says: Option<String>,
}

#[derive(Clone, Debug, Default)]
pub struct Decoys {
    pub files: Vec<Decoy>,
    pub variables: Vec<Decoy>,
}

/// A decoy: its name and kind, never its value.
#[derive(Clone, Debug)]
pub struct Decoy {
    pub name: String,
    pub kind: String,
    /// Calls that read or changed it. A variable is handed over with all others: that is no touch.
    pub touched: u64,
    /// Sinks that its bytes were seen in.
    pub leaked: u64,
}

#[derive(Clone, Debug)]
pub struct Check {
    pub id: String,
    pub title: String,
    /// `pass`, `warn`, `fail` or `not-applicable`.
    pub verdict: &'static str,
    pub why: String,
    pub fix: String,
}

#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// 0 to 100.
    pub score: u32,
    pub word: &'static str,
    pub parts: Vec<Part>,
    pub recommendations: Vec<String>,
}

/// A part of the score.
#[derive(Clone, Debug)]
pub struct Part {
    pub name: String,
    pub points: u32,
    pub most: u32,
    pub why: String,
}

/// The smallest policy that lets the audited runs pass.
#[derive(Clone, Debug)]
pub struct Least {
    pub flags: Vec<String>,
    pub file: String,
}

/// An access that a policy does not cover.
#[derive(Clone, Debug)]
pub struct Missing {
    pub capability: String,
    pub target: String,
    pub grant: String,
}

impl Audit {
    /// Nothing was left out.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.cuts.is_empty()
    }

    /// Issues of this severity or more.
    #[must_use]
    pub fn has_issue(&self, least: Severity) -> bool {
        self.issues.iter().any(|issue| issue.severity >= least)
    }

    pub(crate) fn calls(&self) -> u64 {
        self.tools.iter().map(|tool| tool.calls).fold(0, u64::saturating_add)
    }
}
