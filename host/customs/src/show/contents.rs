//! What sinks hold, for a picture of what a trace said: of the answer what whoever called reads of it, and of nothing else anything.
//!
//! Where a rule took something out, what is drawn must not have it. Several sinks may hold the same bytes, such as a text that is JSON and the
//! places in it: then only those are drawn of which it is clear what went.

use customs_boundary::Hidden;
use customs_engine::Report;
use customs_ledger::material::{Sink, SinkKind};
use customs_report::{Contents, Shown};

/// Bytes of all sinks together. An answer is larger only where its limit was raised; the rest is bars.
const MAX_BYTES: usize = 16 << 20;

/// With `reveal` also what went elsewhere than to the caller, which may be a secret as it is.
pub(crate) fn contents(report: &Report, reveal: bool) -> Contents {
    let mut contents = Contents { call: report.call, ..Contents::default() };
    let mut room = MAX_BYTES;
    for sink in &report.sinks {
        let is_answer = is_answer(sink);
        // What was withheld is not drawn either.
        if (is_answer && report.withheld) || (!is_answer && !reveal) || is_unclear(sink, report) {
            continue;
        }
        let Some(rest) = room.checked_sub(sink.content.kept.len()) else { continue };
        room = rest;
        contents.sinks.insert(sink.id, shown(sink, report));
    }
    contents
}

fn is_answer(sink: &Sink) -> bool {
    matches!(sink.kind, SinkKind::Return | SinkKind::Error)
}

fn shown(sink: &Sink, report: &Report) -> Shown {
    let mut bytes = sink.content.kept.clone();
    let mut cuts = Vec::new();
    for (from, to, mark) in report.cuts.get(&sink.id).into_iter().flatten() {
        let (from, to) = whole_characters(&sink.content.kept, *from, *to);
        if let Some(taken) = bytes.get_mut(from..to) {
            taken.fill(b'*');
        }
        cuts.push((from as u64, to as u64, mark.clone()));
    }
    Shown { bytes, cuts }
}

/// What was taken out of a text took its characters as a whole.
fn whole_characters(bytes: &[u8], from: u64, to: u64) -> (usize, usize) {
    let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.floor_char_boundary(place(from)), text.ceil_char_boundary(place(to))),
        Err(_) => (place(from), place(to)),
    }
}

/// Whether a rule took something out of a sink that holds this one, or that this one holds.
fn is_unclear(sink: &Sink, report: &Report) -> bool {
    let is_cut = |other: &&Sink| other.id != sink.id && report.cuts.contains_key(&other.id);
    is_answer(sink)
        && report.sinks.iter().filter(is_cut).any(|cut| holds(&cut.name, &sink.name) || holds(&sink.name, &cut.name))
}

/// Whether the place with one name holds that with the other: the whole of a large return has no name, and `#` begins what is inside of a text.
fn holds(outer: &str, inner: &str) -> bool {
    outer.is_empty() || inner.strip_prefix(outer).is_some_and(|rest| rest.starts_with(['#', '/']))
}

/// What a person is not shown on a terminal, because its text ends in logs.
pub(crate) fn blot(contents: &mut Contents, hidden: &Hidden) {
    for shown in contents.sinks.values_mut() {
        hidden.blot(&mut shown.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_holds_what_is_inside_of_it_and_not_its_neighbour() {
        for (outer, inner, wanted) in [
            ("", "/a/b", true),
            ("/content/0/text", "/content/0/text#/a", true),
            ("/content/0/text", "/content/0/text", false),
            ("/content/0/text", "/content/0/text2", false),
            ("/a", "/a#key", true),
            ("/a", "/ab", false),
            ("/a", "/a/b", true),
        ] {
            assert_eq!(holds(outer, inner), wanted, "{outer} {inner}");
        }
    }

    #[test]
    fn what_goes_of_a_text_goes_by_characters() {
        assert_eq!(whole_characters("aéz".as_bytes(), 2, 3), (1, 3));
        assert_eq!(whole_characters("aéz".as_bytes(), 0, u64::MAX), (0, 4));
        assert_eq!(whole_characters(&[0xff, 0xc3, 0xa9], 2, 3), (2, 3));
    }
}
