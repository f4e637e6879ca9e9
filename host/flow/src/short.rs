//! Secrets of three to seven bytes, seen whole and standing alone: `4711`, `hunter2`. Weak evidence, and only in short outputs:
//! a number like it stands in every long one.
//!
//! And longer ones of common words, which are all that their source holds: `top-secret`, or a phrase in a file. Words cost little because texts share
//! them; that one stands alone with the same joints in the same places is more than that, and still weak evidence.

use crate::rarity;
use customs_ledger::material::SourceKind;
use std::borrow::Cow;
use std::collections::HashMap;

/// Bits beyond what a text of so many words has by chance.
const MARGIN: u32 = 10 * rarity::UNIT;
pub(crate) const SHORTEST: usize = 3;
/// The longest values that are looked for as a whole here.
const LONGEST: usize = 64;
/// What the words of such a value must cost together, and the words of a text in which it is looked for.
const JOINED: u32 = 8 * rarity::UNIT;
const JOINED_WORDS: usize = 2_000;

/// Whether all of a source may be looked for as one value: by its length, and not what is known about a file or stands in a listing.
pub(crate) fn may_be(kind: SourceKind, value: &[u8]) -> bool {
    let about = matches!(kind, SourceKind::Metadata | SourceKind::Listing | SourceKind::Link);
    value.len() < crate::index::SHORTEST || (value.len() <= LONGEST && !about)
}

/// A value as it may stand in a text.
#[derive(Clone, Debug)]
struct Value<'a> {
    number: usize,
    bytes: Cow<'a, [u8]>,
    /// What the value itself costs.
    bits: u32,
    /// What was put on it.
    how: Option<&'static str>,
}

/// A value in a text: its number, from, to, and what was put on it.
pub(crate) type Place = (usize, usize, usize, Option<&'static str>);

/// Short values to look for, by their first three bytes.
#[derive(Debug, Default)]
pub(crate) struct Values<'a> {
    by_start: HashMap<[u8; 3], Vec<Value<'a>>>,
}

impl<'a> Values<'a> {
    /// Adds a value if it is one that could mean something: not what everybody has, and more than letters of one case. `ask` is what the size
    /// of the sinks asks for: longer values that cost more than that are found anyway.
    pub(crate) fn add(&mut self, number: usize, value: &'a [u8], is_private: bool, ask: u32) {
        let (Some(start), false) = (value.first_chunk::<3>(), rarity::is_common_value(value)) else { return };
        let bits = rarity::bits(value);
        let may = if value.len() < crate::index::SHORTEST {
            let plain = value.iter().all(u8::is_ascii_lowercase) || value.iter().all(u8::is_ascii_uppercase);
            let capital = value.split_first().is_some_and(|(_, rest)| rest.iter().all(u8::is_ascii_lowercase));
            !plain && !capital && bits >= MARGIN
        } else {
            let found_anyway = bits >= rarity::WHOLE_MARGIN + ask + 2 * rarity::STEP;
            value.len() <= LONGEST
                && !found_anyway
                && bits >= JOINED
                && (is_joined(value) || (is_private && is_phrase(value)))
        };
        if may {
            let plain = Value { number, bytes: Cow::Borrowed(value), bits, how: None };
            self.by_start.entry(*start).or_default().push(plain);
            // Too short for a view of what is encoded.
            if value.len() < crate::index::SHORTEST {
                for (how, bytes) in [("base64", base64(value)), ("hex", hex(value))] {
                    let Some(start) = bytes.first_chunk::<3>().copied() else { continue };
                    let value = Value { number, bytes: Cow::Owned(bytes), bits, how: Some(how) };
                    self.by_start.entry(start).or_default().push(value);
                }
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_start.is_empty()
    }

    /// Where each value stands alone in a text.
    pub(crate) fn places(&self, text: &[u8]) -> Vec<Place> {
        let mut places = Vec::new();
        let words = text.split(|b| !b.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).count().max(1);
        let ask = MARGIN + rarity::log2(words as u64);
        let alone = |at: Option<usize>| at.and_then(|at| text.get(at)).is_none_or(|b| !b.is_ascii_alphanumeric());
        for (at, start) in text.windows(SHORTEST).enumerate() {
            let Some(values) = start.first_chunk::<3>().and_then(|start| self.by_start.get(start)) else { continue };
            for Value { number, bytes, bits, how } in values {
                let end = at + bytes.len();
                let enough = match bytes.len() {
                    _ if how.is_some() => *bits >= ask,
                    ..crate::index::SHORTEST => *bits >= ask,
                    _ if bytes.contains(&b' ') => *bits >= JOINED + rarity::log2(words as u64),
                    _ => words <= JOINED_WORDS,
                };
                if enough && text.get(at..end) == Some(bytes) && alone(at.checked_sub(1)) && alone(Some(end)) {
                    places.push((*number, at, end, *how));
                }
            }
        }
        places
    }
}

/// Without its padding.
fn base64(value: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let chars = value.chunks(3).flat_map(|chunk| {
        let word = (0..3).fold(0_usize, |word, at| (word << 8) | chunk.get(at).map_or(0, |b| usize::from(*b)));
        (0..=chunk.len()).map(move |at| ALPHABET.get((word >> (18 - 6 * at)) & 63).copied().unwrap_or(b'A'))
    });
    chars.collect()
}

fn hex(value: &[u8]) -> Vec<u8> {
    value.iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).collect()
}

/// Words, letters and digits with joints between them, as names and pass phrases have; no path, header, date, locale or version.
fn is_joined(value: &[u8]) -> bool {
    let parts: Vec<&[u8]> =
        value.split(|b| !b.is_ascii_alphanumeric()).filter(|part| part.iter().any(u8::is_ascii_alphabetic)).collect();
    let header = parts.iter().all(|part| {
        part.split_first()
            .is_some_and(|(first, rest)| first.is_ascii_uppercase() && rest.iter().all(u8::is_ascii_lowercase))
    });
    let locale = value.len() >= 5 && value.get(value.len() - 5..).is_some_and(|end| end.eq_ignore_ascii_case(b"utf-8"));
    let version = parts.len() < 2 && value.iter().filter(|b| b.is_ascii_digit()).count() * 2 >= parts.concat().len();
    value.iter().all(u8::is_ascii_graphic)
        && !value.iter().any(|b| matches!(b, b'/' | b'\\' | b':'))
        && value.iter().any(|b| !b.is_ascii_alphanumeric())
        && !parts.is_empty()
        && !header
        && !locale
        && !version
}

/// Three or more words with blanks between.
fn is_phrase(value: &[u8]) -> bool {
    let words = value.split(|b| *b == b' ').filter(|word| word.iter().any(u8::is_ascii_alphabetic)).count();
    words >= 3 && value.iter().all(|b| b.is_ascii_graphic() || *b == b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(value: &str, text: &str) -> usize {
        let mut values = Values::default();
        values.add(0, value.as_bytes(), true, 0);
        values.places(text.as_bytes()).len()
    }

    #[test]
    fn a_short_secret_is_seen_where_it_stands_alone_in_a_short_text() {
        assert_eq!(places("4711", "pin: 4711"), 1);
        assert_eq!(places("4711", "pin: 47112"), 0);
        assert_eq!(places("hunter2", "password=hunter2;"), 1);
        assert_eq!(places("4711", &format!("{} 4711", "word ".repeat(500))), 0);
    }

    #[test]
    fn what_everybody_has_is_no_secret() {
        for value in
            ["true", "1", "UTC", "root", "bash", "john", "abcd", "1234", "0000", "John", "2024", "yes", "en_US"]
        {
            assert_eq!(places(value, value), 0, "{value}");
        }
    }
}
