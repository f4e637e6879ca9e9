//! The fast ways against slow ones that cannot be wrong.

use super::*;
use crate::search::{Match, need};
use customs_ledger::Digest;
use customs_ledger::material::{Content, SinkKind, SourceKind};
use proptest::prelude::*;

fn content(bytes: &[u8]) -> Content {
    Content { bytes: bytes.len() as u64, digest: Digest::of(bytes), kept: bytes.to_vec(), complete: true }
}

fn source(id: u64, kind: SourceKind, bytes: &[u8]) -> Source {
    Source { id, kind, name: format!("source{id}"), class: kind.class(), content: content(bytes) }
}

fn sink(id: u64, bytes: &[u8]) -> Sink {
    Sink { id, kind: SinkKind::Return, name: format!("/sink{id}"), content: content(bytes) }
}

/// Every common range that can be no longer either way, by trying all pairs of places, that costs what it must in both texts.
fn by_hand(arrivals: &Arrivals<'_>, views: &Views<'_>, ask: u32) -> Vec<Match> {
    let mut all = Vec::new();
    for (number, text) in views.texts.iter().enumerate() {
        for (of_source, source) in arrivals.views.texts.iter().enumerate() {
            let (a, b) = (source.bytes.as_ref(), text.bytes.as_ref());
            let same = |i: usize, s: usize| i < a.len() && s < b.len() && a[i].eq_ignore_ascii_case(&b[s]);
            for (i, s) in (0..a.len()).flat_map(|i| (0..b.len()).map(move |s| (i, s))) {
                let begins = i == 0 || s == 0 || !same(i - 1, s - 1);
                let length = (0..).take_while(|step| same(i + step, s + step)).count();
                let found = Match { sink: number, at_sink: s, length, source: of_source, at_source: i };
                if !begins || length < crate::index::SHORTEST {
                    continue;
                }
                let need = need(arrivals, views, ask, &found);
                if cost(a, i, length) >= need && cost(b, s, length) >= need {
                    all.push(found);
                }
            }
        }
    }
    all.sort_unstable();
    all
}

/// What a range costs where it stands in its text.
fn cost(text: &[u8], from: usize, length: usize) -> u32 {
    let mut costs = Vec::new();
    rarity::all_costs(text, &mut costs);
    rarity::sum(&costs[from..from + length])
}

fn base64(text: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let word = |chunk: &[u8]| chunk.iter().fold(0_u32, |w, b| (w << 8) | u32::from(*b)) << (8 * (3 - chunk.len()));
    let chars =
        |chunk: &[u8]| (0..=chunk.len()).map(|at| ALPHABET[(word(chunk) >> (18 - 6 * at)) as usize & 63]).collect();
    text.chunks(3).flat_map(|chunk: &[u8]| -> Vec<u8> { chars(chunk) }).map(char::from).collect()
}

/// What a guest may do to a text.
fn encoded(text: &str, how: u8) -> String {
    let rotated = |c: char| match c {
        'a'..='m' | 'A'..='M' => char::from(c as u8 + 13),
        'n'..='z' | 'N'..='Z' => char::from(c as u8 - 13),
        c => c,
    };
    match how % 8 {
        0 => base64(text.as_bytes()),
        1 => text.chars().rev().collect(),
        2 => text.chars().map(rotated).collect(),
        3 => text.bytes().map(|b| format!("{b:02x}")).collect(),
        4 => text.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join("-"),
        5 => text.bytes().map(|b| format!("%{b:02X}")).collect(),
        6 => text.chars().map(|c| format!("{c} ")).collect(),
        _ => text.to_ascii_uppercase(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn what_is_found_is_exactly_what_counts(
        words in "(the |error |of |weather |2026-11-20 |id=){0,6}", token in "[a-zA-Z0-9_]{6,24}", other in "[a-z0-9]{0,30}",
        before in "[a-z ]{0,40}", after in "[ -~]{0,40}", small in any::<bool>(),
    ) {
        let file = if small { token.clone() } else { format!("{before}{words}{token}{other}") };
        let sources = [source(1, SourceKind::File, file.as_bytes()), source(2, SourceKind::Env, format!("{other}{token}").as_bytes())];
        let text = format!("{words}{token}{after}{words}{}", other.to_ascii_uppercase());
        let budget = Budget { depth: 0, source_views: 0, ..Budget::default() };
        let arrivals = Arrivals::new(&sources, &[], &budget);
        let wanted = arrivals.wanted();
        let roots = || vec![Cow::Borrowed(text.as_bytes())];
        let views = Views::worth_it(roots(), &[vec![0]], Way::Out, 0, 0, usize::MAX, wanted.as_ref());
        let ask = rarity::log2(text.len() as u64);
        let found = search::matches(&arrivals, &views, ask, true, &budget, &mut Work::default());
        let expected = by_hand(&arrivals, &views, ask);
        prop_assert_eq!(found, expected);
    }

    /// Up to three encodings on top of each other, in a text with others.
    #[test]
    fn views_that_are_left_out_would_have_found_nothing(
        token in "[a-zA-Z0-9_]{8,24}", chain in proptest::collection::vec(any::<u8>(), 0..4), before in "[a-z0-9:. -]{0,30}", after in "[ -~]{0,30}",
        file in "[a-z0-9 =+/-]{0,60}", noise in proptest::collection::vec(any::<u8>(), 0..60), of_source in any::<u8>(),
    ) {
        let key = if of_source < 60 { encoded(&token, of_source) } else { token.clone() };
        let sources = [
            source(1, SourceKind::Env, key.as_bytes()),
            source(2, SourceKind::File, [file.as_bytes(), &noise].concat().as_slice()),
            source(3, SourceKind::Argument, before.as_bytes()),
        ];
        let hidden = chain.iter().fold(token, |text, how| encoded(&text, *how));
        let sinks = [sink(1, format!("{before}{hidden}{after}").as_bytes()), sink(2, &noise), sink(3, file.as_bytes())];
        let input = Input { sources: &sources, sinks: &sinks, known: &[] };
        let (fast, slow) = (search_all(&input, &Budget::default(), true), search_all(&input, &Budget::default(), false));
        let same = |a: &Finding, b: &Finding| (a.rule, a.source, a.sink, &a.transform, &a.sink_ranges) == (b.rule, b.source, b.sink, &b.transform, &b.sink_ranges);
        for (ones, others) in [(&fast, &slow), (&slow, &fast)] {
            for found in &ones.findings {
                prop_assert!(others.findings.iter().any(|other| same(found, other)), "{:?} {:?}", found, others.findings);
            }
        }
    }
}
