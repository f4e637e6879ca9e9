//! A typed value's parts are leaves of its JSON already.

use super::answers::{Answers, MAX_MISSED, encoded, escaped};
use crate::json::Shape;
use customs_boundary::{Returned, Traces};
use customs_trace::{Part, Step};

/// Puts the labels of a part of a typed value where it stands.
pub(super) fn place(traces: &Traces, returned: &Returned, shape: &Shape, answers: &mut Answers<'_>) {
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
