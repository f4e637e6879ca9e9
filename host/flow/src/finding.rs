//! A finding: a source seen in a sink, with its evidence.

use crate::lineage::Carried;
use serde_json::{Value, json};
use std::fmt;

/// How much it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    Info,
    Low,
    Medium,
    High,
}

impl Severity {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// The kind of evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// The source's bytes stand in the sink's.
    Match,
    /// Labels were followed through the guest's computation.
    Trace,
    /// The sink changed when the source's bytes were changed on a replay.
    Causal,
}

impl Method {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Trace => "trace",
            Self::Causal => "causal",
        }
    }
}

/// How the source determines the sink's bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strength {
    /// They are its bytes, or are computed from them.
    Strong,
    /// It chose them, by an address or between alternatives, or decides them.
    Weak,
}

impl Strength {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Strong => "strong",
            Self::Weak => "weak",
        }
    }
}

/// What was done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// The bytes went on, and a rule says that they may.
    Allowed,
    /// The bytes went on; a person is told.
    Warned,
    /// They were replaced.
    Redacted,
    /// Nothing of that sink went on.
    Blocked,
}

impl Action {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Warned => "warned",
            Self::Redacted => "redacted",
            Self::Blocked => "blocked",
        }
    }
}

/// A source seen in a sink. Ranges are half-open, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable; see docs/findings.md.
    pub rule: &'static str,
    pub severity: Severity,
    /// Ids of the run's sources and sinks; a causal finding about a place that is no sink of its own has sink 0. What a tool says of itself (see [`crate::prompt`]) may have no source.
    pub source: Option<u64>,
    pub sink: u64,
    pub method: Method,
    /// What the bytes went through on their way, in that order: `["gzip", "base64"]`.
    pub transform: Vec<&'static str>,
    pub strength: Strength,
    /// In rising order, not touching; as they stand in the source and in the sink, before any decoding. At most [`crate::Budget::places`]
    /// of each; `more` says how many were left out.
    pub source_ranges: Vec<(u64, u64)>,
    pub sink_ranges: Vec<(u64, u64)>,
    pub more: u64,
    /// How many bytes of the source were seen in this sink, all ranges together, and how many it has.
    pub seen: u64,
    pub source_bytes: u64,
    pub action: Action,
    /// For a person; never the whole value.
    pub preview: String,
    /// What else there is to say, in a sentence.
    pub note: Option<String>,
    /// Where the bytes of this source came from before: what an earlier call gave out. See [`crate::Lineage`].
    pub origin: Option<Box<Carried>>,
}

impl Finding {
    /// As `customs.run/1` has it; `number` counts the findings of a run from 1.
    #[must_use]
    pub fn to_json(&self, number: usize) -> Value {
        // Sources that are kept have fewer bytes than that.
        let parts = |bytes: u64| u32::try_from(bytes).map_or(f64::from(u32::MAX), f64::from);
        let coverage = if self.source_bytes == 0 { 0.0 } else { parts(self.seen) / parts(self.source_bytes) };
        let mut json = json!({
            "id": format!("F{number}"),
            "rule": self.rule,
            "severity": self.severity.as_str(),
            "source": self.source,
            "sink": self.sink,
            "method": self.method.as_str(),
            "transform": self.transform,
            "strength": self.strength.as_str(),
            "source_ranges": self.source_ranges.iter().map(|(a, b)| json!([a, b])).collect::<Vec<_>>(),
            "sink_ranges": self.sink_ranges.iter().map(|(a, b)| json!([a, b])).collect::<Vec<_>>(),
            "coverage": coverage,
            "action": self.action.as_str(),
            "preview": self.preview,
        });
        if let Value::Object(members) = &mut json {
            if let Some(note) = &self.note {
                members.insert("note".to_owned(), json!(note));
            }
            if self.more > 0 {
                members.insert("more".to_owned(), json!(self.more));
            }
            if let Some(origin) = &self.origin {
                members.insert("origin".to_owned(), origin.to_json());
            }
        }
        json
    }
}
