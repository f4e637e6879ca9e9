//! Against all pairs of places, and what must stay bounded.

use super::walk::{Found, reaches};
use super::*;
use crate::extend::prefix;
use proptest::prelude::*;

struct Flat(u32);

impl Needs for Flat {
    fn least(&self, _: usize) -> u32 {
        self.0
    }

    fn of(&self, _: &Hit) -> u32 {
        self.0
    }
}

fn corpus(texts: &[&[u8]]) -> (Corpus, Vec<u8>) {
    let mut corpus = Corpus::default();
    for text in texts {
        assert!(corpus.push(text));
    }
    let mut costs = Vec::new();
    rarity::costs(&corpus.text, &mut costs);
    (corpus, costs)
}

fn hits(indexed: &[&[u8]], streamed: &[u8], need: u32) -> Found {
    let (corpus, costs) = corpus(indexed);
    let needs = Flat(need);
    let index = Index::new(&corpus, &costs, 0, corpus.text.len(), &needs);
    let mut found = index.found(streamed.len());
    index.search(streamed, 0, &needs, u64::MAX, &mut found);
    found.hits.sort_by_key(|h| (h.indexed, h.at_indexed, h.at_streamed));
    found.hits.dedup();
    found
}

/// All maximal common ranges of 8 bytes or more, by brute force.
fn naive(indexed: &[&[u8]], streamed: &[u8]) -> Vec<Hit> {
    let mut all = Vec::new();
    for (number, text) in indexed.iter().enumerate() {
        for i in 0..text.len() {
            for s in 0..streamed.len() {
                let begins = i == 0 || s == 0 || !text[i - 1].eq_ignore_ascii_case(&streamed[s - 1]);
                let length = prefix(&text[i..], &streamed[s..]);
                if begins && length >= SHORTEST {
                    all.push(Hit { indexed: number, streamed: 0, at_indexed: i, at_streamed: s, length });
                }
            }
        }
    }
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    /// A small alphabet, so that there is much in common; no bucket overflows at these lengths.
    #[test]
    fn every_common_range_is_found_where_it_begins_and_ends(
        a in "[abc]{0,40}", b in "[abAcC]{0,60}", c in "[abc]{0,60}", near in "[abcB ]{8,30}",
    ) {
        let b = format!("{b}{near}");
        let c = format!("{near}{c}{near}");
        let indexed = [a.as_bytes(), b.as_bytes()];
        let found = hits(&indexed, c.as_bytes(), 0);
        prop_assert_eq!(found.hits, naive(&indexed, c.as_bytes()));
        prop_assert_eq!(found.places_cut, 0);
    }

    /// The same with a need: what is found is exactly what costs enough, the gate loses nothing.
    #[test]
    fn the_gate_loses_nothing_that_counts(
        start in "[a-z ]{0,30}", token in "[a-zA-Z0-9]{8,40}", words in "(the |report |of |weather ){0,9}", end in "[a-z ]{0,30}",
    ) {
        let a = format!("{start}{words}{token}");
        let b = format!("{words}{token}{end}{words}");
        let need = 30 * rarity::UNIT;
        let found = hits(&[a.as_bytes()], b.as_bytes(), need);
        let (corpus, costs) = corpus(&[a.as_bytes()]);
        let mut costs_b = Vec::new();
        rarity::all_costs(b.as_bytes(), &mut costs_b);
        let expected: Vec<Hit> = naive(&[a.as_bytes()], b.as_bytes())
            .into_iter()
            .filter(|h| reaches(&costs[h.at_indexed..h.at_indexed + h.length], need))
            .filter(|h| reaches(&costs_b[h.at_streamed..h.at_streamed + h.length], need))
            .collect();
        prop_assert_eq!(found.hits, expected);
        prop_assert_eq!(corpus.text.len(), a.len());
    }

    /// Ranges of all lengths that cost just what they must, between bytes that cost more: those are entered at lower levels.
    #[test]
    fn a_range_that_just_costs_enough_is_found_whatever_stands_around_it(
        common in "([a-z]{2,6}[ ,.]|[0-9]{1,4}[:-]){2,40}", before in "[A-Za-z0-9]{0,30}", after in "[A-Za-z0-9]{0,30}", other in "[A-Za-z0-9 ]{0,30}",
    ) {
        let a = format!("{before}!{common}?{after}");
        let b = format!("{other}#{common}*{before}");
        let (_, costs_a) = corpus(&[a.as_bytes()]);
        let (_, costs_b) = corpus(&[b.as_bytes()]);
        let cost = |h: &Hit| {
            let (a, b) = (&costs_a[h.at_indexed..h.at_indexed + h.length], &costs_b[h.at_streamed..h.at_streamed + h.length]);
            rarity::sum(a).min(rarity::sum(b))
        };
        let all = naive(&[a.as_bytes()], b.as_bytes());
        let need = all.iter().filter(|h| h.length >= common.len()).map(cost).max().unwrap_or(0);
        let found = hits(&[a.as_bytes()], b.as_bytes(), need);
        prop_assert_eq!(found.hits, all.into_iter().filter(|h| cost(h) >= need).collect::<Vec<_>>());
    }
}

#[test]
fn ranges_do_not_cross_from_one_text_into_the_next() {
    let found = hits(&[b"xxk7Qz2m", b"XpW9tR4vxx"], b"k7Qz2mXpW9tR4v", 0);
    let places: Vec<_> = found.hits.iter().map(|h| (h.indexed, h.at_indexed, h.at_streamed, h.length)).collect();
    assert_eq!(places, [(1, 0, 6, 8)]);
}

#[test]
fn parts_of_a_text_are_indexed_one_at_a_time_and_ranges_go_beyond_them() {
    let (corpus, costs) = corpus(&[b"....k7Qz2mXpW9tR4v....", b"yyyyyyyy"]);
    let mut all = Vec::new();
    for from in (0..corpus.text.len()).step_by(7) {
        let index = Index::new(&corpus, &costs, from, from + 7, &Flat(80));
        let mut found = index.found(usize::MAX);
        index.search(b"k7Qz2mXpW9tR4v", 3, &Flat(80), u64::MAX, &mut found);
        all.extend(found.hits);
    }
    all.dedup();
    assert_eq!(all, [Hit { indexed: 0, streamed: 3, at_indexed: 4, at_streamed: 0, length: 14 }]);
}

#[test]
fn what_repeats_itself_stays_linear_and_says_what_it_lost() {
    let line = b"2026-11-20 worker 7 k7Qz2mXp finished; next is W9tR4vLs
"
    .repeat(2_000);
    for (a, b) in [(line.as_slice(), line.as_slice()), (&[0; 100_000], &[0; 120_000]), (&line, &[0; 1000])] {
        let found = hits(&[a], b, 30 * rarity::UNIT);
        assert!(found.compared < 80 * (a.len() + b.len()) as u64, "{} for {}", found.compared, a.len() + b.len());
        if b.len() == line.len() {
            assert!(found.hits.iter().any(|h| h.length == line.len()));
        } else {
            assert_eq!(found.hits, []);
        }
    }
}

/// The hardest case for the gate: what must be found costs as little as it may and is spread evenly over the longest short range.
#[test]
fn a_range_that_just_costs_enough_is_found_however_it_is_spread() {
    for text in
        [&b"weather report for tomorrow now"[..], b"one two three four five six", b"a1 b2 c3 d4", b"7,8,9,4,3,2"]
    {
        let (_, costs) = corpus(&[text]);
        let need = rarity::sum(&costs);
        assert_eq!(hits(&[text], text, need).hits.len(), 1, "{}", String::from_utf8_lossy(text));
        assert_eq!(hits(&[text], text, need + 1).hits.len(), 0);
    }
}

#[test]
fn work_that_runs_out_is_said() {
    let (corpus, costs) = corpus(&[b"k7Qz2mXpW9tR4v"]);
    let needs = Flat(0);
    let index = Index::new(&corpus, &costs, 0, 14, &needs);
    let mut found = index.found(usize::MAX);
    index.search(&b"k7Qz2mXpW9tR4v".repeat(9000), 0, &needs, 1000, &mut found);
    assert!(found.exhausted);
}
