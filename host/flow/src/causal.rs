//! Findings of a replay with other bytes in one source: that a sink changed with them. No I/O here; the engine replays and compares.

use crate::finding::{Action, Finding, Method, Strength};
use crate::rules::{code, rule};
use customs_ledger::material::{Sink, SinkKind, Source};

/// The finding that `source` decides what stands in a sink; none for what the caller sent itself. `sink` is the run's, where it has one: a
/// truth value in a typed result has none. `note` says what changed with what.
#[must_use]
pub fn causal(source: &Source, kind: SinkKind, sink: Option<&Sink>, by_length: bool, note: String) -> Option<Finding> {
    let rule = rule(code(source.class, kind)?)?;
    // A length tells less than what stands there.
    let severity = if by_length { rule.severity.lowered() } else { rule.severity };
    let whole = |bytes: u64| if bytes == 0 { Vec::new() } else { vec![(0, bytes)] };
    Some(Finding {
        rule: rule.code,
        severity,
        source: Some(source.id),
        sink: sink.map_or(0, |sink| sink.id),
        method: Method::Causal,
        transform: Vec::new(),
        strength: Strength::Weak,
        source_ranges: whole(source.content.bytes),
        sink_ranges: sink.map(|sink| whole(sink.content.bytes)).unwrap_or_default(),
        more: 0,
        seen: source.content.bytes,
        source_bytes: source.content.bytes,
        action: Action::Warned,
        preview: format!("({} bytes)", source.content.bytes),
        note: Some(note),
        origin: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Severity;
    use customs_ledger::Digest;
    use customs_ledger::material::{Content, SourceKind};

    #[test]
    fn a_causal_finding_has_the_code_of_its_pair_and_an_argument_has_none() {
        let content = |bytes: &[u8]| Content {
            bytes: bytes.len() as u64,
            digest: Digest::of(bytes),
            kept: bytes.to_vec(),
            complete: true,
        };
        let source = |kind: SourceKind| Source {
            id: 3,
            kind,
            name: "K".to_owned(),
            class: kind.class(),
            content: content(b"secret"),
        };
        let env = source(SourceKind::Env);
        let found = causal(&env, SinkKind::Return, None, false, "changed".to_owned()).unwrap();
        assert_eq!((found.rule, found.severity, found.method.as_str()), ("CUS101", Severity::High, "causal"));
        let found = causal(&env, SinkKind::Return, None, true, "changed".to_owned()).unwrap();
        assert_eq!(found.severity, Severity::Medium);
        assert!(causal(&source(SourceKind::Argument), SinkKind::Return, None, false, String::new()).is_none());
    }
}
