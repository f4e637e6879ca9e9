//! Where the parts of a returned value stand among the sinks.
//!
//! A typed value's parts are leaves of its JSON already. A component that describes its own tools gives texts: blocks, which may be JSON, and
//! structured content, which is. Labels are by byte of those texts, and [`super::json_text`] says which leaf a byte is in.

use super::Ranges;
use super::json_text::{Kind, Token, walk};
use super::painted::flat;
use crate::call::Words;
use crate::catalogue::Form;
use crate::json::{Shape, Signature};
use crate::report::{Content, ToolResult};
use crate::sinks;
use customs_boundary::{Hidden, Returned, Traces};
use customs_ledger::material::{Sink, SinkKind};
use customs_trace::{Label, Part, Step};
use serde_json::Value;
use std::collections::{BTreeMap, HashMap};

/// What was returned, as people see it and as it was written.
#[derive(Clone, Copy)]
pub(crate) struct Shown<'a> {
    pub(crate) form: Form,
    pub(crate) signature: Option<&'a Signature>,
    pub(crate) result: Option<&'a ToolResult>,
    pub(crate) words: &'a Words,
    /// What the names of sinks do not show.
    pub(crate) hidden: &'a Hidden,
}

/// Labelled ranges of one text.
type Runs = Vec<(u64, u64, Label)>;

/// Places without a sink of their own that are told apart. Past it, what has many places has all of their labels.
const MAX_MISSED: usize = 1 << 16;

/// Sinks of an answer by their names, and what is put on them.
struct Answers<'s> {
    hidden: &'s Hidden,
    sinks: HashMap<&'s str, Vec<&'s Sink>>,
    ranges: Ranges,
    /// Labels of places that have no sink of their own: truth values, and what is past the number of sinks.
    missed: BTreeMap<String, Runs>,
    /// Of more of them than are told apart.
    over: Label,
    /// There is a sink that has what has none of its own.
    elsewhere: bool,
}

impl<'s> Answers<'s> {
    fn has(&self, name: &str) -> bool {
        self.sinks.contains_key(name)
    }

    /// The sinks of a place. A value that the guest was granted may stand in its name.
    fn of(&self, name: &str) -> Option<&Vec<&'s Sink>> {
        self.sinks.get(self.hidden.cover(name).as_ref())
    }

    /// A range of a place.
    fn put(&mut self, name: String, from: u64, to: u64, label: Label) {
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
    fn whole(&mut self, name: String, label: Label) {
        self.put(name, 0, u64::MAX, label);
    }

    /// The leaves of a text that is JSON, whose sinks have names that begin like this.
    fn leaves(&mut self, text: &str, prefix: &str, runs: &[(u64, u64, Label)]) {
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
    fn settle(&mut self, shown: &Shown<'_>) {
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

/// Whether a sink has what has none of its own.
fn holds_others(name: &str) -> bool {
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

/// Ranges of sinks that are labelled. They may lie over each other.
pub(super) fn ranges(traces: &Traces, sinks: &[Sink], shown: &Shown<'_>) -> Ranges {
    let mut ranges = traces.sinks.clone();
    for sink in sinks {
        // Written, and then not sent.
        for (_, to, _) in ranges.get_mut(&sink.id).into_iter().flatten() {
            *to = sink.content.bytes.min(*to);
        }
    }
    let missed = BTreeMap::new();
    let (hidden, over) = (shown.hidden, Label::CLEAN);
    let mut answers = Answers { hidden, sinks: HashMap::new(), ranges, missed, over, elsewhere: false };
    for sink in sinks.iter().filter(|sink| matches!(sink.kind, SinkKind::Return | SinkKind::Error)) {
        answers.elsewhere |= holds_others(&sink.name);
        answers.sinks.entry(&sink.name).or_default().push(sink);
    }
    match shown.signature.and_then(|signature| signature.result.as_ref()) {
        Some(shape) => {
            for returned in &traces.returned {
                typed(traces, returned, shape, &mut answers);
            }
        }
        None => blocks(traces, shown, &mut answers),
    }
    answers.settle(shown);
    let mut ranges = answers.ranges;
    if shown.form == Form::Command {
        repeat_stdout(sinks, &mut ranges);
    }
    ranges
}

/// A command's text is its stdout again.
fn repeat_stdout(sinks: &[Sink], ranges: &mut Ranges) {
    let printed = sinks.iter().find(|sink| sink.kind == SinkKind::Stdout);
    let answer = sinks.iter().find(|sink| sink.kind != SinkKind::Stdout && sink.name == "/content/0/text");
    if let (Some(printed), Some(answer)) = (printed, answer)
        && printed.content.kept == answer.content.kept
        && let Some(known) = ranges.get(&printed.id).cloned()
    {
        ranges.insert(answer.id, known);
    }
}

/// A range of bytes as the characters of their base64: four for three of them.
fn encoded(from: u64, to: u64) -> (u64, u64) {
    (from / 3 * 4, to.div_ceil(3).saturating_mul(4))
}

/// Puts the labels of a part of a typed value where it stands.
fn typed(traces: &Traces, returned: &Returned, shape: &Shape, answers: &mut Answers<'_>) {
    let Some(path) = traces.path(returned).filter(|path| path.part != Part::Case) else { return };
    let Some((pointer, shape)) = pointer(shape, &path.steps, returned.places) else { return };
    let (from, to) = (returned.from, returned.to);
    match (path.part, shape) {
        (Part::Text, _) => answers.put(pointer, from, to, returned.label),
        (Part::Numbers(1), Shape::Bytes) => {
            let (from, to) = encoded(from, to);
            answers.put(pointer, from, to, returned.label);
        }
        // Other numbers each as a place of its own.
        (Part::Numbers(bytes), _) => {
            let bytes = u64::from(bytes.max(1));
            let (first, end) = (from / bytes, to.div_ceil(bytes));
            for at in (first..end).take(MAX_MISSED) {
                answers.whole(format!("{pointer}/{at}"), returned.label);
            }
            if end.saturating_sub(first) > MAX_MISSED as u64 {
                answers.over = answers.over.or(returned.label);
            }
        }
        (Part::Value | Part::Case, _) => answers.whole(pointer, returned.label),
    }
}

/// The place in the structured result, as [`crate::json`] writes it, and what is there.
fn pointer<'s>(shape: &'s Shape, steps: &[Step], places: [u32; 3]) -> Option<(String, &'s Shape)> {
    let mut steps = steps.iter();
    let mut places = places.into_iter();
    if steps.next() != Some(&Step::Result) {
        return None;
    }
    let mut pointer = String::new();
    let mut shape = shape;
    if let Shape::Result(ok, err) = shape {
        match steps.next()? {
            Step::Ok => shape = ok.as_deref()?,
            Step::Err => {
                shape = err.as_deref()?;
                pointer.push_str("/error");
            }
            _ => return None,
        }
    }
    if pointer.is_empty() && !shape.is_object() {
        pointer.push_str("/result");
    }
    for step in steps {
        match (step, shape) {
            (Step::Field(name), Shape::Record(fields)) => {
                pointer.push_str(&escaped(name));
                shape = fields.get(name)?;
            }
            (Step::Case(name), Shape::Variant(cases)) => {
                pointer.push_str(&escaped(name));
                shape = cases.get(name)?.as_ref()?;
            }
            (Step::Element(at), Shape::Tuple(shapes)) => {
                pointer.push_str(&format!("/{at}"));
                shape = shapes.get(usize::try_from(*at).ok()?)?;
            }
            (Step::Each, Shape::List(element)) => {
                // Of lists in lists in lists the fourth is not told apart.
                pointer.push_str(&format!("/{}", places.next()?));
                shape = element;
            }
            (Step::Some, Shape::Option(inner)) => {
                if inner.is_nullable() {
                    pointer.push_str("/some");
                }
                shape = inner;
            }
            (Step::Ok, Shape::Result(Some(inner), _)) => {
                pointer.push_str("/ok");
                shape = inner;
            }
            (Step::Err, Shape::Result(_, Some(inner))) => {
                pointer.push_str("/err");
                shape = inner;
            }
            _ => return None,
        }
    }
    Some((pointer, shape))
}

fn escaped(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Where a part of an answer in blocks stands.
enum Place {
    /// In a text block.
    Text(usize),
    /// In another place of a block, which is named.
    Block(String),
    /// In the bytes of one, which JSON has as base64.
    Encoded(String),
    Structured,
    /// In the text of an error.
    Error,
}

/// Of `result<call-result, ..>`, or what stands for it in the packages of wasmcp.
fn place(steps: &[Step], part: Part, places: [u32; 3]) -> Option<Place> {
    let field = |step: &Step, name: &str| matches!(step, Step::Field(own) if own == name);
    let rest = match steps {
        [Step::Result, Step::Ok, Step::Some, rest @ ..] | [Step::Result, Step::Ok, rest @ ..] => rest,
        // Of an error of wasmcp its message alone is shown.
        [Step::Result, Step::Err, Step::Case(_)] => return Some(Place::Error),
        [Step::Result, Step::Err, Step::Case(_), last] if field(last, "message") => return Some(Place::Error),
        _ => return None,
    };
    let (first, rest) = rest.split_first()?;
    if field(first, "structured-content") {
        return Some(Place::Structured);
    }
    let (Some(Step::Each), Some(Step::Case(kind)), true) = (rest.first(), rest.get(1), field(first, "content")) else {
        return None;
    };
    let at = places.first().copied()?;
    let inner = rest.get(2..).unwrap_or_default();
    let last = inner.iter().rev().find_map(|step| match step {
        Step::Field(name) | Step::Case(name) => Some(name.as_str()),
        _ => None,
    });
    let last = match last {
        Some("mime-type") => "mimeType",
        last => last.unwrap_or("text"),
    };
    Some(match kind.as_str() {
        "text" if last == "text" => Place::Text(usize::try_from(at).ok()?),
        "image" | "audio" if part == Part::Numbers(1) => Place::Block(format!("/content/{at}/data")),
        "resource-link" => Place::Block(format!("/content/{at}/{last}")),
        "resource" | "embedded-resource" if part == Part::Numbers(1) => {
            Place::Encoded(format!("/content/{at}/resource/blob"))
        }
        "resource" | "embedded-resource" => Place::Block(format!("/content/{at}/resource/{last}")),
        _ => return None,
    })
}

/// The labels of an answer in blocks.
fn blocks(traces: &Traces, shown: &Shown<'_>, answers: &mut Answers<'_>) {
    let (mut texts, mut structured, mut errors) = (BTreeMap::<usize, Runs>::new(), Runs::new(), Runs::new());
    for returned in &traces.returned {
        let Some(path) = traces.path(returned).filter(|path| path.part != Part::Case) else { continue };
        let (from, to, label) = (returned.from, returned.to, returned.label);
        match place(&path.steps, path.part, returned.places) {
            Some(Place::Text(at)) => texts.entry(at).or_default().push((from, to, label)),
            Some(Place::Structured) => structured.push((from, to, label)),
            Some(Place::Error) => errors.push((from, to, label)),
            Some(place) if matches!(shown.words, Words::Guests(_)) => match place {
                Place::Block(name) if path.part == Part::Value => answers.whole(name, label),
                Place::Block(name) => answers.put(name, from, to, label),
                Place::Encoded(name) => {
                    let (from, to) = encoded(from, to);
                    answers.put(name, from, to, label);
                }
                Place::Text(_) | Place::Structured | Place::Error => {}
            },
            _ => {}
        }
    }
    // What was handed over as a stream never was in the guest's answer: it is as it was read.
    for (at, runs) in &traces.handed {
        let Ok(at) = usize::try_from(*at) else { continue };
        match shown.result.and_then(|result| result.content.get(at)) {
            Some(Content::Text(_)) => texts.entry(at).or_default().extend(runs.iter().copied()),
            Some(Content::Resource(resource)) => {
                let blob = resource.get("blob").is_some();
                let name = format!("/content/{at}/resource/{}", if blob { "blob" } else { "text" });
                for (from, to, label) in runs {
                    let (from, to) = if blob { encoded(*from, *to) } else { (*from, *to) };
                    answers.put(name.clone(), from, to, *label);
                }
            }
            Some(_) => {
                for (from, to, label) in runs {
                    answers.put(format!("/content/{at}/data"), *from, *to, *label);
                }
            }
            None => {}
        }
    }
    match shown.words {
        Words::Guests(written) => {
            for (at, runs) in &texts {
                text(shown, *at, runs, answers);
            }
            if let Some(written) = written {
                answers.leaves(written, "", &structured);
            }
        }
        // The guest's own text stands behind words of ours.
        Words::Behind(before) => {
            let behind = |(from, to, label): &(u64, u64, Label)| {
                (from.saturating_add(*before), to.saturating_add(*before), *label)
            };
            text(shown, 0, &errors.iter().map(behind).collect::<Vec<_>>(), answers);
        }
        Words::Ours => {}
    }
}

/// A text block: itself where it is a sink, and its leaves where it is JSON.
fn text(shown: &Shown<'_>, at: usize, runs: &[(u64, u64, Label)], answers: &mut Answers<'_>) {
    let name = format!("/content/{at}/text");
    if answers.has(&name) {
        for (from, to, label) in runs {
            answers.put(name.clone(), *from, *to, *label);
        }
    }
    if let Some(Content::Text(text)) = shown.result.and_then(|result| result.content.get(at))
        && sinks::inside(text).is_some()
    {
        answers.leaves(text, &format!("{name}#"), runs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use customs_ledger::digest::Digest;
    use customs_ledger::material::Content as Bytes;
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

    fn steps(text: &str) -> Vec<Step> {
        let step = |word: &str| match word.split_at(1) {
            (".", name) => Step::Field(name.to_owned()),
            ("=", name) => Step::Case(name.to_owned()),
            _ => match word {
                "result" => Step::Result,
                "ok" => Step::Ok,
                "err" => Step::Err,
                "some" => Step::Some,
                _ => Step::Each,
            },
        };
        text.split_whitespace().map(step).collect()
    }

    /// As `customs:tool` has it, and as wasmcp does.
    #[test]
    fn parts_of_an_answer_in_blocks_stand_where_people_see_them() {
        for (part, path, expected) in [
            (Part::Text, "result ok .content each =text", "text 7"),
            (Part::Text, "result ok some .content each =text .text =text", "text 7"),
            (Part::Text, "result ok some .content each =text .options some .meta some", "none"),
            (Part::Numbers(1), "result ok .content each =image .data", "/content/7/data"),
            (Part::Numbers(1), "result ok some .content each =audio .data =blob", "/content/7/data"),
            (Part::Text, "result ok .content each =image .mime-type", "none"),
            (Part::Text, "result ok .content each =resource-link .mime-type some", "/content/7/mimeType"),
            (Part::Text, "result ok some .content each =resource-link .options some .title some", "/content/7/title"),
            (Part::Text, "result ok .content each =resource .contents =text", "/content/7/resource/text"),
            (Part::Text, "result ok .content each =resource .uri", "/content/7/resource/uri"),
            (Part::Numbers(1), "result ok .content each =resource .contents =blob", "base64 /content/7/resource/blob"),
            (
                Part::Text,
                "result ok some .content each =embedded-resource .resource =text .text =text",
                "/content/7/resource/text",
            ),
            (Part::Text, "result ok .structured-content some", "structured"),
            (Part::Text, "result ok some .structured-content some", "structured"),
            (Part::Text, "result err =internal", "error"),
            (Part::Text, "result err =internal-error .message", "error"),
            (Part::Text, "result err =internal-error .data some", "none"),
        ] {
            let found = match place(&steps(path), part, [7, 0, 0]) {
                Some(Place::Text(at)) => format!("text {at}"),
                Some(Place::Block(name)) => name,
                Some(Place::Encoded(name)) => format!("base64 {name}"),
                Some(Place::Structured) => "structured".to_owned(),
                Some(Place::Error) => "error".to_owned(),
                None => "none".to_owned(),
            };
            assert_eq!(found, expected, "{path}");
        }
    }
}
