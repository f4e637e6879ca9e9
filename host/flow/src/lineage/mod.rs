//! What a call gave out and a later one takes in keeps its origin.
//!
//! A tool returns a secret, the model passes it on as an argument of another, and that one sends it away: each call alone is harmless. So the bytes
//! of sources that were found in what left are remembered ([`Lineage::remember`]), and looked for in what comes into later calls, with the same
//! search as anything else ([`Lineage::trace`]). An input that carries some has their class where that is stronger than its own, and the
//! bytes are no echo of the caller then ([`Traced`]).
//!
//! Memory is bounded for each class, so that a flood of pages does not push a key out; what is dropped is counted. While nothing is
//! remembered, and where an input has no run of bytes that is remembered ([`marks`]), nothing is searched.

mod carried;
pub(crate) mod marks;

pub use carried::{Carried, Origin, Traced};

use crate::budget::Budget;
use crate::find::{Input, find};
use crate::finding::{Action, Finding};
use crate::index::SHORTEST;
use crate::rarity;
use crate::views::{Views, Way};
use customs_ledger::Digest;
use customs_ledger::material::{Class, Content, Sink, SinkKind, Source, SourceKind};
use marks::Marks;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// Bytes that are remembered of each class, all together 4 MiB, and the most of one range.
const ROOM: [(Class, usize); 3] = [(Class::Secret, 1 << 20), (Class::Private, 2 << 20), (Class::Untrusted, 1 << 20)];
const LONGEST: usize = 256 << 10;
/// Ranges that are remembered.
const RANGES: usize = 4096;
/// Inputs of more bytes than this are searched without asking the filter: it would cost as much.
const PROBED: usize = 64 << 10;
/// Origins that one input can have, and ranges of one: past them the search was not complete.
const ORIGINS: usize = 64;
const PLACES: usize = 1 << 14;

/// Bytes of sources that left earlier calls, of one run or of all components of a server.
#[derive(Debug)]
pub struct Lineage {
    /// What is remembered, oldest first. The id of a source is its key in `about`.
    sources: Vec<Source>,
    about: HashMap<u64, About>,
    /// Which of them has these bytes, by hash.
    by_bytes: HashMap<u64, u64>,
    next: u64,
    hasher: RandomState,
    marks: Marks,
    /// Bytes that are marked still and not remembered any more.
    stale: usize,
    /// What a source was as a whole when some of it left, by kind, name and digest: read again it is its own origin.
    own: HashMap<(SourceKind, String), Digest>,
    /// Whose bytes were ever remembered, those that were dropped since included; none once they are too many to be told.
    left: Option<HashSet<(Class, SourceKind, String)>>,
    forgotten: u64,
}

#[derive(Debug)]
struct About {
    origin: Arc<Origin>,
    /// Where the range begins in its source.
    at: u64,
    hash: u64,
}

impl Default for Lineage {
    fn default() -> Lineage {
        Lineage {
            sources: Vec::new(),
            about: HashMap::new(),
            by_bytes: HashMap::new(),
            next: 1,
            hasher: RandomState::new(),
            marks: Marks::with_room(4096),
            stale: 0,
            own: HashMap::new(),
            left: Some(HashSet::new()),
            forgotten: 0,
        }
    }
}

impl Lineage {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// Bytes that were dropped because there was no room for them, since the beginning.
    #[must_use]
    pub fn forgotten(&self) -> u64 {
        self.forgotten
    }

    /// Class, kind and name of each source of which something left a call, remembered still or not. None where they were too many to be told.
    pub fn left(&self) -> Option<impl Iterator<Item = (Class, SourceKind, &str)>> {
        let left = self.left.as_ref()?;
        Some(left.iter().map(|(class, kind, name)| (*class, *kind, name.as_str())))
    }

    /// What the inputs of a call carry of earlier ones. `budget` bounds the search.
    #[must_use]
    pub fn trace<'s>(&self, sources: &'s [Source], budget: &Budget) -> Traced<'s> {
        if self.is_empty() {
            return Traced::nothing(sources);
        }
        let inputs: Vec<&Source> = sources.iter().filter(|s| self.may_carry(s)).collect();
        let bytes: usize = inputs.iter().map(|s| s.content.kept.len()).sum();
        if bytes < SHORTEST || (bytes <= PROBED && !self.may_hold(&inputs, bytes, budget)) {
            return Traced::nothing(sources);
        }
        // Any kind does that is no answer: what is written for a model is not the question here.
        let kind = SinkKind::Socket;
        let sink = |s: &&Source| Sink { id: s.id, kind, name: String::new(), content: s.content.clone() };
        let sinks: Vec<Sink> = inputs.iter().map(sink).collect();
        // All places: one that is left out would make the others an echo of it.
        let budget = Budget { places: PLACES, ..*budget };
        let found = find(&Input { sources: &self.sources, sinks: &sinks, known: &[] }, &budget);
        let mut complete = found.complete;
        let mut carried: BTreeMap<u64, Vec<Carried>> = BTreeMap::new();
        for finding in &found.findings {
            let (Some(about), Some(input)) =
                (finding.source.and_then(|id| self.about.get(&id)), inputs.iter().find(|s| s.id == finding.sink))
            else {
                continue;
            };
            let itself = about.origin.kind == input.kind && about.origin.name == input.name;
            if itself || finding.transform.first() == Some(&"digits") {
                continue;
            }
            let bytes = finding.source.and_then(|id| self.sources.iter().find(|s| s.id == id));
            let bytes = bytes.map_or(&[][..], |s| s.content.kept.as_slice());
            complete &= finding.more == 0 && add(carried.entry(input.id).or_default(), about, finding, bytes);
        }
        Traced::new(sources, carried, complete)
    }

    /// Whether an input is worth a look: one that can hold something, and is not the very thing that is remembered.
    fn may_carry(&self, source: &Source) -> bool {
        let kind = match source.kind {
            SourceKind::Env | SourceKind::Metadata => false,
            SourceKind::File
            | SourceKind::Listing
            | SourceKind::Link
            | SourceKind::HttpResponse
            | SourceKind::Stdin
            | SourceKind::Argument
            | SourceKind::Socket => source.content.kept.len() >= SHORTEST,
        };
        kind && self.own.get(&(source.kind, source.name.clone())) != Some(&source.content.digest)
    }

    /// Whether some view of the inputs has a range in common with what is remembered that could count.
    fn may_hold(&self, inputs: &[&Source], bytes: usize, budget: &Budget) -> bool {
        let text: Vec<u8> = inputs.iter().flat_map(|s| s.content.kept.iter().copied()).collect();
        let mut breaks = Vec::with_capacity(inputs.len());
        inputs.iter().fold(0, |at, s| {
            breaks.push(at);
            at + s.content.kept.len()
        });
        let room = budget.view_room(bytes);
        let views = Views::new(vec![Cow::Owned(text)], &[breaks], Way::Out, budget.depth, room, usize::MAX);
        // What stands around a range makes it dearer or cheaper by a little.
        let least = rarity::WHOLE_MARGIN * 3 / 4;
        views.texts.iter().any(|view| {
            self.marks.ranges(&view.bytes).any(|(from, to)| {
                // Long ranges are dear enough; what a short one costs may depend on what stands around it.
                to - from > 64 || rarity::bits(view.bytes.get(from..to).unwrap_or_default()) >= least
            })
        })
    }

    /// Remembers what left: the bytes of sources that findings show. What was blocked or redacted has not left. `traced` is what
    /// [`Lineage::trace`] said of the same call. Returns how many bytes had to be dropped for it.
    pub fn remember(
        &mut self,
        call: u64,
        tool: &str,
        sources: &[Source],
        traced: &[(u64, Vec<Carried>)],
        findings: &[Finding],
    ) -> u64 {
        let before = self.forgotten;
        let mut origins: HashMap<u64, Arc<Origin>> = HashMap::new();
        let tool: Arc<str> = Arc::from(tool);
        for finding in findings.iter().filter(|f| f.seen > 0 && left(f)) {
            let Some(source) = finding.source.and_then(|id| sources.iter().find(|s| s.id == id)) else { continue };
            if source.class == Class::Public || source.kind == SourceKind::Metadata {
                continue;
            }
            // What came from an earlier call is remembered as what it was there.
            if finding.origin.as_ref().is_some_and(|o| o.origin.class <= source.class) {
                continue;
            }
            let origin = origins.entry(source.id).or_insert_with(|| {
                let (kind, name, class) = (source.kind, source.name.clone(), source.class);
                if let Some(left) = &mut self.left {
                    left.insert((class, kind, name.clone()));
                }
                Arc::new(Origin { call, tool: Arc::clone(&tool), kind, name, class })
            });
            for (from, to) in &finding.source_ranges {
                let (Ok(start), Ok(end)) = (usize::try_from(*from), usize::try_from(*to)) else { continue };
                self.keep(origin, *from, source.content.kept.get(start..end).unwrap_or_default());
            }
            if !traced.iter().any(|(id, _)| *id == source.id) && self.own.len() < RANGES {
                self.own.insert((source.kind, source.name.clone()), source.content.digest);
            }
        }
        if self.left.as_ref().is_some_and(|left| left.len() > RANGES) {
            self.left = None;
        }
        if self.stale > ROOM.iter().map(|(_, room)| room).sum::<usize>() / 4 {
            self.mark_anew(0);
        }
        self.forgotten - before
    }

    fn keep(&mut self, origin: &Arc<Origin>, at: u64, bytes: &[u8]) {
        if bytes.len() < SHORTEST {
            return;
        }
        let kept = bytes.get(..bytes.len().min(LONGEST)).unwrap_or_default();
        self.forgotten += (bytes.len() - kept.len()) as u64;
        let hash = self.hasher.hash_one((origin.kind, &origin.name, kept));
        if let Some(id) = self.by_bytes.get(&hash) {
            // The same again: now the last call to give it out is this one.
            if let Some(about) = self.about.get_mut(id) {
                (about.origin, about.at) = (Arc::clone(origin), at);
            }
            if let Some(place) = self.sources.iter().position(|s| s.id == *id) {
                let source = self.sources.remove(place);
                self.sources.push(source);
            }
            return;
        }
        self.make_room(origin.class, kept.len());
        let id = self.next;
        self.next += 1;
        let content =
            Content { bytes: kept.len() as u64, digest: Digest::of(kept), kept: kept.to_vec(), complete: true };
        // The name keeps what is remembered of one source together.
        let name = format!("{} {}", origin.kind.as_str(), origin.name);
        self.sources.push(Source { id, kind: origin.kind, name, class: origin.class, content });
        self.about.insert(id, About { origin: Arc::clone(origin), at, hash });
        self.by_bytes.insert(hash, id);
        if self.marks.is_full_with(kept.len()) {
            self.mark_anew(kept.len());
        } else if let Some(source) = self.sources.last() {
            mark(&mut self.marks, source);
        }
    }

    /// Drops the oldest of a class until there is room in it, and the oldest of all where there are too many.
    fn make_room(&mut self, class: Class, bytes: usize) {
        let room = ROOM.iter().find(|(of, _)| *of == class).map_or(0, |(_, room)| *room);
        let of_class = |s: &&Source| s.class == class;
        let mut held: usize = self.sources.iter().filter(of_class).map(|s| s.content.kept.len()).sum();
        while held + bytes > room || self.sources.len() >= RANGES {
            let full = held + bytes > room;
            let Some(oldest) = self.sources.iter().position(|s| !full || s.class == class) else { return };
            let gone = self.sources.remove(oldest);
            if gone.class == class {
                held -= gone.content.kept.len();
            }
            self.forgotten += gone.content.bytes;
            self.stale += gone.content.kept.len();
            if let Some(about) = self.about.remove(&gone.id) {
                self.by_bytes.remove(&about.hash);
            }
        }
    }

    /// Makes the filter again, of what is remembered now, with room for as much again.
    fn mark_anew(&mut self, more: usize) {
        let bytes: usize = self.sources.iter().map(|s| s.content.kept.len()).sum();
        self.marks = Marks::with_room((bytes + more).saturating_mul(4));
        for source in &self.sources {
            mark(&mut self.marks, source);
        }
        self.stale = 0;
    }
}

/// A range and what a guest could make of it by undoing an encoding.
fn mark(marks: &mut Marks, source: &Source) {
    let all = Budget::default();
    let root = vec![Cow::Borrowed(source.content.kept.as_slice())];
    for view in &Views::new(root, &[], Way::In, 1, all.source_views, all.source_longest).texts {
        marks.add(&view.bytes);
    }
}

fn left(finding: &Finding) -> bool {
    match finding.action {
        Action::Allowed | Action::Warned => finding.transform.first() != Some(&"digits"),
        Action::Redacted | Action::Blocked => false,
    }
}

/// Adds what a finding shows of a remembered range to what an input carries; false where that is too much.
fn add(all: &mut Vec<Carried>, about: &About, finding: &Finding, bytes: &[u8]) -> bool {
    let same = |c: &Carried| Arc::ptr_eq(&c.origin, &about.origin) && c.transform == finding.transform;
    let ranges = finding.sink_ranges.iter().copied();
    let in_origin = finding.source_ranges.iter().map(|(from, to)| (from + about.at, to + about.at));
    if let Some(carried) = all.iter().position(same).and_then(|at| all.get_mut(at)) {
        carried.ranges.extend(ranges);
        carried.origin_ranges.extend(in_origin);
        for list in [&mut carried.ranges, &mut carried.origin_ranges] {
            join(list);
        }
    } else if all.len() < ORIGINS {
        all.push(Carried {
            origin: Arc::clone(&about.origin),
            ranges: ranges.collect(),
            origin_ranges: in_origin.collect(),
            transform: finding.transform.clone(),
            bytes: if finding.transform.is_empty() { Vec::new() } else { bytes.to_vec() },
        });
    } else {
        return false;
    }
    true
}

/// In rising order, with what touches made one.
pub(crate) fn join(ranges: &mut Vec<(u64, u64)>) {
    ranges.sort_unstable();
    ranges.dedup_by(|next, kept| {
        let touches = next.0 <= kept.1;
        if touches {
            kept.1 = kept.1.max(next.1);
        }
        touches
    });
}

#[cfg(test)]
mod tests;
