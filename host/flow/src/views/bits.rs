//! Streams of bits: `true,false,true`, `0 1 1 0`, `01101011`. Both orders in a byte, from every bit on.

use super::map::Builder;

/// Bits that make eight bytes.
const LEAST: usize = 64;
/// What may stand between two bits: `", "`, a line's indentation.
const GAP: usize = 8;
/// Longer streams are read from their first bit on only.
const TRY_ALL: usize = 1 << 16;

pub(crate) fn decode(text: &[u8], out: &mut Builder) {
    let mut run: Vec<(bool, usize, usize)> = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let rest = text.get(at..).unwrap_or_default();
        match bit(rest) {
            Some((value, length)) => {
                run.push((value, at, at + length));
                at += length;
            }
            None => {
                let end = run.last().map_or(at, |(_, _, end)| *end);
                let between = rest.first().is_some_and(|b| b" ,;\n\r\t[]|-_:\"'".contains(b));
                if !between || at - end >= GAP {
                    flush(&mut run, out);
                }
                at += 1;
            }
        }
        if out.is_full() {
            return;
        }
    }
    flush(&mut run, out);
}

fn bit(rest: &[u8]) -> Option<(bool, usize)> {
    let word = |word: &[u8]| rest.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word));
    match rest.first()? {
        b'0' => Some((false, 1)),
        b'1' => Some((true, 1)),
        b't' | b'T' if word(b"true") => Some((true, 4)),
        b'f' | b'F' if word(b"false") => Some((false, 5)),
        _ => None,
    }
}

fn flush(run: &mut Vec<(bool, usize, usize)>, out: &mut Builder) {
    let starts = if run.len() < LEAST {
        0
    } else if run.len() > TRY_ALL {
        1
    } else {
        8
    };
    for high_first in [true, false] {
        for start in 0..starts {
            for byte in run.get(start..).unwrap_or_default().as_chunks::<8>().0 {
                let value = byte.iter().enumerate().fold(0_u8, |sum, (at, (bit, _, _))| {
                    sum | (u8::from(*bit) << if high_first { 7 - at } else { at })
                });
                let [(_, from, _), .., (_, _, to)] = byte;
                match u8::try_from(to - from) {
                    Ok(below) => out.even(&[value], *from, *to, below, 1),
                    Err(_) => out.whole(&[value], *from, *to),
                }
            }
        }
    }
    run.clear();
}
