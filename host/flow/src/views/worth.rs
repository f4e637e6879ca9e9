//! Which views can hold anything: a text that has no eight bytes in common with what came in, turned around and rotated or not, need not be searched.

use super::Kind;

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

/// What is looked for: the texts as they are, and what each encoding that is undone in them made of them.
#[derive(Debug)]
pub(crate) struct Wanted {
    /// With case folded; and the same for what reads the same turned around and rotated.
    plain: Grams,
    turned: Grams,
}

/// The bit of what was made by an encoding; the first for the texts themselves and what is never left out.
fn bit(kind: Option<Kind>) -> u8 {
    let known = LEFT_OUT.iter().position(|other| Some(*other) == kind);
    known.map_or(1, |at| 2 << at)
}

/// What is not looked for where it was undone too.
const LEFT_OUT: [Kind; 7] =
    [Kind::Base64, Kind::Hex, Kind::Base32, Kind::Percent, Kind::Json, Kind::Html, Kind::Digits];

/// What a text can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Worth {
    /// Something as it stands there.
    pub(crate) plain: bool,
    /// Something once it is rotated, reversed or both; the first without what an encoding that was undone here too made.
    pub(crate) rotated: bool,
    pub(crate) reversed: bool,
}

impl Worth {
    /// Of a text of which nothing is known.
    pub(crate) const ANY: Worth = Worth { plain: true, rotated: true, reversed: true };
    const NONE: Worth = Worth { plain: false, rotated: false, reversed: false };
}

impl Wanted {
    /// None where there is too much to look for.
    pub(crate) fn new<'t>(texts: impl Iterator<Item = (Option<Kind>, &'t [u8])> + Clone) -> Option<Wanted> {
        let length = texts.clone().map(|(_, text)| text.len()).sum::<usize>();
        if length > MOST {
            return None;
        }
        let mut wanted = Wanted { plain: Grams::new(length), turned: Grams::new(length) };
        for (kind, text) in texts {
            let bit = bit(kind);
            let (mut plain, mut turned) = (0, 0);
            for (at, byte) in text.iter().enumerate() {
                plain = folded(plain, *byte);
                turned = canonical(turned, *byte);
                if at + 1 >= GRAM {
                    wanted.plain.add(plain, bit);
                    wanted.turned.add(one_way(turned), bit);
                }
            }
        }
        Some(wanted)
    }

    /// What a text can hold; `undone` says whether an encoding was undone on the way to it that would have to be done again.
    pub(crate) fn worth(&self, text: &[u8], undone: impl Fn(Kind) -> bool) -> Worth {
        let turned = self.turned.in_common(text, canonical, one_way);
        if turned == 0 {
            return Worth::NONE;
        }
        self.worth_of(text, turned, undone)
    }

    fn worth_of(&self, text: &[u8], turned: u8, undone: impl Fn(Kind) -> bool) -> Worth {
        let left_out = LEFT_OUT.iter().filter(|kind| undone(**kind)).fold(0, |bits, kind| bits | bit(Some(*kind)));
        let rotated = turned & !left_out != 0;
        let plain = rotated && self.plain.in_common(text, folded, |gram| gram) & !left_out != 0;
        Worth { plain, rotated, reversed: true }
    }
}

/// The grams of some texts: for each what it is in, in bits. Two grams may share a place.
#[derive(Debug)]
struct Grams {
    of: Vec<u8>,
    shift: u32,
}

impl Grams {
    fn new(length: usize) -> Grams {
        let places = (length * 4).max(256).next_power_of_two();
        Grams { of: vec![0; places], shift: 64 - places.ilog2() }
    }

    fn place(&self, gram: u32) -> usize {
        usize::try_from(u64::from(gram).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> self.shift).unwrap_or(0)
    }

    fn add(&mut self, gram: u32, bit: u8) {
        let at = self.place(gram);
        if let Some(of) = self.of.get_mut(at) {
            *of |= bit;
        }
    }

    /// What eight bytes of the text may be in.
    fn in_common(&self, text: &[u8], next: impl Fn(u32, u8) -> u32, finish: impl Fn(u32) -> u32) -> u8 {
        let of = |at: usize| {
            let Some(gram) = text.get(at..at + GRAM) else { return 0 };
            let place = self.place(finish(gram.iter().fold(0, |gram, byte| next(gram, *byte))));
            self.of.get(place).copied().unwrap_or(0)
        };
        let mut all = 0;
        let mut at = GRAMS - 1;
        // Every run of so many grams has one at a multiple of that.
        while at + GRAM <= text.len() {
            let here = of(at);
            if here & !all != 0 {
                // The grams around it, and what all of any five in a row are in.
                let mut around = [0; 2 * GRAMS - 1];
                for (of_gram, place) in around.iter_mut().zip(at + 1 - GRAMS..) {
                    *of_gram = if place == at { here } else { of(place) };
                }
                let in_all = |grams: &[u8]| grams.iter().fold(u8::MAX, |all, of_gram| all & of_gram);
                all |= around.windows(GRAMS).map(in_all).fold(0, |any, of_run| any | of_run);
            }
            at += GRAMS;
        }
        all
    }
}

fn folded(gram: u32, byte: u8) -> u32 {
    (gram >> 8) | (u32::from(byte.to_ascii_lowercase()) << 24)
}

fn canonical(gram: u32, byte: u8) -> u32 {
    (gram >> 8) | (u32::from(CANON.get(usize::from(byte)).copied().unwrap_or(byte)) << 24)
}

/// The same for a gram and its reverse.
fn one_way(gram: u32) -> u32 {
    gram.min(gram.swap_bytes())
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
            let wanted = format!("{a}{common}{c}");
            let wanted = Wanted::new([(None, wanted.as_bytes())].into_iter()).unwrap();
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
            let worth = wanted.worth(&text, |_| false);
            prop_assert!(worth.rotated && worth.reversed);
            prop_assert!(worth.plain || reversed || rotated);
        }
    }

    #[test]
    fn what_is_not_there_is_mostly_not_seen() {
        let wanted = |kind| Wanted::new([(kind, &b"k7Qz2mXpW9tR4vLs8bNcY3hJ"[..])].into_iter()).unwrap();
        let worth = |text: &[u8]| wanted(None).worth(text, |_| false);
        assert_eq!(worth(b"the quick brown fox jumps over k7Qz2mX and then some more of it"), Worth::NONE);
        assert_eq!(worth(b"the quick brown fox jumps over K7qZ2MxP and then some more of it"), Worth::ANY);
        assert_eq!(worth(b"k7Qz2mX"), Worth::NONE);
        assert_eq!(worth(b"k7Qz2mXp"), Worth::ANY);
        let turned = Worth { plain: false, ..Worth::ANY };
        assert_eq!(worth(b"pXm2zQ7k"), turned);
        assert_eq!(worth(b"x7Dm2zKc"), turned);
        // What was base64 and is now in base64 again is no more surprising than it was, unless it was turned around between.
        let again = wanted(Some(Kind::Base64)).worth(b"k7Qz2mXp", |kind| kind == Kind::Base64);
        assert_eq!(again, Worth { reversed: true, ..Worth::NONE });
    }
}
