//! Which views can hold anything: a text that has no eight bytes in common with what came in, turned around and rotated or not, need not be searched.

/// From byte to what it and its other readings have in common: upper and lower case, and a letter and the one 13 places on.
static CANON: [u8; 256] = canon();

#[expect(clippy::indexing_slicing, reason = "made while compiling, where a panic is an error of the build")]
#[expect(clippy::cast_possible_truncation, reason = "below 256")]
const fn canon() -> [u8; 256] {
    let mut canon = [0; 256];
    let mut at = 0;
    while at < 256 {
        let lower = (at as u8).to_ascii_lowercase();
        canon[at] = if matches!(lower, b'n'..=b'z') { lower - 13 } else { lower };
        at += 1;
    }
    canon
}

const GRAM: usize = 4;
/// Grams that eight bytes have.
const GRAMS: usize = crate::index::SHORTEST - GRAM + 1;
/// More than this to look for, and nearly everything has something of it.
const MOST: usize = 1 << 18;

/// The grams of some texts, in one bit each: a gram that is not there is in none of them.
#[derive(Debug)]
pub(crate) struct Grams {
    bits: Vec<u64>,
    shift: u32,
}

impl Grams {
    /// None where there is too much to look for.
    pub(crate) fn new<'t>(texts: impl Iterator<Item = &'t [u8]> + Clone) -> Option<Grams> {
        let length = texts.clone().map(<[u8]>::len).sum::<usize>();
        if length > MOST {
            return None;
        }
        let words = (length / 4).max(32).next_power_of_two();
        let mut grams = Grams { bits: vec![0; words], shift: 64 - (words.ilog2() + 6) };
        for text in texts {
            let mut gram = 0;
            for (at, byte) in text.iter().enumerate() {
                gram = next(gram, *byte);
                if at + 1 >= GRAM {
                    let h = hash(gram) >> grams.shift;
                    if let Some(word) = usize::try_from(h >> 6).ok().and_then(|at| grams.bits.get_mut(at)) {
                        *word |= 1 << (h & 63);
                    }
                }
            }
        }
        Some(grams)
    }

    /// Whether eight bytes of the text may be in those.
    pub(crate) fn may_hold(&self, text: &[u8]) -> bool {
        let has = |at: usize| text.get(at..at + GRAM).is_some_and(|gram| self.has(gram));
        let mut at = GRAMS - 1;
        // Every run of so many grams has one at a multiple of that.
        while at + GRAM <= text.len() {
            if has(at) {
                let back = (at.saturating_sub(GRAMS - 1)..at).rev().take_while(|at| has(*at)).count();
                let forth = (at + 1..at + GRAMS).take_while(|at| has(*at)).count();
                if back + 1 + forth >= GRAMS {
                    return true;
                }
            }
            at += GRAMS;
        }
        false
    }

    fn has(&self, gram: &[u8]) -> bool {
        let h = hash(gram.iter().fold(0, |gram, byte| next(gram, *byte))) >> self.shift;
        usize::try_from(h >> 6).ok().and_then(|at| self.bits.get(at)).is_some_and(|word| word >> (h & 63) & 1 == 1)
    }
}

fn next(gram: u32, byte: u8) -> u32 {
    (gram >> 8) | (u32::from(CANON.get(usize::from(byte)).copied().unwrap_or(byte)) << 24)
}

/// The same for a gram and its reverse.
fn hash(gram: u32) -> u64 {
    u64::from(gram.min(gram.swap_bytes())).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Whatever is common, turned around or rotated, is never said not to be there.
        #[test]
        fn eight_common_bytes_are_always_seen(
            common in "[a-zA-Z0-9 .]{8,20}", a in "[a-z]{0,12}", b in "[ -~]{0,30}", c in "[ -~]{0,12}", reversed in any::<bool>(), rotated in any::<bool>(),
        ) {
            let grams = Grams::new([format!("{a}{common}{c}").as_bytes()].into_iter()).unwrap();
            let mut shown: Vec<u8> = common.to_ascii_uppercase().into_bytes();
            if reversed {
                shown.reverse();
            }
            if rotated {
                for byte in shown.iter_mut().filter(|b| b.is_ascii_alphabetic()) {
                    *byte = (*byte - b'A' + 13) % 26 + b'A';
                }
            }
            let text = [b.as_bytes(), &shown, a.as_bytes()].concat();
            prop_assert!(grams.may_hold(&text));
        }
    }

    #[test]
    fn what_is_not_there_is_mostly_not_seen() {
        let grams = Grams::new([&b"k7Qz2mXpW9tR4vLs8bNcY3hJ"[..]].into_iter()).unwrap();
        assert!(!grams.may_hold(b"the quick brown fox jumps over k7Qz2mX and then some more of it"));
        assert!(grams.may_hold(b"the quick brown fox jumps over K7qZ2MxP and then some more of it"));
        assert!(!grams.may_hold(b"k7Qz2mX"));
        assert!(grams.may_hold(b"k7Qz2mXp"));
    }
}
