//! Where the parts of a returned value stand among the sinks.

use super::Ranges;
use crate::catalogue::Form;
use crate::json::{Shape, Signature};
use customs_boundary::{Returned, Traces};
use customs_ledger::material::{Sink, SinkKind};
use customs_trace::{Label, Part, Path, Step};
use std::collections::HashMap;

/// What was returned, by its place.
type Answers<'s> = HashMap<&'s str, Vec<&'s Sink>>;

/// Ranges of sinks that are labelled. They may lie over each other.
pub(super) fn ranges(traces: &Traces, sinks: &[Sink], signature: Option<&Signature>, form: Form) -> Ranges {
    let mut ranges = traces.sinks.clone();
    let mut answers = Answers::new();
    for sink in sinks.iter().filter(|sink| matches!(sink.kind, SinkKind::Return | SinkKind::Error)) {
        answers.entry(&sink.name).or_default().push(sink);
    }
    for returned in &traces.returned {
        if let Some(path) = traces.path(returned) {
            place(returned, path, &answers, signature, &mut ranges);
        }
    }
    if form == Form::Command {
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

/// Puts the labels of a part of a returned value where it stands among the sinks.
fn place(returned: &Returned, path: &Path, answers: &Answers<'_>, signature: Option<&Signature>, ranges: &mut Ranges) {
    if path.part == Part::Case {
        return;
    }
    let typed = signature.and_then(|signature| signature.result.as_ref());
    let Some(mut pointer) = (match typed {
        Some(shape) => pointer(shape, &path.steps, returned.places),
        None => block(&path.steps, returned.places),
    }) else {
        return;
    };
    let (mut from, mut to) = (returned.from, returned.to);
    match path.part {
        // JSON has bytes as base64: four characters for three of them.
        Part::Numbers(1) => (from, to) = (from / 3 * 4, to.div_ceil(3).saturating_mul(4)),
        // And other numbers each as a place of its own.
        Part::Numbers(bytes) => {
            let bytes = u64::from(bytes.max(1));
            for at in from / bytes..to.div_ceil(bytes) {
                whole(&format!("{pointer}/{at}"), returned.label, answers, ranges);
            }
            return;
        }
        Part::Value => return whole(&pointer, returned.label, answers, ranges),
        Part::Text | Part::Case => {}
    }
    if typed.is_none() {
        pointer = format!("/content/{pointer}");
    }
    for sink in answers.get(pointer.as_str()).into_iter().flatten() {
        let end = to.min(sink.content.bytes);
        if from < end {
            ranges.entry(sink.id).or_default().push((from, end, returned.label));
        }
    }
}

fn whole(pointer: &str, label: Label, answers: &Answers<'_>, ranges: &mut Ranges) {
    for sink in answers.get(pointer).into_iter().flatten() {
        ranges.entry(sink.id).or_default().push((0, sink.content.bytes, label));
    }
}

/// The place in the structured result, as [`crate::json`] writes it.
fn pointer(shape: &Shape, steps: &[Step], places: [u32; 3]) -> Option<String> {
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
    Some(pointer)
}

fn escaped(name: &str) -> String {
    format!("/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// The place of a text block of a component that describes its own tools: `result<call-result, ..>` with a list of blocks.
fn block(steps: &[Step], places: [u32; 3]) -> Option<String> {
    let field = |step: &Step| matches!(step, Step::Field(name) if name == "content");
    let text = |step: &Step| matches!(step, Step::Case(name) if name == "text");
    match steps {
        [Step::Result, Step::Ok, content, Step::Each, case, ..] if field(content) && text(case) => {
            Some(format!("{}/text", places.first()?))
        }
        _ => None,
    }
}
