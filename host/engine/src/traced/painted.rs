//! Ranges of sinks by the sources in them: in rising order, none over another. Several passes over one run, each with other sources on the
//! labels, are laid over each other here.

use super::Ranges;
use crate::report::{TracedRange, TracedSink};
use customs_trace::{Label, SOURCES};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Ranges of one sink that are told. A picture of more is no picture, and a megabyte of JSON holds some ten thousand of them.
const MAX_OF_SINK: usize = 4_096;
/// The same for a call, which may have a thousand places in its answer.
const MAX_OF_CALL: usize = 32_768;
/// Sources that are named for a range. More have one label only where there were more sources than labels, and then the range says so.
const MAX_NAMED: usize = 64;

/// Sources in bytes, their numbers in rising order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Mix {
    strong: Vec<u64>,
    weak: Vec<u64>,
    shared: bool,
}

impl Mix {
    /// The sources that a label stands for.
    fn of(label: Label, bits: &[Vec<u64>]) -> Mix {
        let mut mix = Mix::default();
        for (bit, sources) in (0..SOURCES).zip(bits) {
            let numbers = match (label.strong(bit), label.weak(bit)) {
                (true, _) => &mut mix.strong,
                (false, true) => &mut mix.weak,
                (false, false) => continue,
            };
            numbers.extend(sources.iter().take(MAX_NAMED));
            mix.shared |= sources.len() > 1;
        }
        mix.settle();
        mix
    }

    fn and(&self, other: &Mix) -> Mix {
        let both = |one: &[u64], other: &[u64]| one.iter().chain(other).copied().collect();
        let mut mix = Mix {
            strong: both(&self.strong, &other.strong),
            weak: both(&self.weak, &other.weak),
            shared: self.shared || other.shared,
        };
        mix.settle();
        mix
    }

    /// In order, each once; what is strong is not weak too.
    fn settle(&mut self) {
        self.strong.sort_unstable();
        self.strong.dedup();
        let strong = &self.strong;
        self.weak.retain(|number| strong.binary_search(number).is_err());
        self.weak.sort_unstable();
        self.weak.dedup();
    }

    fn is_empty(&self) -> bool {
        self.strong.is_empty() && self.weak.is_empty()
    }
}

/// From, to, and which of the mixes.
type Run = (u64, u64, usize);

/// The labelled bytes of a call's sinks. Few different mixes cover many ranges, so each is kept once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Painted {
    sinks: BTreeMap<u64, Vec<Run>>,
    mixes: Mixes,
}

#[derive(Clone, Debug, Default)]
struct Mixes {
    all: Vec<Mix>,
    known: HashMap<Mix, usize>,
}

impl Mixes {
    fn number(&mut self, mix: Mix) -> usize {
        let next = self.all.len();
        let at = *self.known.entry(mix.clone()).or_insert(next);
        if at == next {
            self.all.push(mix);
        }
        at
    }

    fn get(&self, at: usize) -> &Mix {
        static NONE: Mix = Mix { strong: Vec::new(), weak: Vec::new(), shared: false };
        self.all.get(at).unwrap_or(&NONE)
    }
}

impl Painted {
    pub(super) fn of(ranges: Ranges, bits: &[Vec<u64>]) -> Painted {
        let mut painted = Painted::default();
        for (sink, ranges) in ranges {
            let runs = &mut painted.sinks.entry(sink).or_default();
            for (from, to, label) in flat(ranges) {
                let mix = Mix::of(label, bits);
                if !mix.is_empty() {
                    push(runs, (from, to, painted.mixes.number(mix)));
                }
            }
        }
        painted.sinks.retain(|_, runs| !runs.is_empty());
        painted
    }

    /// Where the source is in the sink, strong or weak.
    pub(crate) fn of_source(&self, sink: u64, source: u64) -> Vec<(u64, u64)> {
        let has = |mix: &Mix| mix.strong.binary_search(&source).is_ok() || mix.weak.binary_search(&source).is_ok();
        // Of those that share a label some are not named. What has that label may be of any of them.
        let named = self.mixes.all.iter().any(has);
        let runs = self.sinks.get(&sink).into_iter().flatten();
        let of_it = runs.filter(|(_, _, mix)| {
            let mix = self.mixes.get(*mix);
            has(mix) || (mix.shared && !named)
        });
        super::union(of_it.map(|(from, to, _)| (*from, *to)))
    }

    /// Leaves these sources, each of which had a label of its own, and no others.
    pub(crate) fn keep(&mut self, sources: &BTreeSet<u64>) {
        let mut mixes = Mixes::default();
        for runs in self.sinks.values_mut() {
            let mut kept = Vec::new();
            for (from, to, mix) in runs.iter() {
                let mut mix = self.mixes.get(*mix).clone();
                mix.strong.retain(|number| sources.contains(number));
                mix.weak.retain(|number| sources.contains(number));
                mix.shared = false;
                if !mix.is_empty() {
                    push(&mut kept, (*from, *to, mixes.number(mix)));
                }
            }
            *runs = kept;
        }
        self.mixes = mixes;
        self.sinks.retain(|_, runs| !runs.is_empty());
    }

    /// Lays another pass over this one.
    pub(crate) fn lay(&mut self, other: &Painted) {
        for (sink, theirs) in &other.sinks {
            let ours = self.sinks.remove(sink).unwrap_or_default();
            let mut places: Vec<u64> = ours.iter().chain(theirs).flat_map(|(from, to, _)| [*from, *to]).collect();
            places.sort_unstable();
            places.dedup();
            let (mut ours, mut theirs) = (ours.iter().peekable(), theirs.iter().peekable());
            let mut laid = Vec::new();
            for (from, to) in places.iter().zip(places.iter().skip(1)) {
                while ours.next_if(|(_, end, _)| end <= from).is_some() {}
                while theirs.next_if(|(_, end, _)| end <= from).is_some() {}
                let here = |run: Option<&&Run>| run.filter(|(begin, _, _)| begin <= from).map(|(_, _, mix)| *mix);
                let mix = match (here(ours.peek()), here(theirs.peek())) {
                    (None, None) => continue,
                    (Some(ours), None) => ours,
                    (None, Some(theirs)) => self.mixes.number(other.mixes.get(theirs).clone()),
                    (Some(ours), Some(theirs)) => {
                        let both = self.mixes.get(ours).and(other.mixes.get(theirs));
                        self.mixes.number(both)
                    }
                };
                push(&mut laid, (*from, *to, mix));
            }
            self.sinks.insert(*sink, laid);
        }
    }

    /// For the report: what is more than it lists is counted.
    pub(crate) fn told(&self) -> Vec<TracedSink> {
        let mut room = MAX_OF_CALL;
        let told = |(sink, runs): (&u64, &Vec<Run>)| {
            let listed = runs.len().min(MAX_OF_SINK).min(room);
            room = room.saturating_sub(listed);
            let range = |(from, to, mix): &Run| {
                let mix = self.mixes.get(*mix);
                let (strong, weak) = (mix.strong.clone(), mix.weak.clone());
                TracedRange { from: *from, to: *to, strong, weak, shared: mix.shared }
            };
            TracedSink {
                sink: *sink,
                ranges: runs.iter().take(listed).map(range).collect(),
                more: u64::try_from(runs.len().saturating_sub(listed)).unwrap_or(u64::MAX),
            }
        };
        self.sinks.iter().map(told).collect()
    }
}

fn push(runs: &mut Vec<Run>, (from, to, mix): Run) {
    match runs.last_mut() {
        Some((_, end, same)) if *end == from && *same == mix => *end = to,
        _ if from < to => runs.push((from, to, mix)),
        _ => {}
    }
}

/// Ranges that may lie over each other as ranges that do not, each with all labels there.
pub(super) fn flat(ranges: Vec<(u64, u64, Label)>) -> Vec<(u64, u64, Label)> {
    let mut turns: Vec<(u64, bool, u8)> = Vec::new();
    for (from, to, label) in ranges.into_iter().filter(|(from, to, label)| from < to && !label.is_clean()) {
        turns.push((from, true, label.0));
        turns.push((to, false, label.0));
    }
    turns.sort_unstable();
    // How many of the open ranges have each bit of a label.
    let mut open = [0_usize; 8];
    let mut out: Vec<(u64, u64, Label)> = Vec::new();
    let mut at = 0;
    for (place, begins, label) in turns {
        let bits = (0..8).zip(&open).filter(|(_, many)| **many > 0).fold(0_u8, |all, (bit, _)| all | 1 << bit);
        if place > at && bits != 0 {
            match out.last_mut() {
                Some((_, end, same)) if *end == at && same.0 == bits => *end = place,
                _ => out.push((at, place, Label(bits))),
            }
        }
        at = place;
        for (_, many) in (0..8).zip(&mut open).filter(|(bit, _)| label >> bit & 1 == 1) {
            *many = if begins { many.saturating_add(1) } else { many.saturating_sub(1) };
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: Label = Label(0x01);
    const B: Label = Label(0x02);
    const WEAK_A: Label = Label(0x10);
    const LAST: Label = Label(0x08);

    fn bits() -> [Vec<u64>; 4] {
        [vec![5], vec![2], vec![], vec![7, 9]]
    }

    fn told(ranges: &[(u64, u64, Label)]) -> Vec<TracedRange> {
        let painted = Painted::of(Ranges::from([(3, ranges.to_vec())]), &bits());
        let told = painted.told();
        assert!(told.iter().all(|sink| sink.sink == 3 && sink.more == 0));
        told.into_iter().flat_map(|sink| sink.ranges).collect()
    }

    fn range(from: u64, to: u64, strong: &[u64], weak: &[u64]) -> TracedRange {
        TracedRange { from, to, strong: strong.to_vec(), weak: weak.to_vec(), shared: false }
    }

    #[test]
    fn ranges_that_lie_over_each_other_become_ranges_with_all_that_is_there() {
        let found = told(&[(4, 10, A), (0, 6, B), (8, 12, WEAK_A), (20, 21, WEAK_A)]);
        let expected = [
            range(0, 4, &[2], &[]),
            range(4, 6, &[2, 5], &[]),
            // What is strong there is not weak as well.
            range(6, 10, &[5], &[]),
            range(10, 12, &[], &[5]),
            range(20, 21, &[], &[5]),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn ranges_that_touch_and_are_the_same_are_one_and_empty_or_clean_ones_none() {
        assert_eq!(told(&[(4, 6, A), (0, 4, A), (2, 3, A)]), [range(0, 6, &[5], &[])]);
        assert_eq!(told(&[(4, 4, A), (0, 4, Label::CLEAN), (1, 2, Label(0x04))]), []);
    }

    #[test]
    fn a_label_of_several_sources_names_them_and_says_so() {
        let shared = TracedRange { shared: true, ..range(1, 2, &[7, 9], &[]) };
        assert_eq!(told(&[(1, 2, LAST)]), [shared]);
    }

    #[test]
    fn a_source_is_where_its_label_is_strong_or_weak_and_also_where_it_was_not_named() {
        let ranges = vec![(0, 4, A), (4, 6, WEAK_A), (5, 9, B), (12, 14, LAST), (16, 18, B)];
        let painted = Painted::of(Ranges::from([(3, ranges)]), &bits());
        assert_eq!(painted.of_source(3, 5), [(0, 6)]);
        assert_eq!(painted.of_source(3, 2), [(5, 9), (16, 18)]);
        assert_eq!(painted.of_source(4, 5), []);
        let crowd = (100..100 + MAX_NAMED as u64 + 1).collect::<Vec<_>>();
        let last = *crowd.last().unwrap();
        let painted =
            Painted::of(Ranges::from([(3, vec![(0, 4, A), (6, 8, LAST)])]), &[vec![5], vec![], vec![], crowd]);
        assert_eq!(painted.of_source(3, last), [(6, 8)]);
        assert_eq!(painted.of_source(3, 100), [(6, 8)]);
    }

    #[test]
    fn passes_are_laid_over_each_other_each_with_its_own_sources() {
        let mut first =
            Painted::of(Ranges::from([(3, vec![(0, 10, A), (4, 8, LAST)]), (4, vec![(0, 2, LAST)])]), &bits());
        first.keep(&BTreeSet::from([5, 2]));
        let second = [vec![9], vec![7], vec![], vec![]];
        first.lay(&Painted::of(
            Ranges::from([(3, vec![(6, 12, A), (9, 10, Label(0x20))]), (5, vec![(1, 2, B)])]),
            &second,
        ));
        let told = first.told();
        assert_eq!(told.iter().map(|sink| sink.sink).collect::<Vec<_>>(), [3, 5]);
        let expected =
            [range(0, 6, &[5], &[]), range(6, 9, &[5, 9], &[]), range(9, 10, &[5, 9], &[7]), range(10, 12, &[9], &[])];
        assert_eq!(told[0].ranges, expected);
        assert_eq!(told[1].ranges, [range(1, 2, &[7], &[])]);
    }

    #[test]
    fn what_is_more_than_a_report_lists_is_counted() {
        let many = |count: u64| (0..count).map(|at| (at * 2, at * 2 + 1, A)).collect::<Vec<_>>();
        let ranges = (0..10).map(|sink| (sink, many(4_097))).collect();
        let told = Painted::of(ranges, &bits()).told();
        let counts: Vec<(usize, u64)> = told.iter().map(|sink| (sink.ranges.len(), sink.more)).collect();
        assert_eq!(counts[..8], [(4_096, 1); 8]);
        assert_eq!(counts[8..], [(0, 4_097); 2]);
    }
}
