//! Numbers that carry bytes: lists of byte values, and integers of eight bytes in either order.

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
            let length = digits.iter().position(|b| !b.is_ascii_digit()).unwrap_or(digits.len());
            at = from + length;
            let value =
                digits.get(..length).and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| d.parse::<u64>().ok());
            let Some(value) = value else { continue };
            let minus = from.checked_sub(1).and_then(|b| text.get(b)) == Some(&b'-');
            let gap = end..from;
            let follows = end != usize::MAX
                && gap.len() <= 4
                && text.get(gap).unwrap_or_default().iter().all(|b| b" ,;\n\r\t[]|-".contains(b));
            end = at;
            return Some(Number { from, to: at, value: if minus { value.wrapping_neg() } else { value }, follows });
        }
    })
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

/// Numbers of ten digits and more: their eight bytes, high first, and then all of them low first.
pub(crate) fn integers(text: &[u8], breaks: &[usize], out: &mut Builder) {
    for low_first in [false, true] {
        for number in numbers(text, breaks).filter(|n| n.to - n.from >= 10) {
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
