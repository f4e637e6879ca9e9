//! What an input carries of earlier calls, and what that makes of it.

use super::join;
use crate::finding::{Finding, Severity};
use crate::rules::{self, Leads};
use customs_ledger::Digest;
use customs_ledger::material::{Class, Content, Sink, Source, SourceKind};
use serde_json::{Value, json};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A source of an earlier call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// The call that let it out, by its number in the ledger of its tool's component; the last one, where there were several.
    pub call: u64,
    pub tool: Arc<str>,
    pub kind: SourceKind,
    pub name: String,
    pub class: Class,
}

/// Ranges that are written out.
const LISTED: usize = 16;

/// Bytes of an earlier call's source in an input of this one. Ranges are half-open, in bytes, in rising order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carried {
    pub origin: Arc<Origin>,
    /// In the input.
    pub ranges: Vec<(u64, u64)>,
    /// In the source that they came from.
    pub origin_ranges: Vec<(u64, u64)>,
    /// What the bytes went through in between.
    pub transform: Vec<&'static str>,
    /// What was remembered, where the input has it encoded.
    pub(super) bytes: Vec<u8>,
}

impl Carried {
    /// As `customs.run/1` has it, with the first 16 ranges of each.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let pairs = |ranges: &[(u64, u64)]| ranges.iter().take(LISTED).map(|(a, b)| json!([a, b])).collect::<Vec<_>>();
        json!({
            "call": self.origin.call,
            "tool": &*self.origin.tool,
            "kind": self.origin.kind.as_str(),
            "name": self.origin.name,
            "class": self.origin.class.as_str(),
            "ranges": pairs(&self.ranges),
            "origin_ranges": pairs(&self.origin_ranges),
            "transform": self.transform,
        })
    }
}

/// The sources of a call with what they carry.
#[derive(Debug)]
pub struct Traced<'s> {
    sources: Cow<'s, [Source]>,
    carried: BTreeMap<u64, Vec<Carried>>,
    raised: Vec<Raised>,
    complete: bool,
}

/// A part of an input that is searched for as a source of a stronger class.
#[derive(Debug)]
struct Raised {
    /// Its own id while it is searched for, and that of the input.
    id: u64,
    input: u64,
    kind: SourceKind,
    class: Class,
    /// Where it begins in the input; none where it is what was remembered, which stands there encoded.
    at: Option<u64>,
    /// All bytes of the input.
    bytes: u64,
}

impl<'s> Traced<'s> {
    pub(super) fn nothing(sources: &'s [Source]) -> Traced<'s> {
        Traced { sources: Cow::Borrowed(sources), carried: BTreeMap::new(), raised: Vec::new(), complete: true }
    }

    pub(super) fn new(sources: &'s [Source], carried: BTreeMap<u64, Vec<Carried>>, complete: bool) -> Traced<'s> {
        let mut raised = Vec::new();
        let mut list = Vec::with_capacity(sources.len());
        for source in sources {
            match carried.get(&source.id) {
                Some(carried) if carried.iter().any(|c| c.origin.class < source.class) => {
                    split(source, carried, &mut raised, &mut list);
                }
                _ => list.push(source.clone()),
            }
        }
        Traced { sources: Cow::Owned(list), carried, raised, complete }
    }

    /// What to search for: inputs that carry something of a stronger class are several, with ids that only [`Traced::settle`] knows.
    #[must_use]
    pub fn sources(&self) -> &[Source] {
        &self.sources
    }

    /// False where the search for what the inputs carry left something out.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.complete
    }

    /// What each input carries, by its id.
    #[must_use]
    pub fn carried(self) -> Vec<(u64, Vec<Carried>)> {
        self.carried.into_iter().collect()
    }

    /// Gives the findings of [`Traced::sources`] the ids and ranges of the call's own sources, and their origins.
    pub fn settle(&self, findings: &mut Vec<Finding>, sinks: &[Sink]) {
        for finding in findings.iter_mut() {
            let Some(id) = finding.source else { continue };
            let raised = self.raised.iter().find(|r| r.id == id);
            let input = raised.map_or(id, |r| r.input);
            let Some(carried) = self.carried.get(&input) else { continue };
            if let Some(raised) = raised {
                self.raise(finding, raised, carried, sinks);
            }
            let overlaps = |c: &&Carried| {
                let inside = |a: &(u64, u64)| finding.source_ranges.iter().any(|b| a.0 < b.1 && b.0 < a.1);
                raised.is_none_or(|r| r.class == c.origin.class) && c.ranges.iter().any(inside)
            };
            let origin = carried.iter().filter(overlaps).min_by_key(|c| c.origin.class);
            if let Some(carried) = origin {
                let from = &carried.origin;
                let words =
                    format!("came from {} {} in call {} ({})", from.kind.as_str(), from.name, from.call, from.tool);
                finding.note = Some(match finding.note.take() {
                    Some(note) => format!("{note}; {words}"),
                    None => words,
                });
                finding.origin = Some(Box::new(carried.clone()));
            }
        }
        // An encoded part is looked for as it stands and as what it is; once is enough.
        let mut seen = Vec::new();
        findings.retain(|f| {
            let place = (f.source, f.sink, f.rule, f.sink_ranges.clone());
            f.origin.is_none()
                || !seen.contains(&place) && {
                    seen.push(place);
                    true
                }
        });
        findings.sort_by_key(|f| (f.sink, f.source.is_none(), f.source));
    }

    fn raise(&self, finding: &mut Finding, raised: &Raised, carried: &[Carried], sinks: &[Sink]) {
        finding.source = Some(raised.input);
        finding.source_bytes = raised.bytes;
        match raised.at {
            Some(at) => {
                for (from, to) in &mut finding.source_ranges {
                    (*from, *to) = (*from + at, *to + at);
                }
            }
            None => {
                let of_class = carried.iter().filter(|c| c.origin.class == raised.class && !c.bytes.is_empty());
                finding.source_ranges = of_class.flat_map(|c| c.ranges.iter().copied()).collect();
                join(&mut finding.source_ranges);
                finding.seen = finding.source_ranges.iter().map(|(from, to)| to - from).sum();
            }
        }
        let kind = sinks.iter().find(|s| s.id == finding.sink).map(|s| s.kind);
        let sent = matches!(raised.kind, SourceKind::Argument | SourceKind::Stdin);
        if sent && kind.is_some_and(|kind| rules::leads(kind) == Leads::Back) {
            // The caller had it before the call.
            finding.severity = Severity::Info;
        }
    }
}

/// Ids that no source of a call has.
const FIRST: u64 = 1 << 62;

/// An input as what is left of it without what it carries of stronger classes, and that for each class as a source of its own.
fn split(source: &Source, carried: &[Carried], raised: &mut Vec<Raised>, list: &mut Vec<Source>) {
    let place = list.len();
    let mut taken: Vec<(u64, u64)> = Vec::new();
    let mut part = |class: Class, at: Option<u64>, kept: Vec<u8>| {
        let id = FIRST + raised.len() as u64;
        let (kind, bytes) = (source.kind, source.content.bytes);
        raised.push(Raised { id, input: source.id, kind, class, at, bytes });
        let content = Content { bytes: kept.len() as u64, digest: Digest::of(&kept), kept, complete: true };
        list.push(Source { id, kind, name: source.name.clone(), class, content });
    };
    for class in [Class::Secret, Class::Private, Class::Untrusted].into_iter().filter(|c| *c < source.class) {
        let of_class = || carried.iter().filter(move |c| c.origin.class == class);
        let mut ranges: Vec<(u64, u64)> = of_class().flat_map(|c| c.ranges.iter().copied()).collect();
        join(&mut ranges);
        let Some((start, _)) = ranges.first().copied() else { continue };
        part(class, Some(start), only(&source.content.kept, &ranges, &taken));
        for encoded in of_class().filter(|c| !c.bytes.is_empty()) {
            part(class, None, encoded.bytes.clone());
        }
        taken.extend(ranges);
        join(&mut taken);
    }
    let mut rest = source.clone();
    blank(&mut rest.content.kept, &taken);
    list.insert(place, rest);
}

/// Blanks in some ranges, so that offsets stay.
fn blank(bytes: &mut [u8], ranges: &[(u64, u64)]) {
    for (from, to) in ranges {
        let (from, to) = (place(*from, bytes), place(*to, bytes));
        if let Some(part) = bytes.get_mut(from..to) {
            part.fill(b' ');
        }
    }
}

/// What stands in the ranges, from the first to the last with blanks between, and without what stronger classes have.
fn only(bytes: &[u8], ranges: &[(u64, u64)], stronger: &[(u64, u64)]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let gaps: Vec<(u64, u64)> = ranges.iter().zip(ranges.iter().skip(1)).map(|(one, next)| (one.1, next.0)).collect();
    blank(&mut bytes, &gaps);
    blank(&mut bytes, stronger);
    let (from, to) = (ranges.first().map_or(0, |r| r.0), ranges.last().map_or(0, |r| r.1));
    bytes.get(place(from, &bytes)..place(to, &bytes)).unwrap_or_default().to_vec()
}

fn place(at: u64, bytes: &[u8]) -> usize {
    usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len())
}
