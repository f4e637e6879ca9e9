//! `CUS201`: the placeholder of an injected secret, seen where it does not belong.

use crate::finding::{Action, Finding, Method, Severity, Strength};
use customs_ledger::material::{Sink, SinkKind, Source, SourceKind};
use memchr::memmem;

/// What stands for a secret: the variable's name and the placeholder that the guest was given.
#[derive(Clone, Copy, Debug)]
pub struct StandIn<'a> {
    pub name: &'a str,
    pub placeholder: &'a str,
}

/// Findings for every sink that a placeholder is in, in the order of the sinks.
#[must_use]
pub fn stand_ins(sources: &[Source], sinks: &[Sink], stand_ins: &[StandIn<'_>]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for sink in sinks.iter().filter(|_| !stand_ins.is_empty()) {
        // In lower case: that is how a host name goes out, whatever the tool wrote.
        let lower = sink.content.kept.to_ascii_lowercase();
        for stand_in in stand_ins {
            let bytes = stand_in.placeholder.to_ascii_lowercase();
            let length = bytes.len() as u64;
            let found = memmem::find_iter(&lower, &bytes);
            let sink_ranges: Vec<(u64, u64)> = found.map(|at| (at as u64, at as u64 + length)).collect();
            let is_it = |s: &&Source| s.kind == SourceKind::Env && s.name == stand_in.name;
            // A guest that never asked for its environment cannot know the placeholder.
            let (false, Some(source)) = (sink_ranges.is_empty(), sources.iter().find(is_it)) else { continue };
            findings.push(Finding {
                rule: "CUS201",
                severity: severity(sink.kind),
                source: Some(source.id),
                sink: sink.id,
                method: Method::Match,
                transform: Vec::new(),
                strength: Strength::Strong,
                source_ranges: vec![(0, length)],
                sink_ranges,
                more: 0,
                seen: length,
                source_bytes: length,
                action: Action::Warned,
                preview: format!("{}..({length} bytes)", stand_in.placeholder.get(..2).unwrap_or_default()),
                note: None,
                origin: None,
            });
        }
    }
    findings
}

/// What leaves the machine was an attempt to give the secret away; what goes back to the caller may be clumsiness.
fn severity(kind: SinkKind) -> Severity {
    match kind {
        SinkKind::HttpRequest | SinkKind::Dns | SinkKind::Socket => Severity::High,
        SinkKind::Return
        | SinkKind::Error
        | SinkKind::File
        | SinkKind::Stdout
        | SinkKind::Stderr
        | SinkKind::Progress
        | SinkKind::Log => Severity::Medium,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use customs_ledger::Digest;
    use customs_ledger::material::{Class, Content};

    fn content(text: &str) -> Content {
        let kept = text.as_bytes().to_vec();
        Content { bytes: kept.len() as u64, digest: Digest::of(&kept), kept, complete: true }
    }

    fn source(id: u64, kind: SourceKind, name: &str, text: &str) -> Source {
        Source { id, kind, name: name.to_owned(), class: Class::Secret, content: content(text) }
    }

    fn sink(id: u64, kind: SinkKind, text: &str) -> Sink {
        Sink { id, kind, name: "somewhere".to_owned(), content: content(text) }
    }

    const KEY: StandIn<'_> = StandIn { name: "KEY", placeholder: "Q4mZ8tRw1xYp0LkA" };

    #[test]
    fn a_placeholder_is_found_in_every_place_of_every_sink_that_has_it() {
        let sources = [
            source(1, SourceKind::Argument, "KEY", KEY.placeholder),
            source(2, SourceKind::Env, "KEY", KEY.placeholder),
        ];
        let sinks = [
            sink(1, SinkKind::Return, "nothing here"),
            sink(2, SinkKind::HttpRequest, "a=Q4mZ8tRw1xYp0LkA&b=Q4mZ8tRw1xYp0LkA"),
            sink(3, SinkKind::Return, "Q4mZ8tRw1xYp0Lk"),
            sink(4, SinkKind::Return, "q4mz8trw1xyp0lka"),
        ];
        let found = stand_ins(&sources, &sinks, &[KEY]);
        let places: Vec<_> = found.iter().map(|f| (f.source, f.sink, f.severity, f.sink_ranges.clone())).collect();
        assert_eq!(
            places,
            [(Some(2), 2, Severity::High, vec![(2, 18), (21, 37)]), (Some(2), 4, Severity::Medium, vec![(0, 16)])],
        );
        assert_eq!(found[0].to_json(1)["coverage"], 1.0);
        assert!(!found[0].preview.contains("Q4m"));
    }

    #[test]
    fn nothing_is_found_where_the_guest_was_never_given_it() {
        let sinks = [sink(1, SinkKind::Return, KEY.placeholder)];
        assert_eq!(stand_ins(&[source(1, SourceKind::File, "KEY", "x")], &sinks, &[KEY]), []);
        assert_eq!(stand_ins(&[], &sinks, &[KEY]), []);
    }
}
