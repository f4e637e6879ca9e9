//! An index of some texts, and the search for what other texts have in common with it.
//!
//! Every common range of 8 bytes or more is found, upper and lower case folded, by sampling one side only: the indexed side has an entry for each position's 6-gram, the
//! other side is asked at every third position. Any 8 bytes hold a sampled 6-gram whole. A filter of two bits for each entry answers most
//! questions without a look at the table.
//!
//! Ordinary text would fill the tables with what matters to nobody: " of the" stands a thousand times on both sides. Two things keep
//! that linear. A common range that is to count (see [`crate::rarity`]) and is shorter than [`LONG`] must hold 8 bytes that cost a
//! quarter of what the whole must; only such 6-grams are entered. Longer ranges are found by them or by a second table of 24-grams: it has the other positions and is
//! asked at every seventh, so that 32 bytes, less two that may be entered as 6-grams for what stands before them, hold one. And a bucket has at most [`PER_TEXT`] entries of one text: what repeats itself more often is found at its first places.

use crate::extend::{prefix, suffix};
use crate::rarity;
use std::collections::HashMap;

/// Ranges from here on are found whatever they cost.
pub(crate) const LONG: usize = 32;
const SHORT_GRAM: usize = 6;
const SHORT_STEP: usize = 3;
const LONG_GRAM: usize = 24;
const LONG_STEP: usize = 7;
/// The shortest range that is looked for.
pub(crate) const SHORTEST: usize = 8;
/// Entries of one text in a bucket. Fewer lose places of what repeats itself, more make repetitive texts slow: this is the factor.
const PER_TEXT: u32 = 32;
/// Entries that are looked at for one position, all texts of the index together, the first texts first; and for a position of a long text,
/// which has many.
const PER_LOOK: usize = 512;
const PER_LOOK_OF_LONG: usize = 16;
const LONG_TEXT: usize = 1 << 16;
/// Places that are kept for a pair of texts. A file whose lines were shuffled has one for each line.
const PER_PAIR: u32 = 4096;
/// Places that are kept in one search: 5 MiB of them.
const PER_SEARCH: usize = 1 << 17;
/// Bytes of the streamed text that are searched in one table after the other.
const BLOCK: usize = 1 << 15;
/// What agrees to the letter from here on need not be looked for at other places of the same text.
const SETTLED: usize = 1 << 16;
/// Stretches that are remembered so.
const MOST_SETTLED: usize = 256;
const NONE: u32 = u32::MAX;
/// In a bucket's count: entries were left out.
const CUT: u32 = 1 << 31;
/// Bits of an 6-gram that make a full bucket a loss worth telling: more than six letters of plain text have.
const RARE_GRAM: u32 = 24 * rarity::UNIT;

/// Texts, one after the other. At most 4 GiB - 1 in all.
#[derive(Debug, Default)]
pub(crate) struct Corpus {
    pub(crate) text: Vec<u8>,
    /// Where each begins, and the end of the last.
    starts: Vec<u32>,
}

impl Corpus {
    /// False where it did not fit.
    pub(crate) fn push(&mut self, text: &[u8]) -> bool {
        let Ok(end) = u32::try_from(self.text.len() + text.len()) else { return false };
        if end == NONE {
            return false;
        }
        if self.starts.is_empty() {
            self.starts.push(0);
        }
        self.text.extend_from_slice(text);
        self.starts.push(end);
        true
    }

    /// The text that a position is in, and its bounds.
    fn of(&self, at: usize) -> (usize, usize, usize) {
        let number = self.starts.partition_point(|s| *s as usize <= at).saturating_sub(1);
        let bound = |n: usize| self.starts.get(n).map_or(self.text.len(), |s| *s as usize);
        (number, bound(number), bound(number + 1))
    }
}

/// A common range: text numbers, offsets in the texts, length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) indexed: usize,
    pub(crate) streamed: usize,
    pub(crate) at_indexed: usize,
    pub(crate) at_streamed: usize,
    pub(crate) length: usize,
}

/// What a range must cost to count.
pub(crate) trait Needs {
    /// For these two texts at the least, whatever the range: in eighths of a bit.
    fn least(&self, indexed: usize) -> u32;
    /// For this range.
    fn of(&self, hit: &Hit) -> u32;
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// The position that was entered last.
    head: u32,
    /// Entries of its text; the high bit where one was left out.
    count: u32,
}

struct Table {
    gram: usize,
    /// Two bits for each entry, in one word.
    filter: Vec<u64>,
    filter_shift: u32,
    buckets: Vec<Bucket>,
    shift: u32,
}

impl Table {
    fn new(gram: usize, entries: usize) -> Table {
        let buckets = (entries / 2).max(16).next_power_of_two();
        let words = (entries / 4).max(16).next_power_of_two();
        Table {
            gram,
            filter: vec![0; words],
            filter_shift: 64 - words.ilog2(),
            buckets: vec![Bucket { head: NONE, count: 0 }; buckets],
            shift: 64 - buckets.ilog2(),
        }
    }

    fn slot(h: u64, shift: u32) -> usize {
        usize::try_from(h >> shift).unwrap_or(0)
    }

    fn bits(h: u64) -> u64 {
        (1 << ((h >> 24) & 63)) | (1 << ((h >> 30) & 63))
    }

    fn may_have(&self, h: u64) -> bool {
        let bits = Table::bits(h);
        self.filter.get(Table::slot(h, self.filter_shift)).is_some_and(|word| word & bits == bits)
    }

    /// Enters a position after all of its text that are entered already; `next` is the place for the entry after it.
    fn enter(&mut self, h: u64, at: usize, text: &Part, next: &mut u32) {
        let (Some(bucket), Ok(new)) = (self.buckets.get_mut(Table::slot(h, self.shift)), u32::try_from(at)) else {
            return;
        };
        if bucket.head == NONE || !(text.start..text.end).contains(&(bucket.head as usize)) {
            bucket.count &= CUT;
        }
        if bucket.count & !CUT >= PER_TEXT {
            bucket.count |= CUT;
            return;
        }
        *next = bucket.head;
        bucket.head = new;
        bucket.count += 1;
        if let Some(word) = self.filter.get_mut(Table::slot(h, self.filter_shift)) {
            *word |= Table::bits(h);
        }
    }

    /// The first entry of a bucket, and whether others were left out.
    fn first(&self, h: u64) -> (u32, bool) {
        self.buckets.get(Table::slot(h, self.shift)).map_or((NONE, false), |b| (b.head, b.count & CUT != 0))
    }
}

fn word(text: &[u8]) -> u64 {
    text.first_chunk::<8>().map_or(0, |w| u64::from_le_bytes(*w))
}

const FOLD: u64 = 0x2020_2020_2020_2020;

/// Of 6 bytes, given as the low part of a word. Folds more than case: what it confuses is told apart by the extension.
fn short_hash(word: u64) -> u64 {
    ((word | FOLD) << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Of 24 bytes.
fn long_hash(text: &[u8]) -> u64 {
    let part = |at: usize| word(text.get(at..).unwrap_or_default()) | FOLD;
    let h = (part(0).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ part(8)).rotate_left(29).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (h ^ part(16)).rotate_left(31).wrapping_mul(0xa076_1d64_78bd_642f)
}

/// An index of a part of some texts. The part is `from..to`; ranges are followed beyond it.
pub(crate) struct Index<'a> {
    corpus: &'a Corpus,
    costs: &'a [u8],
    from: usize,
    /// For each position of the part the entry before it in its bucket. A position is in one table at most.
    next: Vec<u32>,
    short: Table,
    long: Table,
    has_long: bool,
    /// Where one text is indexed, one place of it is enough for what is long.
    pub(crate) settles: bool,
}

impl std::fmt::Debug for Index<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("positions", &self.next.len()).finish_non_exhaustive()
    }
}

/// Which table a position belongs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Short,
    Long,
}

impl<'a> Index<'a> {
    /// Bytes of memory for each byte of text, at most.
    pub(crate) const BYTES: usize = 16;

    /// `costs` are those of the corpus' text, as [`rarity::costs`] has them.
    pub(crate) fn new(corpus: &'a Corpus, costs: &'a [u8], from: usize, to: usize, needs: &dyn Needs) -> Index<'a> {
        let to = to.min(corpus.text.len());
        let (mut short, mut long) = (0, 0);
        let mut texts = Vec::new();
        let mut at = from;
        while at < to {
            let (number, start, end) = corpus.of(at);
            let text = Part { from: at, to: end.min(to), start, end, gate: needs.least(number) / 4 };
            places(corpus, costs, &text, |_, place, _| match place {
                Place::Short => short += 1,
                Place::Long => long += 1,
            });
            texts.push(text);
            at = end.max(at + 1);
        }
        let mut next = vec![NONE; to.saturating_sub(from)];
        let (mut short, mut long, has_long) = (Table::new(SHORT_GRAM, short), Table::new(LONG_GRAM, long), long > 0);
        // The first text last: its entries are looked at before those of its views.
        for text in texts.iter().rev() {
            places(corpus, costs, text, |at, place, rest| {
                let Some(next) = next.get_mut(at - from) else { return };
                match place {
                    Place::Short => {
                        let word = if rest.len() >= 8 { word(rest) } else { tail(rest) };
                        short.enter(short_hash(word), at, text, next);
                    }
                    Place::Long => long.enter(long_hash(rest), at, text, next),
                }
            });
        }
        Index { corpus, costs, from, next, short, long, has_long, settles: false }
    }

    fn after(&self, at: u32) -> u32 {
        (at as usize).checked_sub(self.from).and_then(|at| self.next.get(at)).copied().unwrap_or(NONE)
    }
}

/// Positions `from..to` of the text `start..end`, and what 8 bytes of it must cost to be entered as 6-grams.
struct Part {
    from: usize,
    to: usize,
    start: usize,
    end: usize,
    gate: u32,
}

/// Which table each position of a part belongs in, with the text from there on.
fn places(corpus: &Corpus, costs: &[u8], part: &Part, mut each: impl FnMut(usize, Place, &[u8])) {
    let &Part { from, to, start, end, gate } = part;
    let text = corpus.text.get(..end).unwrap_or_default();
    // What the 8 bytes from a position cost, if they lie in the text.
    let window = |at: usize| {
        let inside = at >= start && at + SHORTEST <= end;
        if inside { rarity::sum(costs.get(at..at + SHORTEST).unwrap_or_default()) } else { 0 }
    };
    // A 6-gram lies in the windows that begin at it and at the two positions before.
    let (mut two, mut one) = (from.checked_sub(2).map_or(0, window), from.checked_sub(1).map_or(0, window));
    let mut here = window(from);
    let leaving = costs.get(from..).unwrap_or_default();
    let coming = costs.get((from + SHORTEST).min(end)..end).unwrap_or_default();
    for at in from..to {
        let rest = text.get(at..).unwrap_or_default();
        if two.max(one).max(here) >= gate {
            if rest.len() >= SHORT_GRAM {
                each(at, Place::Short, rest);
            }
        } else if rest.len() >= LONG_GRAM {
            each(at, Place::Long, rest);
        }
        (two, one) = (one, here);
        here = match (leaving.get(at - from), coming.get(at - from)) {
            (Some(old), Some(new)) => (here + u32::from(*new)).saturating_sub(u32::from(*old)),
            _ => 0,
        };
    }
}

fn tail(rest: &[u8]) -> u64 {
    rest.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte))
}

/// What a search found, and what it had to leave.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) hits: Vec<Hit>,
    /// Places that were found and not kept.
    pub(crate) places_cut: u64,
    /// Positions that are rare enough to matter and had more entries than are kept.
    pub(crate) entries_cut: u64,
    /// Bytes that were compared.
    pub(crate) compared: u64,
    /// The work ran out before the end of what was to be searched.
    pub(crate) exhausted: bool,
    /// What need not be searched again: which streamed text, from, to.
    pub(crate) settled: Vec<(usize, usize, usize)>,
    per_pair: HashMap<(usize, usize), u32>,
    diagonals: Vec<Diagonal>,
}

/// What was followed lately, of which text, on which diagonal (the difference of the two positions), and to where.
#[derive(Clone, Copy, Debug, Default)]
struct Diagonal {
    number: usize,
    difference: i64,
    end: usize,
}

impl Found {
    /// The end of what is settled around a place of a text, if that leaves out a block or more.
    fn settled_from(&self, number: usize, at: usize) -> Option<usize> {
        let around = self.settled.iter().filter(|(n, from, to)| *n == number && *from <= at && at + BLOCK <= *to);
        around.map(|(_, _, to)| *to).max()
    }

    /// Whether all of a text is settled.
    pub(crate) fn is_settled(&self, number: usize, length: usize) -> bool {
        self.settled.iter().any(|(n, from, to)| *n == number && *from == 0 && *to >= length)
    }

    fn slot(&self, number: usize, difference: i64) -> usize {
        let mixed = difference.cast_unsigned().wrapping_add((number as u64) << 40).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        usize::try_from(mixed >> 52).unwrap_or(0) & self.diagonals.len().saturating_sub(1)
    }

    /// Whether this place was followed already.
    fn followed(&self, number: usize, difference: i64, at: usize) -> bool {
        let known = self.diagonals.get(self.slot(number, difference));
        known.is_some_and(|known| known.number == number && known.difference == difference && at < known.end)
    }

    /// Notes what was followed from `at`. Something long that is still under way is not forgotten for something short.
    fn follow(&mut self, number: usize, difference: i64, at: usize, end: usize) {
        let slot = self.slot(number, difference);
        if let Some(known) = self.diagonals.get_mut(slot)
            && (known.number != number || known.end <= at || known.end < end)
        {
            *known = Diagonal { number, difference, end };
        }
    }
}

const DIAGONALS: usize = 4096;

struct Walk<'f> {
    found: &'f mut Found,
    /// The furthest end of what was followed, whether it counted or not.
    covered: usize,
    /// Bytes that may still be compared where something was followed already: more places of what repeats itself, not more of it. Without
    /// this, a line that stands a thousand times in one text and once in the other would be followed to its end a thousand times.
    repeated: u64,
    work: u64,
}

impl Index<'_> {
    /// For searches of texts that are so long together.
    pub(crate) fn found(&self, streamed: usize) -> Found {
        let diagonals = (self.next.len().min(streamed) / 4).next_power_of_two().clamp(64, DIAGONALS);
        let none = Diagonal { number: usize::MAX, difference: 0, end: 0 };
        Found { diagonals: vec![none; diagonals], ..Found::default() }
    }

    /// Searches a text. `work` is how many bytes may be compared.
    pub(crate) fn search(&self, text: &[u8], number: usize, needs: &dyn Needs, work: u64, found: &mut Found) {
        // A small text may stand in many views and sinks, a large one in few.
        let allowance = text.len() as u64 * if text.len() > 1 << 20 { 4 } else { 16 } + (1 << 16);
        let mut walk = Walk { found, covered: 0, repeated: allowance, work };
        // Aligned to both steps; each block sees as much of the next as its grams need.
        let block = BLOCK - BLOCK % (SHORT_STEP * LONG_STEP);
        let mut at = 0;
        while at < text.len() {
            if let Some(end) = walk.found.settled_from(number, at) {
                at = if end < text.len() { end / block * block } else { end };
                if at >= text.len() {
                    return;
                }
            }
            let long = text.get(at..text.len().min(at + block - LONG_STEP + LONG_GRAM)).unwrap_or_default();
            let long = if self.has_long { long } else { &[] };
            for (step, gram) in long.windows(LONG_GRAM).step_by(LONG_STEP).enumerate() {
                let h = long_hash(gram);
                if self.long.may_have(h) {
                    self.look(&self.long, h, text, at + step * LONG_STEP, number, needs, &mut walk);
                }
            }
            let short = text.get(at..text.len().min(at + block - SHORT_STEP + 8)).unwrap_or_default();
            for (step, gram) in short.windows(8).step_by(SHORT_STEP).enumerate() {
                let h = short_hash(word(gram));
                if self.short.may_have(h) {
                    self.look(&self.short, h, text, at + step * SHORT_STEP, number, needs, &mut walk);
                }
            }
            if walk.work == 0 {
                walk.found.exhausted = true;
                return;
            }
            at += block;
        }
        // The last two places for a 6-gram have no 8 bytes.
        for left in [7, 6] {
            if let Some(at) = text.len().checked_sub(left)
                && at % SHORT_STEP == 0
            {
                let h = short_hash(tail(text.get(at..).unwrap_or_default()));
                if self.short.may_have(h) {
                    self.look(&self.short, h, text, at, number, needs, &mut walk);
                }
            }
        }
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the state of one loop, which is split so that its common path stays small"
    )]
    #[inline(never)]
    fn look(
        &self,
        table: &Table,
        h: u64,
        text: &[u8],
        at: usize,
        number: usize,
        needs: &dyn Needs,
        walk: &mut Walk<'_>,
    ) {
        let (mut entry, cut) = table.first(h);
        let mut looked = 0;
        while entry != NONE {
            let other = entry as usize;
            entry = self.after(entry);
            looked += 1;
            if walk.work == 0 {
                return;
            }
            let most = if text.len() > LONG_TEXT { PER_LOOK_OF_LONG } else { PER_LOOK };
            let out_of_room = looked > most || (at < walk.covered && walk.repeated == 0);
            if out_of_room || (cut && entry == NONE) {
                let gram = self.costs.get(other..other + table.gram).unwrap_or_default();
                // What is in the bucket by its hash alone was nobody's loss.
                let part = |text: &[u8], at: usize| text.get(at..at + table.gram).map(<[u8]>::to_ascii_lowercase);
                let agrees = || part(text, at).is_some_and(|here| part(&self.corpus.text, other) == Some(here));
                let is_lost = rarity::sum(gram) >= RARE_GRAM && at >= walk.covered && agrees();
                walk.found.entries_cut += u64::from(is_lost);
                if out_of_room {
                    return;
                }
            }
            self.follow(other, text, at, number, needs, walk);
        }
    }

    fn follow(&self, other: usize, text: &[u8], at: usize, number: usize, needs: &dyn Needs, walk: &mut Walk<'_>) {
        let diagonal = signed(other) - signed(at);
        if walk.found.followed(number, diagonal, at) {
            return;
        }
        walk.work = walk.work.saturating_sub(16);
        walk.found.compared += 16;
        let (Some(here), Some(there)) = (text.get(at..), self.corpus.text.get(other..)) else { return };
        if !same_gram(here, there) {
            return;
        }
        let (indexed, start, end) = self.corpus.of(other);
        let there = self.corpus.text.get(other..end).unwrap_or_default();
        let forth = prefix(here, there);
        let back = suffix(text.get(..at).unwrap_or_default(), self.corpus.text.get(start..other).unwrap_or_default());
        let compared = (forth + back) as u64;
        walk.work = walk.work.saturating_sub(compared);
        walk.found.compared += compared;
        walk.found.follow(number, diagonal, at, at + forth);
        if at < walk.covered {
            walk.repeated = walk.repeated.saturating_sub(compared);
        } else {
            walk.repeated = walk.repeated.saturating_sub(back as u64);
        }
        if forth >= LONG {
            walk.covered = walk.covered.max(at + forth);
        }
        let length = forth + back;
        if length < SHORTEST {
            return;
        }
        let hit = Hit { indexed, streamed: number, at_indexed: other - back - start, at_streamed: at - back, length };
        let need = needs.of(&hit);
        let costs = self.costs.get(other - back..other + forth).unwrap_or_default();
        if !reaches(costs, need) || !reaches_alone(text, hit.at_streamed, length, need) {
            return;
        }
        let pair = walk.found.per_pair.entry((indexed, number)).or_default();
        *pair += 1;
        if *pair > PER_PAIR || walk.found.hits.len() >= PER_SEARCH {
            walk.found.places_cut += 1;
            return;
        }
        walk.found.hits.push(hit);
        if self.settles && length >= SETTLED && walk.found.settled.len() < MOST_SETTLED {
            let (from, to) = (hit.at_streamed, hit.at_streamed + length);
            if text.get(from..to) == self.corpus.text.get(start + hit.at_indexed..start + hit.at_indexed + length) {
                walk.found.settled.push((number, from, to));
            }
        }
    }
}

fn signed(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// Six bytes; a cheap look before the bounds are known.
fn same_gram(a: &[u8], b: &[u8]) -> bool {
    match (a.first_chunk::<SHORT_GRAM>(), b.first_chunk::<SHORT_GRAM>()) {
        (Some(a), Some(b)) => a.eq_ignore_ascii_case(b),
        _ => false,
    }
}

fn reaches(costs: &[u8], need: u32) -> bool {
    let mut sum = 0_u32;
    costs.iter().any(|cost| {
        sum += u32::from(*cost);
        sum >= need
    })
}

/// Whether the range costs enough where it stands in the other text too: the middle of a word is a surprise only by itself.
fn reaches_alone(text: &[u8], from: usize, length: usize, need: u32) -> bool {
    const CONTEXT: usize = 24;
    const ENOUGH: usize = 1024;
    let start = from.saturating_sub(CONTEXT);
    let length = length.min(ENOUGH);
    let mut costs = Vec::new();
    rarity::costs(text.get(start..(from + length + CONTEXT).min(text.len())).unwrap_or_default(), &mut costs);
    let range = costs.get(from - start..from - start + length).unwrap_or_default();
    // A long range is judged by its beginning, in proportion.
    length == ENOUGH || reaches(range, need)
}

#[cfg(test)]
mod tests {
    use super::*;
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
            let expected: Vec<Hit> = naive(&[a.as_bytes()], b.as_bytes())
                .into_iter()
                .filter(|h| reaches(&costs[h.at_indexed..h.at_indexed + h.length], need))
                .filter(|h| reaches_alone(b.as_bytes(), h.at_streamed, h.length, need))
                .collect();
            prop_assert_eq!(found.hits, expected);
            prop_assert_eq!(corpus.text.len(), a.len());
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
}
