//! What is told of a run: its first record, its calls, and the rows of each.

use crate::records::{Name, SEVERITIES};
use std::collections::BTreeMap;

/// Rows of one kind (sources, sinks, denials, findings) in all calls together. A call has 50000 flows at most.
const MAX_ROWS: usize = 10_000;
/// Moments of the timeline, in all calls together. More is nothing that a person reads.
const MAX_MOMENTS: usize = 2000;

/// How much room is left in lists over all calls.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) sources: usize,
    pub(super) sinks: usize,
    pub(super) denials: usize,
    pub(super) findings: usize,
    pub(super) moments: usize,
    pub(super) origins: usize,
    /// Ranges of labelled bytes.
    pub(super) labelled: usize,
    pub(super) traced: usize,
}

impl Room {
    pub(super) fn new() -> Room {
        Room {
            sources: MAX_ROWS,
            sinks: MAX_ROWS,
            denials: MAX_ROWS,
            findings: MAX_ROWS,
            moments: MAX_MOMENTS,
            origins: MAX_ROWS,
            labelled: MAX_ROWS,
            traced: MAX_ROWS,
        }
    }
}

/// The open record.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) run: Name,
    pub(crate) time: Name,
    pub(crate) customs: Name,
    pub(crate) wasmtime: Name,
    pub(crate) component: Name,
    pub(crate) sha256: String,
    pub(crate) policy: String,
    pub(crate) grants: Vec<Name>,
    pub(crate) grants_left_out: u64,
    pub(crate) warnings: Vec<Name>,
    pub(crate) warnings_left_out: u64,
}

/// One call of a tool.
#[derive(Debug, Default)]
pub(crate) struct Call {
    pub(crate) number: u64,
    /// None where the ledger has no record of the call itself.
    pub(crate) tool: Option<Name>,
    pub(crate) denials: Vec<Denial>,
    /// All that was denied, each time, with and without a record.
    pub(crate) denied: u64,
    pub(crate) sources: BTreeMap<u64, Flow>,
    pub(crate) sinks: BTreeMap<u64, Flow>,
    pub(crate) findings: Vec<Found>,
    /// By `capability operation code`.
    pub(crate) suppressed: BTreeMap<String, u64>,
    pub(crate) moments: Vec<Moment>,
    pub(crate) ending: Option<Ending>,
    /// The methods that looked for findings, where the call ended.
    pub(crate) methods: Vec<&'static str>,
    /// The sinks with labelled bytes, where its data was followed, in the order of the ledger.
    pub(crate) traced: Vec<Traced>,
    pub(crate) left_out: LeftOut,
    /// A source or sink is not whole, or more was denied than has rows in the run's own result.
    pub(super) short: bool,
    pub(super) distinct: BTreeMap<(&'static str, String, String, Name), usize>,
}

/// The labelled bytes of a sink.
#[derive(Debug)]
pub(crate) struct Traced {
    pub(crate) sink: u64,
    /// In rising order, none over another, none empty.
    pub(crate) ranges: Vec<Labelled>,
    /// Ranges that are not told.
    pub(crate) more: u64,
}

/// Bytes with the same sources, by their ids: those whose value is in them, and those that only chose them.
#[derive(Debug)]
pub(crate) struct Labelled {
    pub(crate) from: u64,
    pub(crate) to: u64,
    pub(crate) strong: Vec<u64>,
    pub(crate) weak: Vec<u64>,
    /// There were more sources than labels: those that are named, or others.
    pub(crate) shared: bool,
}

/// Rows that are not told, by kind.
#[derive(Debug, Default)]
pub(crate) struct LeftOut {
    /// Sinks with labelled bytes.
    pub(crate) traced: u64,
    pub(crate) sources: u64,
    pub(crate) sinks: u64,
    /// Denials, each time, that are in no row.
    pub(crate) denials: u64,
    pub(crate) findings: u64,
    pub(crate) moments: u64,
}

#[derive(Debug)]
pub(crate) struct Denial {
    pub(crate) seq: u64,
    pub(crate) capability: &'static str,
    pub(crate) operation: Name,
    pub(crate) requested: Name,
    pub(crate) resolved: Option<Name>,
    pub(crate) code: Name,
    pub(crate) count: u64,
}

/// A source or a sink.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) id: u64,
    pub(crate) seq: u64,
    pub(crate) kind: &'static str,
    pub(crate) name: Name,
    /// Of a source.
    pub(crate) class: Option<&'static str>,
    pub(crate) bytes: u64,
    pub(crate) sha256: String,
    pub(crate) keyed: bool,
    pub(crate) complete: bool,
    /// Of a source whose bytes an earlier call had already: where they came from.
    pub(crate) origins: Vec<Origin>,
}

/// Where bytes were first seen.
#[derive(Debug)]
pub(crate) struct Origin {
    pub(crate) call: u64,
    pub(crate) kind: &'static str,
    pub(crate) name: Name,
    pub(crate) class: Option<&'static str>,
    pub(crate) ranges: Vec<(u64, u64)>,
}

#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) seq: u64,
    pub(crate) id: Name,
    pub(crate) rule: Name,
    pub(crate) severity: &'static str,
    pub(crate) source: Option<u64>,
    pub(crate) sink: u64,
    pub(crate) method: &'static str,
    pub(crate) transform: Vec<Name>,
    pub(crate) strength: &'static str,
    pub(crate) source_ranges: Vec<(u64, u64)>,
    pub(crate) sink_ranges: Vec<(u64, u64)>,
    /// From 0 to 1.
    pub(crate) coverage: f64,
    pub(crate) action: &'static str,
    pub(crate) preview: Name,
    pub(crate) note: Option<Name>,
    pub(crate) more: u64,
    pub(crate) origin: Option<Origin>,
}

#[derive(Debug)]
pub(crate) struct Ending {
    pub(crate) kind: &'static str,
    pub(crate) limit: Option<Name>,
    pub(crate) detail: Option<Name>,
}

/// Something with a time.
#[derive(Debug)]
pub(crate) struct Moment {
    pub(crate) seq: u64,
    /// Microseconds since the run started.
    pub(crate) t: u64,
    pub(crate) what: What,
}

#[derive(Debug)]
pub(crate) enum What {
    Allowed { capability: &'static str, operation: Name, requested: Name },
    Denied { capability: &'static str, operation: Name, requested: Name, code: Name },
    In { kind: &'static str, name: Name, bytes: u64 },
    Out { kind: &'static str, name: Name, bytes: u64 },
}

impl Call {
    /// As the run itself says it, and false for a call whose end is not recorded.
    pub(crate) fn is_complete(&self) -> bool {
        // A limit on what may cross cut something off.
        const CUTS: [&str; 6] = ["events", "flows", "input", "output", "file-write", "transfer"];
        let ended = self
            .ending
            .as_ref()
            .is_some_and(|ending| !ending.limit.as_ref().is_some_and(|limit| CUTS.contains(&limit.text.as_str())));
        ended && !self.short && self.suppressed.is_empty()
    }

    /// The findings, the gravest first.
    pub(crate) fn by_severity(&self) -> Vec<&Found> {
        let mut sorted: Vec<&Found> = self.findings.iter().collect();
        sorted.sort_by_key(|found| SEVERITIES.iter().position(|s| *s == found.severity));
        sorted
    }

    pub(crate) fn source(&self, found: &Found) -> Option<&Flow> {
        found.source.and_then(|id| self.sources.get(&id))
    }

    pub(crate) fn sink(&self, found: &Found) -> Option<&Flow> {
        self.sinks.get(&found.sink)
    }
}
