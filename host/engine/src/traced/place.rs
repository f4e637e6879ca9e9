//! Where the parts of a returned value stand among the sinks.

use super::answers::{Answers, holds_others};
use super::{Ranges, Runs};
use super::{blocks, typed};
use crate::call::Words;
use crate::catalogue::Form;
use crate::json::Signature;
use crate::report::{Content, ToolResult};
use customs_boundary::{Hidden, Traces};
use customs_ledger::material::{Sink, SinkKind};

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

/// Ranges of sinks that are labelled. They may lie over each other.
pub(super) fn ranges(traces: &Traces, sinks: &[Sink], shown: &Shown<'_>) -> Ranges {
    let mut ranges = traces.sinks.clone();
    for sink in sinks {
        // Written, and then not sent.
        for (_, to, _) in ranges.get_mut(&sink.id).into_iter().flatten() {
            *to = sink.content.bytes.min(*to);
        }
    }
    let missed = std::collections::BTreeMap::new();
    let (hidden, over) = (shown.hidden, customs_trace::Label::CLEAN);
    let mut answers =
        Answers { hidden, sinks: std::collections::HashMap::new(), ranges, missed, over, elsewhere: false };
    for sink in sinks.iter().filter(|sink| matches!(sink.kind, SinkKind::Return | SinkKind::Error)) {
        answers.elsewhere |= holds_others(&sink.name);
        answers.sinks.entry(&sink.name).or_default().push(sink);
    }
    match shown.signature.and_then(|signature| signature.result.as_ref()) {
        Some(shape) => {
            for returned in &traces.returned {
                typed::place(traces, returned, shape, &mut answers);
            }
        }
        None => blocks::place_all(traces, shown, &mut answers),
    }
    if shown.form == Form::Command
        && let Some(runs) = printed(sinks, shown, &answers.ranges)
    {
        blocks::text(shown, 0, &runs, &mut answers);
    }
    answers.settle(shown);
    answers.ranges
}

/// A command's text is its stdout again.
fn printed(sinks: &[Sink], shown: &Shown<'_>, ranges: &Ranges) -> Option<Runs> {
    let printed = sinks.iter().find(|sink| sink.kind == SinkKind::Stdout)?;
    match shown.result?.content.first()? {
        Content::Text(text) if printed.content.kept == text.as_bytes() => ranges.get(&printed.id).cloned(),
        _ => None,
    }
}
