//! The same bytes in another order or with others between them: reversed, rotated by 13, as UTF-16, with separators.

use super::map::Builder;

/// Bytes that make a range worth looking at.
const LEAST: usize = 8;

pub(crate) fn reverse(text: &[u8], out: &mut Builder) {
    let bytes: Vec<u8> = text.iter().rev().copied().collect();
    out.reversed(&bytes, 0);
}

/// A letter 13 places on.
pub(crate) fn turned(byte: u8) -> u8 {
    match byte {
        b'a'..=b'm' | b'A'..=b'M' => byte + 13,
        b'n'..=b'z' | b'N'..=b'Z' => byte - 13,
        _ => byte,
    }
}

pub(crate) fn rot13(text: &[u8], out: &mut Builder) {
    let bytes: Vec<u8> = text.iter().copied().map(turned).collect();
    out.same(&bytes, 0);
}

/// Every second byte where the others are all the same: UTF-16 of plain text, `s-e-c-r-e-t`, one character a line.
/// `zero` says which of the two.
pub(crate) fn every_second(text: &[u8], zero: bool, out: &mut Builder) {
    for odd in [0, 1] {
        let mut fillers = text.iter().enumerate().skip(odd).step_by(2);
        let Some((mut first, mut filler)) = fillers.next() else { continue };
        let mut last = first;
        for (at, byte) in fillers.map(|(at, byte)| (at, Some(byte))).chain([(usize::MAX, None)]) {
            if byte == Some(filler) {
                last = at;
                continue;
            }
            if (filler == &0) == zero {
                between(text, first, last, out);
            }
            let Some(byte) = byte else { break };
            (first, last, filler) = (at, at, byte);
        }
    }
}

/// The bytes before, between and after the fillers from `first` to `last`.
fn between(text: &[u8], first: usize, last: usize, out: &mut Builder) {
    if (last - first) / 2 + 2 < LEAST {
        return;
    }
    let start = first.saturating_sub(1);
    let start = if first == 0 { 1 } else { start };
    let range = text.get(start..text.len().min(last + 2)).unwrap_or_default();
    let bytes: Vec<u8> = range.iter().step_by(2).copied().collect();
    // What is the same all over has nothing between it.
    if bytes.iter().any(|b| Some(b) != bytes.first()) {
        out.even(&bytes, start, start + range.len(), 2, 1);
    }
}

/// The text without a separator, wherever one stands every few bytes: `k7Qz-2mXp-W9tR`.
pub(crate) fn separators(text: &[u8], out: &mut Builder) {
    const GROUP: usize = 9;
    const TIMES: usize = 2;
    // For each separator where its stretch began, its last place, and how often it stood.
    let mut open = [(0_usize, 0_usize, 0_usize); 128];
    let close = |separator: usize, (first, last, times): (usize, usize, usize), out: &mut Builder| {
        if times < TIMES {
            return;
        }
        let (from, to) = (first.saturating_sub(GROUP - 1), text.len().min(last + GROUP));
        let separator = u8::try_from(separator).unwrap_or(0);
        let mut at = from;
        for group in text.get(from..to).unwrap_or_default().split(|b| *b == separator) {
            let taken = at + group.len();
            match group.split_last() {
                // The separator belongs to the byte before it.
                Some((last, group)) if taken < to => {
                    out.same(group, at);
                    out.whole(&[*last], taken - 1, taken + 1);
                }
                _ => out.same(group, at),
            }
            at = taken + 1;
        }
    };
    for (at, byte) in text.iter().enumerate() {
        if byte.is_ascii_alphanumeric() || !byte.is_ascii() {
            continue;
        }
        let Some(stretch) = open.get_mut(usize::from(*byte)) else { continue };
        if stretch.2 > 0 && at - stretch.1 <= GROUP {
            // One after the other is no group between.
            stretch.2 += usize::from(at - stretch.1 > 1);
            stretch.1 = at;
        } else {
            close(usize::from(*byte), *stretch, out);
            *stretch = (at, at, 1);
        }
        if out.is_full() {
            return;
        }
    }
    for (separator, stretch) in open.into_iter().enumerate().filter(|(_, (_, _, times))| *times >= TIMES) {
        close(separator, stretch, out);
    }
}

/// Single letters and digits with something else between them, whatever it is: `"s", "e", "c"`.
pub(crate) fn singles(text: &[u8], out: &mut Builder) {
    const GAP: usize = 6;
    let mut run: Vec<(u8, usize)> = Vec::new();
    let mut flush = |run: &mut Vec<(u8, usize)>| {
        if run.len() >= LEAST {
            for (at, (byte, place)) in run.iter().enumerate() {
                let next = run.get(at + 1).map_or(place + 1, |(_, next)| *next);
                out.even(&[*byte], *place, next, u8::try_from(next - place).unwrap_or(1), 1);
            }
        }
        run.clear();
    };
    let mut before = None;
    for (at, byte) in text.iter().enumerate() {
        if !byte.is_ascii_alphanumeric() {
            continue;
        }
        let alone = before.is_none_or(|b| at - b > 1) && text.get(at + 1).is_none_or(|b| !b.is_ascii_alphanumeric());
        if !alone || before.is_some_and(|b| at - b > GAP) {
            flush(&mut run);
        }
        if alone {
            run.push((*byte, at));
        }
        before = Some(at);
    }
    flush(&mut run);
}

/// The text without tags and the numbers of lines, wherever pieces of a few bytes stand between: `k7<b></b>Qz`, `1. k7Qz2m`.
pub(crate) fn marked(text: &[u8], out: &mut Builder) {
    /// The longest piece, and how many marks make a stretch.
    const PIECE: usize = 12;
    const TIMES: usize = 3;
    // Of the stretch that is open: its pieces, and how many marks it has.
    let mut pieces: Vec<(usize, usize)> = Vec::new();
    let mut times = 0;
    let mut from = 0;
    let mut at = 0;
    let mut flush = |pieces: &mut Vec<(usize, usize)>, times: usize| {
        if times >= TIMES {
            for (from, to) in pieces.iter() {
                out.same(text.get(*from..*to).unwrap_or_default(), *from);
            }
        }
        pieces.clear();
        out.is_full()
    };
    while at < text.len() {
        let length = mark(text, at);
        if length == 0 {
            at += 1;
            continue;
        }
        if times > 0 && at - from > PIECE {
            pieces.push((from, from + PIECE));
            if flush(&mut pieces, times) {
                return;
            }
            times = 0;
        }
        // Before the first mark only its end belongs to it.
        let start = if times == 0 { from.max(at.saturating_sub(PIECE)) } else { from };
        pieces.push((start, at));
        times += 1;
        at += length;
        from = at;
    }
    pieces.push((from, text.len().min(from + PIECE)));
    flush(&mut pieces, times);
}

/// The length of a tag, or of a line's end and the next one's number.
fn mark(text: &[u8], at: usize) -> usize {
    const TAG: usize = 40;
    let rest = text.get(at..).unwrap_or_default();
    match rest {
        [b'<', b'/' | b'!' | b'a'..=b'z' | b'A'..=b'Z', ..] => {
            rest.iter().take(TAG).position(|b| *b == b'>').map_or(0, |end| end + 1)
        }
        [b'\n', line @ ..] => numbered(line).map_or(0, |length| length + 1),
        _ if at == 0 => numbered(rest).unwrap_or(0),
        _ => 0,
    }
}

/// The length of `12. `, `3) `, `4: ` or `5|` at the start of a line.
fn numbered(line: &[u8]) -> Option<usize> {
    let blanks = line.iter().take(8).take_while(|b| **b == b' ').count();
    let digits = line.get(blanks..)?.iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    let after = line.get(blanks + digits..)?;
    let mark = after.iter().take(3).take_while(|b| b".):| \t".contains(b)).count();
    ((1..=5).contains(&digits) && mark > 0).then_some(blanks + digits + mark)
}

/// Longer texts are not turned all ways.
const SHORT: usize = 512;

/// The long words of a short text with their letters moved on by each number of places, mirrored, and with all their characters moved on by 47: one
/// after the other.
pub(crate) fn rotations(text: &[u8], out: &mut Builder) {
    if !(LEAST..=SHORT).contains(&text.len()) {
        return;
    }
    let moved = |byte: u8, places: u8| match byte {
        b'a'..=b'z' => (byte - b'a' + places) % 26 + b'a',
        b'A'..=b'Z' => (byte - b'A' + places) % 26 + b'A',
        _ => byte,
    };
    let mirrored = |byte: u8| match byte {
        b'a'..=b'z' => b'z' - (byte - b'a'),
        b'A'..=b'Z' => b'Z' - (byte - b'A'),
        _ => byte,
    };
    let by_47 = |byte: u8| if byte.is_ascii_graphic() { (byte - b'!' + 47) % 94 + b'!' } else { byte };
    // Words of everyday length and numbers are the same all over: only what is long and has letters can be a key.
    let mut words: Vec<(usize, &[u8])> = Vec::new();
    let mut from = 0;
    for word in text.split(|b| !b.is_ascii_graphic()) {
        let letters = word.iter().filter(|b| b.is_ascii_alphabetic()).count();
        let marks = word.iter().filter(|b| b.is_ascii_punctuation()).count();
        if word.len() >= LEAST && (letters * 2 >= word.len() || marks * 5 >= word.len()) {
            words.push((from, word));
        }
        from += word.len() + 1;
    }
    let mut bytes: Vec<u8> = Vec::with_capacity(text.len());
    let mut add = |turn: &dyn Fn(u8) -> u8| {
        for (from, word) in &words {
            bytes.clear();
            bytes.extend(word.iter().map(|byte| turn(*byte)));
            out.same(&bytes, *from);
            // One does not go on in the next.
            out.whole(b"\n", from + word.len() - 1, from + word.len());
        }
    };
    add(&by_47);
    add(&mirrored);
    for places in (1..26).filter(|places| *places != 13) {
        add(&|byte| moved(byte, places));
    }
}
