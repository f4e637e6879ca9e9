//! Hexadecimal: pairs of digits, joined or with a little between them (`:`, spaces, `-`, commas, quotes, line ends, `\x`, `0x`).

use super::map::Builder;

/// Pairs that make a range worth looking at.
const LEAST: usize = 8;
/// What may stand between two pairs: `', 0x` and a line's indentation.
const GAP: usize = 12;

pub(crate) fn decode(text: &[u8], out: &mut Builder) {
    let mut at = 0;
    let mut pairs = Vec::new();
    while at < text.len() && !out.is_full() {
        let part = text.get(at..).unwrap_or_default();
        let Some(skip) = part.iter().position(|b| digit(*b).is_some()) else { return };
        let from = at + skip;
        // What a range can be made of, as far as it goes.
        let mut before = 0;
        let mut goes_on = |byte: &u8| {
            let is = IN_RANGE.get(usize::from(*byte)).copied().unwrap_or(false) || (*byte == b'n' && before == b'\\');
            before = *byte;
            is
        };
        let rest = text.get(from..).unwrap_or_default();
        let length = rest.iter().position(|byte| !goes_on(byte)).unwrap_or(rest.len());
        at = from + length;
        if length >= 2 * LEAST {
            decode_part(text.get(..at).unwrap_or_default(), from, &mut pairs, out);
        }
    }
}

fn decode_part(text: &[u8], mut at: usize, pairs: &mut Vec<(u8, usize)>, out: &mut Builder) {
    // Places from `at` on that a walk went through which was too short: one from there is shorter.
    let mut short = 0_u128;
    while at + 2 <= text.len() {
        let Some(skip) = text.get(at..).and_then(|rest| rest.iter().position(|b| digit(*b).is_some())) else { return };
        at += skip;
        short = later(short, skip);
        // A run of digits may begin with one that belongs to what stands before it, so both ways are read.
        let mut end = at;
        for first in [0, 1] {
            if short >> first & 1 == 1 {
                continue;
            }
            pairs.clear();
            let reached = walk(text, at + first, pairs);
            if pairs.len() >= LEAST {
                emit(pairs, out);
                end = end.max(reached);
            } else {
                let passed = pairs.iter().map(|(_, place)| place - at).filter(|passed| *passed < 128);
                short = passed.fold(short, |short, passed| short | 1 << passed);
            }
        }
        if out.is_full() {
            return;
        }
        let next = if end > at { end } else { at + 1 };
        short = later(short, next - at);
        at = next;
    }
}

fn later(short: u128, by: usize) -> u128 {
    u32::try_from(by).ok().and_then(|by| short.checked_shr(by)).unwrap_or(0)
}

fn walk(text: &[u8], mut at: usize, pairs: &mut Vec<(u8, usize)>) -> usize {
    let mut next = pair(text, at);
    while let Some(byte) = next {
        pairs.push((byte, at));
        let end = at + 2;
        let Some(length) = gap(text.get(end..).unwrap_or_default()) else { return end };
        next = pair(text, end + length);
        if next.is_none() {
            return end;
        }
        at = end + length;
    }
    at
}

/// Digits, and what may stand in a gap; `n` only after a backslash.
static IN_RANGE: [bool; 256] = in_range();

#[expect(clippy::indexing_slicing, reason = "made while compiling, where a panic is an error of the build")]
#[expect(clippy::cast_possible_truncation, reason = "below 256")]
const fn in_range() -> [bool; 256] {
    let mut in_range = [false; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        in_range[at] =
            is_gap(byte) || byte.is_ascii_hexdigit() || matches!(byte, b'x' | b'X' | b'\\' | b'U' | b'u' | b'+');
        at += 1;
    }
    in_range
}

const fn is_gap(byte: u8) -> bool {
    matches!(
        byte,
        b':' | b' ' | b'-' | b'_' | b'.' | b',' | b';' | b'|' | b'"' | b'\'' | b'\n' | b'\r' | b'\t' | b'%' | b'='
    )
}

static DIGITS: [u8; 256] = digits();
const NO_DIGIT: u8 = u8::MAX;

#[expect(clippy::indexing_slicing, reason = "made while compiling, where a panic is an error of the build")]
#[expect(clippy::cast_possible_truncation, reason = "below 256")]
const fn digits() -> [u8; 256] {
    let mut digits = [NO_DIGIT; 256];
    let mut at = 0;
    while at < 256 {
        digits[at] = match at as u8 {
            byte @ b'0'..=b'9' => byte - b'0',
            byte @ b'a'..=b'f' => byte - b'a' + 10,
            byte @ b'A'..=b'F' => byte - b'A' + 10,
            _ => NO_DIGIT,
        };
        at += 1;
    }
    digits
}

fn digit(byte: u8) -> Option<u8> {
    DIGITS.get(usize::from(byte)).copied().filter(|digit| *digit != NO_DIGIT)
}

fn pair(text: &[u8], at: usize) -> Option<u8> {
    match text.get(at..at + 2)? {
        [a, b] => Some((digit(*a)? << 4) | digit(*b)?),
        _ => None,
    }
}

fn gap(rest: &[u8]) -> Option<usize> {
    let mut length = 0;
    while length <= GAP {
        length += match rest.get(length..)? {
            [b'0', b'x' | b'X', ..] | [b'\\', b'x' | b'X' | b'n', ..] | [b'U' | b'u', b'+', ..] => 2,
            [byte, ..] if is_gap(*byte) => 1,
            _ => return Some(length),
        };
    }
    None
}

fn emit(pairs: &[(u8, usize)], out: &mut Builder) {
    for (at, (byte, place)) in pairs.iter().enumerate() {
        let next = pairs.get(at + 1).map_or(place + 2, |(_, next)| *next);
        // The gap after a pair belongs to it: what is taken out of a text takes it along.
        match u8::try_from(next - place) {
            Ok(stride) => out.even(&[*byte], *place, next, stride, 1),
            Err(_) => out.whole(&[*byte], *place, place + 2),
        }
    }
}
