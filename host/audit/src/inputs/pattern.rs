//! The patterns of a schema: asked whether a text matches, and read to make one that does.
//!
//! They are written for ECMAScript; what Rust's linear-time engine has no word for (looking around, references back) is not known, and texts for
//! it come from the schema's own examples only.

use super::random::Random;
use regex::{Regex, RegexBuilder};
use regex_syntax::hir::{Class, Hir, HirKind};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;

/// Sizes of a compiled pattern that are tried, in bytes. The engine may look at all its states for each byte of a text, some 0.4 us for each KiB.
const SIZES: [usize; 2] = [4 << 10, 32 << 10];
/// Steps of 100 ns that one byte of a text may take, by KiB of the pattern.
const STEPS_PER_KIB: u64 = 4;
/// Bytes of a text that is matched: longer ones would take half a second.
const MAX_TEXT: usize = 16 << 10;
/// Parts of a pattern that are gone through to make a text. Repetitions within each other may make nothing a million times.
const MAX_PARTS: u32 = 100_000;
/// Characters of a pattern that is read.
const MAX_WRITTEN: usize = 4 << 10;
/// Patterns that are remembered.
const MAX_KNOWN: usize = 256;
/// Characters that a made text has.
const MAX_MADE: usize = 16 << 10;
/// Repetitions made where a pattern sets no end.
const REPEATED: u32 = 3;

/// Compiled patterns by their text.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// With the steps that a byte may take.
    known: RefCell<HashMap<String, Option<(Regex, u64)>>>,
    spent: Cell<u64>,
}

impl Patterns {
    /// Whether the pattern matches somewhere in the text; none where the pattern can't be read, or the text is too long for it.
    pub(super) fn matches(&self, guest_pattern: &str, text: &str) -> Option<bool> {
        let mut known = self.known.borrow_mut();
        if text.len() > MAX_TEXT || (known.len() >= MAX_KNOWN && !known.contains_key(guest_pattern)) {
            return None;
        }
        let compiled = known.entry(guest_pattern.to_owned()).or_insert_with(|| {
            let translated = translated(guest_pattern)?;
            SIZES.into_iter().find_map(|size| {
                let regex = RegexBuilder::new(&translated).size_limit(size).dfa_size_limit(8 * size).build().ok()?;
                Some((regex, u64::try_from(size >> 10).unwrap_or(u64::MAX) * STEPS_PER_KIB))
            })
        });
        let (regex, steps) = compiled.as_ref()?;
        self.spent.set(self.spent.get() + steps * u64::try_from(text.len()).unwrap_or(u64::MAX));
        Some(regex.is_match(text))
    }

    /// Steps that matching may have taken so far.
    pub(super) fn spent(&self) -> u64 {
        self.spent.get()
    }
}

/// ECMAScript's classes are of ASCII.
fn translated(guest_pattern: &str) -> Option<String> {
    if guest_pattern.len() > MAX_WRITTEN {
        return None;
    }
    let mut text = String::with_capacity(guest_pattern.len());
    let mut rest = guest_pattern.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            text.push(c);
            continue;
        }
        match rest.next()? {
            'd' => text.push_str("[0-9]"),
            'D' => text.push_str("[^0-9]"),
            'w' => text.push_str("[0-9A-Za-z_]"),
            'W' => text.push_str("[^0-9A-Za-z_]"),
            'Z' | 'A' | 'z' => return None,
            escaped => text.extend(['\\', escaped]),
        }
    }
    Some(text)
}

/// A text that the pattern matches, or nearly: whoever asks checks it. `least` is how long it should be.
pub(super) fn made(guest_pattern: &str, least: usize, random: &mut Random) -> Option<String> {
    let hir = regex_syntax::parse(&translated(guest_pattern)?).ok()?;
    // What is repeated without an end gets more of it until there is enough.
    for more in [0_u32, REPEATED, 16, 64, 256, 1024] {
        let mut text = String::new();
        make(&hir, more, random, &mut text, 0, &mut { MAX_PARTS })?;
        if text.chars().count() >= least {
            return Some(text);
        }
    }
    None
}

fn make(hir: &Hir, more: u32, random: &mut Random, text: &mut String, depth: u32, left: &mut u32) -> Option<()> {
    *left = left.checked_sub(1)?;
    if depth > 64 || text.len() > MAX_MADE {
        return None;
    }
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => {}
        HirKind::Literal(literal) => text.push_str(std::str::from_utf8(&literal.0).ok()?),
        HirKind::Class(Class::Unicode(class)) => {
            let plain = |c: char| c.is_ascii_alphanumeric();
            let ranges: Vec<(char, char)> = class.ranges().iter().take(64).map(|r| (r.start(), r.end())).collect();
            let letters: Vec<char> = ('0'..='z')
                .filter(|&c| plain(c) && ranges.iter().any(|(from, to)| (*from..=*to).contains(&c)))
                .collect();
            let visible = ranges.iter().find_map(|&(from, to)| (from.max('!')..=to).next());
            text.push(random.pick(&letters).copied().or(visible).or_else(|| ranges.first().map(|range| range.0))?);
        }
        HirKind::Class(Class::Bytes(class)) => {
            let byte = class.ranges().iter().map(|range| range.start()).find(u8::is_ascii)?;
            text.push(char::from(byte));
        }
        HirKind::Repetition(repetition) => {
            let wanted = repetition.min.saturating_add(more);
            let times = repetition.max.map_or(wanted, |max| wanted.min(max)).max(repetition.min);
            for _ in 0..times {
                make(&repetition.sub, more, random, text, depth + 1, left)?;
            }
        }
        HirKind::Capture(capture) => make(&capture.sub, more, random, text, depth + 1, left)?,
        HirKind::Concat(parts) => {
            for part in parts {
                make(part, more, random, text, depth + 1, left)?;
            }
        }
        HirKind::Alternation(arms) => make(random.pick(arms)?, more, random, text, depth + 1, left)?,
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pattern_what_is_made_matches() {
        let patterns = Patterns::default();
        let mut random = Random::new(7);
        for pattern in [
            "^(0|-?[1-9][0-9]{0,18})$",
            "^[a-z]+(-[a-z]+)*$",
            r"^\d{4}-\d{2}-\d{2}$",
            r"^[\w.+-]+@[\w-]+\.[a-z]{2,}$",
            "^(GET|POST)$",
            "^#[0-9a-fA-F]{6}$",
            "x",
            "",
            r"^\/[a-z\/]+$",
        ] {
            for least in [0, 5] {
                if let Some(text) = made(pattern, least, &mut random) {
                    assert_eq!(patterns.matches(pattern, &text), Some(true), "{pattern} {text}");
                } else {
                    assert!(least > 0, "{pattern}");
                }
            }
        }
    }

    #[test]
    fn pattern_that_can_not_be_read_is_not_known() {
        let patterns = Patterns::default();
        for pattern in ["(?=a)b", r"(a)\1", "[", "(((((a{100}){100}){100}){100}){100})"] {
            assert_eq!(patterns.matches(pattern, "a"), None, "{pattern}");
        }
        assert_eq!(patterns.matches(r"^\d$", "\u{0663}"), Some(false), "an Arabic digit is none for ECMAScript");
    }

    #[test]
    fn pattern_of_a_bomb_makes_nothing_and_must_not_hang() {
        let mut random = Random::new(7);
        assert_eq!(made("((((a{1000}){1000}){1000}){1000})", 0, &mut random), None);
        assert_eq!(made("((((a?){1000}){1000}){1000})", 0, &mut random), None, "nothing, a thousand million times");
    }
}
