//! Secrets of three to seven bytes, seen whole and standing alone: `4711`, `hunter2`. Weak evidence, and only in short outputs:
//! a number like it stands in every long one.

use crate::rarity;
use std::collections::HashMap;

/// Bits beyond what a text of so many words has by chance.
const MARGIN: u32 = 10 * rarity::UNIT;
pub(crate) const SHORTEST: usize = 3;

/// Its number, its bytes, and what they cost.
type Value<'a> = (usize, &'a [u8], u32);

/// Short values to look for, by their first three bytes.
#[derive(Debug, Default)]
pub(crate) struct Values<'a> {
    by_start: HashMap<[u8; 3], Vec<Value<'a>>>,
}

impl<'a> Values<'a> {
    /// Adds a value if it is one that could mean something: not what everybody has, and more than letters of one case.
    pub(crate) fn add(&mut self, number: usize, value: &'a [u8]) {
        let plain = value.iter().all(u8::is_ascii_lowercase) || value.iter().all(u8::is_ascii_uppercase);
        let capital = value.split_first().is_some_and(|(_, rest)| rest.iter().all(u8::is_ascii_lowercase));
        let (Some(start), false) = (value.first_chunk::<3>(), plain || capital || rarity::is_common_value(value))
        else {
            return;
        };
        let bits = rarity::bits(value);
        if bits >= MARGIN {
            self.by_start.entry(*start).or_default().push((number, value, bits));
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_start.is_empty()
    }

    /// Where each value stands alone in a text, as number and range.
    pub(crate) fn places(&self, text: &[u8]) -> Vec<(usize, usize, usize)> {
        let mut places = Vec::new();
        let words = text.split(|b| !b.is_ascii_alphanumeric()).filter(|w| !w.is_empty()).count().max(1);
        let ask = MARGIN + rarity::log2(words as u64);
        let alone = |at: Option<usize>| at.and_then(|at| text.get(at)).is_none_or(|b| !b.is_ascii_alphanumeric());
        for (at, start) in text.windows(SHORTEST).enumerate() {
            let Some(values) = start.first_chunk::<3>().and_then(|start| self.by_start.get(start)) else { continue };
            for (number, value, bits) in values {
                let end = at + value.len();
                if *bits >= ask && text.get(at..end) == Some(value) && alone(at.checked_sub(1)) && alone(Some(end)) {
                    places.push((*number, at, end));
                }
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(value: &str, text: &str) -> usize {
        let mut values = Values::default();
        values.add(0, value.as_bytes());
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
