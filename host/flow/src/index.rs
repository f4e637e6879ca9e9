//! An index of some texts, and the search for what other texts have in common with it.
//!
//! Every common range that counts is found, upper and lower case folded, by sampling one side only: the indexed side has an entry for each
//! position, the other side is asked at some. A filter of three bits for each entry answers most questions without a look at the tables.
//!
//! Ordinary text would fill the tables with what matters to nobody: " of the" stands a thousand times on both sides. So the length of what is
//! entered follows what the bytes cost (see [`crate::rarity`]). A range that costs enough to count
//!
//! - and is shorter than 16 bytes has 8 bytes that cost half of it: positions in such windows are entered as 6-grams, the other side is asked at
//!   every third, and any 8 bytes hold one;
//! - and is shorter than 32 bytes has 16 bytes that cost half of it: positions in such windows, where not entered already, are entered as
//!   10-grams, the other side is asked at every fifth, and any 16 bytes hold one even where the first two were entered for what stands before;
//! - and so on for 64 and 128 bytes. What is longer has other positions at least, and what costs nothing at all and has nothing around it that
//!   does is not entered.
//!
//! So random bytes are found by 6-grams, and phrases by 40-grams, which are as rare.
//!
//! A bucket has a bounded number of entries of one text: what repeats itself more often is found at its first places.

mod places;
mod table;
mod walk;

use crate::rarity;
use places::{Part, places};
use table::{Table, hash};

/// Ranges from here on are found by other grams than what they cost asks for, if by none of those.
pub(crate) const LONG: usize = 128;

/// How long a window is that costs half of what a range must, how much of it is entered, and at how many positions the other side is asked.
#[derive(Clone, Copy, Debug)]
struct Level {
    window: usize,
    gram: usize,
    step: usize,
}

const LEVELS: [Level; 5] = [
    Level { window: SHORTEST, gram: 6, step: 3 },
    Level { window: 16, gram: 10, step: 5 },
    Level { window: 32, gram: 20, step: 7 },
    Level { window: 64, gram: 40, step: 13 },
    // Whatever it costs.
    Level { window: 64, gram: 28, step: 13 },
];
const STEPS: usize = 3 * 5 * 7 * 13;

#[expect(clippy::indexing_slicing, reason = "for constants, where a panic is an error of the build")]
const fn level(number: usize) -> Level {
    LEVELS[number]
}

/// In every window that costs enough one position is left that is asked about, even where the windows of lower levels that begin before it
/// take the first ones; and a block begins with a position that is asked about, at every level.
const _: () = {
    let (mut number, mut taken) = (0, 0);
    while number < LEVELS.len() {
        let Level { window, gram, step } = level(number);
        assert!(window + 1 >= gram + taken + step);
        assert!(STEPS.is_multiple_of(step));
        taken = window - gram;
        number += 1;
    }
};

/// The shortest range that is looked for.
pub(crate) const SHORTEST: usize = 8;
const NONE: u32 = u32::MAX;
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

    /// What each byte costs where it stands in its text.
    pub(crate) fn costs(&self) -> Vec<u8> {
        let mut costs = Vec::with_capacity(self.text.len());
        for range in self.starts.windows(2) {
            if let [start, end] = range {
                rarity::all_costs(self.text.get(*start as usize..*end as usize).unwrap_or_default(), &mut costs);
            }
        }
        costs
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

/// An index of a part of some texts. The part is `from..to`; ranges are followed beyond it.
pub(crate) struct Index<'a> {
    corpus: &'a Corpus,
    costs: &'a [u8],
    /// Positions of the part.
    length: usize,
    /// One for each level.
    tables: Vec<Table>,
    /// Where one text is indexed, one place of it is enough for what is long.
    pub(crate) settles: bool,
}

impl std::fmt::Debug for Index<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Index").field("positions", &self.length).finish_non_exhaustive()
    }
}

impl<'a> Index<'a> {
    /// Bytes of memory for each byte of text, at most.
    pub(crate) const BYTES: usize = 16;

    /// `costs` are those of the corpus' texts, as [`crate::rarity::all_costs`] has them.
    pub(crate) fn new(corpus: &'a Corpus, costs: &'a [u8], from: usize, to: usize, needs: &dyn Needs) -> Index<'a> {
        let to = to.min(corpus.text.len());
        let mut entries = [0; LEVELS.len()];
        let mut texts = Vec::new();
        let mut at = from;
        while at < to {
            let (number, start, end) = corpus.of(at);
            let text = Part { from: at, to: end.min(to), start, end, least: needs.least(number) };
            places(&corpus.text, costs, &text, |_, level, _| {
                if let Some(entries) = entries.get_mut(level) {
                    *entries += 1;
                }
            });
            texts.push(text);
            at = end.max(at + 1);
        }
        let mut tables: Vec<Table> = entries.iter().map(|entries| Table::new(*entries)).collect();
        for text in &texts {
            places(&corpus.text, costs, text, |_, level, rest| {
                if let Some(table) = tables.get_mut(level) {
                    table.count(hash(level, rest));
                }
            });
        }
        for table in &mut tables {
            table.lay_out();
        }
        for text in &texts {
            places(&corpus.text, costs, text, |at, level, rest| {
                if let Some(table) = tables.get_mut(level) {
                    table.enter(hash(level, rest), at, text.start);
                }
            });
        }
        for table in &mut tables {
            table.entered();
        }
        Index { corpus, costs, length: to.saturating_sub(from), tables, settles: false }
    }
}

#[cfg(test)]
mod tests;
