//! Labels to what people are told: which bytes of which sink come from which sources.
//!
//! ```text
//!  Traces -- place --> ranges of sinks, by label -- painted --> the same by source, none over another
//!                                                                |-> findings: one for each source in each sink
//!                                                                +-> the report's `traced`
//! ```

mod answers;
mod blocks;
mod json_text;
mod painted;
mod place;
mod typed;

pub(crate) use json_text::members;
pub(crate) use painted::Painted;
pub(crate) use place::Shown;

use customs_boundary::Traces;
use customs_flow::{Finding, Strength, TracedLabel, traced};
use customs_ledger::material::{Sink, Source};
use customs_trace::{Label, SOURCES};
use std::collections::BTreeMap;

/// Labelled ranges of one text.
type Runs = Vec<(u64, u64, Label)>;

/// Labelled ranges by sink.
type Ranges = BTreeMap<u64, Runs>;

/// Findings of one trace. A guest that reads tens of thousands of files shares a label among them, and each place of its answer may have it: past
/// this a list says nothing more to anybody, and the trace says that it is not complete.
const MAX_FINDINGS: usize = 20_000;

/// What labels say of a call's sinks.
pub(crate) struct Told {
    pub(crate) findings: Vec<Finding>,
    pub(crate) painted: Painted,
    /// Whether nothing was left out.
    pub(crate) whole: bool,
}

pub(crate) fn tell(traces: &Traces, sources: &[Source], sinks: &[Sink], shown: &Shown<'_>) -> Told {
    let ranges = place::ranges(traces, sinks, shown);
    let (findings, whole) = findings(traces, &ranges, sources, sinks);
    Told { findings, painted: Painted::of(ranges, &traces.bits), whole: whole && !traces.cut }
}

fn findings(traces: &Traces, ranges: &Ranges, sources: &[Source], sinks: &[Sink]) -> (Vec<Finding>, bool) {
    let mut findings = Vec::new();
    for sink in sinks {
        let in_sink = ranges.get(&sink.id).map(Vec::as_slice).unwrap_or_default();
        for (bit, of_bit) in (0..SOURCES).zip(&traces.bits) {
            let label = |wanted: Strength| {
                let carries = |label: Label| match wanted {
                    Strength::Strong => label.strong(bit),
                    Strength::Weak => label.weak(bit),
                };
                let found =
                    union(in_sink.iter().filter(|(_, _, label)| carries(*label)).map(|(from, to, _)| (*from, *to)));
                (!found.is_empty()).then_some(TracedLabel { strength: wanted, ranges: found, shared: of_bit.len() > 1 })
            };
            // One finding for each pair: what is weak beside what is strong says nothing more.
            let Some(label) = label(Strength::Strong).or_else(|| label(Strength::Weak)) else { continue };
            for number in of_bit {
                if findings.len() >= MAX_FINDINGS {
                    return (findings, false);
                }
                let source = sources.binary_search_by_key(number, |source| source.id);
                let source = source.ok().and_then(|at| sources.get(at));
                findings.extend(source.and_then(|source| traced(source, sink, &label)));
            }
        }
    }
    (findings, true)
}

/// Ranges in order, those that touch as one.
fn union(ranges: impl Iterator<Item = (u64, u64)>) -> Vec<(u64, u64)> {
    let mut ranges: Vec<(u64, u64)> = ranges.filter(|(from, to)| from < to).collect();
    ranges.sort_unstable();
    let mut joined: Vec<(u64, u64)> = Vec::new();
    for (from, to) in ranges {
        match joined.last_mut() {
            Some((_, end)) if *end >= from => *end = to.max(*end),
            _ => joined.push((from, to)),
        }
    }
    joined
}
