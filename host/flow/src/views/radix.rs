//! base64 (both alphabets, padded or not) and base32 (either case), embedded in other text, wrapped in lines, from any of their characters on.

use super::map::Builder;

/// An alphabet whose characters are worth `bits` each.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Radix {
    bits: u32,
    /// Characters that make whole bytes together, and those bytes.
    chars: usize,
    bytes: u8,
    /// Runs with fewer characters hold no 8 bytes.
    least: usize,
}

pub(crate) const BASE64: Radix = Radix { bits: 6, chars: 4, bytes: 3, least: 11 };
pub(crate) const BASE32: Radix = Radix { bits: 5, chars: 8, bytes: 5, least: 13 };

/// Runs longer than this are not tried from every character on when they read well from the first: a base64 of a file is decoded once, not four times.
const TRY_ALL: usize = 1 << 16;

impl Radix {
    fn value(self, byte: u8) -> Option<u8> {
        match (self.bits, byte) {
            (6, b'A'..=b'Z') => Some(byte - b'A'),
            (6, b'a'..=b'z') => Some(byte - b'a' + 26),
            (6, b'0'..=b'9') => Some(byte - b'0' + 52),
            (6, b'+' | b'-') => Some(62),
            (6, b'/' | b'_') => Some(63),
            (5, b'A'..=b'Z') => Some(byte - b'A'),
            (5, b'a'..=b'z') => Some(byte - b'a'),
            (5, b'2'..=b'7') => Some(byte - b'2' + 26),
            _ => None,
        }
    }

    pub(crate) fn decode(self, text: &[u8], out: &mut Builder) {
        let mut at = 0;
        let mut run: Vec<(u8, u32)> = Vec::new();
        while at < text.len() {
            let rest = text.get(at..).unwrap_or_default();
            let Some(skip) = rest.iter().position(|b| self.value(*b).is_some()) else { return };
            run.clear();
            at = self.run(text, at + skip, &mut run);
            if run.len() < self.least {
                continue;
            }
            for first in 0..self.chars {
                let before = out.length();
                self.emit(run.get(first..).unwrap_or_default(), out);
                if out.is_full() || (first == 0 && run.len() > TRY_ALL && out.reads_well_from(before)) {
                    break;
                }
            }
        }
    }

    /// The characters of a run that begins at `at`, with their places; returns where it ends. Line breaks do not end it.
    fn run(self, text: &[u8], mut at: usize, run: &mut Vec<(u8, u32)>) -> usize {
        loop {
            let rest = text.get(at..).unwrap_or_default();
            let mut taken = 0;
            for byte in rest {
                let (Some(value), Ok(place)) = (self.value(*byte), u32::try_from(at + taken)) else { break };
                run.push((value, place));
                taken += 1;
            }
            at += taken;
            let gap = line_break(text.get(at..).unwrap_or_default());
            let goes_on = gap > 0 && text.get(at + gap).is_some_and(|b| self.value(*b).is_some());
            if taken == 0 || !goes_on {
                return at;
            }
            at += gap;
        }
    }

    fn emit(self, run: &[(u8, u32)], out: &mut Builder) {
        if run.len() < self.least {
            return;
        }
        for unit in run.chunks(self.chars) {
            let mut bytes = [0_u8; 5];
            let (mut value, mut held, mut made) = (0_u32, 0, 0);
            for (char, _) in unit {
                value = (value << self.bits) | u32::from(*char);
                held += self.bits;
                if held >= 8 {
                    held -= 8;
                    if let Some(byte) = bytes.get_mut(made) {
                        *byte = u8::try_from((value >> held) & 0xff).unwrap_or(0);
                        made += 1;
                    }
                    value &= (1 << held) - 1;
                }
            }
            let bytes = bytes.get(..made).unwrap_or_default();
            let (Some((_, from)), Some((_, last))) = (unit.first(), unit.last()) else { continue };
            let (from, to) = (*from as usize, *last as usize + 1);
            if to - from == unit.len() && unit.len() == self.chars {
                out.even(bytes, from, to, u8::try_from(self.chars).unwrap_or(1), self.bytes);
            } else {
                out.whole(bytes, from, to);
            }
        }
    }
}

/// The length of a line break with the indentation after it, also as JSON and C write it.
fn line_break(rest: &[u8]) -> usize {
    let mut length = 0;
    let mut broken = false;
    while let Some(left) = rest.get(length..) {
        length += match left {
            [b'\r' | b'\n', ..] => {
                broken = true;
                1
            }
            [b'\\', b'r' | b'n', ..] => {
                broken = true;
                2
            }
            [b' ' | b'\t', ..] if broken => 1,
            _ => break,
        };
        if length > 64 {
            return 0;
        }
    }
    if broken { length } else { 0 }
}
