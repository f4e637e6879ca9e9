//! What an output has for a model rather than for a person: hidden characters (`CUS301`), words that read like instructions (`CUS302`), text that is marked
//! as a prompt (`CUS303`). Hints by pattern, in English; whoever knows the patterns can write around them. What they add is the source: where
//! bytes came from the network, it is not the tool that speaks.

mod patterns;

use crate::arrivals::Origin;
use crate::budget::Budget;
use crate::evidence::{Evidence, Marked, length, listed, overlap};
use crate::finding::{Action, Finding, Method, Severity, Strength};
use crate::groups::Group;
use crate::preview::escaped;
use crate::rules::{self, Leads};
use crate::search::Match;
use crate::views::{Views, merged};
use customs_ledger::material::{Class, Sink};
use memchr::memmem::Finder;
use patterns::{hidden, instructions, prompts};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What makes a text read like instructions to a model, where something does; for texts that are no sinks, such as a tool's description.
#[must_use]
pub fn reads_like_instructions(text: &str) -> Option<&'static str> {
    let found = instructions(text.as_bytes()).into_iter().min();
    found.map(|(_, _, what)| what)
}

/// Ranges of one kind in one sink. More say no more.
const RANGES: usize = 256;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Hidden,
    Instructions,
    Prompt,
}

/// A sink with something for a model in it.
#[derive(Debug)]
pub(crate) struct Hint {
    sink: usize,
    /// Which group it is in, and where it begins there.
    group: usize,
    start: usize,
    kind: Kind,
    /// In rising order, not touching.
    ranges: Vec<(usize, usize)>,
    /// What the first of them is.
    what: &'static str,
    excerpt: String,
    /// What has to be undone to read it.
    chain: Vec<&'static str>,
}

/// Looks through everything that goes back to the caller.
pub(crate) fn hints(groups: &[Group<'_>], sinks: &[Sink]) -> Vec<Hint> {
    let mut hints = Vec::new();
    for (number, group) in groups.iter().enumerate().filter(|(_, g)| goes_back(g)) {
        let mut start = 0;
        for (sink, text) in group.sinks() {
            let name = sinks.get(sink).map_or("", |s| s.name.as_str());
            for (kind, mut found) in [
                (Kind::Hidden, hidden(text)),
                (Kind::Instructions, instructions(text)),
                (Kind::Prompt, prompts(text, name)),
            ] {
                found.sort_unstable();
                let Some((from, to, what)) = found.first().copied() else { continue };
                found.truncate(RANGES);
                let ranges = merged(found.into_iter().map(|(from, to, _)| (from, to)).collect());
                let excerpt = escaped(text.get(from..to).unwrap_or_default(), 40);
                hints.push(Hint { sink, group: number, start, kind, ranges, what, excerpt, chain: Vec::new() });
            }
            start += text.len();
        }
    }
    hints
}

fn goes_back(group: &Group<'_>) -> bool {
    rules::leads(group.kind) == Leads::Back && !group.again
}

/// Bytes of views that are looked through, how deep they may be, and how long a text may be of which all is turned round to look.
const LOOKED_THROUGH: usize = 1 << 20;
pub(crate) const DEPTH: u8 = 2;
const TURNED: usize = 4 << 10;

/// Words of instructions, turned round and rotated.
const TURNED_WORDS: [&[u8]; 14] = [
    b"erongi",
    b"tcurtsni",
    b"dragersid",
    b"tegrof",
    b"metsys",
    b"tpmorp",
    b"resu eht",
    b"vtaber",
    b"vafgehpg",
    b"qvfertneq",
    b"sbetrg",
    b"flfgrz",
    b"cebzcg",
    b"gur hfre",
];

/// Whether anything goes back in which words could be encoded: most answers hold nothing of that kind, and need no views for it.
pub(crate) fn may_hide(groups: &[Group<'_>]) -> bool {
    groups.iter().filter(|group| goes_back(group)).any(|group| may_be_encoded(&group.text))
}

fn may_be_encoded(text: &[u8]) -> bool {
    /// A sentence in one piece, as an encoder writes it.
    const LEAST: usize = 24;
    if text.len() < LEAST {
        return false;
    }
    let (mut run, mut letter) = (0, false);
    for (at, byte) in text.iter().enumerate() {
        let goes_on = byte.is_ascii_alphanumeric()
            || matches!(byte, b'+' | b'/' | b'-' | b'_' | b'=' | b'%' | b'\\' | b'&' | b'#' | b';');
        run = if goes_on { run + 1 } else { 0 };
        // Within a word: letters of another script, or what has no width; dashes and quotes are in every text.
        let within = letter && matches!(byte, 0xc2 | 0xca..=0xf4);
        let is_mark = || matches!(text.get(at..at + 3), Some([0xe2, 0x80, 0x90..=0xbf]));
        if run >= LEAST || *byte < b'\t' || *byte == 0xf3 || (within && !is_mark()) {
            return true;
        }
        letter = byte.is_ascii_alphabetic();
    }
    let lower = text.get(..TURNED.min(text.len())).unwrap_or_default().to_ascii_lowercase();
    static FINDERS: OnceLock<[Finder<'static>; TURNED_WORDS.len()]> = OnceLock::new();
    FINDERS.get_or_init(|| TURNED_WORDS.map(Finder::new)).iter().any(|word| word.find(&lower).is_some())
}

/// Looks through what goes back encoded, and adds what nobody would see there: a model decodes base64 as it reads.
pub(crate) fn encoded(groups: &[Group<'_>], views: &Views<'_>, hints: &mut Vec<Hint>) {
    let mut left = LOOKED_THROUGH;
    for (number, text) in views.texts.iter().enumerate().filter(|(_, t)| (1..=DEPTH).contains(&t.depth)) {
        let Some(group) = groups.get(text.root).filter(|group| goes_back(group)) else { continue };
        let chain = views.chain(number);
        let turned = chain.iter().any(|step| matches!(*step, "rot13" | "reverse"));
        if chain.contains(&"separators") || (turned && text.bytes.len() > TURNED) || !has_words(&text.bytes) {
            continue;
        }
        let Some(rest) = left.checked_sub(text.bytes.len()) else { return };
        left = rest;
        let mut found: Vec<(Kind, (usize, usize, &'static str))> = Vec::new();
        found.extend(instructions(&text.bytes).into_iter().map(|range| (Kind::Instructions, range)));
        // Between stretches that were decoded from the wrong character on.
        let mut at = 0;
        for chunk in text.bytes.utf8_chunks() {
            let inside = hidden(chunk.valid().as_bytes());
            found.extend(inside.into_iter().map(|(from, to, what)| (Kind::Hidden, (at + from, at + to, what))));
            at += chunk.valid().len() + chunk.invalid().len();
        }
        found.truncate(RANGES);
        for (kind, (from, to, what)) in found {
            let excerpt = || escaped(text.bytes.get(from..to).unwrap_or_default(), 40);
            for (a, b) in views.under(number, from, to) {
                for (sink, from, to) in group.split(a, b) {
                    let here = |hint: &&mut Hint| hint.sink == sink && hint.kind == kind;
                    let mut others = hints.iter_mut().filter(here);
                    // What is read without decoding is known, and so is what is read with less of it.
                    if others.any(|hint| hint.chain != chain && overlap(&[(from, to)], &hint.ranges) > 0) {
                        continue;
                    }
                    if let Some(hint) = hints.iter_mut().filter(here).find(|hint| hint.chain == chain) {
                        hint.ranges.push((from, to));
                        hint.ranges = merged(std::mem::take(&mut hint.ranges));
                        continue;
                    }
                    let start = group.start(sink).unwrap_or(0);
                    let (ranges, excerpt, chain) = (vec![(from, to)], excerpt(), chain.clone());
                    hints.push(Hint { sink, group: text.root, start, kind, ranges, what, excerpt, chain });
                }
            }
        }
    }
}

/// Whether two words follow each other, or something is marked up: most of what is decoded has neither.
fn has_words(text: &[u8]) -> bool {
    let letters = |range: Option<&[u8]>| range.is_some_and(|r| r.iter().all(u8::is_ascii_alphabetic));
    memchr::memchr3_iter(b' ', b'<', b'[', text).any(|at| match text.get(at) {
        Some(b' ') => {
            letters(at.checked_sub(3).and_then(|from| text.get(from..at))) && letters(text.get(at + 1..at + 3))
        }
        _ => letters(text.get(at + 1..at + 4)) || matches!(text.get(at + 1), Some(b'|' | b'/' | b'<')),
    }) || text.windows(4).any(|w| matches!(w, [0xf3, 0xa0, ..] | [0xe2, 0x80, _, 0xe2]))
}

/// What the other findings have to know.
pub(crate) fn marked(hints: &[Hint]) -> BTreeMap<usize, Marked> {
    let mut marked: BTreeMap<usize, Marked> = BTreeMap::new();
    for hint in hints {
        let of_sink = marked.entry(hint.sink).or_default();
        match hint.kind {
            Kind::Instructions => add(&mut of_sink.instructions, &hint.ranges),
            Kind::Prompt => add(&mut of_sink.prompts, &hint.ranges),
            Kind::Hidden => {}
        }
    }
    marked
}

fn add(ranges: &mut Vec<(usize, usize)>, more: &[(usize, usize)]) {
    ranges.extend(more);
    *ranges = merged(std::mem::take(ranges));
}

/// Findings of hints, with the source that most of their bytes came from. `matches` are those in plain sinks.
pub(crate) fn findings(hints: &[Hint], evidence: &Evidence<'_>, matches: &[Match], budget: &Budget) -> Vec<Finding> {
    hints.iter().take(budget.findings).filter_map(|hint| finding(hint, evidence, matches, budget)).collect()
}

fn finding(hint: &Hint, evidence: &Evidence<'_>, matches: &[Match], budget: &Budget) -> Option<Finding> {
    let code = match hint.kind {
        Kind::Hidden => "CUS301",
        Kind::Instructions => "CUS302",
        Kind::Prompt => "CUS303",
    };
    let sink = evidence.sinks.get(hint.sink)?;
    let mut by_source: BTreeMap<usize, Vec<(usize, usize)>> = BTreeMap::new();
    let end = hint.start + sink.content.kept.len();
    for found in matches.iter().filter(|m| m.sink == hint.group && m.at_sink < end && m.at_sink + m.length > hint.start)
    {
        if let Some(Origin::Source(source)) = evidence.arrivals.origin(found.source) {
            let (from, to) = (found.at_sink.max(hint.start), (found.at_sink + found.length).min(end));
            by_source.entry(source).or_default().push((from - hint.start, to - hint.start));
        }
    }
    // What was encoded on its way stands there too.
    for (key, seen) in evidence.seen.iter().filter(|(key, _)| key.sink == hint.sink && !hint.chain.is_empty()) {
        by_source.entry(key.source).or_default().extend(&seen.in_sink);
    }
    let covered = by_source.into_iter().map(|(source, ranges)| (overlap(&hint.ranges, &merged(ranges)), source));
    // Of equals the first.
    let source =
        covered.filter(|(bytes, _)| *bytes > 0).max_by_key(|(bytes, source)| (*bytes, std::cmp::Reverse(*source)));
    let source = source.and_then(|(_, source)| evidence.sources.get(source));
    let mut severity = rules::rule(code)?.severity;
    match source.map(|s| s.class) {
        // The caller reads its own words again.
        Some(Class::Public) => severity = severity.lowered(),
        Some(Class::Untrusted) if hint.kind == Kind::Prompt => severity = Severity::Medium,
        _ => {}
    }
    Some(Finding {
        rule: code,
        severity,
        source: source.map(|s| s.id),
        sink: sink.id,
        method: Method::Match,
        transform: hint.chain.clone(),
        strength: Strength::Strong,
        source_ranges: Vec::new(),
        sink_ranges: listed(&hint.ranges, budget.places),
        more: hint.ranges.len().saturating_sub(budget.places) as u64,
        seen: 0,
        source_bytes: source.map_or(0, |s| s.content.bytes),
        action: Action::Warned,
        preview: match source.map(|s| s.class) {
            Some(Class::Secret | Class::Private) => format!("({} bytes)", length(&hint.ranges)),
            _ => hint.excerpt.clone(),
        },
        note: Some(hint.what.to_owned()),
        origin: None,
    })
}
