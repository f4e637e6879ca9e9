//! Findings of a trace: labels said which source is in which bytes of a sink.

use crate::finding::{Action, Finding, Method, Strength};
use crate::preview::preview;
use crate::rules;
use customs_ledger::material::{Sink, Source};

/// What labels said of one source in one sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    pub strength: Strength,
    /// In bytes of the sink, in rising order.
    pub ranges: Vec<(u64, u64)>,
    /// Other sources have the same label: which of them it is cannot be told.
    pub shared: bool,
}

/// Ranges of a finding that are listed.
const PLACES: usize = 64;

/// The finding. None where it is none, such as an argument that comes back.
#[must_use]
pub fn traced(source: &Source, sink: &Sink, label: &Label) -> Option<Finding> {
    let code = rules::code(source.class, sink.kind)?;
    let severity = rules::rule(code)?.severity;
    let weak = label.shared || label.strength == Strength::Weak;
    let bytes: u64 = label.ranges.iter().map(|(from, to)| to.saturating_sub(*from)).sum();
    let note = label.shared.then(|| "more sources than labels: this one or another that shares its label".to_owned());
    Some(Finding {
        rule: code,
        severity: if weak { severity.lowered() } else { severity },
        source: Some(source.id),
        sink: sink.id,
        method: Method::Trace,
        transform: Vec::new(),
        strength: if weak { Strength::Weak } else { Strength::Strong },
        source_ranges: Vec::new(),
        sink_ranges: label.ranges.iter().take(PLACES).copied().collect(),
        more: u64::try_from(label.ranges.len().saturating_sub(PLACES)).unwrap_or(u64::MAX),
        seen: bytes.min(source.content.bytes),
        source_bytes: source.content.bytes,
        action: Action::Warned,
        preview: preview(source.class, &source.content.kept, source.content.bytes),
        note,
        origin: None,
    })
}
