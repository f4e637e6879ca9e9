//! Hexadecimal: pairs of digits, joined or with a little between them (`:`, spaces, `-`, commas, quotes, line ends, `\x`, `0x`).

use super::map::Builder;

/// Pairs that make a range worth looking at.
const LEAST: usize = 8;
/// What may stand between two pairs: `', 0x` and a line's indentation.
const GAP: usize = 12;

pub(crate) fn decode(text: &[u8], out: &mut Builder) {
    let mut at = 0;
    let mut pairs: Vec<(u8, usize)> = Vec::new();
    while at + 2 <= text.len() {
        let Some(skip) = text.get(at..).and_then(|rest| rest.iter().position(u8::is_ascii_hexdigit)) else { return };
        at += skip;
        // A run of digits may begin with one that belongs to what stands before it, so both ways are read.
        let mut end = at;
        for first in [at, at + 1] {
            pairs.clear();
            let reached = walk(text, first, &mut pairs);
            if pairs.len() >= LEAST {
                emit(&pairs, out);
                end = end.max(reached);
            }
        }
        if out.is_full() {
            return;
        }
        at = if end > at { end } else { at + 1 };
    }
}

fn walk(text: &[u8], mut at: usize, pairs: &mut Vec<(u8, usize)>) -> usize {
    while let Some(byte) = pair(text, at) {
        pairs.push((byte, at));
        let end = at + 2;
        match gap(text.get(end..).unwrap_or_default()) {
            Some(length) if pair(text, end + length).is_some() => at = end + length,
            _ => return end,
        }
    }
    at
}

fn pair(text: &[u8], at: usize) -> Option<u8> {
    let digit = |b: u8| char::from(b).to_digit(16);
    match text.get(at..at + 2)? {
        [a, b] => u8::try_from(digit(*a)? * 16 + digit(*b)?).ok(),
        _ => None,
    }
}

fn gap(rest: &[u8]) -> Option<usize> {
    let mut length = 0;
    while length <= GAP {
        length += match rest.get(length..)? {
            [b'0', b'x' | b'X', ..] | [b'\\', b'x' | b'X' | b'n', ..] | [b'U' | b'u', b'+', ..] => 2,
            [
                b':' | b' ' | b'-' | b'_' | b'.' | b',' | b';' | b'|' | b'"' | b'\'' | b'\n' | b'\r' | b'\t' | b'%'
                | b'=',
                ..,
            ] => 1,
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
