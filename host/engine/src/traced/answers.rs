//! The sinks of an answer, and what is put on them. Labels are by byte of the texts that the guest wrote; sinks are by the leaves that people see.

use super::json_text::{Kind, Token, walk};
use super::painted::flat;
use super::place::Shown;
use super::{Ranges, Runs};
use crate::report::Content;
use crate::sinks;
use customs_boundary::Hidden;
use customs_ledger::material::Sink;
use customs_trace::Label;
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// Places without a sink of their own that are told apart. Past it, what has many places has all of their labels.
pub(super) const MAX_MISSED: usize = 1 << 16;

/// Sinks of an answer by their names, and what is put on them.
pub(super) struct Answers<'s> {
    pub(super) hidden: &'s Hidden,
    pub(super) sinks: HashMap<&'s str, Vec<&'s Sink>>,
    pub(super) ranges: Ranges,
    /// Labels of places that have no sink of their own: truth values, and what is past the number of sinks.
    pub(super) missed: BTreeMap<String, Runs>,
    /// Of more of them than are told apart.
    pub(super) over: Label,
    /// There is a sink that has what has none of its own.
    pub(super) elsewhere: bool,
}

impl<'s> Answers<'s> {
    pub(super) fn has(&self, name: &str) -> bool {
        self.sinks.contains_key(name)
    }

    /// The sinks of a place. A value that the guest was granted may stand in its name.
    fn of(&self, name: &str) -> Option<&Vec<&'s Sink>> {
        self.sinks.get(self.hidden.cover(name).as_ref())
    }

    /// A range of a place.
    pub(super) fn put(&mut self, name: String, from: u64, to: u64, label: Label) {
        match self.of(&name).cloned() {
            Some(sinks) => {
                for sink in sinks {
                    let end = to.min(sink.content.bytes);
                    if from < end {
                        self.ranges.entry(sink.id).or_default().push((from, end, label));
                    }
                }
            }
            None if !self.elsewhere => {}
            None if self.missed.len() < MAX_MISSED => self.missed.entry(name).or_default().push((from, to, label)),
            None => self.over = self.over.or(label),
        }
    }

    /// All of a place.
    pub(super) fn whole(&mut self, name: String, label: Label) {
        self.put(name, 0, u64::MAX, label);
    }

    /// The leaves of a text that is JSON, whose sinks have names that begin like this.
    pub(super) fn leaves(&mut self, text: &str, prefix: &str, runs: &[(u64, u64, Label)]) {
        let runs = flat(runs.to_vec());
        // Where the next token can begin to be labelled: tokens come in rising order.
        let mut next = 0_usize;
        walk(text, |pointer, token| {
            let (from, to) = (token.from as u64, token.to as u64);
            while runs.get(next).is_some_and(|(_, end, _)| *end <= from) {
                next = next.saturating_add(1);
            }
            let here = runs.iter().skip(next).take_while(|(begin, _, _)| *begin < to);
            for (begin, end, label) in here.filter(|(_, end, _)| *end > from) {
                let key = if token.kind == Kind::Key { "#key" } else { "" };
                self.token(format!("{prefix}{pointer}{key}"), token, (*begin, *end), *label);
            }
        });
    }

    fn token(&mut self, name: String, token: &Token<'_>, (from, to): (u64, u64), label: Label) {
        let length = self.of(&name).and_then(|sinks| sinks.first()).map(|sink| sink.content.bytes);
        // Written twice, or in other digits: what stands there is not what was labelled, and all of it may be.
        if matches!(token.kind, Kind::Key | Kind::Text) && length.is_none_or(|length| length == token.bytes()) {
            let (from, to) = token.meant(from, to);
            self.put(name, from, to, label);
        } else {
            self.whole(name, label);
        }
    }

    /// What has no sink of its own stands in one that has many: all truth values as a text, or all of the structured result.
    pub(super) fn settle(&mut self, shown: &Shown<'_>) {
        let missed = std::mem::take(&mut self.missed);
        if missed.is_empty() && self.over.is_clean() {
            return;
        }
        if !self.over.is_clean() {
            let many: Vec<&str> = self.sinks.keys().copied().filter(|name| holds_others(name)).collect();
            for name in many {
                self.whole(name.to_owned(), self.over);
            }
        }
        for name in self.sinks.keys().copied().filter(|name| name.ends_with("#bools")).collect::<Vec<_>>() {
            let base = name.strip_suffix("#bools").unwrap_or(name);
            let truths = truths(shown, base);
            if truths.is_empty() {
                // Where it stands cannot be found again by its name.
                let all = missed.values().flatten().fold(Label::CLEAN, |all, (_, _, label)| all.or(*label));
                self.whole(name.to_owned(), all);
            }
            for (at, truth) in (0_u64..).zip(truths) {
                for (_, _, label) in missed.get(&truth).into_iter().flatten() {
                    self.put(name.to_owned(), at, at.saturating_add(1), *label);
                }
            }
        }
        let structured = shown.result.and_then(|result| result.structured.as_ref()).filter(|_| self.has(""));
        if let Some(structured) = structured {
            let text = structured.to_string();
            walk(&text, |pointer, token| {
                let key = if token.kind == Kind::Key { "#key" } else { "" };
                for (from, to, label) in missed.get(&format!("{pointer}{key}")).into_iter().flatten() {
                    let (from, to) = token.written(*from, *to);
                    self.put(String::new(), from, to, *label);
                }
            });
        }
    }
}

/// A range of bytes as the characters of their base64: four for three of them.
pub(super) fn encoded(from: u64, to: u64) -> (u64, u64) {
    (from / 3 * 4, to.div_ceil(3).saturating_mul(4))
}

/// Whether a sink has what has none of its own.
pub(super) fn holds_others(name: &str) -> bool {
    name.is_empty() || name.ends_with("#bools")
}

/// The places of the truth values below a place, in the order in which a sink has them.
fn truths(shown: &Shown<'_>, base: &str) -> Vec<String> {
    let Some(result) = shown.result else { return Vec::new() };
    let inside;
    let (prefix, value, pointer) = match base.strip_prefix("/content/").and_then(|rest| rest.split_once("/text#")) {
        Some((at, pointer)) => {
            let block = at.parse::<usize>().ok().and_then(|at| result.content.get(at));
            let Some(Content::Text(text)) = block else { return Vec::new() };
            inside = sinks::inside(text);
            (format!("/content/{at}/text#"), inside.as_ref(), pointer)
        }
        None => (String::new(), result.structured.as_ref(), base),
    };
    let mut places = Vec::new();
    if let Some(below) = value.and_then(|value| value.pointer(pointer)) {
        gather(below, &format!("{prefix}{pointer}"), &mut places);
    }
    places
}

fn gather(value: &Value, at: &str, places: &mut Vec<String>) {
    match value {
        Value::Bool(_) => places.push(at.to_owned()),
        Value::Array(items) => {
            for (place, item) in items.iter().enumerate() {
                gather(item, &format!("{at}/{place}"), places);
            }
        }
        Value::Object(members) => {
            for (key, member) in members {
                gather(member, &format!("{at}{}", escaped(key)), places);
            }
        }
        Value::Null | Value::Number(_) | Value::String(_) => {}
    }
}

/// A name as a part of a JSON Pointer.
pub(super) fn escaped(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Words;
    use crate::catalogue::Form;
    use crate::report::ToolResult;
    use customs_ledger::digest::Digest;
    use customs_ledger::material::{Content as Bytes, SinkKind};
    use serde_json::json;

    const A: Label = Label(1);
    const B: Label = Label(2);

    fn sink(id: u64, name: &str, text: &str) -> Sink {
        let kept = text.as_bytes().to_vec();
        let content = Bytes { bytes: kept.len() as u64, digest: Digest::of(&kept), kept, complete: true };
        Sink { id, kind: SinkKind::Return, name: name.to_owned(), content }
    }

    /// What is put on these sinks for a structured result whose text has these labels.
    fn laid(sinks: &[Sink], structured: Value, runs: &[(u64, u64, Label)]) -> BTreeMap<u64, Runs> {
        let (hidden, text) = (Hidden::default(), structured.to_string());
        let result = ToolResult { is_error: false, content: Vec::new(), structured: Some(structured) };
        let words = Words::Guests(Some(text.clone()));
        let shown =
            Shown { form: Form::Dynamic, signature: None, result: Some(&result), words: &words, hidden: &hidden };
        let elsewhere = sinks.iter().any(|sink| holds_others(&sink.name));
        let named = sinks.iter().map(|sink| (sink.name.as_str(), vec![sink])).collect();
        let (missed, ranges) = (BTreeMap::new(), Ranges::new());
        let mut answers = Answers { hidden: &hidden, sinks: named, ranges, missed, over: Label::CLEAN, elsewhere };
        answers.leaves(&text, "", runs);
        answers.settle(&shown);
        answers.ranges
    }

    #[test]
    fn a_leaf_has_the_bytes_that_were_labelled_and_one_of_another_length_all_of_them() {
        let value = json!({"key": "a\"bc", "n": 12.5, "other": "clean"});
        // {"key":"a\"bc","n":12.5,"other":"clean"}
        let sinks =
            [sink(1, "/key", "a\"bc"), sink(2, "/n", "12.5"), sink(3, "/key#key", "key"), sink(4, "/other", "clean")];
        let laid = laid(&sinks, value, &[(3, 5, A), (9, 10, B), (20, 21, A)]);
        assert_eq!(laid.get(&3), Some(&vec![(1, 3, A)]));
        assert_eq!(laid.get(&1), Some(&vec![(1, 2, B)]));
        assert_eq!(laid.get(&2), Some(&vec![(0, 4, A)]));
        assert_eq!(laid.get(&4), None);
        let other = [sink(1, "/key", "another length")];
        assert_eq!(
            super::tests::laid(&other, json!({"key": "abc"}), &[(8, 9, A)]),
            BTreeMap::from([(1, vec![(0, 14, A)])])
        );
    }

    #[test]
    fn truth_values_and_what_is_past_the_number_of_sinks_are_labelled_in_the_sink_that_has_them() {
        let value = json!({"flags": [true, false, true], "far": "xyz"});
        let text = value.to_string();
        let at = |part: &str| text.find(part).unwrap() as u64;
        let runs = [(at("false"), at("false") + 1, A), (at("xyz") + 1, at("xyz") + 2, B)];
        let found = laid(&[sink(1, "/flags#bools", "101"), sink(2, "", &text)], value.clone(), &runs);
        assert_eq!(found.get(&1), Some(&vec![(1, 2, A)]));
        let whole = vec![(at("xyz") + 1, at("xyz") + 2, B), (at("false"), at("false") + 5, A)];
        let mut in_whole = found.get(&2).cloned().unwrap_or_default();
        in_whole.sort_by_key(|(_, _, label)| std::cmp::Reverse(label.0));
        assert_eq!(in_whole, whole);
        // Where there is no such sink, the value is no sink at all.
        assert_eq!(laid(&[sink(3, "/far", "xyz")], value, &runs), BTreeMap::from([(3, vec![(1, 2, B)])]));
    }
}
