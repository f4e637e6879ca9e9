//! What a trace said of a call, to be drawn: its sinks with their bytes piece by piece, and a number for each source that is in them.
//!
//! ```text
//!  story: labelled ranges --> Picture --> Drawn --> pieces.rs    which bytes are shown, and what is in each of them
//!  contents, where known -^                |-> text.rs            on a terminal, in colour or with marks below
//!                                          +-> html/traced.rs     on the page
//! ```
//!
//! A ledger has no contents: then there are bars, of positions and lengths. A program that has just run a tool has what it answered, and hands
//! that in; what it may not show of it, it does not hand in.

pub(crate) mod pieces;
mod text;

pub(crate) use text::picture;
pub use text::{Paint, traced_text};

use crate::story::{Call, Flow, Labelled, Traced};
use std::collections::BTreeMap;

/// What a sink holds, as far as it may be shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// From its first byte on; of what was taken out there are other bytes here, as many.
    pub bytes: Vec<u8>,
    /// What a rule took out: ranges in rising order, and what stands there instead. One may go on behind the last byte.
    pub cuts: Vec<(u64, u64, String)>,
}

/// What the sinks of one call hold. Of a call that is not in the ledger it is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contents {
    pub call: u64,
    /// By the numbers of sinks.
    pub sinks: BTreeMap<u64, Shown>,
}

impl Contents {
    fn of(&self, call: &Call, sink: u64) -> Option<&Shown> {
        self.sinks.get(&sink).filter(|_| self.call == call.number)
    }
}

/// The sinks of a call that have labelled bytes, and the sources in them.
#[derive(Debug)]
pub(crate) struct Picture<'s> {
    /// In the order of their numbers: the first is 1.
    pub(crate) sources: Vec<u64>,
    numbers: BTreeMap<u64, usize>,
    /// Answers first.
    pub(crate) sinks: Vec<Drawn<'s>>,
    /// Sinks that are not told.
    pub(crate) left_out: u64,
}

/// A sink to be drawn.
#[derive(Debug)]
pub(crate) struct Drawn<'s> {
    pub(crate) flow: &'s Flow,
    pub(crate) ranges: &'s [Labelled],
    /// Ranges that are not told.
    pub(crate) more: u64,
    pub(crate) shown: Option<&'s Shown>,
}

impl Drawn<'_> {
    /// Bytes with a label.
    pub(crate) fn labelled(&self) -> u64 {
        self.ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(range.to.saturating_sub(range.from)))
    }

    pub(crate) fn is_answer(&self) -> bool {
        is_answer(self.flow)
    }
}

fn is_answer(flow: &Flow) -> bool {
    matches!(flow.kind, "return" | "error")
}

impl<'s> Picture<'s> {
    /// None where nothing was labelled. With `clean`, places of the answer that no source is in are there too.
    pub(crate) fn of(call: &'s Call, contents: &'s Contents, clean: bool) -> Option<Picture<'s>> {
        if call.traced.iter().all(|traced| traced.ranges.is_empty() && traced.more == 0) {
            return None;
        }
        let labelled: BTreeMap<u64, &Traced> = call.traced.iter().map(|traced| (traced.sink, traced)).collect();
        let drawn = |flow: &'s Flow| {
            let traced = labelled.get(&flow.id);
            let shown = contents.of(call, flow.id);
            let is_clean = clean && is_answer(flow) && shown.is_some_and(|shown| !shown.bytes.is_empty());
            (traced.is_some() || is_clean).then(|| Drawn {
                flow,
                ranges: traced.map_or(&[], |traced| &traced.ranges),
                more: traced.map_or(0, |traced| traced.more),
                shown,
            })
        };
        let mut sinks: Vec<Drawn<'s>> = call.sinks.values().filter_map(drawn).collect();
        // What a command printed is its answer as well, which is there already.
        let answers: Vec<&str> =
            sinks.iter().filter(|sink| sink.is_answer()).map(|sink| sink.flow.sha256.as_str()).collect();
        let again = |sink: &Drawn<'_>| sink.flow.kind == "stdout" && answers.contains(&sink.flow.sha256.as_str());
        let again: Vec<u64> = sinks.iter().filter(|sink| again(sink)).map(|sink| sink.flow.id).collect();
        sinks.retain(|sink| !again.contains(&sink.flow.id));
        sinks.sort_by_key(|sink| (!sink.is_answer(), sink.flow.id));
        let mut picture =
            Picture { sources: Vec::new(), numbers: BTreeMap::new(), sinks, left_out: call.left_out.traced };
        // Strong ones first, so that what matters has the first colours.
        let ranges = || picture.sinks.iter().flat_map(|sink| sink.ranges);
        let ids = ranges().flat_map(|range| &range.strong).chain(ranges().flat_map(|range| &range.weak));
        let mut numbers = BTreeMap::new();
        let mut sources = Vec::new();
        for id in ids {
            numbers.entry(*id).or_insert_with(|| {
                sources.push(*id);
                sources.len()
            });
        }
        (picture.sources, picture.numbers) = (sources, numbers);
        Some(picture)
    }

    /// The number of a source; 0 for one that is not in the picture.
    pub(crate) fn number(&self, source: u64) -> usize {
        self.numbers.get(&source).copied().unwrap_or(0)
    }
}
