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
    search_all(input, budget, true)
}

/// `leave_out`: without views that can hold nothing. With them it takes longer and finds the same.
fn search_all(input: &Input<'_>, budget: &Budget, leave_out: bool) -> Outcome {
    let mut work = Work::default();
    let groups = Group::all(input.sinks);
    let sink_bytes: usize = groups.iter().map(|g| g.text.len()).sum();
    if sink_bytes < SHORTEST {
        // Nothing that could hold anything: most calls that only count or check.
        let complete = input.sources.iter().all(|s| s.content.kept.len() as u64 == s.content.bytes);
        return Outcome { findings: Vec::new(), complete, work };
    }
    let mut hints = prompt::hints(&groups, input.sinks);
    let hides = prompt::may_hide(&groups);
    let ask = rarity::log2(sink_bytes as u64);
    let values = short_values(input.sources, ask);
    let looked_for = input.sources.iter().any(may_be_found);
    let kept = input.sources.iter().map(|s| &s.content).chain(input.sinks.iter().map(|s| &s.content));
    let complete = kept.into_iter().all(|c| c.kept.len() as u64 == c.bytes);
    work.source_bytes = input.sources.iter().map(|s| s.content.kept.len() as u64).sum();
    work.sink_bytes = sink_bytes as u64;
    work.public_bytes = input.known.iter().map(|k| k.len() as u64).sum();
    if !looked_for && hints.is_empty() && !hides {
        return Outcome { findings: Vec::new(), complete, work };
    }
    let arrivals = Arrivals::new(input.sources, input.known, budget);
    let wanted = if values.is_empty() && leave_out && !hides { arrivals.wanted() } else { None };
    let roots = groups.iter().map(|g| Cow::Borrowed(g.text.as_ref())).collect();
    let breaks: Vec<Vec<usize>> = groups.iter().map(Group::breaks).collect();
    let depth = match (looked_for, hides) {
        (true, _) => budget.depth,
        (false, true) => budget.depth.min(prompt::DEPTH),
        (false, false) => 0,
    };
    let room = budget.view_room(sink_bytes);
    let views = Views::worth_it(roots, &breaks, Way::Out, depth, room, usize::MAX, wanted.as_ref());
    work.views_cut = views.cut + arrivals.views.cut;
    let view_bytes = |v: &Views<'_>| v.texts.iter().filter(|t| t.depth > 0).map(|t| t.bytes.len() as u64).sum::<u64>();
    work.view_bytes = view_bytes(&views) + view_bytes(&arrivals.views);

    if hides {
        prompt::encoded(&groups, &views, &mut hints);
    }
    let matches = search::matches(&arrivals, &views, ask, !hints.is_empty(), budget, &mut work);
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
    add_short(&mut evidence, &views, &values);
    if work.entries_cut + work.places_cut > 0 {
        evidence.all_places();
    }
    let mut findings = evidence.findings(&prompt::marked(&hints), budget, &mut work);
    let echoes: Vec<search::Match> = matches
        .into_iter()
        .filter(|m| views.texts.get(m.sink).is_some_and(|t| t.depth == 0))
        .filter(|m| matches!(arrivals.origin(m.source), Some(Origin::Source(_))))
        .collect();
    findings.extend(prompt::findings(&hints, &evidence, &echoes, budget));
    findings.sort_by_key(|f| (f.sink, f.source.is_none(), f.source));
    Outcome { findings, complete: complete && work.is_complete(), work }
}

/// Whether anything of a source could be a finding. What the caller sent is only ever an echo.
fn may_be_found(source: &Source) -> bool {
    let value = source.content.kept.trim_ascii();
    // A common value may still be the encoding of another.
    let is_nothing = value.len() < crate::index::SHORTEST && rarity::is_common_value(value);
    source.class != Class::Public && value.len() >= SHORTEST && !is_nothing
}

/// Secrets and private texts that are too short for ranges.
fn short_values(sources: &[Source], ask: u32) -> Values<'_> {
    let mut values = Values::default();
    for (number, source) in sources.iter().enumerate() {
        let value = source.content.kept.trim_ascii();
        if value.len() >= SHORTEST
            && matches!(source.class, Class::Secret | Class::Private)
            && short::may_be(source.kind, value)
            && !explained(sources, value)
        {
            values.add(number, value, source.class == Class::Private, ask);
        }
    }
    values
}

fn add_short(evidence: &mut Evidence<'_>, views: &Views<'_>, values: &Values<'_>) {
    /// Numbers and words are what a short value looks like after one or two encodings; deeper it is chance.
    const DEPTH: u8 = 2;
    if values.is_empty() {
        return;
    }
    for (view, text) in views.texts.iter().enumerate().filter(|(_, t)| t.depth <= DEPTH) {
        for (source, from, to, how) in values.places(&text.bytes) {
            let is_deep = text.depth > 1 && (how.is_some() || to - from >= crate::index::SHORTEST);
            if !is_deep {
                evidence.add_short(source, view, (from, to), how);
            }
        }
    }
}

/// Whether the caller sent it itself.
fn explained(sources: &[Source], value: &[u8]) -> bool {
    sources.iter().filter(|s| s.class == Class::Public).any(|s| memchr::memmem::find(&s.content.kept, value).is_some())
}

#[cfg(test)]
mod exact;
#[cfg(test)]
mod tests;
