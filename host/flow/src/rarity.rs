//! How surprising some bytes are: the rarity rule.
//!
//! A match is evidence only so far as it would not have happened anyway. `true`, `Content-Type` and a sentence of everyday words stand in
//! texts that have nothing to do with each other; eight random characters do not. So a match is not measured by its length, but in bits
//! under a small model of common text:
//!
//! - a word of a built-in list costs 2.5 to 5 bits, whatever its length. That is about half of what a model of running English would say:
//!   independent texts share phrases far more often than independent words would have it.
//! - other letters cost what a trigram model of that list says (about 3.5 bits where they look like a word, 5 to 6 where they do not); changes
//!   between upper and lower case and between letters and digits cost 1 to 2 bits more. No letter or digit costs more than 6 bits.
//! - digits cost 3.3 bits, hexadecimal runs 4 bits a digit, counting up or repeating next to nothing; years and round numbers 4 in all.
//! - spaces and punctuation cost 0.7 to 4 bits, other bytes up to 7; what repeats itself with a period of up to 8 bytes, 0.25 bits a byte and soon nothing.
//!
//! **When it counts.** Bytes cost what they cost where they stand, so a range may cost less in one text than in the other: the middle of a word
//! does. The lesser counts. A range that a source of `n` bytes has in common with sinks of `m` bytes in total counts when
//! `bits >= 16 + log2(n - 7) + log2(m) + 3 * steps`, where `steps` is how many encodings had to be peeled off. There are about `n * m` pairs
//! of places that could have agreed by chance; under the model at most one run in 2^16 shows a chance match for a given source. A source that is seen
//! whole has one place, not `n`: it counts from `14 + log2(m) + 3 * steps`. Where the model is wrong (a phrase that everybody uses and the list lacks), so is
//! the estimate; that is what `known` bytes, arguments and the rule about several sources are for.

use crate::words::{VALUES, WORDS};
use std::sync::OnceLock;

/// Costs are counted in eighths of a bit.
pub(crate) const UNIT: u32 = 8;
/// Bits beyond the number of comparisons: one chance match in 2^16 runs for a source.
pub(crate) const MARGIN: u32 = 16 * UNIT;
/// The same for a source that is seen whole.
pub(crate) const WHOLE_MARGIN: u32 = 14 * UNIT;
/// For each encoding that was peeled off: there are about eight that could have been tried.
pub(crate) const STEP: u32 = 3 * UNIT;

const ALNUM_MAX: u32 = 6 * UNIT;
const BYTE_MAX: u32 = 7 * UNIT;
const REPEATED: u32 = 2;
/// After so many bytes that repeat themselves, more of them say nothing at all.
const SETTLED: usize = 32;
const DIGIT: u32 = 27;
/// A date costs this, with the minute twice.
const DATE: u32 = 8 * UNIT;
const HEX_DIGIT: u32 = 4 * UNIT;

/// `log2(n)` in eighths of a bit, rounded down; 0 for 0.
pub(crate) fn log2(n: u64) -> u32 {
    let Some(whole) = n.checked_ilog2() else { return 0 };
    let rest = if whole >= 3 { n >> (whole - 3) } else { n << (3 - whole) };
    whole * UNIT + u32::try_from(rest & 7).unwrap_or(0)
}

struct Model {
    /// Open addressing over hashes of the words; 0 is free.
    words: Vec<u64>,
    /// Cost of a letter after two others; 26 stands for the start of a word.
    letters: Vec<u8>,
}

const START: usize = 26;

fn model() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(Model::new)
}

impl Model {
    fn new() -> Model {
        let mut words = vec![0_u64; 8192];
        let mut triples = vec![0_u64; 27 * 27 * 26];
        let mut pairs = vec![0_u64; 27 * 26];
        let mut singles = vec![0_u64; 26];
        for word in WORDS.split_ascii_whitespace() {
            insert(&mut words, hash(word.as_bytes()));
            let (mut a, mut b) = (START, START);
            for c in word.bytes().map(letter) {
                for (counts, at) in [(&mut triples, (a * 27 + b) * 26 + c), (&mut pairs, b * 26 + c), (&mut singles, c)]
                {
                    if let Some(count) = counts.get_mut(at) {
                        *count += 1;
                    }
                }
                (a, b) = (b, c);
            }
        }
        let total = |counts: &[u64]| counts.iter().sum::<u64>();
        let all = total(&singles);
        let mut letters = Vec::with_capacity(triples.len());
        for (context, triple) in triples.chunks(26).enumerate() {
            let pair = pairs.get(context % 27 * 26..).and_then(|p| p.get(..26)).unwrap_or_default();
            let (of_triple, of_pair) = (total(triple), total(pair));
            for ((t, p), s) in triple.iter().zip(pair).zip(&singles) {
                // Counts smoothed by the shorter context, in parts of 2^20.
                let single = ((s + 1) << 20) / (all + 26);
                let two = ((p << 20) + 4 * single) / (of_pair + 4);
                let three = ((t << 20) + 4 * two) / (of_triple + 4);
                let cost = (20 * UNIT).saturating_sub(log2(three.max(1))).clamp(4, ALNUM_MAX);
                letters.push(u8::try_from(cost).unwrap_or(u8::MAX));
            }
        }
        Model { words, letters }
    }

    fn is_word(&self, word: &[u8]) -> bool {
        if word.len() > 16 {
            return false;
        }
        contains(&self.words, hash(word))
    }

    /// The list's words and their plain endings.
    fn word(&self, word: &[u8]) -> bool {
        self.is_word(word)
            || [&b"s"[..], b"es", b"ed", b"d", b"ing", b"ly", b"er"].iter().any(|ending| {
                word.len() >= ending.len() + 3
                    && word
                        .split_at_checked(word.len() - ending.len())
                        .is_some_and(|(stem, end)| end.eq_ignore_ascii_case(ending) && self.is_word(stem))
            })
    }

    fn letter(&self, a: usize, b: usize, c: usize) -> u32 {
        self.letters.get((a * 27 + b) * 26 + c).copied().map_or(ALNUM_MAX, u32::from)
    }
}

fn letter(byte: u8) -> usize {
    usize::from((byte | 0x20).wrapping_sub(b'a')).min(25)
}

/// Of a word, upper case folded. Never 0.
fn hash(word: &[u8]) -> u64 {
    let mut h = 0xcbf2_9ce4_8422_2325_u64;
    for byte in word {
        h = (h ^ u64::from(byte | 0x20)).wrapping_mul(0x0100_0000_01b3);
    }
    (h ^ (h >> 29)) | 1
}

fn insert(table: &mut [u64], h: u64) {
    for at in places(table.len(), h) {
        if let Some(slot) = table.get_mut(at)
            && (*slot == 0 || *slot == h)
        {
            *slot = h;
            return;
        }
    }
}

fn contains(table: &[u64], h: u64) -> bool {
    places(table.len(), h).map_while(|at| table.get(at).copied().filter(|slot| *slot != 0)).any(|slot| slot == h)
}

/// Where an entry may be, in a table whose length is a power of two.
fn places(length: usize, h: u64) -> impl Iterator<Item = usize> {
    let mask = length.saturating_sub(1);
    let first = usize::try_from(h >> 40).unwrap_or(0);
    (0..length).map(move |step| (first + step) & mask)
}

/// What each byte costs, in eighths of a bit, appended to `out`: as many entries as there are bytes, none above 56. Linear.
pub(crate) fn costs(text: &[u8], out: &mut Vec<u8>) {
    let from = out.len();
    out.reserve(text.len());
    let model = model();
    let mut rest = text;
    // What stands before `rest`.
    let mut before = 0_u8;
    while let Some(&first) = rest.first() {
        let length = if first == b'1' || first == b'2' {
            let length = date(rest);
            if length > 0 && !before.is_ascii_alphanumeric() {
                spread(if length > 10 { 2 * DATE } else { DATE }, length, out);
                length
            } else {
                run(model, rest, out)
            }
        } else if first.is_ascii_alphanumeric() {
            run(model, rest, out)
        } else {
            out.push(narrow(other(before, first).min(BYTE_MAX)));
            1
        };
        let (done, left) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        before = done.last().copied().unwrap_or(0);
        rest = left;
    }
    if let Some(out) = out.get_mut(from..) {
        periods(text, out);
    }
}

/// Bytes of a text whose costs are told together, and as many of those around them as are looked at for it.
pub(crate) const BLOCK: usize = 1024;
const CONTEXT: usize = 64;

/// What the bytes of one block of a text cost where they stand, appended to `out`.
pub(crate) fn costs_of_block(text: &[u8], block: usize, out: &mut Vec<u8>) {
    let start = (block * BLOCK).min(text.len());
    let end = (start + BLOCK).min(text.len());
    let (before, length) = (start.min(CONTEXT), out.len());
    costs(text.get(start - before..(end + CONTEXT).min(text.len())).unwrap_or_default(), out);
    out.drain(length..length + before);
    out.truncate(length + end - start);
}

/// What the bytes of a text cost where they stand: all blocks. A block is the same whichever part of the text is asked for, so that two texts
/// are judged in the same way whichever of them is in an index.
pub(crate) fn all_costs(text: &[u8], out: &mut Vec<u8>) {
    for block in 0..text.len().div_ceil(BLOCK) {
        costs_of_block(text, block, out);
    }
}

/// A run of letters and digits; its length.
fn run(model: &Model, rest: &[u8], out: &mut Vec<u8>) -> usize {
    let length = rest.iter().position(|b| !b.is_ascii_alphanumeric()).unwrap_or(rest.len());
    token(model, rest.get(..length).unwrap_or_default(), out);
    length
}

/// The length of `2026-11-20` at the start, with `T10:05` where that follows: today's date stands in texts that have nothing to do with each other.
fn date(rest: &[u8]) -> usize {
    let matches = |pattern: &[u8], from: usize| {
        let text = rest.get(from..from + pattern.len()).unwrap_or_default();
        text.len() == pattern.len()
            && text
                .iter()
                .zip(pattern)
                .all(|(b, p)| if *p == b'0' { b.is_ascii_digit() } else { p == b || (*p == b'T' && *b == b' ') })
    };
    if !(rest.starts_with(b"19") || rest.starts_with(b"20")) || !matches(b"0000-00-00", 0) {
        0
    } else if matches(b"T00:00", 10) {
        16
    } else {
        10
    }
}

/// The cost of all of them.
pub(crate) fn bits(text: &[u8]) -> u32 {
    let mut out = Vec::new();
    costs(text, &mut out);
    sum(&out)
}

pub(crate) fn sum(costs: &[u8]) -> u32 {
    costs.chunks(1 << 16).fold(0_u32, |sum, chunk| sum.saturating_add(chunk.iter().map(|cost| u32::from(*cost)).sum()))
}

fn narrow(cost: u32) -> u8 {
    u8::try_from(cost).unwrap_or(u8::MAX)
}

/// Letters and digits without anything between.
fn token(model: &Model, token: &[u8], out: &mut Vec<u8>) {
    let digits = token.iter().filter(|b| b.is_ascii_digit()).count();
    if token.len() >= 8 && digits > 0 && digits < token.len() && is_hex(token) {
        out.resize(out.len() + token.len(), narrow(HEX_DIGIT));
        return;
    }
    let mut rest = token;
    let mut change = 0;
    while let Some(first) = rest.first() {
        let is_digit = first.is_ascii_digit();
        let length = rest.iter().position(|b| b.is_ascii_digit() != is_digit).unwrap_or(rest.len());
        let (run, left) = rest.split_at_checked(length).unwrap_or((rest, &[]));
        let at = out.len();
        if is_digit {
            number(run, out);
        } else {
            letters(model, run, digits > 0, out);
        }
        // What a change between letters and digits costs, on the first after it.
        if let Some(cost) = out.get_mut(at) {
            *cost = narrow((u32::from(*cost) + change).min(ALNUM_MAX));
        }
        change = if is_digit { UNIT } else { 2 * UNIT };
        rest = left;
    }
}

fn is_hex(token: &[u8]) -> bool {
    token.iter().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(b))
        || token.iter().all(|b| b.is_ascii_digit() || (b'A'..=b'F').contains(b))
}

fn number(run: &[u8], out: &mut Vec<u8>) {
    const ROUND: [&[u8]; 12] =
        [b"1024", b"2048", b"4096", b"8192", b"8080", b"8000", b"3000", b"443", b"255", b"65535", b"65536", b"127"];
    let year = run.len() == 4 && (run.starts_with(b"19") || run.starts_with(b"20"));
    let zeros = run.split_first().is_some_and(|(_, rest)| !rest.is_empty() && rest.iter().all(|b| *b == b'0'));
    let packed_date = run.len() == 8
        && (run.starts_with(b"19") || run.starts_with(b"20"))
        && matches!(run.get(4..), Some([b'0' | b'1', _, b'0'..=b'3', _]));
    if packed_date {
        spread(DATE, run.len(), out);
        return;
    }
    if year || zeros || ROUND.contains(&run) {
        spread(4 * UNIT, run.len(), out);
        return;
    }
    let (mut last, mut step) = (None::<u8>, None::<u8>);
    for byte in run {
        let now = last.map(|last| byte.wrapping_sub(last));
        // Counting up or down, or the same again.
        let even = now.is_some_and(|now| matches!(now, 0 | 1 | 255) && (step.is_none() || step == Some(now)));
        out.push(narrow(if even && step.is_some() {
            REPEATED
        } else if even {
            2 * UNIT
        } else {
            DIGIT
        }));
        (last, step) = (Some(*byte), now);
    }
}

/// A run of letters, `mixed` with digits in its token or not: the words in it (a change from lower to upper case begins one), or letter by letter.
fn letters(model: &Model, run: &[u8], mixed: bool, out: &mut Vec<u8>) {
    if (!mixed || run.len() >= 4) && model.word(run) {
        word(run, out);
        return;
    }
    let mut rest = run;
    let mut inner = false;
    while !rest.is_empty() {
        let turn =
            rest.windows(2).position(|w| matches!(w, [a, b] if a.is_ascii_lowercase() && b.is_ascii_uppercase()));
        let (part, left) = rest.split_at_checked(turn.map_or(rest.len(), |at| at + 1)).unwrap_or((rest, &[]));
        // Short words inside a mixed run are chance more often than words.
        if part.len() >= if inner || mixed || !left.is_empty() { 4 } else { 2 } && model.word(part) {
            word(part, out);
        } else {
            unknown(model, part, inner, out);
        }
        inner = true;
        rest = left;
    }
}

fn word(word: &[u8], out: &mut Vec<u8>) {
    let cost = match word.len() {
        0..=3 => 20,
        4..=5 => 28,
        _ => 36,
    };
    let case = if word.iter().skip(1).any(u8::is_ascii_uppercase) { 4 } else { 0 };
    spread(cost + case, word.len(), out);
}

/// A cost shared evenly by `length` bytes, rounded up.
fn spread(cost: u32, length: usize, out: &mut Vec<u8>) {
    let length32 = u32::try_from(length).unwrap_or(u32::MAX).max(1);
    out.resize(out.len() + length, narrow(cost.div_ceil(length32)));
}

fn unknown(model: &Model, part: &[u8], inner: bool, out: &mut Vec<u8>) {
    let (mut a, mut b) = (START, START);
    let mut upper = part.first().is_some_and(u8::is_ascii_uppercase);
    let mut extra = if inner { 2 * UNIT } else { 0 };
    for byte in part {
        let c = letter(*byte);
        if byte.is_ascii_uppercase() != upper {
            // A capital at the start is nothing special; a change later is.
            extra += if upper && (a, b) != (START, START) && a == START { 0 } else { UNIT };
            upper = !upper;
        }
        out.push(narrow((model.letter(a, b, c) + extra).min(ALNUM_MAX)));
        extra = 0;
        (a, b) = (b, c);
    }
}

/// Any byte that is no letter or digit, after the one before it.
fn other(before: u8, byte: u8) -> u32 {
    if byte == before {
        return 3;
    }
    if before.is_ascii_punctuation() && byte.is_ascii_punctuation() {
        // One brings the next: `": "`, `</`, `},{`.
        return 10;
    }
    match byte {
        b' ' => 6,
        b'\n' | b'\t' => 12,
        b'\r' => 8,
        b'.' | b',' | b':' | b';' | b'-' | b'_' | b'/' | b'"' | b'\'' | b'(' | b')' | b'=' | b'<' | b'>' | b'['
        | b']' | b'{' | b'}' | b'\\' | b'*' | b'#' => 18,
        0 => 2 * UNIT,
        0x21..=0x7e => 4 * UNIT,
        // Texts in other scripts: the first byte of a character is mostly the same, what follows has some four bits.
        0xc2..=0xf4 => 3 * UNIT,
        0x80..=0xbf if before >= 0x80 => 5 * UNIT,
        _ => BYTE_MAX,
    }
}

/// What repeats itself is no news.
fn periods(text: &[u8], out: &mut [u8]) {
    for period in [1_usize, 2, 3, 4, 8] {
        let later = text.get(period..).unwrap_or_default();
        let Some(costs) = out.get_mut(period..) else { continue };
        let mut same = 0_usize;
        let (chunks_before, rest_before) = text.get(..later.len()).unwrap_or_default().as_chunks::<8>();
        let (chunks_now, rest_now) = later.as_chunks::<8>();
        let (chunks_of_costs, rest_of_costs) = costs.as_chunks_mut::<8>();
        for ((before, now), costs) in chunks_before.iter().zip(chunks_now).zip(chunks_of_costs) {
            let differ = u64::from_le_bytes(*before) ^ u64::from_le_bytes(*now);
            // Three in a row have two from an even place on.
            if !has_pair(differ) && (same == 0 || differ & 0xff != 0) {
                same = usize::from(differ >> 56 == 0);
            } else {
                repeated(period, before, now, costs, &mut same);
            }
        }
        repeated(period, rest_before, rest_now, rest_of_costs, &mut same);
    }
}

/// Whether one of the four parts of two bytes is zero.
fn has_pair(word: u64) -> bool {
    const LOW: u64 = 0x0001_0001_0001_0001;
    word.wrapping_sub(LOW) & !word & (LOW << 15) != 0
}

/// Lowers what bytes cost that are the same as those before; `same` is how many in a row were.
fn repeated(period: usize, before: &[u8], now: &[u8], costs: &mut [u8], same: &mut usize) {
    for ((before, now), cost) in before.iter().zip(now).zip(costs) {
        if before != now {
            *same = 0;
            continue;
        }
        *same += 1;
        if *same > period.max(2) {
            *cost = if *same > SETTLED { 0 } else { (*cost).min(narrow(REPEATED)) };
        }
    }
}

/// Values that everybody has: never a finding on their own, whatever the model says.
pub(crate) fn is_common_value(value: &[u8]) -> bool {
    is_locale(value)
        || VALUES.iter().any(|common| value.eq_ignore_ascii_case(common.as_bytes()))
        || crate::usual::is_usual(value)
}

/// One of the common words, in any of their plain forms.
pub(crate) fn is_word(word: &[u8]) -> bool {
    model().word(word)
}

/// `de_CH.UTF-8`, `pt_BR.utf8`.
fn is_locale(value: &[u8]) -> bool {
    let Some(([a, b, b'_', c, d], rest)) = value.split_first_chunk() else { return false };
    [a, b].iter().all(|l| l.is_ascii_lowercase())
        && [c, d].iter().all(|l| l.is_ascii_uppercase())
        && [&b""[..], b".utf-8", b".utf8"].iter().any(|end| rest.eq_ignore_ascii_case(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole_bits(text: &str) -> u32 {
        bits(text.as_bytes()) / UNIT
    }

    #[test]
    fn rarity_of_random_tokens_is_high() {
        for token in [
            "k7Qz2mXp",
            "9fK2xLq7",
            "zX3vB8nW",
            "Q4mZ8tRw",
            "aB3dE5gH",
            "tR8_kW2x",
            "qzkvjxwp",
            "\u{1}\u{9c}k\u{fe}x\u{7}",
        ] {
            assert!(whole_bits(token) >= 36, "{token}: {}", whole_bits(token));
        }
    }

    #[test]
    fn rarity_of_common_text_is_low() {
        for text in [
            "true",
            "UTC",
            "root",
            "bash",
            "/usr/bin",
            "Content-Type",
            "password",
            "12345678",
            "00000000",
            "aaaaaaaaaaaaaaaaaaaaaa",
            "abababababababab",
            "----------------------",
            "function",
            "2024",
            "        \n        ",
            "application",
            "configuration",
        ] {
            assert!(whole_bits(text) <= 22, "{text}: {}", whole_bits(text));
        }
        for text in [
            "the quick brown fox jumps over the lazy dog",
            "This file could not be found on the server",
            "application/json; charset=utf-8",
        ] {
            assert!(whole_bits(text) <= 48, "{text}: {}", whole_bits(text));
        }
    }

    #[test]
    fn there_is_a_cost_for_every_byte_and_none_is_absurd() {
        let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
        for text in [&b""[..], b"a", &all, b"XMLHttpRequest2abcDEF", "\u{fffd}\u{10ffff}".as_bytes()] {
            let mut out = Vec::new();
            costs(text, &mut out);
            assert_eq!(out.len(), text.len());
            assert!(out.iter().all(|c| (1..=56).contains(c)), "{out:?}");
        }
    }

    proptest::proptest! {
        /// Eight bytes at a time as one at a time.
        #[test]
        fn what_repeats_itself_is_told_as_byte_by_byte(text in "([abc]{0,5}|(ab){0,9}|x{0,40}|[a-h]{8}|(abcdefgh){0,3}){0,9}") {
            let text = text.as_bytes();
            let (mut fast, mut slow) = (vec![50; text.len()], vec![50; text.len()]);
            periods(text, &mut fast);
            for period in [1, 2, 3, 4, 8].into_iter().filter(|period| *period < text.len()) {
                repeated(period, text, &text[period..], &mut slow[period..], &mut 0);
            }
            proptest::prop_assert_eq!(fast, slow);
        }
    }

    #[test]
    fn logarithms_are_in_eighths_and_never_too_large() {
        for (n, at_most) in [(0, 0), (1, 0), (2, 8), (3, 12), (8, 24), (9, 25), (1 << 40, 320), (u64::MAX, 511)] {
            assert_eq!(log2(n), at_most, "{n}");
        }
    }
}
