//! Places of grams: buckets of places by hash, and a filter that answers most questions without a look at them.

use super::{LEVELS, NONE};

/// Entries of one text in a bucket. Fewer lose places of what repeats itself, more make repetitive texts slow: this is the factor.
const PER_TEXT: u32 = 16;
/// In a bucket's count: entries were left out.
const CUT: u32 = 1 << 31;

#[derive(Clone, Copy, Debug)]
struct Bucket {
    /// The position that was entered last.
    head: u32,
    /// Entries of its text; the high bit where one was left out.
    count: u32,
}

pub(super) struct Table {
    pub(super) is_empty: bool,
    /// Two bits for each entry, in one word.
    filter: Vec<u64>,
    filter_shift: u32,
    buckets: Vec<Bucket>,
    shift: u32,
}

impl Table {
    pub(super) fn new(entries: usize) -> Table {
        let buckets = (entries / 2).max(16).next_power_of_two();
        let words = (entries / 4).max(16).next_power_of_two();
        Table {
            is_empty: entries == 0,
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

    pub(super) fn may_have(&self, h: u64) -> bool {
        let bits = Table::bits(h);
        self.filter.get(Table::slot(h, self.filter_shift)).is_some_and(|word| word & bits == bits)
    }

    /// Enters a position of the text `start..end` after all of that text that are entered already; `next` is the place for the entry after it.
    pub(super) fn enter(&mut self, h: u64, at: usize, (start, end): (usize, usize), next: &mut u32) {
        let (Some(bucket), Ok(new)) = (self.buckets.get_mut(Table::slot(h, self.shift)), u32::try_from(at)) else {
            return;
        };
        if bucket.head == NONE || !(start..end).contains(&(bucket.head as usize)) {
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
    pub(super) fn first(&self, h: u64) -> (u32, bool) {
        self.buckets.get(Table::slot(h, self.shift)).map_or((NONE, false), |b| (b.head, b.count & CUT != 0))
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
