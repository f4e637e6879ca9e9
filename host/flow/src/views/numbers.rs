//! Numbers that carry bytes: lists of byte values, of words of two or four bytes in either order, of code points, and integers of eight bytes.

use super::map::Builder;

/// A number as it is written, and whether the one before it stands close.
struct Number {
    from: usize,
    to: usize,
    value: u64,
    follows: bool,
}

/// The whole numbers in a text; `breaks` are places where one text ends and the next begins.
fn numbers<'t>(text: &'t [u8], breaks: &'t [usize]) -> impl Iterator<Item = Number> + 't {
    let mut at = 0;
    let mut end = usize::MAX;
    std::iter::from_fn(move || {
        loop {
            at += text.get(at..)?.iter().position(u8::is_ascii_digit)?;
            let from = at;
            let stop =
                breaks.get(breaks.partition_point(|b| *b <= from)).copied().unwrap_or(text.len()).min(text.len());
            let digits = text.get(from..stop)?;
            let hex = hex(digits);
            let length = hex.map_or_else(
                || digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len()),
                |(_, length)| length,
            );
            at = from + length;
            let decimal =
                || digits.get(..length).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| d.parse::<u64>().ok());
            let value = hex.map(|(value, _)| value).or_else(decimal);
            let Some(value) = value else { continue };
            let minus = from.checked_sub(1).and_then(|b| text.get(b)) == Some(&b'-');
            let gap = end..from;
            let follows = end != usize::MAX
                && gap.len() <= 4
                && text.get(gap).unwrap_or_default().iter().all(|b| b" ,;\n\r\t[]|-.".contains(b));
            end = at;
            return Some(Number { from, to: at, value: if minus { value.wrapping_neg() } else { value }, follows });
        }
    })
}

/// `0x` and up to 16 digits at the start: the value, and how long it is.
fn hex(text: &[u8]) -> Option<(u64, usize)> {
    let [b'0', b'x' | b'X', rest @ ..] = text else { return None };
    let length = rest.iter().take(17).position(|b| !b.is_ascii_hexdigit()).unwrap_or(rest.len().min(17));
    let value = std::str::from_utf8(rest.get(..length)?).ok().and_then(|d| u64::from_str_radix(d, 16).ok())?;
    Some((value, length + 2))
}

/// Lists of four or more numbers of which some have more than a byte: each is a character, or two or four bytes, high first and low first.
pub(crate) fn words(text: &[u8], breaks: &[usize], out: &mut Builder) {
    const LEAST: usize = 4;
    let mut run: Vec<(u32, usize, usize)> = Vec::new();
    let mut flush = |run: &mut Vec<(u32, usize, usize)>| {
        let most = run.iter().map(|(value, _, _)| *value).max().unwrap_or(0);
        if run.len() >= LEAST && most > 0xff {
            if run.iter().all(|(value, _, _)| char::from_u32(*value).is_some()) {
                each(run, out, |value, bytes| {
                    let mut utf8 = [0; 4];
                    let written = char::from_u32(value).map_or(0, |c| c.encode_utf8(&mut utf8).len());
                    bytes.extend_from_slice(utf8.get(..written).unwrap_or_default());
                });
            }
            let skip = if most > 0xffff { 0 } else { 2 };
            each(run, out, |value, bytes| bytes.extend(value.to_be_bytes().into_iter().skip(skip)));
            each(run, out, |value, bytes| bytes.extend(value.to_le_bytes().into_iter().take(4 - skip)));
        }
        run.clear();
    };
    for number in numbers(text, breaks) {
        let signed = number.value.cast_signed();
        let word = u32::try_from(number.value).ok().or_else(|| i32::try_from(signed).ok().map(i32::cast_unsigned));
        if word.is_none() || !number.follows {
            flush(&mut run);
        }
        if let Some(word) = word {
            run.push((word, number.from, number.to));
        }
    }
    flush(&mut run);
}

/// Each number of a list as the bytes that `make` gives for it; what stands after it belongs to it.
fn each(run: &[(u32, usize, usize)], out: &mut Builder, make: impl Fn(u32, &mut Vec<u8>)) {
    let mut bytes = Vec::with_capacity(4);
    for (at, (value, from, to)) in run.iter().enumerate() {
        bytes.clear();
        make(*value, &mut bytes);
        let next = run.get(at + 1).map_or(*to, |(_, next, _)| *next);
        out.whole(&bytes, *from, next);
    }
}

/// Lists of eight or more numbers below 256: each is a byte.
pub(crate) fn bytes(text: &[u8], breaks: &[usize], out: &mut Builder) {
    let mut run: Vec<(u8, usize, usize)> = Vec::new();
    let mut flush = |run: &mut Vec<(u8, usize, usize)>| {
        if run.len() >= 8 {
            for (at, (byte, from, to)) in run.iter().enumerate() {
                let next = run.get(at + 1).map_or(*to, |(_, next, _)| *next);
                out.whole(&[*byte], *from, next);
            }
        }
        run.clear();
    };
    for number in numbers(text, breaks) {
        // Signed bytes are bytes too.
        let byte = u8::try_from(number.value)
            .ok()
            .or_else(|| i8::try_from(number.value.cast_signed()).ok().map(i8::cast_unsigned));
        if byte.is_none() || !number.follows {
            flush(&mut run);
        }
        if let Some(byte) = byte {
            run.push((byte, number.from, number.to));
        }
    }
    flush(&mut run);
}

/// Ten digits and more. What is written in hexadecimal is read as such.
fn is_large(text: &[u8], number: &Number) -> bool {
    let digits = text.get(number.from..number.to).unwrap_or_default();
    digits.len() >= 10 && number.value > 0xff && digits.iter().all(u8::is_ascii_digit)
}

/// Numbers of ten digits and more: their eight bytes, high first, and then all of them low first.
pub(crate) fn integers(text: &[u8], breaks: &[usize], out: &mut Builder) {
    for low_first in [false, true] {
        for number in numbers(text, breaks).filter(|n| is_large(text, n)) {
            let bytes = if low_first { number.value.to_le_bytes() } else { number.value.to_be_bytes() };
            out.whole(&bytes, number.from, number.to);
        }
        if out.is_full() {
            return;
        }
    }
}

/// The digits of a text that is short enough to be a secret, without what stands between them.
pub(crate) fn digits(text: &[u8], out: &mut Builder) {
    const LONGEST: usize = 4096;
    if text.len() > LONGEST || text.iter().all(u8::is_ascii_digit) {
        return;
    }
    for (at, byte) in text.iter().enumerate().filter(|(_, b)| b.is_ascii_digit()) {
        out.same(&[*byte], at);
    }
}
