//! Which source is in which sink: the way in.

use crate::arrivals::{Arrivals, Origin};
use crate::budget::{Budget, Work};
use crate::evidence::Evidence;
use crate::finding::Finding;
use crate::groups::Group;
use crate::prompt;
use crate::rarity;
use crate::search;
use crate::short::{self, SHORTEST, Values};
use crate::views::{Views, Way};
use customs_ledger::material::{Class, Sink, Source};
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What to search. Ids of sources and sinks need not be in order; those of a session can be given together.
#[derive(Clone, Copy, Debug)]
pub struct Input<'a> {
    pub sources: &'a [Source],
    pub sinks: &'a [Sink],
    /// Bytes that everybody has: the component's own data, documented constants. What they explain is no finding.
    pub known: &'a [&'a [u8]],
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// In the order of the sinks, and for each in the order of the sources.
    pub findings: Vec<Finding>,
    /// False where something was cut: a limit of the budget, or bytes that were not kept.
    pub complete: bool,
    pub work: Work,
}

/// Searches all sinks for all sources. Never fails; hostile bytes cost no more than the budget.
#[must_use]
pub fn find(input: &Input<'_>, budget: &Budget) -> Outcome {
    let mut work = Work::default();
    let groups = Group::all(input.sinks);
    let sink_bytes: usize = groups.iter().map(|g| g.text.len()).sum();
    if sink_bytes < SHORTEST {
        // Nothing that could hold anything: most calls that only count or check.
        let complete = input.sources.iter().all(|s| s.content.kept.len() as u64 == s.content.bytes);
        return Outcome { findings: Vec::new(), complete, work };
    }
    let roots = groups.iter().map(|g| Cow::Borrowed(g.text.as_ref())).collect();
    let breaks: Vec<Vec<usize>> = groups.iter().map(Group::breaks).collect();
    let views = Views::new(roots, &breaks, Way::Out, budget.depth, budget.view_room(sink_bytes), usize::MAX);
    let arrivals = Arrivals::new(input.sources, input.known, budget);
    work.views_cut = views.cut + arrivals.views.cut;
    let view_bytes = |v: &Views<'_>| v.texts.iter().filter(|t| t.depth > 0).map(|t| t.bytes.len() as u64).sum::<u64>();
    work.source_bytes = input.sources.iter().map(|s| s.content.kept.len() as u64).sum();
    work.sink_bytes = sink_bytes as u64;
    work.view_bytes = view_bytes(&views) + view_bytes(&arrivals.views);
    work.public_bytes = input.known.iter().map(|k| k.len() as u64).sum();

    let ask = rarity::log2(sink_bytes as u64);
    let matches = search::matches(&arrivals, &views, ask, budget, &mut work);
    let mut evidence = Evidence {
        sources: input.sources,
        sinks: input.sinks,
        groups: &groups,
        arrivals: &arrivals,
        views: &views,
        ask,
        seen: BTreeMap::new(),
    };
    evidence.take(&matches, &mut work);
    short_values(&mut evidence, &views, input.sources);
    if work.entries_cut + work.places_cut > 0 {
        evidence.all_places();
    }
    let mut hints = prompt::hints(&groups, input.sinks);
    prompt::encoded(&groups, &views, &mut hints);
    let mut findings = evidence.findings(&prompt::marked(&hints), budget, &mut work);
    let echoes: Vec<search::Match> = matches
        .into_iter()
        .filter(|m| views.texts.get(m.sink).is_some_and(|t| t.depth == 0))
        .filter(|m| matches!(arrivals.origin(m.source), Some(Origin::Source(_))))
        .collect();
    findings.extend(prompt::findings(&hints, &evidence, &echoes, budget));
    findings.sort_by_key(|f| (f.sink, f.source.is_none(), f.source));
    let kept = input.sources.iter().map(|s| &s.content).chain(input.sinks.iter().map(|s| &s.content));
    let complete = work.is_complete() && kept.into_iter().all(|c| c.kept.len() as u64 == c.bytes);
    Outcome { findings, complete, work }
}

/// Secrets and private texts that are too short for ranges.
fn short_values(evidence: &mut Evidence<'_>, views: &Views<'_>, sources: &[Source]) {
    /// Numbers and words are what a short value looks like after one or two encodings; deeper it is chance.
    const DEPTH: u8 = 2;
    let mut values = Values::default();
    for (number, source) in sources.iter().enumerate() {
        let value = source.content.kept.trim_ascii();
        if value.len() >= SHORTEST
            && matches!(source.class, Class::Secret | Class::Private)
            && short::may_be(source.kind, value)
            && !explained(sources, value)
        {
            values.add(number, value, source.class == Class::Private, evidence.ask);
        }
    }
    if values.is_empty() {
        return;
    }
    for (view, text) in views.texts.iter().enumerate().filter(|(_, t)| t.depth <= DEPTH) {
        for (source, from, to) in values.places(&text.bytes) {
            if text.depth > 1 && to - from >= crate::index::SHORTEST {
                continue;
            }
            evidence.add_short(source, view, from, to);
        }
    }
}

/// Whether the caller sent it itself.
fn explained(sources: &[Source], value: &[u8]) -> bool {
    sources.iter().filter(|s| s.class == Class::Public).any(|s| memchr::memmem::find(&s.content.kept, value).is_some())
}

#[cfg(test)]
mod tests;
