//! Which runs of a few bytes stand somewhere in a large text: a filter that says `no` for certain and `perhaps` cheaply.

/// Bytes of a run. Three runs follow each other in every eight bytes.
const RUN: usize = 6;
/// Bits of the filter for each run, and how many of them a run sets: one in 200 that is not there looks as if it were, three in a row one in
/// eight million.
const BITS: usize = 16;
const SET: u32 = 3;

/// Letters have one case in here.
#[derive(Debug, Default)]
pub(crate) struct Marks {
    bits: Vec<u64>,
    runs: usize,
}

impl Marks {
    /// A filter with room for texts of so many bytes.
    pub(crate) fn with_room(bytes: usize) -> Marks {
        let words = (bytes.max(64) * BITS / 64).next_power_of_two();
        Marks { bits: vec![0; words], runs: 0 }
    }

    /// Whether so many bytes more are more than it was made for.
    pub(crate) fn is_full_with(&self, bytes: usize) -> bool {
        (self.runs + bytes) * BITS > self.bits.len() * 64
    }

    pub(crate) fn add(&mut self, text: &[u8]) {
        for run in text.windows(RUN) {
            let hash = hash(run);
            for step in 0..SET {
                let (word, bit) = place(hash, step, self.bits.len());
                if let Some(word) = self.bits.get_mut(word) {
                    *word |= bit;
                }
            }
        }
        self.runs += text.len();
    }

    fn has(&self, run: &[u8]) -> bool {
        let hash = hash(run);
        (0..SET).all(|step| {
            let (word, bit) = place(hash, step, self.bits.len());
            self.bits.get(word).is_some_and(|word| word & bit != 0)
        })
    }

    /// The ranges of a text, eight bytes and longer, whose every run is marked: what it has in common with the texts lies in one of them.
    pub(crate) fn ranges<'t>(&'t self, text: &'t [u8]) -> impl Iterator<Item = (usize, usize)> + 't {
        let mut at = 0;
        std::iter::from_fn(move || {
            loop {
                let runs = text.get(at..)?.windows(RUN);
                let from = at + runs.clone().position(|run| self.has(run))?;
                let length = text.get(from..)?.windows(RUN).take_while(|run| self.has(run)).count();
                at = from + length;
                let to = from + length + RUN - 1;
                if to - from >= crate::index::SHORTEST {
                    return Some((from, to));
                }
            }
        })
    }
}

fn hash(run: &[u8]) -> u64 {
    let packed = run.iter().fold(0_u64, |sum, b| (sum << 8) | u64::from(b.to_ascii_lowercase()));
    let mixed = packed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed ^ (mixed >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93)
}

/// The word and the bit of a step, in a filter whose length is a power of two.
fn place(hash: u64, step: u32, words: usize) -> (usize, u64) {
    let turned = hash.rotate_left(step * 21);
    let word = usize::try_from(turned >> 20).unwrap_or(0) & words.saturating_sub(1);
    (word, 1 << (turned & 63))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_never_missed_and_what_is_not_seldom_seen() {
        let text: Vec<u8> = (0_u32..40_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13).to_le_bytes()[0]).collect();
        let mut marks = Marks::with_room(text.len());
        marks.add(&text);
        assert_eq!(marks.ranges(&text).collect::<Vec<_>>(), [(0, text.len())]);
        for at in (0..text.len() - 8).step_by(97) {
            let inside = [b"....", &text[at..at + 8], b"...."].concat();
            assert!(marks.ranges(&inside).any(|(from, to)| from <= 4 && to >= 12), "{at}");
        }
        let other: Vec<u8> = (0_u32..200_000).map(|n| (n.wrapping_mul(2_246_822_519) >> 11).to_le_bytes()[0]).collect();
        assert!(marks.ranges(&other).count() <= 2);
        assert!(!marks.is_full_with(0) && marks.is_full_with(1 << 20));
    }

    #[test]
    fn short_and_empty_texts_have_no_runs() {
        let mut marks = Marks::with_room(0);
        marks.add(b"abc");
        assert_eq!(marks.ranges(b"").count() + marks.ranges(b"abcdefgh").count(), 0);
        marks.add(b"ABCDEFGH");
        assert_eq!(marks.ranges(b"xabcdefghx").collect::<Vec<_>>(), [(1, 9)]);
    }
}
