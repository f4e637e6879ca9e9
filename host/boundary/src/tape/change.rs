//! A source with other bytes: of the same length and the same classes of characters, and always the same for one seed.
//!
//! Letters stay letters of their case, digits digits; what is neither stays as it is, so that JSON stays JSON and a path a path. Of bytes
//! beyond ASCII the low four bits of those that continue a character change, so that UTF-8 stays UTF-8. A source without any of these has
//! its other characters changed.
//!
//! The first seeds move every character by the same odd number of places. That turns the lowest bit of each, and between them every bit
//! that can differ within a class: a branch on one bit of one character is taken the other way by one of them. The later seeds move each
//! character by a number of its own, so that what the first ones leave alike (a difference of two characters) changes too.

use bytes::Bytes;
use customs_ledger::material::SourceKind;

/// How many seeds change every character by the same number.
pub const EVEN_SEEDS: u32 = 5;
/// All seeds that are tried.
pub const SEEDS: u32 = 8;

/// What is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// The bytes; the length stays.
    Content(u32),
    /// The length, to this many bytes of what it was.
    Length(u64),
}

/// One source, changed on a replay.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: SourceKind,
    /// As the report names it.
    pub name: String,
    pub extent: Extent,
    /// It has neither letters, digits nor bytes beyond ASCII: everything in it is changed.
    pub plain: bool,
}

/// Whether there is nothing in it that is changed by default.
#[must_use]
pub fn is_plain(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
}

impl Change {
    /// The bytes that stand in for `bytes`, which began at `offset` of the source.
    #[must_use]
    pub fn bytes(&self, offset: u64, bytes: &[u8]) -> Vec<u8> {
        match self.extent {
            Extent::Content(seed) => {
                let each = |(at, byte): (u64, &u8)| other(*byte, seed, at, self.plain);
                (offset..).zip(bytes).map(each).collect()
            }
            Extent::Length(to) => {
                let left = usize::try_from(to.saturating_sub(offset)).unwrap_or(usize::MAX);
                bytes.get(..left.min(bytes.len())).unwrap_or_default().to_vec()
            }
        }
    }

    #[must_use]
    pub(crate) fn shared(&self, offset: u64, bytes: &Bytes) -> Bytes {
        Bytes::from(self.bytes(offset, bytes))
    }

    /// A text that is there at once, such as a variable. It may grow too.
    #[must_use]
    pub fn text(&self, text: &str) -> String {
        let mut changed = self.bytes(0, text.as_bytes());
        if let Extent::Length(to) = self.extent {
            let to = usize::try_from(to).unwrap_or(text.len()).min(text.len().saturating_mul(2).max(1));
            while changed.len() < to {
                changed.push(b'x');
            }
        }
        match String::from_utf8(changed) {
            Ok(text) => text,
            // Cut within a character.
            Err(e) => {
                let valid = e.utf8_error().valid_up_to();
                String::from_utf8_lossy(e.as_bytes().get(..valid).unwrap_or_default()).into_owned()
            }
        }
    }

    /// Whether the source ends before this offset now.
    pub(crate) fn is_past(&self, offset: u64) -> bool {
        matches!(self.extent, Extent::Length(to) if offset >= to)
    }
}

/// Odd, so that the lowest bit turns: 26 and 10 are even, and the wrap keeps that. The fewest that together turn every other bit too.
const STEPS: [u8; 5] = [1, 3, 5, 9, 17];

fn step(seed: u32, at: u64) -> u8 {
    if let Some(step) = usize::try_from(seed).ok().and_then(|seed| STEPS.get(seed)) {
        return *step;
    }
    // SplitMix64, so that neighbours have nothing to do with each other.
    let mut z =
        at.wrapping_add(u64::from(seed).wrapping_mul(0x9e37_79b9_7f4a_7c15)).wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let [low, ..] = (z ^ (z >> 31)).to_le_bytes();
    low
}

fn other(byte: u8, seed: u32, at: u64, plain: bool) -> u8 {
    let step = step(seed, at);
    // From 1 to size - 1: never the same character.
    let moved = |first: u8, size: u8| {
        let by = step % size;
        let by = if by == 0 { 1 } else { by };
        first + (byte - first + by) % size
    };
    match byte {
        b'a'..=b'z' => moved(b'a', 26),
        b'A'..=b'Z' => moved(b'A', 26),
        b'0'..=b'9' => moved(b'0', 10),
        0x80..=0xbf => (byte & 0xf0) | ((byte & 0x0f).wrapping_add(step % 15 + 1) & 0x0f),
        0xc0.. => byte,
        // Line ends stay where they are even here.
        b'\n' | b'\r' | b'\t' => byte,
        _ if plain => byte ^ (1 << (step & 3)),
        _ => byte,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(seed: u32) -> Change {
        Change { kind: SourceKind::Env, name: "K".to_owned(), extent: Extent::Content(seed), plain: false }
    }

    #[test]
    fn a_change_keeps_length_and_classes_and_changes_every_letter_and_digit() {
        let text = "Key-42: sk_LIVE é漢 {\"a\": [1, 2]}\n";
        for seed in 0..SEEDS {
            let changed = change(seed).text(text);
            assert_eq!(changed.len(), text.len());
            for (a, b) in text.bytes().zip(changed.bytes()) {
                assert_eq!(
                    (a.is_ascii_lowercase(), a.is_ascii_uppercase(), a.is_ascii_digit()),
                    (b.is_ascii_lowercase(), b.is_ascii_uppercase(), b.is_ascii_digit())
                );
                assert_eq!(a == b, !(a.is_ascii_alphanumeric() || (0x80..0xc0).contains(&a)), "{a} {b} {seed}");
            }
            assert_eq!(changed, change(seed).text(text), "the same each time");
        }
    }

    /// What catches a branch on one bit, whichever bit and character it is.
    #[test]
    fn every_bit_that_can_differ_within_a_class_is_turned_by_some_seed() {
        for (first, last) in [(b'a', b'z'), (b'A', b'Z'), (b'0', b'9')] {
            let class = first..=last;
            for byte in class.clone() {
                let turned = (0..EVEN_SEEDS).fold(0, |bits, seed| bits | (byte ^ other(byte, seed, 0, false)));
                let can = class.clone().fold(0, |bits, one| bits | (byte ^ one));
                assert_eq!(turned & 1, 1, "{}", char::from(byte));
                assert_eq!(can & !turned, 0, "{}: {can:b} {turned:b}", char::from(byte));
            }
        }
    }

    #[test]
    fn pieces_of_a_source_change_as_the_whole_does() {
        let text = b"the quick brown fox 0123456789";
        for seed in 0..SEEDS {
            let whole = change(seed).bytes(0, text);
            let (a, b) = text.split_at(11);
            assert_eq!([change(seed).bytes(0, a), change(seed).bytes(11, b)].concat(), whole);
        }
    }

    #[test]
    fn a_length_is_cut_or_grown() {
        let to = |to| Change { extent: Extent::Length(to), ..change(0) };
        assert_eq!(to(2).text("abcd"), "ab");
        assert_eq!(to(6).text("abcd"), "abcdxx");
        assert_eq!(to(1).text("é"), "");
        assert_eq!(to(5).bytes(3, b"defg"), b"de");
        assert!(to(3).is_past(3) && !to(3).is_past(2));
    }
}
