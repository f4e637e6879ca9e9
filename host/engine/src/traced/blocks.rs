//! A component that describes its own tools gives texts: blocks, which may be JSON, and structured content, which is. Labels are by byte of those
//! texts, and [`super::json_text`] says which leaf a byte is in.

use super::Runs;
use super::answers::{Answers, encoded};
use super::place::Shown;
use crate::call::Words;
use crate::report::Content;
use crate::sinks;
use customs_boundary::Traces;
use customs_trace::{Label, Part, Step};
use std::collections::BTreeMap;

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
pub(super) fn place_all(traces: &Traces, shown: &Shown<'_>, answers: &mut Answers<'_>) {
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
pub(super) fn text(shown: &Shown<'_>, at: usize, runs: &[(u64, u64, Label)], answers: &mut Answers<'_>) {
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
