//! From common ranges to findings: what an argument explains is taken off, what is common to many sources is left out, shallow views win over
//! deep ones, and ranges lead back to the bytes of the sinks.

use crate::arrivals::{Arrivals, Origin};
use crate::budget::{Budget, Work};
use crate::finding::{Action, Finding, Method, Severity, Strength};
use crate::groups::Group;
use crate::index::SHORTEST;
use crate::preview::preview;
use crate::rarity;
use crate::rules::{self, Leads};
use crate::search::{Match, need};
use crate::usual;
use crate::views::{Views, merged};
use customs_ledger::material::{Class, Sink, Source, SourceKind};
use std::collections::{BTreeMap, HashMap};

/// Unrelated sources that make what they share common knowledge, if it reads like text.
const COMMON_TO: usize = 4;
/// Bits a byte below which it does: a licence's head and a style sheet have 1 to 2, keys have 4 to 6.
const READS_LIKE_TEXT: u32 = 3 * rarity::UNIT;
/// Bytes of a range that are weighed; the rest of a long one changes nothing.
const WEIGHED: usize = 4096;
/// Bytes that are strong evidence even where the source has many more.
const MUCH: u64 = 16;
/// Ranges whose every place is looked up where an index could not keep them all, and the most places of one.
const LOOKED_UP: usize = 32;
const PLACES_OF_ONE: usize = 100_000;

type Ranges = Vec<(usize, usize)>;

/// A source in a sink through one chain of encodings: numbers are places in the input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) sink: usize,
    pub(crate) source: usize,
    pub(crate) chain: Vec<&'static str>,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) in_source: Vec<(usize, usize)>,
    pub(crate) in_sink: Vec<(usize, usize)>,
    group: usize,
    /// A short value, or digits: less than the bytes themselves.
    pub(crate) weak: bool,
    /// All of the source, whose words are common.
    common: bool,
}

pub(crate) struct Evidence<'e> {
    pub(crate) sources: &'e [Source],
    pub(crate) sinks: &'e [Sink],
    pub(crate) groups: &'e [Group<'e>],
    pub(crate) arrivals: &'e Arrivals<'e>,
    pub(crate) views: &'e Views<'e>,
    /// What the size of the sinks asks of every range.
    pub(crate) ask: u32,
    pub(crate) seen: BTreeMap<Key, Seen>,
}

/// A part of a match that counts.
#[derive(Clone, Copy, Debug)]
struct Piece {
    of: Match,
    from: usize,
    length: usize,
    folded: bool,
}

impl Evidence<'_> {
    /// Takes matches in, shallow ones first.
    pub(crate) fn take(&mut self, matches: &[Match], work: &mut Work) {
        let is_public = |m: &&Match| self.arrivals.traits(m.source).is_none_or(|t| t.public);
        let mut echoes: HashMap<usize, Vec<(usize, usize)>> = HashMap::new();
        for echo in matches.iter().filter(is_public) {
            echoes.entry(echo.sink).or_default().push((echo.at_sink, echo.at_sink + echo.length));
        }
        for ranges in echoes.values_mut() {
            *ranges = merged(std::mem::take(ranges));
        }
        let mut pieces = Vec::new();
        for found in matches.iter().filter(|m| !is_public(m) && !self.undone_on_both_sides(m)) {
            self.pieces(found, echoes.get(&found.sink).map(Vec::as_slice).unwrap_or_default(), &mut pieces);
        }
        self.drop_usual(&mut pieces);
        self.drop_common(&mut pieces, work);
        // What shallower views explain, by source and group.
        let mut explained: HashMap<(usize, usize), Vec<(usize, usize)>> = HashMap::new();
        for of_view in pieces.chunk_by(|a, b| a.of.sink == b.of.sink) {
            // The source as it is before what can be made of it: a key's digits are in it where the key is.
            for undone in [false, true] {
                let mut now: Vec<((usize, usize), Ranges)> = Vec::new();
                let is_undone =
                    |piece: &&Piece| self.arrivals.views.texts.get(piece.of.source).is_some_and(|text| text.depth > 0);
                let of_kind: Vec<Piece> = of_view.iter().filter(|piece| is_undone(piece) == undone).copied().collect();
                for piece in &of_kind {
                    let Some(Origin::Source(source)) = self.arrivals.origin(piece.of.source) else { continue };
                    let Some(view) = self.views.texts.get(piece.of.sink) else { continue };
                    let from = piece.of.at_sink + piece.from;
                    let under = self.views.under(piece.of.sink, from, from + piece.length);
                    let key = (source, view.root);
                    let known = explained.get(&key).map(Vec::as_slice).unwrap_or_default();
                    let (bytes, already) = (length(&under), overlap(&under, known));
                    if already * 2 >= bytes && piece.length <= 2 * already {
                        continue;
                    }
                    self.add(source, view.root, piece, &under);
                    now.push((key, under));
                }
                for (key, under) in now {
                    let ranges = explained.entry(key).or_default();
                    ranges.extend(under);
                }
                for ranges in explained.values_mut() {
                    if !ranges.is_sorted_by(|a, b| a.1 < b.0) {
                        *ranges = merged(std::mem::take(ranges));
                    }
                }
            }
        }
    }

    /// Equal texts stay equal when the same is undone on both sides, and look more surprising than they are.
    fn undone_on_both_sides(&self, found: &Match) -> bool {
        let kind = self.arrivals.views.texts.get(found.source).and_then(|text| text.kind());
        kind.is_some_and(|kind| self.views.undone_too(found.sink, kind))
    }

    fn bytes_of(&self, found: &Match) -> (&[u8], &[u8]) {
        let sink = self.views.texts.get(found.sink).map_or(&[][..], |t| t.bytes.as_ref());
        let source = self.arrivals.bytes(found.source).get(found.at_source..found.at_source + found.length);
        (source.unwrap_or_default(), sink.get(found.at_sink..found.at_sink + found.length).unwrap_or_default())
    }

    /// What counts of a match once echoes are taken off, to the letter where that is enough, else with case folded.
    fn pieces(&self, found: &Match, echoes: &[(usize, usize)], pieces: &mut Vec<Piece>) {
        let (source, sink) = self.bytes_of(found);
        let left = without(found.at_sink, found.at_sink + found.length, echoes);
        let echoed = left != [(found.at_sink, found.at_sink + found.length)];
        let exact = source == sink;
        let piece = |(from, to): (usize, usize), folded| Piece {
            of: *found,
            from: from - found.at_sink,
            length: to - from,
            folded,
        };
        if !echoed && exact {
            pieces.push(piece((found.at_sink, found.at_sink + found.length), false));
            return;
        }
        let need = need(self.arrivals, self.views, self.ask, found);
        let left: Vec<(usize, usize)> = left.into_iter().filter(|(from, to)| to - from >= SHORTEST).collect();
        let costs = self.costs(found);
        let cost = |(from, to): (usize, usize)| {
            let length = found.length.min(WEIGHED);
            let (from, to) = ((from - found.at_sink).min(length), (to - found.at_sink).min(length));
            rarity::sum(costs.get(from..to).unwrap_or_default())
        };
        if left.iter().map(|range| cost(*range)).sum::<u32>() < need {
            return;
        }
        if exact {
            pieces.extend(left.into_iter().map(|range| piece(range, false)));
            return;
        }
        for (from, to) in left {
            let offset = from - found.at_sink;
            let (a, b) = (source.get(offset..offset + to - from), sink.get(offset..offset + to - from));
            let runs = runs(a.unwrap_or_default(), b.unwrap_or_default());
            let runs: Vec<(usize, usize)> = runs.into_iter().map(|(start, end)| (from + start, from + end)).collect();
            let enough: Vec<(usize, usize)> =
                runs.iter().copied().filter(|run| run.1 - run.0 >= SHORTEST && cost(*run) >= need).collect();
            // Case is folded where that explains much more. A letter says a little less then.
            let folded = length(&enough) * 4 < (to - from) * 3 && cost((from, to)) >= need + rarity::UNIT * 2;
            if folded {
                pieces.push(piece((from, to), true));
            } else {
                pieces.extend(enough.into_iter().map(|range| piece(range, false)));
            }
        }
    }

    /// What the beginning of a match costs where it stands in its sink.
    fn costs(&self, found: &Match) -> Vec<u8> {
        const CONTEXT: usize = 24;
        let sink = self.views.texts.get(found.sink).map_or(&[][..], |t| t.bytes.as_ref());
        let start = found.at_sink.saturating_sub(CONTEXT);
        let end = sink.len().min(found.at_sink + found.length.min(WEIGHED) + CONTEXT);
        let mut costs = Vec::new();
        rarity::costs(sink.get(start..end).unwrap_or_default(), &mut costs);
        costs.split_off(costs.len().min(found.at_sink - start))
    }

    /// Leaves out what everybody has: phrases that are no longer rare once they are known, and values that say nothing wherever they stand.
    fn drop_usual(&self, pieces: &mut Vec<Piece>) {
        pieces.retain(|piece| {
            if piece.length > WEIGHED {
                return true;
            }
            let (_, sink) = self.bytes_of(&piece.of);
            let bytes = sink.get(piece.from..piece.from + piece.length).unwrap_or_default();
            !usual::is_usual_part(bytes) && usual::weight(bytes) >= need(self.arrivals, self.views, self.ask, &piece.of)
        });
    }

    /// Leaves out what four or more sources of different names share if it reads like text.
    fn drop_common(&self, pieces: &mut Vec<Piece>, work: &mut Work) {
        let mut holders: HashMap<(usize, usize, usize), Vec<usize>> = HashMap::new();
        let place = |piece: &Piece| (piece.of.sink, piece.of.at_sink + piece.from, piece.length);
        for piece in pieces.iter() {
            if let Some(Origin::Source(source)) = self.arrivals.origin(piece.of.source) {
                let holders = holders.entry(place(piece)).or_default();
                if holders.len() < COMMON_TO && !holders.iter().any(|other| self.related(*other, source)) {
                    holders.push(source);
                }
            }
        }
        let before = pieces.len();
        pieces.retain(|piece| {
            let shared = holders.get(&place(piece)).is_some_and(|holders| holders.len() >= COMMON_TO);
            let weighed = piece.length.min(WEIGHED);
            let cost = || {
                rarity::sum(
                    self.costs(&piece.of).get(piece.from..).unwrap_or_default().get(..weighed).unwrap_or_default(),
                )
            };
            !shared || cost() >= READS_LIKE_TEXT * u32::try_from(weighed).unwrap_or(u32::MAX)
        });
        work.common += (before - pieces.len()) as u64;
    }

    /// Two readings of the same thing, or copies of each other.
    fn related(&self, a: usize, b: usize) -> bool {
        match (self.sources.get(a), self.sources.get(b)) {
            (Some(a), Some(b)) => a.name == b.name || a.content.digest == b.content.digest,
            _ => a == b,
        }
    }

    /// Enters a piece for each sink that it lies in.
    fn add(&mut self, source: usize, group: usize, piece: &Piece, under: &[(usize, usize)]) {
        let mut chain = self.arrivals.views.chain(piece.of.source);
        if piece.folded {
            chain.push("case");
        }
        chain.extend(self.views.chain(piece.of.sink));
        let weak = chain.first() == Some(&"digits");
        let mut parts = Vec::new();
        let from = piece.of.at_sink + piece.from;
        self.parts(group, piece.of.sink, from, from + piece.length, under, &mut parts);
        let sink = self.views.texts.get(piece.of.sink).map_or(&[][..], |t| t.bytes.as_ref());
        // The end of a range that agrees with the next sink by chance is no part of it.
        let cost = |(_, from, to): &(usize, usize, usize)| {
            rarity::bits(sink.get(*from..*to.min(&(from + WEIGHED))).unwrap_or_default())
        };
        let need = need(self.arrivals, self.views, self.ask, &piece.of);
        if parts.len() > 1 && parts.iter().any(|part| part.2 - part.1 >= SHORTEST && cost(part) >= need) {
            parts.retain(|part| part.2 - part.1 >= SHORTEST || cost(part) >= 12 * rarity::UNIT);
        }
        for (number, from, to) in parts {
            let start = piece.of.at_source + (from - piece.of.at_sink);
            let in_source = self.arrivals.views.under(piece.of.source, start, start + (to - from));
            let seen = self.seen.entry(Key { sink: number, source, chain: chain.clone() }).or_default();
            seen.group = group;
            seen.weak = weak;
            seen.in_source.extend(in_source);
            for (a, b) in self.views.under(piece.of.sink, from, to) {
                let ranges = self.groups.get(group).into_iter().flat_map(|g| g.split(a, b));
                seen.in_sink.extend(ranges.filter(|(sink, _, _)| *sink == number).map(|(_, from, to)| (from, to)));
            }
        }
    }

    /// Cuts a range of a view where the sink under it changes.
    fn parts(
        &self,
        group: usize,
        view: usize,
        from: usize,
        to: usize,
        under: &[(usize, usize)],
        parts: &mut Vec<(usize, usize, usize)>,
    ) {
        let sinks_of = |range: &(usize, usize)| {
            self.groups
                .get(group)
                .into_iter()
                .flat_map(|g| g.split(range.0, range.1))
                .map(|(sink, _, _)| sink)
                .collect::<Vec<_>>()
        };
        let mut sinks: Vec<usize> = under.iter().flat_map(sinks_of).collect();
        sinks.sort_unstable();
        sinks.dedup();
        if sinks.len() > 1 && to - from > 1 {
            let middle = from + (to - from) / 2;
            for (from, to) in [(from, middle), (middle, to)] {
                self.parts(group, view, from, to, &self.views.under(view, from, to), parts);
            }
            return;
        }
        for sink in sinks {
            match parts.last_mut() {
                Some(last) if last.0 == sink && last.2 == from => last.2 = to,
                _ => parts.push((sink, from, to)),
            }
        }
    }

    /// A value that stands whole in a group.
    pub(crate) fn add_short(
        &mut self,
        source: usize,
        view: usize,
        (from, to): (usize, usize),
        how: Option<&'static str>,
    ) {
        let Some(text) = self.views.texts.get(view) else { return };
        let Some(traits) = self.arrivals.traits(source) else { return };
        let common = how.is_none() && to - from >= SHORTEST;
        let chain: Vec<&'static str> = how.into_iter().chain(self.views.chain(view)).collect();
        for (a, b) in self.views.under(view, from, to) {
            for (sink, from, to) in self.groups.get(text.root).into_iter().flat_map(|g| g.split(a, b)) {
                let key = Key { sink, source, chain: chain.clone() };
                // The shallowest is enough, and what was found by its rarity says more.
                if self.seen.iter().any(|(other, seen)| {
                    other.sink == sink
                        && other.source == source
                        && (other.chain.len() < key.chain.len()
                            || (other.chain == key.chain
                                && !seen.weak
                                && overlap(&[(from, to)], &merged(seen.in_sink.clone())) > 0))
                }) {
                    continue;
                }
                // Seen as it stands, it is not what was made of it by undoing something.
                let before = self.seen.len();
                self.seen.retain(|other, seen| {
                    let inside = seen.in_sink.iter().all(|(a, b)| *a >= from.saturating_sub(1) && *b <= to + 1);
                    !(common
                        && key.chain.is_empty()
                        && other.sink == sink
                        && other.source == source
                        && !other.chain.is_empty()
                        && inside)
                });
                let was_rare = self.seen.len() < before;
                let seen = self.seen.entry(key).or_default();
                seen.group = text.root;
                seen.weak = !was_rare;
                seen.common = common && !was_rare;
                seen.in_source.push((traits.from, traits.to));
                seen.in_sink.push((from, to));
            }
        }
    }

    /// Every place of what was found as it is: an index keeps only the first of what repeats itself.
    pub(crate) fn all_places(&mut self) {
        let plain: Vec<(Key, Seen)> =
            self.seen.iter().filter(|(key, _)| key.chain.is_empty()).map(|(k, s)| (k.clone(), s.clone())).collect();
        let mut done: HashMap<(usize, usize), Vec<(usize, usize)>> = HashMap::new();
        for (key, seen) in plain {
            let Some(source) = self.sources.get(key.source) else { continue };
            let mut ranges = seen.in_source;
            ranges.sort_unstable();
            ranges.dedup();
            ranges.sort_by_key(|(from, to)| std::cmp::Reverse(to - from));
            let known = done.entry((key.source, seen.group)).or_default();
            for (from, to) in ranges {
                if known.len() >= LOOKED_UP || known.contains(&(from, to)) {
                    continue;
                }
                known.push((from, to));
                let (Some(bytes), Some(group)) = (source.content.kept.get(from..to), self.groups.get(seen.group))
                else {
                    continue;
                };
                for at in memchr::memmem::find_iter(&group.text, bytes).take(PLACES_OF_ONE) {
                    for (sink, a, b) in group.split(at, at + bytes.len()) {
                        let other = self.seen.entry(Key { sink, source: key.source, chain: Vec::new() }).or_default();
                        other.group = seen.group;
                        other.in_source.push((from, to));
                        other.in_sink.push((a, b));
                    }
                }
            }
        }
        for seen in self.seen.values_mut() {
            seen.in_source = merged(std::mem::take(&mut seen.in_source));
            seen.in_sink = merged(std::mem::take(&mut seen.in_sink));
        }
    }

    /// The findings, in the order of the sinks. `marked` says what of a sink is written for a model: instructions, prompts.
    pub(crate) fn findings(
        &mut self,
        marked: &BTreeMap<usize, Marked>,
        budget: &Budget,
        work: &mut Work,
    ) -> Vec<Finding> {
        for seen in self.seen.values_mut() {
            seen.in_source = merged(std::mem::take(&mut seen.in_source));
            seen.in_sink = merged(std::mem::take(&mut seen.in_sink));
        }
        // What is seen of a source in all sinks of a group together.
        let mut together: HashMap<(usize, usize), (Ranges, Vec<usize>)> = HashMap::new();
        for (key, seen) in &self.seen {
            let (ranges, sinks) = together.entry((key.source, seen.group)).or_default();
            ranges.extend(&seen.in_source);
            if !sinks.contains(&key.sink) {
                sinks.push(key.sink);
            }
        }
        for (ranges, _) in together.values_mut() {
            *ranges = merged(std::mem::take(ranges));
        }
        let mut findings = Vec::new();
        for (key, seen) in &self.seen {
            let all = together.get(&(key.source, seen.group)).map(|(ranges, sinks)| (length(ranges), sinks.len()));
            if let Some(finding) = self.finding(key, seen, all.unwrap_or_default(), marked.get(&key.sink), budget) {
                findings.push(finding);
            }
        }
        if findings.len() > budget.findings {
            // What matters most stays.
            findings.sort_by_key(|f| std::cmp::Reverse(f.severity));
            work.findings_cut += (findings.len() - budget.findings) as u64;
            findings.truncate(budget.findings);
            findings.sort_by_key(|f| (f.sink, f.source));
        }
        findings
    }

    fn finding(
        &self,
        key: &Key,
        seen: &Seen,
        all: (usize, usize),
        marked: Option<&Marked>,
        budget: &Budget,
    ) -> Option<Finding> {
        let (source, sink) = (self.sources.get(key.source)?, self.sinks.get(key.sink)?);
        let code = rules::code(source.class, sink.kind)?;
        let mut severity = rules::rule(code)?.severity;
        let bytes = length(&seen.in_source) as u64;
        let (together, sinks) = (all.0 as u64, all.1);
        let mut notes = Vec::new();
        let partial = together < MUCH && together * 2 < source.content.bytes;
        let digits = key.chain.first() == Some(&"digits");
        if digits && source.kind == SourceKind::Metadata {
            // Sizes and times: they are found as they stand where they say something.
            return None;
        }
        if seen.common {
            severity = severity.lowered().max(Severity::Low).min(severity);
        } else if partial || seen.weak {
            severity = severity.lowered();
        }
        if seen.common {
            notes.push("common words, seen whole: weak evidence".to_owned());
        }
        if seen.weak && source.class == Class::Secret {
            severity = severity.min(Severity::Low);
        }
        if seen.weak && source.class == Class::Secret && !seen.common {
            notes.push(if digits {
                "the digits of the source in their order".to_owned()
            } else {
                "a short value, seen whole: weak evidence".to_owned()
            });
        }
        // Names, sizes and times that go back to who asked are what listing tools are for.
        let about = matches!(source.kind, SourceKind::Metadata | SourceKind::Listing | SourceKind::Link);
        if about && rules::leads(sink.kind) == Leads::Back {
            severity = Severity::Info;
        }
        if source.class == Class::Secret && usual::is_first_guess(source.content.kept.trim_ascii()) {
            severity = Severity::Info;
            notes.push("a password that everybody tries first".to_owned());
        }
        if sinks > 1 && together > bytes {
            notes.push(format!("split over {sinks} places: together {together} of {} bytes", source.content.bytes));
        }
        if rules::leads(sink.kind) == Leads::Back
            && let Some(marked) = marked
        {
            if overlap(&seen.in_sink, &marked.instructions) > 0 {
                severity = severity.raised().max(Severity::Medium);
                notes.push("reads like instructions".to_owned());
            } else if overlap(&seen.in_sink, &marked.prompts) > 0 {
                severity = severity.raised().max(if source.class == Class::Untrusted {
                    Severity::Medium
                } else {
                    Severity::Low
                });
                notes.push("in text that is meant as a prompt".to_owned());
            }
        }
        let longest = seen.in_source.iter().max_by_key(|(from, to)| (to - from, std::cmp::Reverse(*from)));
        let (from, to) = longest.copied()?;
        let shown = source.content.kept.get(from..to).unwrap_or_default();
        Some(Finding {
            rule: code,
            severity,
            source: Some(source.id),
            sink: sink.id,
            method: Method::Match,
            transform: key.chain.clone(),
            strength: Strength::Strong,
            source_ranges: listed(&seen.in_source, budget.places),
            sink_ranges: listed(&seen.in_sink, budget.places),
            more: seen.in_sink.len().max(seen.in_source.len()).saturating_sub(budget.places) as u64,
            seen: bytes,
            source_bytes: source.content.bytes,
            action: Action::Warned,
            preview: preview(source.class, shown, shown.len() as u64),
            note: (!notes.is_empty()).then(|| notes.join("; ")),
            origin: None,
        })
    }
}

/// What of a sink is written for a model, as ranges in rising order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Marked {
    pub(crate) instructions: Vec<(usize, usize)>,
    pub(crate) prompts: Vec<(usize, usize)>,
}

pub(crate) fn listed(ranges: &[(usize, usize)], most: usize) -> Vec<(u64, u64)> {
    if ranges.len() <= most {
        return ranges.iter().map(|(a, b)| (*a as u64, *b as u64)).collect();
    }
    // The longest, in their order.
    let mut longest = ranges.to_vec();
    longest.sort_by_key(|(a, b)| (std::cmp::Reverse(b - a), *a));
    longest.truncate(most);
    longest.sort_unstable();
    listed(&longest, most)
}

pub(crate) fn length(ranges: &[(usize, usize)]) -> usize {
    ranges.iter().map(|(from, to)| to - from).sum()
}

/// Bytes of some ranges that lie in others; those in rising order and not touching.
pub(crate) fn overlap(ranges: &[(usize, usize)], others: &[(usize, usize)]) -> usize {
    let mut sum = 0;
    for (from, to) in ranges {
        let first = others.partition_point(|(_, end)| end <= from);
        for (a, b) in others.get(first..).unwrap_or_default().iter().take_while(|(a, _)| a < to) {
            sum += (*b).min(*to) - (*a).max(*from);
        }
    }
    sum
}

/// What is left of `from..to` without some ranges, in rising order.
fn without(from: usize, to: usize, ranges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut left = Vec::new();
    let mut at = from;
    let first = ranges.partition_point(|(_, end)| *end <= from);
    for (a, b) in ranges.get(first..).unwrap_or_default().iter().take_while(|(a, _)| *a < to) {
        if *a > at {
            left.push((at, *a));
        }
        at = *b;
    }
    if at < to {
        left.push((at, to));
    }
    left
}

/// Where two texts of one length agree to the letter.
fn runs(a: &[u8], b: &[u8]) -> Vec<(usize, usize)> {
    let mut runs = Vec::new();
    let mut start = None;
    for (at, (x, y)) in a.iter().zip(b).enumerate() {
        match (x == y, start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                runs.push((from, at));
                start = None;
            }
            _ => {}
        }
    }
    runs.extend(start.map(|from| (from, a.len().min(b.len()))));
    runs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_subtracted_and_overlap_is_counted() {
        let others = [(2, 4), (6, 9), (20, 30)];
        assert_eq!(without(0, 10, &others), [(0, 2), (4, 6), (9, 10)]);
        assert_eq!(without(2, 4, &others), []);
        assert_eq!(without(3, 7, &others), [(4, 6)]);
        assert_eq!(without(10, 20, &others), [(10, 20)]);
        assert_eq!(overlap(&[(0, 10), (25, 40)], &others), 10);
        assert_eq!(runs(b"abcDEfg", b"abcdefg"), [(0, 3), (5, 7)]);
        assert_eq!(listed(&[(0, 1), (2, 9), (10, 13)], 2), [(2, 9), (10, 13)]);
    }
}
