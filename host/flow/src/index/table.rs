//! Places of grams: those of one bucket stand together, and a filter answers most questions without a look at them.

use super::{LEVELS, NONE};

/// Entries of one text in a bucket. Fewer lose places of what repeats itself, more make repetitive texts slow: this is the factor.
const PER_TEXT: usize = 16;

pub(super) struct Table {
    /// Three bits for each entry, in one word.
    filter: Vec<u64>,
    filter_shift: u32,
    /// Where each bucket begins in the entries, and the end of the last.
    starts: Vec<u32>,
    shift: u32,
    /// Positions, those of a bucket in rising order; [`NONE`] after them where some were left out.
    entries: Vec<u32>,
    /// While entries are made: how far each bucket is filled.
    filled: Vec<u32>,
}

impl Table {
    /// For so many entries. Each is counted first, then entered.
    pub(super) fn new(entries: usize) -> Table {
        let buckets = (entries / 2).max(16).next_power_of_two();
        let words = (entries / 4).max(16).next_power_of_two();
        Table {
            filter: vec![0; words],
            filter_shift: 64 - words.ilog2(),
            starts: vec![0; if entries == 0 { 0 } else { buckets + 1 }],
            shift: 64 - buckets.ilog2(),
            entries: vec![NONE; entries],
            filled: Vec::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    fn slot(h: u64, shift: u32) -> usize {
        usize::try_from(h >> shift).unwrap_or(0)
    }

    fn bits(h: u64) -> u64 {
        (1 << ((h >> 24) & 63)) | (1 << ((h >> 30) & 63)) | (1 << ((h >> 36) & 63))
    }

    pub(super) fn may_have(&self, h: u64) -> bool {
        let bits = Table::bits(h);
        self.filter.get(Table::slot(h, self.filter_shift)).is_some_and(|word| word & bits == bits)
    }

    pub(super) fn count(&mut self, h: u64) {
        let slot = Table::slot(h, self.shift);
        if let Some(count) = self.starts.get_mut(slot) {
            *count += 1;
        }
        if let Some(word) = self.filter.get_mut(Table::slot(h, self.filter_shift)) {
            *word |= Table::bits(h);
        }
    }

    /// After all are counted.
    pub(super) fn lay_out(&mut self) {
        let mut sum = 0;
        for start in &mut self.starts {
            (*start, sum) = (sum, sum + *start);
        }
        self.filled = self.starts.clone();
    }

    /// Enters a position of a text that begins at `start`; positions in rising order.
    pub(super) fn enter(&mut self, h: u64, at: usize, start: usize) {
        let slot = Table::slot(h, self.shift);
        let (Some(filled), Some(first), Ok(new)) =
            (self.filled.get_mut(slot), self.starts.get(slot), u32::try_from(at))
        else {
            return;
        };
        let place = *filled as usize;
        let before = place.checked_sub(PER_TEXT).filter(|before| *before >= *first as usize);
        if before.and_then(|before| self.entries.get(before)).is_some_and(|before| *before as usize >= start) {
            return;
        }
        if let Some(entry) = self.entries.get_mut(place) {
            *entry = new;
            *filled += 1;
        }
    }

    pub(super) fn entered(&mut self) {
        self.filled = Vec::new();
    }

    /// The entries of a bucket, the first text's first places first, and perhaps [`NONE`]s.
    pub(super) fn bucket(&self, h: u64) -> &[u32] {
        let slot = Table::slot(h, self.shift);
        match self.starts.get(slot..slot + 2) {
            Some([start, end]) => self.entries.get(*start as usize..*end as usize).unwrap_or_default(),
            _ => &[],
        }
    }
}

/// The hash of the gram of a level, at the start of a text that has it. It folds more than case: what it confuses is told apart by the extension.
#[inline(always)]
pub(super) fn hash(level: usize, rest: &[u8]) -> u64 {
    match level {
        0 => short_hash(rest),
        1 => long_hash::<1>(rest, gram(1)),
        2 => long_hash::<2>(rest, gram(2)),
        3 => long_hash::<4>(rest, gram(3)),
        _ => long_hash::<3>(rest, gram(4)),
    }
}

fn gram(level: usize) -> usize {
    LEVELS.get(level).map_or(8, |level| level.gram)
}

fn word(text: &[u8]) -> u64 {
    text.first_chunk::<8>().map_or(0, |w| u64::from_le_bytes(*w))
}

const FOLD: u64 = 0x2020_2020_2020_2020;

/// Of six bytes; there may be no more.
fn short_hash(rest: &[u8]) -> u64 {
    let word = match rest.first_chunk::<8>() {
        Some(word) => u64::from_le_bytes(*word),
        None => rest.iter().rev().fold(0, |word, byte| (word << 8) | u64::from(*byte)),
    };
    ((word | FOLD) << 16).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Of so many times 8 bytes and the 8 that end at `gram`.
#[inline(always)]
fn long_hash<const WORDS: usize>(rest: &[u8], gram: usize) -> u64 {
    let part = |at: usize| word(rest.get(at..).unwrap_or_default()) | FOLD;
    let mix = |h: u64, part: u64| (h ^ part).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let h = (0..WORDS).fold(0, |h, number| mix(h, part(8 * number)));
    mix(h, part(gram - 8)).wrapping_mul(0xa076_1d64_78bd_642f)
}
