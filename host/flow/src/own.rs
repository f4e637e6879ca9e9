//! What a component brought with it: a public line that stands in a file and in the tool's own data is no news where the tool returns it.
//!
//! A hostile component chooses its data, so they explain little: a range only as a whole, never a secret, and only where it is rarer than what
//! could be covered by trying. A component of `n` bytes holds `n` places, so of the values of `b` bits it can hold one in `2^(b - log2(n))`; a range
//! must cost 16 bits more than `log2(n)`. What is explained stays a finding, of severity `info`: its author knew those bytes before
//! the tool ran, but that they stand in this file is still said, and flow rules hold.

use crate::finding::{Finding, Severity};
use crate::rarity;
use customs_ledger::material::{Class, Source, SourceKind};

/// Ranges that are looked up for one call. More are no single public line.
const LOOKED_UP: usize = 32;
/// Bytes of a range that are weighed.
const WEIGHED: usize = 4096;

/// Lowers findings whose every range stands in `data`, the component's own.
pub fn explain(data: &[u8], findings: &mut [Finding], sources: &[Source]) {
    let least = rarity::MARGIN + rarity::log2(data.len() as u64);
    let mut left = LOOKED_UP;
    for finding in findings.iter_mut().filter(|f| f.severity > Severity::Info && f.seen > 0 && f.more == 0) {
        let Some(source) = finding.source.and_then(|id| sources.iter().find(|s| s.id == id)) else { continue };
        let may = matches!(source.class, Class::Private | Class::Untrusted) && source.kind != SourceKind::Env;
        if !may || finding.origin.is_some() || finding.source_ranges.len() > left {
            continue;
        }
        left -= finding.source_ranges.len();
        let known = |(from, to): &(u64, u64)| {
            let place = |at: &u64| usize::try_from(*at).unwrap_or(usize::MAX);
            let bytes = source.content.kept.get(place(from)..place(to)).unwrap_or_default().trim_ascii();
            let cost = || rarity::bits(bytes.get(..bytes.len().min(WEIGHED)).unwrap_or_default());
            !bytes.is_empty() && memchr::memmem::find(data, bytes).is_some() && cost() >= least
        };
        if !finding.source_ranges.is_empty() && finding.source_ranges.iter().all(known) {
            finding.severity = Severity::Info;
            let words = "the component's own data has these bytes too";
            finding.note = Some(match finding.note.take() {
                Some(note) => format!("{note}; {words}"),
                None => words.to_owned(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Budget, Input, find};
    use customs_ledger::Digest;
    use customs_ledger::material::{Content, Sink, SinkKind};

    fn content(bytes: &[u8]) -> Content {
        Content { bytes: bytes.len() as u64, digest: Digest::of(bytes), kept: bytes.to_vec(), complete: true }
    }

    /// The severities of what is found of a source in an answer, by a component with these data.
    fn severities(kind: SourceKind, source: &str, answer: &str, data: &[u8]) -> Vec<Severity> {
        let name = "x".to_owned();
        let sources =
            [Source { id: 1, kind, name: name.clone(), class: kind.class(), content: content(source.as_bytes()) }];
        let sinks = [Sink { id: 1, kind: SinkKind::Return, name, content: content(answer.as_bytes()) }];
        let mut found = find(&Input { sources: &sources, sinks: &sinks, known: &[] }, &Budget::default()).findings;
        explain(data, &mut found, &sources);
        found.iter().map(|f| f.severity).collect()
    }

    const LINE: &str = "urn:uuid:7f3e9ad0-53c1-4b8e-91aa-0c65d8e2b417";
    const KEY: &str = "zX3vB8nWQ4mZ8tRw";

    #[test]
    fn a_public_line_is_told_to_nobody_and_a_secret_line_beside_it_is() {
        let data = format!("\0\0{LINE}\0usage: x");
        let file = format!("{LINE}\n{KEY}\n");
        assert_eq!(severities(SourceKind::File, &file, LINE, data.as_bytes()), [Severity::Info]);
        assert_eq!(
            severities(SourceKind::File, &file, LINE, b"urn:uuid:7f3e9ad0-53c1-4b8e-91aa-0c65d8e2b418"),
            [Severity::Low]
        );
        assert_eq!(severities(SourceKind::File, &file, &file, data.as_bytes()), [Severity::Low]);
        assert_eq!(severities(SourceKind::File, &file, KEY, data.as_bytes()), [Severity::Low]);
    }

    #[test]
    fn a_secret_is_never_explained() {
        assert_eq!(severities(SourceKind::Env, KEY, KEY, KEY.as_bytes()), [Severity::High]);
    }

    /// All pieces of three and four characters that a key could have, and what a template knows of it, explain no key.
    #[test]
    fn data_that_hold_the_pieces_of_everything_explain_nothing() {
        let alphabet = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let mut data = Vec::new();
        for a in alphabet {
            for b in alphabet {
                for c in alphabet {
                    data.extend([*a, *b, *c]);
                }
            }
        }
        data.extend(b"db_password=zX3v=B8nW=Q4mZ=8tRw=zX3vB8nWQ4mZ8tR");
        assert_eq!(severities(SourceKind::File, KEY, KEY, &data), [Severity::Low]);
        let file = format!("db_password={KEY}");
        assert_eq!(severities(SourceKind::File, &file, &file, &data), [Severity::Low]);
    }

    /// A number of eight digits can be covered by a megabyte of numbers one time in a thousand, and a rare word is found by trying.
    #[test]
    fn what_can_be_tried_out_is_not_explained() {
        let data: Vec<u8> = (47_000_000_u32..47_090_000).flat_map(|n| format!("{n}\n").into_bytes()).collect();
        assert_eq!(severities(SourceKind::File, "47081193", "47081193", &data).len(), 1);
        assert_eq!(
            severities(SourceKind::File, "47081193", "47081193", &data),
            severities(SourceKind::File, "47081193", "47081193", b"")
        );
    }
}
