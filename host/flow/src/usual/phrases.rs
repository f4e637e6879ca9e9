//! Phrases that everybody uses: licences, idioms of languages and formats, headers, messages. A text is compared with three lists of them, eight
//! bytes and more, to the letter.

use crate::rarity;
use std::sync::OnceLock;

const LISTS: [&str; 3] = [include_str!("code.txt"), include_str!("formats.txt"), include_str!("prose.txt")];
const GRAM: usize = 8;
/// What one costs: as much as a word.
const PHRASE: u32 = 4 * rarity::UNIT;
/// Places of one beginning that are followed.
const TRIES: usize = 16;

struct Phrases {
    text: Vec<u8>,
    /// For each slot the last place with that beginning, and for each place the one before it; `NONE` for none.
    heads: Vec<u32>,
    before: Vec<u32>,
}

const NONE: u32 = u32::MAX;
const SLOTS_LOG: u32 = 16;

fn slot(gram: &[u8; GRAM]) -> usize {
    let hash = u64::from_le_bytes(*gram).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    usize::try_from(hash >> (64 - SLOTS_LOG)).unwrap_or(0)
}

fn phrases() -> &'static Phrases {
    static PHRASES: OnceLock<Phrases> = OnceLock::new();
    PHRASES.get_or_init(|| {
        let text = LISTS.join("\n").into_bytes();
        let mut heads = vec![NONE; 1 << SLOTS_LOG];
        let mut before = vec![NONE; text.len()];
        for at in 0..text.len() {
            let gram = text.get(at..).and_then(<[u8]>::first_chunk);
            if let Some(head) = gram.and_then(|gram| heads.get_mut(slot(gram)))
                && let (Some(before), Ok(place)) = (before.get_mut(at), u32::try_from(at))
            {
                *before = *head;
                *head = place;
            }
        }
        Phrases { text, heads, before }
    })
}

impl Phrases {
    /// The length of the longest phrase, or part of one, at the start of a text; 0 below eight bytes.
    fn longest(&self, rest: &[u8]) -> usize {
        let Some(gram) = rest.first_chunk::<GRAM>() else { return 0 };
        let mut at = self.heads.get(slot(gram)).copied().unwrap_or(NONE);
        let mut longest = 0;
        for _ in 0..TRIES {
            let Some(phrase) = self.text.get(at as usize..) else { break };
            longest = longest.max(rest.iter().zip(phrase).take_while(|(a, b)| a == b).count());
            at = self.before.get(at as usize).copied().unwrap_or(NONE);
        }
        if longest >= GRAM { longest } else { 0 }
    }
}

/// What a text is made of: stretches that are phrases or not, from the left.
fn stretches(text: &[u8], mut each: impl FnMut(&[u8], bool)) {
    let phrases = phrases();
    let (mut from, mut at) = (0, 0);
    while at < text.len() {
        let length = phrases.longest(text.get(at..).unwrap_or_default());
        if length == 0 {
            at += 1;
            continue;
        }
        if from < at {
            each(text.get(from..at).unwrap_or_default(), false);
        }
        each(text.get(at..at + length).unwrap_or_default(), true);
        at += length;
        from = at;
    }
    if from < text.len() {
        each(text.get(from..).unwrap_or_default(), false);
    }
}

pub(super) fn weight(text: &[u8]) -> u32 {
    let mut sum = 0_u32;
    stretches(text, |part, is_phrase| {
        let bits = rarity::bits(part);
        sum = sum.saturating_add(if is_phrase { bits.min(PHRASE) } else { bits });
    });
    sum
}

/// Whether phrases make up three fifths of a text.
pub(super) fn explain_most(text: &[u8]) -> bool {
    if text.len() < GRAM {
        return false;
    }
    let mut sum = 0;
    stretches(text, |part, is_phrase| sum += if is_phrase { part.len() } else { 0 });
    sum * 5 >= text.len() * 3
}
