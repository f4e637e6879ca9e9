//! What a call gave: its result, how it ended, and what crossed.

use crate::ending::Ending;
use crate::enforce::Cuts;
use crate::replay::passes::Labelled;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use customs_boundary::DenialRow;
use customs_flow::{Action, Carried, Finding, Severity};
use customs_ledger::material::{Sink, Source};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One block of a result, as in MCP.
#[derive(Clone, Debug, PartialEq)]
pub enum Content {
    Text(String),
    Image { data: Vec<u8>, mime_type: String },
    Audio { data: Vec<u8>, mime_type: String },
    ResourceLink(Value),
    Resource(Value),
}

impl Content {
    /// The block as MCP writes it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        match self {
            Self::Text(text) => json!({"type": "text", "text": text}),
            Self::Image { data, mime_type } => {
                json!({"type": "image", "data": STANDARD.encode(data), "mimeType": mime_type})
            }
            Self::Audio { data, mime_type } => {
                json!({"type": "audio", "data": STANDARD.encode(data), "mimeType": mime_type})
            }
            Self::ResourceLink(link) => link.clone(),
            Self::Resource(resource) => json!({"type": "resource", "resource": resource}),
        }
    }
}

/// What the tool returned.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolResult {
    pub is_error: bool,
    pub content: Vec<Content>,
    pub structured: Option<Value>,
}

impl ToolResult {
    /// A tool error in our own words.
    pub(crate) fn error(text: String) -> ToolResult {
        ToolResult { is_error: true, content: vec![Content::Text(text)], structured: None }
    }

    /// `{isError, content, structuredContent?}`.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let content: Vec<Value> = self.content.iter().map(Content::to_json).collect();
        let mut result = json!({"isError": self.is_error, "content": content});
        if let (Some(structured), Some(object)) = (&self.structured, result.as_object_mut()) {
            object.insert("structuredContent".to_owned(), structured.clone());
        }
        result
    }
}

/// A finished call.
#[derive(Debug)]
pub struct Report {
    pub call: u64,
    pub tool: String,
    /// None where the guest was stopped before it returned.
    pub result: Option<ToolResult>,
    pub ending: Ending,
    /// What the tool gave was withheld by a flow rule: the result is our own sentence.
    pub withheld: bool,
    /// What flow rules took out of it.
    pub cuts: Cuts,
    pub denials: Vec<DenialRow>,
    pub sources: Vec<Source>,
    pub sinks: Vec<Sink>,
    pub findings: Vec<Finding>,
    /// What sources carry of earlier calls, by their ids.
    pub origins: Vec<(u64, Vec<Carried>)>,
    /// Bytes of earlier calls that had to be forgotten for what left in this one.
    pub forgotten: u64,
    /// Refused accesses that have no record of their own, by `capability operation code`.
    pub suppressed: BTreeMap<String, u64>,
    pub imports: BTreeMap<&'static str, u64>,
    /// False where something was capped, torn or suppressed.
    pub complete: bool,
    /// It was allowed something that changes or reaches what is outside: made again, it would do so again.
    pub reached_out: bool,
    /// The most linear memory in use, in bytes.
    pub peak_memory: u64,
    /// Where its data was followed: the sinks that have labelled bytes. What a trace did not find is said to be looked for.
    pub traced: Option<Vec<TracedSink>>,
    /// The same with all that is known of it, for who lays passes over each other.
    pub(crate) labels: Option<Labelled>,
}

/// The labelled bytes of a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedSink {
    pub sink: u64,
    /// In rising order, none over another.
    pub ranges: Vec<TracedRange>,
    /// Ranges that are not listed.
    pub more: u64,
}

impl TracedSink {
    /// As `customs.run/1` and the ledger have it.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let mut object =
            json!({"sink": self.sink, "ranges": self.ranges.iter().map(TracedRange::to_json).collect::<Vec<_>>()});
        if let (1.., Some(members)) = (self.more, object.as_object_mut()) {
            members.insert("more".to_owned(), json!(self.more));
        }
        object
    }
}

/// Bytes of a sink, from one up to but not including another, and the sources in them by their numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedRange {
    pub from: u64,
    pub to: u64,
    /// Their value is in the bytes.
    pub strong: Vec<u64>,
    /// They only chose them.
    pub weak: Vec<u64>,
    /// There were more sources than labels: those that are named or others that had the same one.
    pub shared: bool,
}

impl TracedRange {
    fn to_json(&self) -> Value {
        let mut object = json!({"from": self.from, "to": self.to, "strong": self.strong, "weak": self.weak});
        if let (true, Some(members)) = (self.shared, object.as_object_mut()) {
            members.insert("shared".to_owned(), json!(true));
        }
        object
    }
}

/// Bytes that ranges may take in the ledger's record of a call's end: a line of the ledger has a megabyte at most.
const MAX_RECORDED: usize = 192 << 10;
/// Sinks there, some hundred bytes each. An answer has a thousand places.
const MAX_SINKS: usize = 2_000;

/// What a trace said of a call's sinks, for the ledger, and how many sinks are left out; ranges that do not fit are counted.
pub(crate) fn recorded(traced: &[TracedSink]) -> (Value, u64) {
    let mut room = MAX_RECORDED;
    let sink = |traced: &TracedSink| {
        // Names and numbers at their longest.
        let cost = |range: &TracedRange| 96 + 21 * (range.strong.len() + range.weak.len());
        let fits = |range: &&TracedRange| match room.checked_sub(cost(range)) {
            Some(rest) => {
                room = rest;
                true
            }
            None => false,
        };
        let ranges: Vec<TracedRange> = traced.ranges.iter().take_while(fits).cloned().collect();
        let left = u64::try_from(traced.ranges.len().saturating_sub(ranges.len())).unwrap_or(u64::MAX);
        TracedSink { sink: traced.sink, ranges, more: traced.more.saturating_add(left) }.to_json()
    };
    let listed = traced.iter().take(MAX_SINKS).map(sink).collect();
    (listed, u64::try_from(traced.len().saturating_sub(MAX_SINKS)).unwrap_or(u64::MAX))
}

impl Report {
    /// What looked for findings.
    #[must_use]
    pub fn methods(&self) -> &'static [&'static str] {
        methods(self.traced.is_some())
    }

    /// Whether there is a finding of this severity or more that no rule allows.
    #[must_use]
    pub fn has_finding(&self, least: Severity) -> bool {
        self.findings.iter().any(|f| f.severity >= least && f.action != Action::Allowed)
    }
}

/// What looks for findings, where a call's data is followed and where not.
pub(crate) fn methods(traced: bool) -> &'static [&'static str] {
    if traced { &["match", "trace"] } else { &["match"] }
}

/// A call that could not be made or recorded: never the guest's fault.
#[derive(Debug)]
pub enum CallError {
    /// The ledger could not be written. What the guest did before is recorded; nothing ran after.
    Ledger(String),
    /// A component could not even say what tools it has.
    Guest(String),
    /// The machine or we ourselves.
    Internal(String),
}

impl std::fmt::Display for CallError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ledger(why) | Self::Guest(why) => f.write_str(why),
            Self::Internal(why) => write!(f, "internal error: {why}"),
        }
    }
}

impl std::error::Error for CallError {}
