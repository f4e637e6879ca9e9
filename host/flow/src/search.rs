//! Which side is indexed, in which parts, and the search of the other.
//!
//! The smaller side is indexed and the larger one streamed by it: an index costs ten times what streaming does, and must stay small beside the
//! sources. Where it would not, it is made of one part after the other, and the other side streamed once for each.

use crate::arrivals::Arrivals;
use crate::budget::{Budget, Work};
use crate::index::{Corpus, Hit, Index, Needs};
use crate::rarity;
use crate::views::Views;

/// A range that a source's text and a sink's text have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Match {
    /// The sink's text, shallow ones first.
    pub(crate) sink: usize,
    pub(crate) at_sink: usize,
    pub(crate) length: usize,
    pub(crate) source: usize,
    pub(crate) at_source: usize,
}

/// Texts longer than this are searched apart from the shorter ones: what a long text must cost lets the index leave out most of what is common.
const SMALL: usize = 1 << 16;
/// The smallest part of an index: below it the other side is read too often.
const LEAST_PART: usize = 2 << 20;
/// Texts of an index that are put together. Larger ones are alone in theirs.
const TOGETHER: usize = 8 << 20;

/// All ranges that count, in the order of the sinks' texts. What the caller sent and everybody knows is looked for only where something else was
/// found, and, with `plain`, in the sinks as they are.
pub(crate) fn matches(
    arrivals: &Arrivals<'_>,
    sinks: &Views<'_>,
    ask: u32,
    plain: bool,
    budget: &Budget,
    work: &mut Work,
) -> Vec<Match> {
    let mut all = Vec::new();
    let total: usize = arrivals.views.texts.iter().map(|t| t.bytes.len()).sum();
    let mut classes: [Vec<usize>; 3] = Default::default();
    for (number, text) in arrivals.views.texts.iter().enumerate() {
        let class = match arrivals.traits(number) {
            Some(traits) if traits.public => 0,
            _ if text.bytes.len() <= SMALL => 1,
            _ => 2,
        };
        if let Some(class) = classes.get_mut(class) {
            class.push(number);
        }
    }
    // What explains the others comes last.
    for (public, class) in classes.iter().enumerate().rev().map(|(number, class)| (number == 0, class)) {
        let mut numbers: Vec<usize> = if public {
            let plain = sinks.texts.iter().enumerate().take_while(|(_, t)| plain && t.depth == 0).map(|(n, _)| n);
            plain.chain(all.iter().map(|m: &Match| m.sink)).collect()
        } else {
            sinks.texts.iter().enumerate().filter(|(_, t)| t.is_worth_it()).map(|(n, _)| n).collect()
        };
        numbers.sort_unstable();
        numbers.dedup();
        if class.is_empty() || numbers.is_empty() {
            continue;
        }
        let of_sources = Side { views: &arrivals.views, numbers: class.clone() };
        let of_sinks = Side { views: sinks, numbers };
        let of_sources_first = of_sources.length() <= of_sinks.length();
        let (indexed, streamed) = if of_sources_first { (of_sources, of_sinks) } else { (of_sinks, of_sources) };
        let mut search =
            Search { arrivals, sinks, ask, sources_indexed: of_sources_first, least: 0, indexed: Vec::new() };
        search.least = class.iter().filter_map(|n| arrivals.traits(*n)).map(|t| t.least(ask)).min().unwrap_or(0);
        let part = (total / Index::BYTES).max(LEAST_PART);
        search.run(&indexed, &streamed, part, budget, work, &mut all);
    }
    all.sort_unstable();
    all.dedup();
    all
}

/// Some texts of some views.
struct Side<'s> {
    views: &'s Views<'s>,
    numbers: Vec<usize>,
}

impl Side<'_> {
    fn bytes(&self, number: usize) -> &[u8] {
        self.views.texts.get(number).map_or(&[], |t| t.bytes.as_ref())
    }

    fn length(&self) -> usize {
        self.numbers.iter().map(|n| self.bytes(*n).len()).sum()
    }
}

struct Search<'s> {
    arrivals: &'s Arrivals<'s>,
    sinks: &'s Views<'s>,
    ask: u32,
    sources_indexed: bool,
    least: u32,
    /// The texts of the index in use.
    indexed: Vec<usize>,
}

impl Search<'_> {
    fn run(
        &mut self,
        indexed: &Side<'_>,
        streamed: &Side<'_>,
        part: usize,
        budget: &Budget,
        work: &mut Work,
        all: &mut Vec<Match>,
    ) {
        let mut left = (indexed.length() as u64 + streamed.length() as u64 + 65_536).saturating_mul(budget.work);
        let mut rest = indexed.numbers.as_slice();
        while !rest.is_empty() {
            let mut corpus = Corpus::default();
            let mut taken = 0;
            for number in rest {
                let bytes = indexed.bytes(*number);
                if (taken > 0 && corpus.text.len() + bytes.len() > TOGETHER) || !corpus.push(bytes) {
                    break;
                }
                taken += 1;
            }
            let (now, later) = rest.split_at_checked(taken.max(1)).unwrap_or((rest, &[]));
            rest = later;
            self.indexed = now.to_vec();
            let costs = corpus.costs();
            let mut from = 0;
            let mut settled = Vec::new();
            while from < corpus.text.len() {
                let mut index = Index::new(&corpus, &costs, from, from + part, self);
                // Every place in a sink counts, of a source one.
                index.settles = self.sources_indexed && self.indexed.len() == 1;
                let mut found = index.found(streamed.length());
                found.settled = settled;
                for number in &streamed.numbers {
                    let before = found.compared;
                    index.search(streamed.bytes(*number), *number, self, left, &mut found);
                    left = left.saturating_sub(found.compared - before);
                }
                work.compared += found.compared;
                work.places_cut += found.places_cut;
                work.entries_cut += found.entries_cut;
                work.exhausted += u64::from(found.exhausted);
                all.extend(found.hits.iter().filter_map(|hit| self.as_match(hit)));
                if streamed.numbers.iter().all(|number| found.is_settled(*number, streamed.bytes(*number).len())) {
                    break;
                }
                settled = found.settled;
                from += part;
            }
        }
    }

    fn as_match(&self, hit: &Hit) -> Option<Match> {
        let indexed = *self.indexed.get(hit.indexed)?;
        let (source, at_source, sink, at_sink) = if self.sources_indexed {
            (indexed, hit.at_indexed, hit.streamed, hit.at_streamed)
        } else {
            (hit.streamed, hit.at_streamed, indexed, hit.at_indexed)
        };
        Some(Match { sink, at_sink, length: hit.length, source, at_source })
    }
}

impl Needs for Search<'_> {
    fn least(&self, indexed: usize) -> u32 {
        let source = self.indexed.get(indexed).filter(|_| self.sources_indexed);
        source.and_then(|n| self.arrivals.traits(*n)).map_or(self.least, |t| t.least(self.ask))
    }

    fn of(&self, hit: &Hit) -> u32 {
        let Some(found) = self.as_match(hit) else { return u32::MAX };
        need(self.arrivals, self.sinks, self.ask, &found)
    }
}

/// What a range must cost to count.
pub(crate) fn need(arrivals: &Arrivals<'_>, sinks: &Views<'_>, ask: u32, found: &Match) -> u32 {
    let depth = sinks.texts.get(found.sink).map_or(0, |t| u32::from(t.depth));
    arrivals
        .traits(found.source)
        .map_or(u32::MAX, |t| t.need(found.at_source, found.length, ask + depth * rarity::STEP))
}
